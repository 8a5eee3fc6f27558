#!/bin/sh
# ctr-run --userns HOST:CTR:COUNT. Numbers: shared/seeds/CHECKLIST.md.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

M=100000:0:65536

oneTimeSetUp() {
	chmod 755 "$WORK"
	need_busybox
	make_rootfs rootfs
	echo lower >rootfs/lower
	chown 33:33 rootfs/lower
}

setUp() {
	cut -d' ' -f5- /proc/self/mountinfo | sort >"$WORK/before"
}

# Nothing that it mounts comes out here, where / is shared.
tearDown() {
	ctr-rm -f a b c d >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff "$WORK/before" - || fail 'mounts changed outside'
}

run() {
	run_cap ctr-run --rm --net none --userns "$M" busybox "$@"
}

# 27
test_ids() {
	run sh -c 'id -u; id -g; cat /proc/self/uid_map | tr -s " "; cat /proc/self/gid_map | tr -s " "; cat /proc/self/setgroups'
	assert_ok
	assert_out '0
0
 0 100000 65536
 0 100000 65536
allow'
	ctr-run -d --name a --userns $M --pidfile pid -u 1000:100 busybox sleep 1000 >/dev/null
	assertEquals 101000 "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$(cat pid)/status")"
	assertEquals 100100 "$(sed -n 's/^Gid:\t\([0-9]*\).*/\1/p' "/proc/$(cat pid)/status")"
	assertNotEquals "$(readlink /proc/self/ns/user)" "$(readlink "/proc/$(cat pid)/ns/user")"
	assertEquals '1000 100' "$(ctr-exec a sh -c 'echo $(id -u) $(id -g)')"
	assertEquals 0 "$(ctr-exec -u 0 a id -u)"
}

test_several_maps() {
	run_cap ctr-run --rm --userns 200000:0:10 --userns 300000:1000:1 -u 0:0 busybox sh -c 'tr -s " " </proc/self/uid_map'
	assert_out ' 0 200000 10
 1000 300000 1'
}

# 29
test_an_id_outside_the_map() {
	run_cap ctr-run --rm --userns 100000:0:1000 -u 1000 busybox id
	assert_fails 125 "become user 1000:0: Invalid argument \(an id outside the user namespace's map"
	run_cap ctr-run --rm --userns 100000:0:1000 --group-add 5000 busybox id
	assert_fails 125 "supplementary group 5000: Invalid argument \(an id outside the user namespace's map"
	run_cap ctr-run --rm --userns 100000:0:5 busybox id
	assert_fails 125 "supplementary group 10: Invalid argument .*-u USER:GROUP takes no other groups"
	run_cap ctr-run --rm --net none --userns 100000:0:5 -u 0:0 busybox id
	assert_ok
}

test_maps_that_are_wrong() {
	for bad in 1:2 1:2:0 a:0:1 1:0:1:1 0:0:4294967296 100000:1:10 :0:1 '' -1:0:1; do
		run_cap ctr-run --rm --userns "$bad" busybox true
		assert_fails 125 userns
	done
	run_cap ctr-run --rm --userns 100000:0:10 --userns 100005:10:10 busybox true
	assert_fails 125 'overlaps'
	i=0 maps=
	while [ $i -lt 341 ]; do
		maps="$maps --userns $i:$i:1"
		i=$((i + 1))
	done
	# shellcheck disable=SC2086 # words
	run_cap ctr-run --rm $maps busybox true
	assert_fails 125 'userns 340:340:1: id map 340:340:1: more than 340'
	# shellcheck disable=SC2086
	run_cap ctr-run --rm --net none ${maps%--userns 340:340:1} busybox sh -c 'wc -l </proc/self/uid_map'
	assert_ok
	assert_out 340
	maps=$(echo "$maps" | sed 's/ \([0-9]*\):/ 99999\1:/g')
	# shellcheck disable=SC2086
	run_cap ctr-run --rm ${maps%--userns *} busybox true
	assert_fails 125 'userns: 340 id maps take [0-9]* bytes, and the kernel takes less than'
	run_cap ctr-run --rm --userns host busybox readlink /proc/self/ns/user
	assert_out "$(readlink /proc/self/ns/user)"
}

