#!/bin/sh
# ctr-ns. [N]: the behaviour's number in the seeds' checklist.
. "$(dirname "$0")/lib.sh"

KINDS='mnt uts ipc pid net user cgroup'

inodes() {
	for kind in $KINDS; do readlink "/proc/self/ns/$kind"; done
}

# The one child of a process.
child_of() {
	pid=$(tr -d ' ' <"/proc/$1/task/$1/children") && [ -n "$pid" ] && echo "$pid"
}

# start CMD..: runs it in the background; $! is its parent or itself, $inside the child that ctr-ns -p has.
start() {
	"$@" &
	wait_for 5 child_of $! || fail 'no child'
	inside=$(child_of $!)
}

finish() {
	kill -KILL "$1"
	wait "$1" 2>/dev/null
	:
}

oneTimeSetUp() {
	cp "$CTRBOX" /run/ctr-ns # $WORK is no ordinary user's to enter
	mkdir /run/dir
	inodes >"$WORK/host"
}

# [17] [39] [56]
test_each_namespace_alone() {
	for pair in m:mnt u:uts i:ipc p:pid n:net U:user C:cgroup; do
		# shellcheck disable=SC2016
		run_cap ctr-ns "-${pair%:*}" sh -c 'for k in mnt uts ipc pid net user cgroup; do readlink /proc/self/ns/$k; done'
		changed=$(printf '%s\n' "$out" | grep -vxFf "$WORK/host" | cut -d: -f1)
		assertEquals "-${pair%:*}" "${pair#*:}" "$changed"
	done
}

# [18] [168]
test_uts_hostname_inside_only() {
	before=$(uname -n)
	run_cap ctr-ns -u sh -c 'hostname inner && uname -n'
	assert_out inner
	assertEquals "$before" "$(uname -n)"
}

# [19]
test_uts_domainname_inside_only() {
	before=$(cat /proc/sys/kernel/domainname)
	run_cap ctr-ns -u sh -c 'echo inner.example >/proc/sys/kernel/domainname && cat /proc/sys/kernel/domainname'
	assert_out inner.example
	assertEquals "$before" "$(cat /proc/sys/kernel/domainname)"
}

# [58]: the nested shell shares, the grandparent doesn't.
test_uts_nested() {
	run_cap ctr-ns -u sh -c 'hostname one; sh -c "hostname two"; uname -n; ctr-ns -u hostname three; uname -n'
	assert_out "$(printf 'two\ntwo')"
}

# [20]
test_child_is_seen_below_its_parent() {
	start ctr-ns -p sleep 60
	assertEquals sleep "$(tr '\0' '\n' <"/proc/$inside/cmdline" | head -1)"
	assertEquals "$!" "$(awk '/^PPid:/ { print $2 }' "/proc/$inside/status")"
	finish $!
}

# [21]
test_ipc_queues() {
	ipcmk -Q >/dev/null
	assertEquals 'outside' 1 "$(ipcs -q | grep -c '^0x')"
	assertEquals 'inside' 0 "$(ctr-ns -i ipcs -q | grep -c '^0x')"
	ipcrm --all=msg
}

# [22]
test_ipc_posix_queues() {
	mkdir "$WORK/mq"
	mount -t mqueue mqueue "$WORK/mq"
	: >"$WORK/mq/ours"
	run_cap ctr-ns -im sh -c "mount -t mqueue mqueue $WORK/mq && ls $WORK/mq"
	assert_ok
	assert_out ''
	rm "$WORK/mq/ours"
	umount "$WORK/mq"
	rmdir "$WORK/mq"
}

# [23] [81]
test_pid_is_1() {
	# shellcheck disable=SC2016
	run_cap ctr-ns -p sh -c 'echo $$'
	assert_out 1
}

# [24] [39]: without a proc of its own the host's is seen.
test_pid_without_proc() {
	run_cap ctr-ns -mp readlink /proc/self
	assert_rc 0
	assertNotEquals 1 "$out"
	assert_out_match '^[0-9]+$'
}

