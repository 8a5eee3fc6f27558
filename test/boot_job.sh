# shellcheck shell=sh
# What boot_test.sh's guest does once /init has started the containers, by busybox's init. Each part is told on the console below a line
# "== PART"; the machine is then switched off.
exec >/dev/console 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

part() {
	echo "== $1"
}

part mounts
cat /proc/mounts
part ps
ctr-ps -rn -o name,status
part web
wget -qO- http://127.0.0.1:8080/shells
part logs
for name in erofs squashfs old; do
	ctr-logs "$name"
done
part moved
ctr-ps -q | xargs ctr-inspect | grep pivot_fallback
part climb
ctr-run --rm --net none five /tool
part climb-by-exec
ctr-exec jail /tool
part climb-unfiltered
ctr-run --rm --net none --security-opt seccomp=unconfined five /tool
part climb-in-user-namespace
ctr-run --rm --net none --userns auto --security-opt seccomp=unconfined five /tool
part climb-given-away
ctr-run --rm --net none --cap-add SYS_ADMIN five /tool
part memory-store
CTRBOX_ROOT=/run/store ctr-run --rm --net none five sh -c 'rm /etc/shells; echo x >/file; cat /file'
part left
ctr-ps -aq | ctr-rm -f - >/dev/null
ctr-ps -aq
find /sys/fs/cgroup -name 'ctrbox-*'
losetup -a
grep overlay /proc/mounts
ip -o link | grep -v ': lo:' | grep -v ': ctr'
part end
ctr-run -d --name end --restart unless-stopped --net none five sh -c 'trap "exit 3" TERM; while :; do sleep 1; done' >/dev/null
poweroff