test_files_of_the_image() {
	run sh -c 'stat -c "%u %g" /bin /etc/profile; echo x >/etc/profile && cat /etc/profile; mkdir /new && chown 5:6 /new && stat -c "%u %g" /new'
	assert_ok
	assert_out '0 0
0 0
x
5 6'
}

# What it writes belongs to the mapped ids on the host.
test_owners_on_the_host() {
	ctr-run --name a --userns $M busybox sh -c 'touch /mine; touch /his; chown 7:8 /his; echo >>/etc/group' >/dev/null
	upper=$(echo "$CTRBOX_ROOT"/containers/*/upper)
	assertEquals '100000 100000' "$(stat -c '%u %g' "$upper/mine")"
	assertEquals '100007 100008' "$(stat -c '%u %g' "$upper/his")"
	assertEquals '100000 100000' "$(stat -c '%u %g' "$upper/etc/group")"
}

# An overlay that the mapped root mounts by itself would let these come back.
test_what_is_deleted_stays_deleted() {
	ctr-create --name a --userns $M busybox sh -c '
		if [ -e /etc/passwd ]; then rm /etc/passwd; rm -r /var/spool; mkdir /var/spool; touch /var/spool/new
		else ls -A /var/spool; fi' >/dev/null
	ctr-start -a a
	assertTrue '[ -c "$(echo "$CTRBOX_ROOT"/containers/*/upper/etc/passwd)" ]'
	assertEquals new "$(ctr-start -a a)"
}

test_rootfs_directory() {
	run_cap ctr-run --rm --userns $M --rootfs rootfs sh -c 'stat -c "%u %g" /lower; echo more >>/lower; touch /written; mount | grep -c " /proc "'
	assert_ok
	assert_out '33 33
1'
	assertEquals 'shown and stored with its own ids' '0 0' "$(stat -c '%u %g' rootfs/written)"
	assertEquals 'lower
more' "$(cat rootfs/lower)"
	rm rootfs/written
	echo lower >rootfs/lower
}