# [25] [52]
test_pid_with_proc() {
	run_cap ctr-ns -p --proc sh -c 'cat /proc/1/comm; echo /proc/[0-9]*'
	assertEquals "$(printf 'sh\n/proc/1')" "$out"
}

# [51]
test_proc_flags() {
	make_rootfs "$WORK/rootfs"
	run_cap ctr-ns -p --proc --root="$WORK/rootfs" cat /proc/mounts
	assert_out_match '^proc /proc proc rw,nosuid,nodev,noexec'
}

# [3] [53]: the host's mounts are shared, as systemd has them; they stay as they are.
test_mounts_stay_inside_on_a_shared_host() {
	cat >"$WORK/shared" <<'END'
mount --make-rshared /
cut -d' ' -f5- /proc/self/mountinfo | sort >$WORK/before
ctr-ns -mp --proc sh -c 'mount -t tmpfs inner $WORK/tmp && grep -c inner /proc/mounts'
cut -d' ' -f5- /proc/self/mountinfo | sort >$WORK/after
cmp $WORK/before $WORK/after && readlink /proc/self >/dev/null && echo unharmed
END
	run_cap ctr-ns -m sh "$WORK/shared"
	assert_ok
	assert_out "$(printf '1\nunharmed')"
}

# [28]
test_user_without_map() {
	run_cap ctr-ns -U sh -c 'id -u; id -g'
	assert_out "$(printf '65534\n65534')"
}

# [27]
test_user_map_root() {
	run_cap ctr-ns --map-root sh -c 'id -u; id -g; cat /proc/self/uid_map'
	assert_out "$(printf '0\n0\n         0          0          1')"
}

# [26]
test_user_by_an_ordinary_user() {
	run_cap setpriv --reuid 12345 --regid 12346 --clear-groups /run/ctr-ns -Um --map-root \
		sh -c "id -u; mount -t tmpfs none /run/dir && echo mounted; cat /proc/self/setgroups"
	assert_ok
	assert_out "$(printf '0\nmounted\ndeny')"
	run_cap setpriv --reuid 12345 --regid 12346 --clear-groups /run/ctr-ns --map 0:0:2 true
	assert_fails 125 'uid_map: Operation not permitted.*map one id only'
	run_cap setpriv --reuid 12345 --regid 12346 --clear-groups /run/ctr-ns -n true
	assert_fails 125 'Operation not permitted.*-U'
}

# [27]
test_user_maps() {
	run_cap ctr-ns --map 100000:0:1000 --map 300000:5000:10 sh -c 'id -u; id -g; tr -s " " </proc/self/gid_map; touch x'
	assert_out "$(printf '0\n0\n 0 100000 1000\n 5000 300000 10')"
	run_cap ctr-ns --map-users 100000:0:10 --map-groups 200000:0:10 -S 3 -G 4 sh -c 'id -u; id -g; id -G'
	assert_out "$(printf '3\n4\n4')"
	run_cap ctr-ns -p --map 100000:0:10 -S 3 sh -c 'id -u'
	assert_out 3
}

test_user_files_belong_to_the_hosts_ids() {
	mkdir -m 777 /run/open
	run_cap ctr-ns --map 100000:0:10 touch /run/open/f
	assert_ok
	assertEquals '100000:100000' "$(stat -c %u:%g /run/open/f)"
	rm -r /run/open
}

# [29]
test_user_outside_the_map() {
	run_cap ctr-ns --map 100000:0:10 -S 10 true
	assert_fails 125 'user 10 is not in the map of this user namespace: Invalid argument'
	run_cap ctr-ns --map 100000:0:10 -G 10 true
	assert_fails 125 'group 10 is not in the map'
	run_cap ctr-ns -pU -S 1 true
	assert_fails 125 'user 1 is not in the map'
}

