#!/bin/sh
# ctr-run as it is typed: namespaces, process, environment, user, working directory, signals, life. Files are in
# mounts_test.sh, limits in limits_test.sh, wrong words in bad_test.sh. Numbers: shared/seeds/CHECKLIST.md.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
}

# ns KIND: the namespace of this test; ns_of CTR KIND: of a container's first process.
ns() {
	readlink "/proc/self/ns/$1"
}

ns_of() {
	ctr-exec "$1" readlink "/proc/1/ns/$2"
}

run() {
	run_cap ctr-run --rm busybox "$@"
}

# 36 output to the caller, its exit code
test_output_and_exit_codes() {
	run echo hello
	assert_ok
	assert_out hello
	run sh -c 'echo one; echo two >&2; exit 3'
	assert_rc 3
	assert_out one
	assertEquals two "$err"
	run sh -c 'kill -TERM $$; exit 4'
	assert_rc 4 # pid 1 gets no signal that it doesn't catch
	run_cap ctr-run --rm --init busybox sh -c 'kill -TERM $$; exit 4'
	assert_rc 143
	run_cap ctr-run --rm --pid host busybox sh -c 'kill -9 $$'
	assert_rc 137
}

# 41 exec failure told
test_command_that_cannot_start() {
	run no-such-command
	assert_fails 127 'no-such-command: command not found in PATH \(/usr/local/sbin:.*\)$'
	run /no/such
	assert_fails 127 '/no/such: No such file or directory$'
	run /etc/passwd
	assert_fails 126 '/etc/passwd: is not executable: Permission denied$'
	run /etc
	assert_fails 126 '/etc: is a directory$'
	run ''
	assert_fails 127 '"": command not found'
}

# 84, 163: the image's own command
test_commands_of_the_image() {
	run_cap ctr-run --rm busybox </dev/null
	assert_ok
	ctr-image import no-command <"$BUILD/busybox.tar" >/dev/null
	run_cap ctr-run --rm no-command
	assert_fails 125 'no command given and the image has none \(give one after IMAGE, or set one: '
	ctr-image import -c 'ENTRYPOINT ["echo", "in"]' -c 'CMD ["cmd"]' entry <"$BUILD/busybox.tar" >/dev/null
	run_cap ctr-run --rm entry
	assert_out 'in cmd'
	run_cap ctr-run --rm entry a b
	assert_out 'in a b'
	run_cap ctr-run --rm --entrypoint uname entry
	assert_out Linux
	run_cap ctr-run --rm --entrypoint '' entry echo plain
	assert_out plain
	run_cap ctr-run --rm --entrypoint=echo busybox plain --rm -x
	assert_out 'plain --rm -x'
}

# 23, 25, 81: pid 1, few processes; 85: pwd is /
test_first_process() {
	run sh -c 'echo $$; pwd; ps | wc -l' # sh, ps, wc and the header
	assert_out '1
/
4'
}

# 17, 30, 56: each namespace is its own by default, and the host's when asked for
test_namespaces_private_and_host() {
	for kind in pid ipc uts net cgroup mnt user; do
		option=$kind
		[ $kind != cgroup ] || option=cgroupns
		run readlink /proc/self/ns/$kind
		case $kind in
		user) assertEquals "$(ns user)" "$out" ;;
		*)
			assert_out_match "^$kind:"
			assertNotEquals "$kind" "$(ns $kind)" "$out"
			;;
		esac
		case $kind in mnt | user) continue ;; esac
		run_cap ctr-run --rm --$option host busybox readlink /proc/self/ns/$kind
		assert_ok
		assertEquals "$kind of the host" "$(ns $kind)" "$out"
		run_cap ctr-run --rm --$option=private busybox readlink /proc/self/ns/$kind
		assertNotEquals "$(ns $kind)" "$out"
	done
}

test_namespaces_of_another_container() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	for kind in pid ipc uts net; do
		run_cap ctr-run --rm --$kind container:a busybox readlink /proc/self/ns/$kind
		assert_ok
		assertEquals "$kind of a" "$(ns_of a $kind)" "$out"
	done
	run_cap ctr-run --rm --pid container:a busybox ps
	assert_out_match ' 1 .*sleep 1000'
	run_cap ctr-run --rm --cgroupns container:a busybox true
	assert_fails 125 'cgroupns container:a: only private and host'
	run_cap ctr-run --rm --net container:nobody busybox true
	assert_fails 125 'net container:nobody: .*no such container'
	ctr-create --name b busybox true >/dev/null
	run_cap ctr-run --rm --ipc container:b busybox true
	assert_fails 125 "that container isn't running"
}