test_rootfs_below_an_overlay() {
	ctr-run --name a --userns $M --rootfs rootfs --overlay sh -c 'echo more >>/lower; rm /etc/group; touch /written'
	upper=$(echo "$CTRBOX_ROOT"/containers/*/upper)
	assertEquals lower "$(cat rootfs/lower)"
	assertEquals '100033 100033' "$(stat -c '%u %g' "$upper/lower")"
	assertEquals '100000 100000' "$(stat -c '%u %g' "$upper/written")"
	assertTrue '[ -e rootfs/etc/group ]'
}

test_volumes_and_binds() {
	mkdir -p shared
	chown 100000 shared
	run_cap ctr-run --rm --userns $M -v "$WORK/shared:/b" -v data:/d busybox sh -c 'stat -c %u /b /d; touch /b/f /d/f; mkdir /b/target'
	assert_ok
	assert_out '0
0'
	assertEquals 'a bind has the host'\''s ids' 100000 "$(stat -c %u shared/f)"
	assertEquals 'a volume has the container'\''s' 0 "$(stat -c %u "$CTRBOX_ROOT/volumes/data/data/f")"
	run_cap ctr-run --rm -v data:/d busybox stat -c %u /d/f
	assert_out 0
	# a mount point below a bind stays in the container
	run_cap ctr-run --rm --userns $M -v "$WORK/shared:/b" -v data:/b/target --tmpfs /b/target busybox ls /b/target
	assert_ok
	run_cap ctr-run --rm --userns $M -v "$WORK/shared:/b:ro" busybox touch /b/x
	assert_rc 1
	run_cap ctr-run --rm --userns $M -v filled:/etc busybox stat -c %u /etc/passwd
	assert_out 0
}

# A host directory with the container's ids, for those who ask for it; the mounts below it too.
test_idmapped_binds() {
	mkdir -p mapped/below
	mount -t tmpfs below mapped/below
	chmod 777 mapped/below
	for option in "-v $WORK/mapped:/b:idmap" "--mount type=bind,src=$WORK/mapped,dst=/b,idmap"; do
		# shellcheck disable=SC2086 # words
		run_cap ctr-run --rm --net none --userns $M $option busybox sh -c 'stat -c "%u %g" /b /b/below; touch /b/f /b/below/f; chown 7:8 /b/f'
		assert_ok
		assert_out '0 0
0 0'
		assertEquals '7 8' "$(stat -c '%u %g' mapped/f)"
		assertEquals '0 0' "$(stat -c '%u %g' mapped/below/f)"
		rm mapped/f mapped/below/f
	done
	run_cap ctr-run --rm --net none --userns $M -v "$WORK/mapped:/b:ro,idmap" busybox touch /b/f
	assert_rc 1
	run_cap ctr-run --rm --net none -v "$WORK/mapped:/b:idmap" busybox stat -c %u /b
	assert_out 0
	umount mapped/below
	mount -t proc proc mapped/below
	run_cap ctr-run --rm --net none --userns $M -v "$WORK/mapped:/b:idmap" busybox true
	assert_fails 125 'mapped: Invalid argument .*one mounted below it'
	run_cap ctr-run --rm --net none --userns $M -v "$WORK/mapped:/b:idmap,bind" busybox stat -c %u /b
	assert_ok
	assert_out 0
	umount mapped/below
}

# What a container's root leaves, setuid and the host's root's, is out of reach for the host's other users (CVE-2021-41091).
test_others_on_the_host_stay_out() {
	was=$CTRBOX_ROOT
	CTRBOX_ROOT=/run/store # whose way there is open to all
	need_busybox
	ctr-run --name a --net none --userns auto -v kept:/d busybox sh -c 'cp /bin/busybox /d/id; chmod 4755 /d/id' >/dev/null
	ctr-run --name b --net none busybox sh -c 'cp /bin/busybox /id; chmod 4755 /id' >/dev/null
	run_cap setpriv --reuid 1000 --regid 1000 --clear-groups sh -c "cd $CTRBOX_ROOT"
	assert_ok
	for left in "$CTRBOX_ROOT"/volumes/kept/data/id "$CTRBOX_ROOT"/containers/*/upper/id; do
		assertEquals '0 4755' "$(stat -c '%u %a' "$left")"
		run_cap setpriv --reuid 1000 --regid 1000 --clear-groups sh -c "$left" # setpriv's own exec isn't an ordinary user's yet
		assert_rc 126
	done
	ctr-rm a b >/dev/null
	rm -r $CTRBOX_ROOT
	CTRBOX_ROOT=$was
}

# Whatever range a container has, what its root left in a volume is root's.
test_a_volume_outlives_the_range() {
	ctr-run --name a --net none --userns auto -v keep:/d busybox sh -c 'echo one >/d/f; chmod 600 /d/f; chown 5 /d/f'
	ctr-run --name b --net none --userns auto -v keep:/d busybox sh -c 'stat -c %u /d /d/f; echo two >>/d/f' >out
	assertEquals '0
5' "$(cat out)"
	assertEquals 'one
two' "$(ctr-run --rm --net none -u 5 -v keep:/d busybox cat /d/f)"
	assertNotEquals "$(ctr-inspect a | grep -o '[0-9]*:0:65536')" "$(ctr-inspect b | grep -o '[0-9]*:0:65536')"
}

test_proc_sys_and_dev() {
	run sh -c 'grep -E " /(proc|sys|dev|dev/pts|dev/mqueue|dev/shm) " /proc/mounts | cut -d" " -f1-3; for n in null zero full random urandom tty; do stat -c "%n %a %t:%T" /dev/$n; done; echo x >/dev/null; head -c 3 /dev/urandom | wc -c; ls /proc/1/comm; ls /sys/class/net'
	assert_ok
	assert_out 'proc /proc proc
tmpfs /dev tmpfs
devpts /dev/pts devpts
tmpfs /dev/shm tmpfs
mqueue /dev/mqueue mqueue
sysfs /sys sysfs
/dev/null 666 1:3
/dev/zero 666 1:5
/dev/full 666 1:7
/dev/random 666 1:8
/dev/urandom 666 1:9
/dev/tty 666 5:0
3
/proc/1/comm
lo'
	run mknod /tmp/z c 1 5
	assert_rc 1
	run sh -c 'cat /proc/kcore /proc/keys; ls -A /sys/firmware'
	assertNull "$out"
}

test_host_namespaces() {
	run_cap ctr-run --rm --userns $M --net host busybox sh -c 'readlink /proc/self/ns/net; ls -d /sys/class/net/lo; ls /proc/1/comm'
	assert_ok
	assert_out "$(readlink /proc/self/ns/net)
/sys/class/net/lo
/proc/1/comm"
	run_cap ctr-run --rm --userns $M --pid host busybox sh -c 'readlink /proc/self/ns/pid; ls /proc/1/comm; ls /proc/self/comm; touch /proc/sys/x'
	assert_out "$(readlink /proc/self/ns/pid)
/proc/1/comm
/proc/self/comm"
	# nothing that the host has mounted below /sys
	run_cap ctr-run --rm --userns $M --net host --cgroupns host busybox grep -c ' /sys' /proc/mounts
	assert_out "$(ctr-run --rm --userns $M --net none --cgroupns host busybox grep -c ' /sys' /proc/mounts)"
	run_cap ctr-run --rm --userns $M --ipc host --uts host busybox sh -c 'readlink /proc/self/ns/ipc; ls -d /dev/shm'
	assert_ok
	assert_out "$(readlink /proc/self/ns/ipc)
/dev/shm"
}

# Another container's namespaces, whichever user namespace owns them and whichever is asked for beside.
test_other_containers_namespaces() {
	ctr-run -d --name a --net none busybox sleep 1000 >/dev/null
	ctr-run -d --name b --net none --userns auto busybox sleep 1000 >/dev/null
	for other in a b; do
		for userns in host auto container:b; do
			for kind in pid ipc uts; do
				wanted=$(ctr-exec $other readlink /proc/self/ns/$kind)
				run_cap ctr-run --rm --net none --userns $userns --$kind container:$other busybox sh -c \
					"readlink /proc/self/ns/$kind; ls -d /proc/1/comm /sys/class/net/lo /dev/shm"
				assert_ok
				assert_out "$wanted
/dev/shm
/proc/1/comm
/sys/class/net/lo"
			done
			run_cap ctr-run --rm --userns $userns --net container:$other busybox readlink /proc/self/ns/net
			assert_ok
			assert_out "$(ctr-exec $other readlink /proc/self/ns/net)"
		done
	done
}

# What it sees of them is theirs, and nothing of the host's.
test_other_containers_proc_and_sys() {
	ip link add only-host type veth peer name only-h2
	ctr-run -d --name a --net none --cap-add NET_ADMIN busybox sh -c 'ip link add only-a type veth peer name only-a2; echo a >/dev/shm/of-a; exec sleep 1000' >/dev/null
	wait_for 20 ctr-exec a test -e /dev/shm/of-a
	run_cap ctr-run --rm --userns auto --pid container:a --net container:a --ipc container:a busybox sh -c '
		ls /sys/class/net; cat /dev/shm/of-a; cat /proc/1/comm; ls /proc | grep -c "^[0-9]"; touch /proc/sys/kernel/hostname'
	assert_out_match '^only-a$'
	assert_out_match '^sleep$'
	assert_err_match 'hostname: Read-only'
	case $out in *only-host*) fail "$out" ;; esac
	ip link del only-host
}