test_user_bad_maps() {
	for map in '' 1 1:2 1:2:0 1:2:x 1:2:3:4 -1:0:1 4294967295:0:1 0:4294967290:10 1:1:99999999999 0x1:1:1; do
		run_cap ctr-ns --map "$map" true
		assert_fails 125 'not HOST:INSIDE:COUNT'
	done
	run_cap ctr-ns --map 0:0:10 --map 100:9:10 true
	assert_fails 125 'overlaps'
}

# [30] [32] [174]
test_net_only_lo_and_down() {
	run_cap ctr-ns -n sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "; busybox ping -c1 -W1 127.0.0.1 >/dev/null 2>&1 || echo unreachable
		ip link set lo up && busybox ping -c1 -W1 127.0.0.1 >/dev/null && echo reachable'
	assert_out "$(printf 'lo\nunreachable\nreachable')"
}

listens() {
	grep -q ':1E61 [0:]* 0A' "/proc/$1/net/tcp" "/proc/$1/net/tcp6"
}

# [31]
test_net_the_same_port_twice() {
	ctr-ns -n busybox nc -l -p 7777 &
	first=$!
	ctr-ns -n busybox nc -l -p 7777 &
	second=$!
	wait_for 5 listens $first
	assertEquals 'the first listens' 0 $?
	wait_for 5 listens $second
	assertEquals 'the second listens' 0 $?
	finish $first
	finish $second
}

# [14] [49]
test_files_keep_namespaces() {
	run_cap ctr-ns -n --bind "$WORK/net" readlink /proc/self/ns/net
	assert_ok
	kept=$out
	for way in "-n $WORK/net" "--net=$WORK/net" "-un $WORK/net" "-n $WORK/net -u --" "-pn $WORK/net"; do
		# shellcheck disable=SC2086
		run_cap ctr-ns $way readlink /proc/self/ns/net
		assert_ok
		assertEquals "$way" "$kept" "$out"
	done
	run_cap ctr-ns -n --bind "$WORK/net" true
	assert_fails 125 "keep the net namespace as $WORK/net: File exists"
	run_cap ctr-ns -u "$WORK/net" true
	assert_fails 125 'kind net, which no option names'
	run_cap ctr-ns --uts="$WORK/net" true
	assert_fails 125 'another kind \(net\)'
	run_cap ctr-ns --unbind "$WORK/net"
	assert_ok
	assertFalse 'the file is gone' "[ -e $WORK/net ]"
	run_cap ctr-ns --unbind "$WORK/net"
	assert_fails 125 'keeps no namespace'
}

test_files_of_several_namespaces() {
	run_cap ctr-ns -unp --bind "uts=$WORK/uts" --bind "net=$WORK/net" hostname kept
	assert_ok
	run_cap ctr-ns --uts="$WORK/uts" --net="$WORK/net" sh -c 'uname -n; readlink /proc/self/ns/net'
	assertEquals "$(printf 'kept\nnet:[%s]' "$(stat -L -c %i "$WORK/net")")" "$out"
	ctr-ns --unbind "$WORK/uts"
	ctr-ns --unbind "$WORK/net"
	run_cap ctr-ns -un --bind "$WORK/x" true
	assert_fails 125 'which of the new namespaces'
	run_cap ctr-ns -u --bind "net=$WORK/x" true
	assert_fails 125 'which of the new namespaces'
	run_cap ctr-ns -u --bind "$WORK/missing/x" true
	assert_fails 125 'missing/x: No such file'
	assertFalse 'nothing is left' "[ -e $WORK/x ]"
	run_cap ctr-ns --net="$CTRBOX" true
	assert_fails 125 'is no namespace file'
	run_cap ctr-ns --net="$WORK/missing" true
	assert_fails 125 'No such file'
}

