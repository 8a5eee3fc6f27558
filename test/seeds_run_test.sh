#!/bin/sh
# The course notes' transcripts about containers: run, ps, logs, exec, stop, rm, as v0.1 to v0.13 of note 003 and note
# 004 have them, with `ctrbox` for the program's name and busybox where they name no image [84].
. "$(dirname "$0")/lib.sh"
. "$TOP/test/seeds_lib.sh"

tearDown() {
	ctrbox ps -aq | xargs -r ctrbox rm -f >/dev/null
	assertNull 'groups are left' "$(leftovers)"
}

# pid_of NAME: the host's number of its command
pid_of() {
	ctrbox ps -n -o pid -r -f "name=$1"
}

status_of() {
	ctrbox ps -a -n -o status -r -f "name=$1"
}

is_exited() {
	[ "$(status_of "$1")" = exited ]
}

# v0.1: `run -it /bin/sh`: it is 1 and nothing else is there [43] [81], on the host it is below its runner [20]
test_run() {
	before=$(hostname)
	# shellcheck disable=SC2016
	open_terminal 7 'ctrbox run -it --name bird busybox /bin/sh'
	# shellcheck disable=SC2016
	type_in 7 'echo I am $$, $(tr "\0" " " </proc/1/cmdline)'
	assert_screen 7 '^I am 1, /bin/sh *$'
	type_in 7 'ps | grep -c "^ *[0-9]" | sed s/^/processes:/'
	assert_screen 7 '^processes:[234]$'
	pid=$(pid_of bird)
	assertEquals /bin/sh "$(ps -o args= -p "$pid")"
	assert_match '^ctr-run -it' "$(ps -o args= -p "$(ps -o ppid= -p "$pid" | tr -d ' ')")"
	assertEquals "$before" "$(hostname)"
	type_in 7 'exit 3'
	close_terminal 7
	assertEquals 3 "$(ctrbox ps -a -n -o exit -r -f name=bird)"
}

# In the foreground: output to the caller, its exit code [36]; an exec failure is told [41]; no descriptor more [80]
test_run_in_the_foreground() {
	run_cap ctrbox run --rm busybox ls /
	assert_ok
	assert_out_match '^proc$'
	run_cap ctrbox run --rm busybox sh -c 'echo out; echo err >&2; exit 7'
	assert_rc 7
	assert_out out
	assertEquals err "$err"
	run_cap ctrbox run --rm busybox no-such-command
	assert_fails 127 'no-such-command'
	run_cap ctrbox run --rm busybox ls /proc/self/fd
	assert_out "$(printf '0\n1\n2\n3')"
}

# [38]: the notes leave -it out, and are interactive; here it is said. A pipe needs -i alone.
test_run_with_a_pipe() {
	out=$(echo 'echo from a pipe' | ctrbox run --rm -i busybox sh)
	assertEquals 'from a pipe' "$out"
}

# v0.3 and v0.4: /, the image's tree, HOME [85]; the overlay, /proc and /dev as `mount` has them [51] [76] [86]
test_run_busybox() {
	session 'ctrbox run -it --name bird busybox sh' <<'END'
pwd
ls
cd root
echo $PWD $HOME
mount
cd ..
cd ..
pwd
exit
END
	assert_rc 0
	assert_out_match '^/$'
	assert_out_match '^bin +etc '
	assert_out_match '^~ # '
	assert_out_match '^/root /root$'
	assert_out_match '^overlay on / type overlay \(rw,.*lowerdir=.*,upperdir=.*/upper,workdir=.*/work'
	assert_out_match '^proc on /proc type proc \(rw,nosuid,nodev,noexec,relatime\)$'
	assert_out_match '^tmpfs on /dev type tmpfs \(rw,nosuid,.*mode=755'
	assert_out_match '^devpts on /dev/pts type devpts \(rw,nosuid,noexec,'
	assert_out_match '^mqueue on /dev/mqueue type mqueue \(rw,nosuid,nodev,noexec,'
	assert_out_match '^sysfs on /sys type sysfs \(ro,nosuid,nodev,noexec,'
}