# The user namespace of another container: the same ids, now and in the files that it leaves.
test_other_containers_user_namespace() {
	ctr-run -d --name a --net none --userns auto busybox sleep 1000 >/dev/null
	ctr-run -d --name b --net none busybox sleep 1000 >/dev/null
	range=$(ctr-inspect a | sed -n 's/^ *"\([0-9]*\):0:65536".*/\1/p')
	run_cap ctr-run --name c --net none --userns container:a busybox sh -c 'readlink /proc/self/ns/user; id -u; id -g; touch /mine; cat /proc/self/uid_map | tr -s " "'
	assert_ok
	assert_out "$(ctr-exec a readlink /proc/self/ns/user)
0
0
 0 $range 65536"
	assertEquals "$range" "$(stat -c %u "$CTRBOX_ROOT"/containers/*/upper/mine)"
	run_cap ctr-run --rm --userns container:b busybox true
	assert_fails 125 'userns container:b: that container has no user namespace of its own'
	run_cap ctr-run --rm --userns container:nobody busybox true
	assert_fails 125 'userns container:nobody: no such container'
	ctr-run -d --name d --net none --userns container:a -u 5 busybox sleep 1000 >/dev/null
	assertEquals "$(ctr-exec a readlink /proc/self/ns/user) 5" "$(ctr-exec d sh -c 'echo $(readlink /proc/self/ns/user) $(id -u)')"
	ctr-stop -t 0 a >/dev/null
	run_cap ctr-start -a c
	assert_rc 125
	assert_err_match "that container isn't running"
	# the range stays taken as long as somebody's files belong to it
	ctr-rm a >/dev/null
	assertEquals 1 "$(find "$CTRBOX_ROOT/idranges" -type l | wc -l)"
	ctr-rm c >/dev/null
	assertEquals 1 "$(find "$CTRBOX_ROOT/idranges" -type l | wc -l)"
	ctr-rm -f d >/dev/null
	assertEquals 0 "$(find "$CTRBOX_ROOT/idranges" -type l | wc -l)"
}