# An ipc namespace that is shared comes with its /dev/shm.
test_shared_memory_goes_with_ipc() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	ctr-exec a sh -c 'echo hi >/dev/shm/x'
	run_cap ctr-run --rm --ipc container:a busybox cat /dev/shm/x
	assert_out hi
	run test -e /dev/shm/x
	assert_rc 1
}

# 18, 19, 57, 168
test_hostname_and_domain() {
	before=$(hostname)
	run_cap ctr-run --rm --hostname here --domainname there busybox sh -c 'hostname; cat /etc/hostname /proc/sys/kernel/domainname; grep here /etc/hosts'
	assert_ok
	assert_out_match '^here$'
	assert_out_match '^there$'
	assert_out_match '^[0-9.]+	.*here$'
	run_cap ctr-run --rm -h short busybox hostname
	assert_out short
	run hostname changed
	assert_rc 1
	run_cap ctr-run --rm --cap-add SYS_ADMIN busybox sh -c 'hostname changed; hostname'
	assert_out changed
	run_cap ctr-run --rm --uts host busybox hostname
	assert_out "$before"
	assertEquals "$before" "$(hostname)"
	for bad in 'a b' 'a/b' '' "$(printf '%065d' 0)" 'a
b'; do
		run_cap ctr-run --rm --hostname "$bad" busybox true
		assert_fails 125 'host name'
	done
	run_cap ctr-run --rm --uts host --hostname x busybox true
	assert_fails 125 '--hostname with --uts host would change'
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	run_cap ctr-run --rm --uts container:a --hostname x busybox true
	assert_fails 125 '--hostname with --uts container:a would change'
}

# 99: id, name and hostname
test_id_is_the_name_and_hostname() {
	id=$(ctr-run -d busybox sleep 1000)
	assert_match '^[0-9a-f]{12}$' "$id"
	assertEquals "$id" "$(ctr-exec "$id" hostname)"
	ctr-rm -f "$id" >/dev/null
	run_cap ctr-run -d --name a busybox hostname
	assert_rc 0
	ctr-wait a >/dev/null
	assertEquals "$out" "$(ctr-logs a)"
}

# 40, 118, 130, 167: nothing of the caller's environment gets in
test_environment() {
	http_proxy=http://p HTTPS_PROXY=x LEAK=1 run env
	assert_ok
	assertNull "$(printf '%s\n' "$out" | grep -iE 'proxy|LEAK|CTRBOX|WORK')"
	assert_out_match '^PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin$'
	assert_out_match '^HOME=/root$'
	assert_out_match '^HOSTNAME=[0-9a-f]{12}$'
	assertNull 'no TERM' "$(printf '%s\n' "$out" | grep '^TERM=')"
	run_cap env GIVEN='from us' ctr-run --rm -e A=1 -e A=2 -e B= -e GIVEN -e ABSENT --env 'C=d e' busybox env
	assert_out_match '^A=2$'
	assert_out_match '^B=$'
	assert_out_match '^C=d e$'
	assert_out_match '^GIVEN=from us$'
	assertNull "$(printf '%s\n' "$out" | grep -E '^(A=1|ABSENT)')"
	run_cap ctr-run --rm -e =x busybox true
	assert_fails 125 'variable "=x": has no name'
	run_cap ctr-run --rm -e PATH=/nowhere busybox sh
	assert_fails 127 'sh: command not found in PATH \(/nowhere\)'
}

test_environment_from_a_file() {
	printf '# a comment\n\nK=from file\nGIVEN\nLAST=no newline' >env
	run_cap env GIVEN=ours ctr-run --rm --env-file env -e K=wins busybox env
	assert_out_match '^K=wins$'
	assert_out_match '^GIVEN=ours$'
	assert_out_match '^LAST=no newline$'
	run_cap ctr-run --rm --env-file absent busybox true
	assert_fails 125 'read absent: No such file'
}

# user NAME..: what id says
user() {
	run_cap ctr-run --rm -u "$1" users id
}