# Note 004: df -hT of /, /proc, /sys [169]; top has two tasks, sh is 1 [50] [52]; the kernel is the host's [55]
test_df_and_top() {
	session 'ctrbox run -it --rm busybox sh' <<'END'
df -hT /
df -hT /proc
df -hT /sys
df -hT /dev
top -b -n 1
uname -r
exit
END
	assert_out_match '^overlay +overlay .* /$'
	assert_out_match '^proc +proc +0 +0 +0 +0% /proc$'
	assert_out_match '^sysfs +sysfs +0 +0 +0 +0% /sys$'
	assert_out_match '^tmpfs +tmpfs +64.0M .* /dev$'
	assert_out_match '^ +1 +0 root .* sh$'
	assertEquals 'tasks' 2 "$(printf '%s\n' "$out" | grep -cE '^ +[0-9]+ +[01] root ')"
	assert_out_match "^$(uname -r | sed 's/[.+]/[&]/g')\$"
}

# The host name, and mount: with the capability, which isn't among the default ones [18] [57] [170]
test_run_with_sys_admin() {
	before=$(hostname)
	session 'ctrbox run -it --rm --cap-add SYS_ADMIN busybox sh' <<'END'
hostname bird
hostname
mkdir /hehe
mount -t proc proc /hehe
cat /hehe/1/comm | sed s/^/one:/
umount /hehe
ls /hehe | wc -l | sed s/^/entries:/
exit
END
	assert_out_match '^bird$'
	assert_out_match '^one:sh$'
	assert_out_match '^entries:0$'
	assertEquals "$before" "$(hostname)"
	run_cap ctrbox run --rm busybox sh -c 'hostname bird; mount -t proc proc /mnt; hostname'
	assert_out_match '^[0-9a-f]{12}$'
	assertEquals 2 "$(printf '%s\n' "$err" | grep -ci 'not permitted\|denied')"
}

# mknod inside (/dev/urandom) [156]
test_mknod() {
	run_cap ctrbox run --rm busybox sh -c 'mknod /root/urandom c 1 9 && head -c 8 /root/urandom | wc -c'
	assert_ok
	assert_out 8
}

# The host's proxy and other variables don't get in [130]; PATH and HOME do [167]; -e, several [118]; exec has them [119]
test_environment() {
	http_proxy=http://proxy:1 run_cap ctrbox run --rm busybox env
	assert_out_match '^PATH=.*/bin'
	assert_out_match '^HOME=/root$'
	assertFalse 'no proxy' "printf '%s' '$out' | grep -q proxy"
	ctrbox run -d --name bird -e bird=123 -e 'luck=bird says hi' busybox top >/dev/null
	run_cap ctrbox exec bird env
	assert_out_match '^bird=123$'
	assert_out_match '^luck=bird says hi$'
	session 'ctrbox run -it --rm -e bird=123 -e luck=bird busybox sh' <<'END'
env
exit
END
	assert_out_match '^bird=123$'
	assert_out_match '^luck=bird$'
}

# v0.7: -d returns at once and outlives its terminal [93] [94]; its overlay stays [96]; killed by the host it is gone [95]
test_detached() {
	grep overlay /proc/self/mounts >overlays # a test guest's root is one
	session 'ctrbox run -d --name bird busybox top' </dev/null
	assert_rc 0
	pid=$(pid_of bird)
	assertEquals top "$(ps -o args= -p "$pid")"
	assertEquals 'its session is none of ours' 0 "$(ps -o tty= -p "$pid" | grep -c pts)"
	run_cap ctr-ns -t "$pid" -mp /bin/mount
	assert_out_match '^overlay on / type overlay'
	kill "$pid"
	wait_for 10 is_exited bird
	assertEquals exited "$(status_of bird)"
	assertEquals 143 "$(ctrbox ps -a -n -o exit -r -f name=bird)"
	assertNull 'processes' "$(ps -e -o args= | awk '$0 == "top"')"
	assertNull 'groups' "$(leftovers)"
	assertEquals 'mounts' "$(cat overlays)" "$(grep overlay /proc/self/mounts)"
	assertEquals 'listed' "$(ctrbox ps)" "$(ctrbox ps | head -n 1)"
}