# Older kernels, played by strace: an overlay takes layers only that are mounted in its mounter's namespace (before 6.13), or none that are
# idmapped (5.19), or nothing can be idmapped (5.12). And user namespaces that the host doesn't want.
test_older_kernels() {
	run_cap strace -qq -o trace -e inject=fsconfig:error=EINVAL:when=8 ctr-run --rm --net none --userns $M -v "$WORK/data:/d" \
		busybox sh -c 'rm /etc/profile; mkdir /etc/profile; touch /mine; stat -c %u /bin /mine; ls -a /etc/profile; touch /d/x 2>&1'
	assert_rc 1
	assert_out '0
0
.
..
touch: /d/x: Permission denied'
	case $(uname -r) in
	[1-5].* | 6.[0-9].* | 6.1[0-2].*) ;; # one of them itself: it isn't even tried
	*) assertEquals 'refused once' 1 "$(grep -c 'FSCONFIG_CMD_CREATE.*INJECTED' trace)" ;;
	esac
	assertEquals lower "$(strace -qq -o trace -e inject=fsconfig:error=EINVAL:when=8 ctr-run --rm --net none --userns $M --rootfs rootfs --overlay \
		sh -c 'cat /lower; echo more >>/lower')"
	assertEquals lower "$(cat rootfs/lower)"
	run_cap strace -f -qq -o trace -e inject=fsconfig:error=EINVAL:when=8 ctr-run --rm --userns $M busybox true
	assert_fails 125 'mount overlay of 1 layer: Invalid argument .*needs overlays of idmapped layers: Linux 5.19'
	run_cap strace -qq -o trace -e inject=mount_setattr:error=ENOSYS ctr-run --rm --userns $M busybox true
	assert_fails 125 "open an image layer: Function not implemented .*can't be idmapped"
	run_cap strace -qq -o trace -e inject=mount_setattr:error=ENOSYS ctr-run --rm --userns $M --rootfs rootfs true
	assert_fails 125 "open $WORK/rootfs: Function not implemented .*can't be idmapped"
	run_cap strace -qq -o trace -e inject=clone3:error=ENOSPC ctr-run --rm --userns $M busybox true
	assert_fails 125 'No space left on device \(see /proc/sys/user/max_'
}

test_names_and_streams() {
	run sh -c 'cat /etc/hostname | wc -c; echo y >>/etc/hosts && tail -1 /etc/hosts; echo out >/dev/stdout'
	assert_ok
	assert_out '13
y
out'
	run_cap ctr-run --rm --userns $M -u 1000 busybox sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'
	assert_rc 0
	assert_out out
	assertEquals err "$err"
	tty_cap "ctr-run --rm -it --userns $M -u 1000 busybox sh -c 'tty; echo x >/dev/tty'" </dev/null
	assert_out_match '/dev/pts/0$'
}

test_settings() {
	run_cap ctr-run --rm --userns $M --sysctl net.ipv4.ip_forward=1 --oom-score-adj 222 --hostname bird busybox \
		sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj; hostname'
	assert_ok
	assert_out '1
222
bird'
	ctr-run -d --name a --userns $M --oom-score-adj 222 -m 64m busybox sleep 1000 >/dev/null
	run_cap ctr-exec a cat /proc/self/oom_score_adj
	assert_ok
	assert_out 222
	run_cap ctr-exec -i a cat /etc/hostname
	assert_ok
}

test_its_capabilities_are_its_own() {
	run sh -c 'hostname x; sed -n "s/^CapEff:.//p" /proc/self/status; echo 1 >/proc/sysrq-trigger'
	assert_out_match '^00000000a80425fb$'
	run_cap ctr-run --rm --userns $M --cap-add ALL busybox sh -c 'hostname x && hostname; mount -t tmpfs t /mnt && echo mounted; mknod /tmp/n b 7 0; echo rc $?'
	assert_out 'x
mounted
rc 1'
}

. shunit2