test_user() {
	make_rootfs rootfs
	printf 'root:x:0:0::/root:/bin/sh\nbird:x:1000:100::/home/bird:/bin/sh\n' >rootfs/etc/passwd
	printf 'root:x:0:\nusers:x:100:\nsinging:x:7:alice,bird\n' >rootfs/etc/group
	tar -C rootfs -c . | ctr-image import users >/dev/null
	user bird
	assert_out 'uid=1000(bird) gid=100(users) groups=7(singing),100(users)'
	user 1000
	assert_out 'uid=1000(bird) gid=100(users) groups=7(singing),100(users)'
	user bird:7
	assert_out 'uid=1000(bird) gid=7(singing) groups=7(singing)'
	user bird:singing
	assert_out_match 'gid=7\(singing\)'
	user 12345
	assert_out 'uid=12345 gid=0(root) groups=0(root)'
	user 12345:678
	assert_out 'uid=12345 gid=678 groups=678'
	user 4294967294
	assert_out_match 'uid=4294967294 '
	run_cap ctr-run --rm -u bird users sh -c 'echo $HOME'
	assert_out /home/bird
	run_cap ctr-run --rm -u bird --group-add 55 --group-add singing users id -G
	assert_out_match '\b55\b'
	run_cap ctr-run --rm -u 5:6 --group-add root users id -G
	assert_out '6 0'
}

test_odd_users_are_refused() {
	for bad in 0x1 1: :1 : 99999999999 4294967295 -1 +1 1:1:1 ' 1' '1 ' 1: 'a/b' '1,2' 1.0; do
		run_cap ctr-run --rm -u "$bad" busybox id
		assert_fails 125 'user|group'
	done
	run_cap ctr-run --rm -u nobody-here busybox id
	assert_fails 125 "user \"nobody-here\": not in the container's /etc/passwd"
	run_cap ctr-run --rm -u 0:nogroup-here busybox id
	assert_fails 125 "group \"nogroup-here\": not in the container's /etc/group"
	run_cap ctr-run --rm --group-add nogroup-here busybox id
	assert_fails 125 'group "nogroup-here"'
}

test_working_directory() {
	run_cap ctr-run --rm -w /made/for/us busybox sh -c 'pwd; stat -c "%a %u" .'
	assert_out '/made/for/us
755 0'
	run_cap ctr-run --rm -w relative busybox pwd
	assert_fails 125 'working directory "relative": must begin with /'
	run_cap ctr-run --rm -w /etc/passwd busybox pwd
	assert_fails 125 'working directory /etc/passwd: Not a directory'
	run_cap ctr-run --rm -w /../../../etc busybox pwd
	assert_out /etc
}

# CVE-2024-21626
test_working_directory_is_no_descriptor() {
	for fd in 3 4 5 6 7 8 9 10 11 12 15 20 25 30; do
		run_cap ctr-run --rm -w /proc/self/fd/$fd busybox pwd 9</
		[ "$rc" = 125 ] && [ -z "$out" ]
		expect $? "-w /proc/self/fd/$fd refused"
	done
}

# 80: nothing but the three standard descriptors
test_descriptors() {
	ctr-run -d --name a --pidfile pid busybox sleep 1000 9</ >/dev/null
	assertEquals '0 1 2 ' "$(find "/proc/$(cat pid)/fd" -type l -printf '%f ')"
	ctr-exec -d a sleep 2000 9</
	assertEquals '0 1 2 ' "$(find "/proc/$(pgrep -f '^sleep 2000')/fd" -type l -printf '%f ')"
	ctr-run -d --name b --init --pidfile pid busybox sleep 1000 9</ >/dev/null
	assertNull 'init' "$(ls "/proc/$(cat pid)/fd")"
}

test_capabilities() {
	default=00000000a80425fb
	run sed -n 's/^\(Cap[IPEBA].*\):\t/\1 /p' /proc/self/status
	assert_out "CapInh 0000000000000000
CapPrm $default
CapEff $default
CapBnd $default
CapAmb 0000000000000000"
	run_cap ctr-run --rm -u 1000 busybox sed -n 's/^\(Cap[IPEBA].*\):\t/\1 /p' /proc/self/status
	assert_out "CapInh 0000000000000000
CapPrm 0000000000000000
CapEff 0000000000000000
CapBnd $default
CapAmb 0000000000000000"
}

# bounding OPTION..: the bounding set
bounding() {
	run_cap ctr-run --rm "$@" busybox sed -n 's/^CapBnd:\t*//p' /proc/self/status
}