# v0.8: ps, of nothing [101] and of two; names, ids, JSON [98] [99] [100] [102] [103] [104]
test_ps() {
	run_cap ctrbox ps -o id,name,pid,status,command,created
	assert_ok
	assert_out_match '^ID +NAME +PID +STATUS +COMMAND +CREATED$'
	assertEquals 'header alone' 1 "$(printf '%s\n' "$out" | wc -l)"
	one=$(ctrbox run -d busybox top)
	two=$(ctrbox run -d --name bird busybox top)
	assert_match '^[0-9a-f]{12}$' "$one"
	assertEquals "$(printf '%s\n' "$one" "$two" | sort)" "$(ls "$CTRBOX_RUN/containers")"
	run_cap ctrbox ps -o id,name,pid,status,command,created
	when='[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}'
	assert_out_match "^$one +$one +[0-9]+ +running +top +$when\$"
	assert_out_match "^$two +bird +[0-9]+ +running +top +$when\$"
	assertEquals "$(ps -e -o pid=,args= | awk '$2 == "top" && $3 == "" { print $1 }')" \
		"$(ctrbox ps -n -r -o pid | sort -n | sed 's/^/ /' | tr -d ' ')"
	for word in '"pid":[0-9]+' "\"id\":\"$two\"" '"name":"bird"' '"args":\["top"\]' '"created":[0-9]+'; do
		assert_match "$word" "$(cat "$CTRBOX_ROOT/containers/$two/spec.json" "$CTRBOX_RUN/containers/$two/state.json")"
	done
	run_cap ctrbox inspect bird
	assert_out_match '"status": ?"running"'
}

# v0.9: logs of a container, kept in its own directory [105] [106]
test_logs() {
	ctrbox run -d --name bird busybox top >/dev/null
	wait_for 10 sh -c 'ctrbox logs bird | grep -q COMMAND'
	run_cap ctrbox logs bird
	assert_rc 0
	assert_out_match 'Mem: [0-9]+K used, '
	assert_out_match '^CPU: '
	assert_out_match '^Load average: '
	assert_out_match 'PID +PPID +USER +STAT +VSZ +%VSZ.* +COMMAND'
	assertTrue 'in its directory' "grep -q 'Load average' '$CTRBOX_ROOT'/containers/*/log*"
}

# v0.10: exec's sh sees the same processes, mounts and tree [107] [108]; without -it, which is said here [38]
test_exec() {
	ctrbox run --name bird -d busybox top >/dev/null
	run_cap ctrbox exec bird cat /proc/mounts
	mounts=$out
	session 'ctrbox exec -it bird sh' <<'END'
ps -ef
cat /proc/mounts
ls
exit
END
	assert_rc 0
	assert_out_match '^ +1 root .* ?top$'
	assert_out_match '^ +[0-9]+ root .* ?sh$'
	assert_out_match '^bin +etc '
	assertEquals 'its mounts' 0 "$(printf '%s\n' "$mounts" | while read -r line; do
		printf '%s\n' "$out" | grep -qxF "$line" || echo "$line"
	done | wc -l)"
	assertEquals 'it goes on' running "$(status_of bird)"
	pid=$(pid_of bird)
	for kind in mnt uts ipc pid net cgroup; do
		assertEquals "$kind" "$(readlink "/proc/$pid/ns/$kind")" "$(ctrbox exec bird readlink /proc/self/ns/$kind)"
	done
}

# v0.11: stop, which keeps it listed and its files [109] [110] [111]; rm, refused while it runs [112]
test_stop_and_rm() {
	ctrbox run -d --name bird busybox top >/dev/null
	ctrbox exec bird sh -c 'echo egg >/root/nest'
	run_cap ctrbox rm bird
	assert_fails 1 'bird.*running'
	assertEquals running "$(status_of bird)"
	run_cap ctrbox stop bird
	assert_ok
	assert_out bird
	run_cap ctrbox ps -n
	assert_out ''
	run_cap ctrbox ps -a -n -r -o name,pid,status,command
	assert_out "$(printf 'bird\t-\texited\ttop')"
	assertEquals 'its files stay' egg "$(cat "$CTRBOX_ROOT"/containers/*/upper/root/nest)"
	run_cap ctrbox rm bird
	assert_ok
	assertNull 'records' "$(find "$CTRBOX_ROOT/containers" "$CTRBOX_RUN/containers" -mindepth 1)"
	run_cap ctrbox ps -a -n
	assert_out ''
}

# A program deaf to TERM is killed after the timeout [109]; -f removes a running one [112].
test_stop_kills() {
	ctrbox run -d --name bird busybox sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
	run_cap ctrbox stop -t 1 bird
	assert_rc 0
	assertEquals 137 "$(ctrbox ps -a -n -o exit -r -f name=bird)"
	ctrbox run -d --name second busybox top >/dev/null
	run_cap ctrbox rm -f second
	assert_rc 0
	assertNull "$(status_of second)"
}