# [48] [172]
test_join_a_process() {
	start ctr-ns -muipn --proc sh -c 'hostname target; sleep 60 & wait'
	parent=$! first=$inside
	wait_for 5 sh -c "ctr-ns -t $first -u uname -n | grep -q target"
	run_cap ctr-ns -t "$first" sh -c 'uname -n; cat /proc/1/comm; readlink /proc/self/ns/net'
	assert_out "$(printf 'target\nsh\n%s' "$(readlink "/proc/$first/ns/net")")"
	run_cap ctr-ns -t "$first" -u sh -c 'uname -n; readlink /proc/self/ns/net'
	assert_out "$(printf 'target\n%s' "$(readlink /proc/self/ns/net)")"
	run_cap ctr-ns -t "$first" -mp sh -c 'kill -0 1 && cat /proc/1/comm; exit 5'
	assert_rc 5
	assert_out sh
	run_cap ctr-ns -t "$first" -p --proc cat /proc/1/comm
	assert_out sh
	finish $parent
}

test_join_a_user_namespace() {
	start ctr-ns -pU --map 100000:0:10 sleep 60
	run_cap ctr-ns -t "$inside" -U sh -c 'id -u; tr -s " " </proc/self/uid_map'
	assert_out "$(printf '0\n 0 100000 10')"
	run_cap ctr-ns -t "$inside" -S 4 -G 5 sh -c 'id -u; id -g'
	assert_out "$(printf '4\n5')"
	run_cap ctr-ns -t "$inside" -S 10 true
	assert_fails 125 'user 10 is not in the map'
	finish $!
}

test_join_nothing() {
	run_cap ctr-ns -t 4194303 true
	assert_fails 125 'process 4194303: No such process'
	run_cap ctr-ns -t nobody-here true
	assert_fails 125 'nobody-here: no such container'
	run_cap ctr-ns -t $$ --map-root true
	assert_fails 125 'for new namespaces'
	run_cap ctr-ns -t $$ true
	assert_ok
}

test_join_a_container() {
	make_rootfs "$WORK/rootfs"
	ctr-run --rm --net none --name web --hostname webhost --rootfs "$WORK/rootfs" sleep 60 &
	wait_for 5 ctr-ns -t web true
	run_cap ctr-ns -t web sh -c 'uname -n; cat /proc/1/comm'
	assert_out "$(printf 'webhost\nsleep')"
	run_cap ctr-ns -t web -u uname -n
	assert_out webhost
	kill -KILL "$(child_of $!)"
	wait $!
	assertEquals 137 $?
}

# [46] [47]: a mount namespace's root is the host's after chroot, the container's after pivot_root.
test_join_shows_the_roots_difference() {
	make_rootfs "$WORK/rootfs"
	: >"$WORK/rootfs/mark"
	start ctr-ns -mp ctr-root --chroot "$WORK/rootfs" sleep 60
	wait_for 5 [ -e "/proc/$inside/root/mark" ]
	run_cap ctr-ns -t "$inside" -m ls /mark
	assert_rc 2
	run_cap ctr-ns -t "$inside" -m -r ls /mark
	assert_out /mark
	finish $!
	start ctr-ns -mp ctr-root "$WORK/rootfs" sleep 60
	wait_for 5 [ -e "/proc/$inside/root/mark" ]
	run_cap ctr-ns -t "$inside" -m ls /mark
	assert_out /mark
	finish $!
}

# [49]
test_root_and_workdir() {
	make_rootfs "$WORK/rootfs"
	run_cap ctr-ns -u --root="$WORK/rootfs" -w /bin busybox pwd
	assert_out /bin
	run_cap ctr-ns -mp --root="$WORK/rootfs" --proc busybox readlink /proc/self
	assert_out 1
	run_cap ctr-ns -w "$WORK/missing" true
	assert_fails 125 "enter $WORK/missing: No such file"
	run_cap ctr-ns -r true
	assert_fails 125 'directory is missing'
	run_cap ctr-ns --root="$WORK/missing" true
	assert_fails 125 "enter $WORK/missing: No such file"
}

# [49] [163]
test_shell_without_command() {
	printf '#!/bin/sh\necho own\n' >"$WORK/shell"
	chmod +x "$WORK/shell"
	SHELL=$WORK/shell run_cap ctr-ns -u
	assert_out own
	# shellcheck disable=SC2016
	out=$(echo 'echo $0' | SHELL='' ctr-ns -p)
	assertEquals sh "$out"
}