test_capabilities_added_and_dropped() {
	all=$(sed -n 's/^CapBnd:\t*//p' /proc/self/status)
	bounding --cap-drop ALL
	assert_out 0000000000000000
	bounding --cap-drop all --cap-add CAP_CHOWN --cap-add net_raw
	assert_out 0000000000002001
	bounding --cap-drop CHOWN
	assert_out 00000000a80425fa
	bounding --cap-add SYS_ADMIN
	assert_out 00000000a82425fb
	bounding --cap-add ALL
	assert_out "$all"
	bounding --cap-add ALL --cap-drop CHOWN
	assertEquals "$all" "$(printf '%016x' $((0x$out | 1)))"
	assertNotEquals "$all" "$out"
	bounding --privileged
	assert_out "$all"
	bounding --cap-add NO_SUCH
	assert_fails 125 'cap-add: NO_SUCH: no such capability'
}

test_no_new_privileges() {
	run grep NoNewPrivs /proc/self/status
	assert_out 'NoNewPrivs:	0'
	for word in no-new-privileges no-new-privileges:true no-new-privileges=true; do
		run_cap ctr-run --rm --security-opt $word busybox grep NoNewPrivs /proc/self/status
		assert_out 'NoNewPrivs:	1'
	done
	run_cap ctr-run --rm --security-opt nonsense busybox true
	assert_fails 125 'security-opt nonsense: unknown'
}

# An image whose command drops root can write to its own standard output (nginx's log links).
test_standard_streams_can_be_opened_again() {
	out=$(ctr-run --rm -u 1000 busybox sh -c 'echo out >/dev/stdout; echo err >/dev/stderr' 2>&1)
	assertEquals 'out
err' "$out"
	out=$(echo in | ctr-run --rm -i -u 1000 busybox cat /dev/stdin)
	assertEquals in "$out"
	ctr-run --name a -u 1000 busybox sh -c 'echo out >/proc/self/fd/1' >f
	assertEquals out "$(cat f)"
	assertEquals out "$(ctr-logs a)"
	mkfifo fifo
	cat fifo >read &
	ctr-run --rm -u 1000 busybox echo x >fifo 2>/dev/null
	wait $!
	assertEquals "the caller's own pipe keeps its mode" 644 "$(stat -c %a fifo)"
}

# A session keyring of its own: a key of the caller's isn't found there.
test_keyring() {
	case $(uname -m) in
	x86_64) add_key=248 keyctl=250 ;;
	aarch64) add_key=217 keyctl=219 ;;
	*) skip "numbers of system calls on $(uname -m)" && return ;;
	esac
	find='$k = "user"; $d = "ctrbox-test"; exit(syscall('$keyctl', 10, -3, $k, $d, 0) < 0 ? 1 : 0)'
	make='$k = "user"; $d = "ctrbox-test"; $v = "v"; syscall('$keyctl', 1, 0) > 0 && syscall('$add_key', $k, $d, $v, 1, -3) > 0 or die;
		system @ARGV; exit $? >> 8'
	perl -e "$make" perl -e "$find"
	assertEquals 'found outside' 0 $?
	perl -e "$make" ctr-run --rm --cap-add ALL -v /:/h busybox chroot /h perl -e "$find"
	assertEquals 'found inside' 1 $?
}

# 97: zombies are reaped, signals forwarded
test_init() {
	run_cap ctr-run --rm --init busybox sh -c 'echo $$ >&2; (sleep 0.1 & exec true); sleep 0.4; ps -o stat,args | grep -c "^Z"'
	assert_out 0
	assertEquals 2 "$err"
	ctr-run -d --name a --init busybox sh -c 'trap "echo got; exit 7" USR1; while :; do sleep 0.1; done' >/dev/null
	sleep 0.3
	ctr-kill -s USR1 a >/dev/null
	assertEquals 7 "$(ctr-wait a)"
	assertEquals got "$(ctr-logs a)"
	run_cap ctr-run --rm --init busybox nope
	assert_fails 127 'nope: command not found'
	run_cap ctr-run --rm --init busybox sh -c 'kill -9 $$'
	assert_rc 137
}

test_signals_are_forwarded() {
	ctr-run --rm --name a busybox sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' >ready &
	assertTrue 'it starts' "wait_for 5 grep -q ready ready"
	kill -TERM $!
	wait $!
	assertEquals 9 $?
}