# Note 004: exec of any command on a stopped container's files [110] [189]
test_a_stopped_containers_files() {
	session 'ctrbox run -it --name bird busybox sh' <<'END'
echo egg >/root/nest
exit
END
	assertEquals exited "$(status_of bird)"
	session 'ctrbox start -it bird /bin/sh' <<'END'
cat /root/nest
echo two eggs >/root/nest
exit
END
	assert_rc 0
	assert_out_match '^egg$'
	run_cap ctrbox start bird cat /root/nest
	assert_out 'two eggs'
}

# Note 004: a new shell, no address outside, no name, but itself [30] [179]; spelt --network=none [185], -net none [83]
test_no_network() {
	session 'ctrbox run -it --rm --network=none busybox /bin/sh' <<'END'
ip -o link | wc -l | sed s/^/interfaces:/
ping -c 1 -W 1 www.baidu.com
ping -c 1 -W 1 110.242.68.3
ping -c 1 -W 1 127.0.0.1
exit
END
	assert_out_match '^interfaces:1$'
	assert_out_match "^ping: bad address 'www.baidu.com'"
	assert_out_match 'sendto: Network is unreachable'
	assert_out_match '1 packets transmitted, 1 packets received'
	run_cap ctrbox run --rm -net none busybox cat /proc/net/dev
	assertEquals 'lo alone' 3 "$(printf '%s\n' "$out" | wc -l)"
	run_cap ctrbox run --rm --network=host busybox readlink /proc/self/ns/net
	assert_out "$(readlink /proc/self/ns/net)"
}

# is_another_pid NAME PID: it runs, as another process
is_another_pid() {
	now=$(pid_of "$1")
	[ "${now:--}" != - ] && [ "$now" != "$2" ]
}

# Note 004: services started at boot from files, and again when they fail, after a while (Restart=, RestartSec=) [161]
test_services() {
	ctrbox run -d --name sshd --restart always busybox top >/dev/null
	ctrbox run -d --name stopped --restart unless-stopped busybox top >/dev/null
	ctrbox stop stopped >/dev/null
	ctrbox run -d --name once busybox top >/dev/null
	first=$(pid_of sshd)
	kill -KILL "$first"
	wait_for 10 is_another_pid sshd "$first"
	assertEquals 'failed, and is there again' 0 $?
	# What a loss of power leaves: the files of $CTRBOX_ROOT.
	for name in sshd once; do
		ps -o ppid= -p "$(pid_of $name)"
	done | xargs kill -KILL
	wait_for 10 sh -c '! ps -e -o args= | grep -qx top'
	rm -rf "$CTRBOX_RUN"
	run_cap ctrbox ps -a -n -r -o name,status
	assertEquals 'once exited,sshd exited,stopped exited' "$(printf '%s\n' "$out" | tr '\t' ' ' | sort | paste -s -d,)"
	run_cap ctrbox start --boot
	assert_rc 0
	run_cap ctrbox ps -n -r -o name,status
	assert_out "$(printf 'sshd\trunning')"
}

# The host's mounts are shared, as systemd's are [3]: what a container mounts and unmounts stays inside [2] [53].
test_on_a_shared_host() {
	assert_match shared "$(grep ' / / ' /proc/self/mountinfo)"
	cut -d' ' -f5- /proc/self/mountinfo | sort >"$WORK/before"
	run_cap ctrbox run --rm --cap-add SYS_ADMIN -v "$WORK/data:/data" busybox \
		sh -c 'mount -t tmpfs inner /data && umount -l /proc && echo unmounted'
	assert_out unmounted
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff "$WORK/before" -
	assertEquals 0 $?
	assertNull 'an old root ([5])' "$(find "$CTRBOX_ROOT" -type d -name '*old*' -o -type d -name '*pivot*')"
}

# Note 004: `make busybox` is one word to a shell in a container [192]
test_make_busybox() {
	assert_match 'tools/demo --shell' "$(make -n -C "$TOP" busybox)"
	session "$TOP/tools/demo --shell" <<'END'
ls
hostname
exit
END
	assert_rc 0
	assert_out_match '^bin +etc '
	assert_out_match '^busybox$'
	assertNull 'its store' "$(find "$TMPDIR" -name 'ctrbox-demo*')"
}

. shunit2