# [40] [80] [167]
test_environment_and_descriptors() {
	# shellcheck disable=SC2016
	SEEN=yes run_cap ctr-ns -pU --map-root --bind "net=$WORK/net" -n sh -c 'echo $SEEN'
	assert_out yes
	ctr-ns --unbind "$WORK/net"
	run_cap ls /proc/self/fd
	plain=$out
	for options in -u -p '-pU --map-root' '-U --map-root' "-t $$"; do
		# shellcheck disable=SC2086
		run_cap ctr-ns $options ls /proc/self/fd
		assertEquals "descriptors with $options" "$plain" "$out"
	done
	run_cap env -u PATH "$BUILD/bin/ctr-ns" -u sh -c 'echo found'
	assert_out found
}

# [36] [41] [162]
test_exit_codes() {
	for options in -u -p '-pU --map-root'; do
		# shellcheck disable=SC2086
		run_cap ctr-ns $options sh -c 'exit 7'
		assert_rc 7
		# shellcheck disable=SC2086
		run_cap ctr-ns $options no-such-command
		assert_fails 127 'no-such-command: command not found'
		# shellcheck disable=SC2086
		run_cap ctr-ns $options /etc/passwd
		assert_fails 126 '/etc/passwd: is not executable: Permission denied'
	done
	run_cap ctr-ns -p sh -c 'sh -c "kill -9 \$\$"; exit $?'
	assert_rc 137
}

test_signals_are_forwarded() {
	# shellcheck disable=SC2016
	ctr-ns -p sh -c 'trap "echo got; exit 3" USR1; : >$WORK/ready; while :; do sleep 0.05; done' >"$WORK/said" &
	wait_for 5 [ -e "$WORK/ready" ]
	kill -USR1 $!
	wait $!
	assertEquals 3 $?
	assertEquals got "$(cat "$WORK/said")"
	rm "$WORK/ready" "$WORK/said"
}

gone() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"
}

test_child_ends_with_its_parent() {
	for options in -p '-pU --map 100000:0:10 -S 5'; do
		# shellcheck disable=SC2086
		start ctr-ns $options sleep 60
		finish $!
		wait_for 5 gone "$inside"
		assertEquals "$options" 0 $?
	done
}

# [173]
test_all_at_once() {
	cat >"$WORK/all" <<'END'
echo $$
echo /proc/[0-9]*
ipcs -q | grep -c '^0x'
mount -t tmpfs all $WORK/tmp && grep -c '^all ' /proc/mounts
tail -n +3 /proc/net/dev | wc -l
END
	ipcmk -Q >/dev/null
	run_cap ctr-ns -muipnC --proc sh "$WORK/all"
	assert_ok
	assert_out "$(printf '1\n/proc/1\n0\n1\n1')"
	assertEquals 'nothing mounted outside' 0 "$(grep -c '^all ' /proc/mounts)"
	ipcrm --all=msg
}

# [77]
test_debug_tells_steps() {
	run_cap ctr-ns --debug -mp --proc true
	assert_rc 0
	assert_out ''
	assert_err_match '^ctr-ns: debug: make 2 new namespaces'
	assert_err_match '^ctr-ns: debug: mount /proc'
	assert_err_match '^ctr-ns: debug: exec true'
	CTRBOX_DEBUG=1 run_cap ctr-ns true
	assert_err_match debug
}

# [42] [78]
test_usage() {
	run_cap ctr-ns --help
	assert_ok
	assert_out_match '^usage: ctr-ns'
	for bad in -x --nonsense '-S x' '-S -1' '-G 4294967295' '--map-root --map 1:1:1'; do
		# shellcheck disable=SC2086
		run_cap ctr-ns $bad true
		assert_fails 125 'see "ctr-ns --help"'
	done
	run_cap ctr-ns -u sh --help
	assertNotEquals 'options end at the command' "$(ctr-ns --help)" "$out"
}

. shunit2