test_ulimit() {
	run_cap ctr-run --rm --ulimit nofile=100:200 --ulimit core=0 busybox sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
	assert_out '100
200
0'
	run_cap ctr-run --rm --ulimit nofile=3 busybox true
	assert_ok
	run_cap ctr-run --rm --ulimit nofile=3 busybox echo works
	assert_out works
	for bad in nofile nofile= nofile=a nofile=2:1 nofile=1:2:3 nonsense=1 =1 nofile=-2; do
		run_cap ctr-run --rm --ulimit $bad busybox true
		assert_fails 125 'limit'
	done
}

test_sysctl() {
	run_cap ctr-run --rm --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=1234 --sysctl fs.mqueue.msg_max=7 busybox \
		cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max
	assert_out '1
1234
7'
	assertNotEquals 1234 "$(cat /proc/sys/kernel/msgmax)"
	# CVE-2022-0811 and its kin
	for bad in kernel.core_pattern=x vm.overcommit_memory=1 'net.x=1+kernel.core_pattern=y' net.ipv4 =1 net..x=1 net/../kernel.x=1 \
		net.ipv4.ip_forward= 'net.ipv4.ip_forward=1
kernel.core_pattern=x' kernel.msgmaxx=1; do
		run_cap ctr-run --rm --sysctl "$bad" busybox true
		assert_fails 125 'sysctl'
	done
	run_cap ctr-run --rm --sysctl net.ipv4.no_such_thing=1 busybox true
	assert_fails 125 'net.ipv4.no_such_thing=1: No such file'
	run_cap ctr-run --rm --net host --sysctl net.ipv4.ip_forward=1 busybox true
	assert_fails 125 "would change the host's"
}

test_oom_score() {
	run_cap ctr-run --rm --oom-score-adj 321 busybox cat /proc/self/oom_score_adj
	assert_out 321
	for bad in 1001 -1001 x ''; do
		run_cap ctr-run --rm --oom-score-adj "$bad" busybox true
		assert_fails 125 'oom-score-adj'
	done
}

test_pidfile_and_cidfile() {
	id=$(ctr-run -d --name a --pidfile pid --cidfile cid busybox sleep 1000)
	assertEquals "$id" "$(cat cid)"
	assertEquals sleep "$(cat "/proc/$(cat pid)/comm")"
	run_cap ctr-run --rm --cidfile cid busybox echo ran
	assert_fails 125 'write the id to cid: File exists'
	assertEquals "$id" "$(cat cid)"
	run_cap ctr-run -d --name b --pidfile /nowhere/pid busybox sleep 1000
	assert_fails 125 '/nowhere/pid: No such file'
	assertEquals 'only a runs' 1 "$(ctr-ps -q | wc -l)"
}

# 93: -d returns at once, but only after exec
test_detached() {
	run_cap ctr-run -d --name a busybox sleep 1000
	assert_ok
	assert_out_match '^[0-9a-f]{12}$'
	assertEquals 'sleep 1000' "$(ctr-exec a cat /proc/1/cmdline | tr '\0' ' ' | sed 's/ $//')"
	run_cap ctr-run -d --rm busybox no-such
	assert_fails 127 'command not found'
	run_cap ctr-run -d --rm busybox /etc/passwd
	assert_fails 126 'is not executable'
	run_cap ctr-run -d --name b busybox sh -c 'exit 5'
	assert_rc 0
	assertEquals 5 "$(ctr-wait b)"
}

# 74: --rm leaves nothing
test_rm_leaves_nothing() {
	ctr-ps -aq | ctr-rm -f -
	run true
	ctr-run -d --rm busybox sleep 0.1 >/dev/null
	run no-such
	assertTrue "records: $(ctr-ps -a)" "wait_for 5 sh -c '! ls $CTRBOX_ROOT/containers | grep -q .'"
	assertNull 'run directory' "$(ls "$CTRBOX_RUN/containers")"
	assertNull 'names' "$(ls "$CTRBOX_ROOT/names")"
	assertNull 'groups' "$(leftovers)"
	assertNull 'mounts' "$(grep '^[^/]* / /.* - overlay ' /proc/self/mountinfo | grep -v '^[^/]* / / ')"
	run_cap ctr-run --rm --restart always busybox true
	assert_fails 125 'rm and --restart exclude'
}

# 38
test_stdin() {
	out=$(printf 'a\nb\n' | ctr-run --rm -i busybox cat)
	assertEquals 'a
b' "$out"
	out=$(printf 'a\n' | ctr-run --rm busybox cat)
	assertNull 'without -i it is not read' "$out"
	head -c 3000000 /dev/zero >big
	out=$(ctr-run --rm -i busybox sh -c 'sleep 0.3; wc -c' <big)
	assertEquals 'a file, slowly read' 3000000 "$out"
	# shellcheck disable=SC2002
	out=$(cat big | ctr-run --rm -i --log file busybox cat | wc -c)
	assertEquals 3000000 "$out"
	# shellcheck disable=SC2002
	out=$(cat big | ctr-run -i --name a busybox cat | wc -c)
	assertEquals 3000000 "$out"
	ctr-create -i --name b busybox cat >/dev/null
	out=$(timeout 20 ctr-start -ai b <big | wc -c)
	assertEquals 'both ways through the supervisor' 3000000 "$out"
}

# 77
test_debug_tells_the_steps() {
	run_cap ctr-run --debug --rm busybox true
	assert_rc 0
	for step in 'make the cgroup' 'clone into new namespaces' 'mount the root file system' 'pivot_root' 'execute true'; do
		assert_err_match "^ctr-run: debug: .*$step"
	done
	CTRBOX_DEBUG=1 run_cap ctr-run --rm busybox true
	assert_err_match 'debug: pivot_root'
	run true
	assertNull "$err"
}

# 78
test_help() {
	run_cap ctr-run --help
	assert_ok
	for word in --detach --volume --cap-add --userns --pids-limit -cpushare; do
		[ $word = -cpushare ] || assert_out_match "(^| )$word"
	done
	run_cap ctr-run
	assert_fails 125 'missing \(see "ctr-run --help"\)'
	run_cap ctr-run --no-such-option busybox true
	assert_fails 125 'unknown option --no-such-option \(see "ctr-run --help"\)'
}

# 30, 174, 179, 32: its own interfaces, lo is up
test_net_none() {
	run_cap ctr-run --rm --net none busybox sh -c 'ls /sys/class/net; cat /sys/class/net/lo/flags; ping -c1 -W1 127.0.0.1 >/dev/null && echo up'
	assert_out 'lo
0x9
up'
	run_cap ctr-run --rm --net none busybox ping -c1 -W1 192.0.2.1
	assert_rc 1
	run_cap ctr-run --rm -net none busybox true
	assert_ok
}

# 31: two containers bind the same port at once
test_the_same_port_twice() {
	for name in a b; do
		ctr-run -d --name $name --net none busybox nc -l -p 8080 >/dev/null
	done
	for name in a b; do
		assertTrue "$name listens" "wait_for 5 sh -c 'ctr-exec $name netstat -ltn | grep -q :8080'"
	done
}

# 54, 113: two containers of one image
test_containers_do_not_share_writes() {
	for name in a b; do
		ctr-run -d --name $name busybox sh -c "echo $name >/mine; sleep 1000" >/dev/null
	done
	assertTrue 'both wrote' "wait_for 5 ctr-exec b test -s /mine && wait_for 5 ctr-exec a test -s /mine"
	assertEquals a "$(ctr-exec a cat /mine)"
	assertEquals b "$(ctr-exec b cat /mine)"
	run test -e /mine
	assert_rc 1
}

test_many_at_once() {
	for i in $(seq 100); do
		ctr-run --rm busybox echo "$i" &
	done >many 2>errors
	wait
	assertNull "$(cat errors)"
	assertEquals 100 "$(sort -un many | wc -l)"
	assertNull 'records' "$(ls "$CTRBOX_ROOT/containers")"
}

test_a_long_run_path() {
	long=$WORK/$(printf '%0150d' 0)
	CTRBOX_RUN=$long run_cap ctr-run -d --name a busybox sleep 1000
	assert_ok
	CTRBOX_RUN=$long run_cap ctr-exec a echo in
	assert_out in
	CTRBOX_RUN=$long ctr-rm -f a >/dev/null
}

test_a_supervisor_keeps_nothing_of_the_callers_open() {
	mkfifo "$WORK/held"
	exec 7<>"$WORK/held"
	run_cap ctr-run -d --name holder --net none busybox sleep 1000
	assert_rc 0
	pid=$(sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN/containers/$out/state.json")
	assertNull "$(find "/proc/$pid/fd" -lname "$WORK/held")"
	exec 7>&-
	ctr-rm -f holder >/dev/null
	rm "$WORK/held"
}

test_init_tells_nothing_of_our_command_line() {
	run_cap ctr-run --rm --init --net none -e SECRET=hidden busybox sh -c 'tr "\\0" " " </proc/1/cmdline'
	assert_rc 0
	assert_out_match '^init *$'
}

. shunit2
