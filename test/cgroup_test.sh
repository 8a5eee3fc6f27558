#!/bin/sh
# ctr-cgroup and lib/sys/cgroup*: groups, limits and what becomes of those inside. (n): the row of the seeds' CHECKLIST.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	tag=cgtest-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
}

setUp() {
	G=/$tag
}

tearDown() {
	ctr-cgroup kill "$G" 2>/dev/null
	ctr-cgroup rm "$G" 2>/dev/null
	assertNull "a test left groups" "$(groups_named "$tag")"
}

# groups_named WORD: directories of groups whose path has it, in any hierarchy
groups_named() {
	find /sys/fs/cgroup -type d -path "*$1*" 2>/dev/null
}

# get FILE..: of $G, the first that this host has (v1's name, v2's)
get() {
	for f; do
		ctr-cgroup get "$G" "$f" 2>/dev/null && return
	done
}

# stat_of PATH KEY
stat_of() {
	ctr-cgroup stat "$1" | sed -n "s/^$2 //p"
}

# sleeper PATH: a process inside; its pid in $pid
sleeper() {
	ctr-cgroup run "$1" -- sleep 1000 &
	pid=$!
	wait_for 5 grep -q sleep "/proc/$pid/comm"
}

# in_a_namespace SCRIPT: mounts and unmounts there stay there
in_a_namespace() {
	run_cap unshare -m sh -c "$1"
}

forget() {
	wait "$@" 2>/dev/null || :
}

hybrid() {
	grep -q ' - cgroup .*memory' /proc/self/mountinfo && grep -q ' - cgroup2 ' /proc/self/mountinfo
}

# (176, 71) by hand: group, limits, process
test_create_with_limits_reads_back() {
	run_cap ctr-cgroup create -m 128m --cpu-quota 50000 --cpu-period 100000 --pids-limit 77 "$G"
	assert_ok
	assert_out "$G"
	assertEquals 134217728 "$(get memory.limit_in_bytes memory.max)"
	assertEquals 77 "$(get pids.max)"
	assert_match '^50000( 100000)?$' "$(get cpu.cfs_quota_us cpu.max)"
	run_cap ctr-cgroup create "$G"
	assert_fails 1 "group $G: File exists"
}

test_memory_alone_gives_as_much_swap() {
	ctr-cgroup create -m 64m "$G" >/dev/null
	[ -n "$(get memory.memsw.limit_in_bytes memory.swap.max)" ] || { skip 'swap is not counted' && return; }
	assert_match '^(134217728|67108864)$' "$(get memory.memsw.limit_in_bytes memory.swap.max)"
}

test_memory_is_raised_and_lowered_with_swap() {
	ctr-cgroup create -m 64m --memory-swap 64m "$G" >/dev/null
	for size in 256 32 128; do
		run_cap ctr-cgroup set -m ${size}m --memory-swap ${size}m "$G"
		assert_ok
		assertEquals $((size << 20)) "$(get memory.limit_in_bytes memory.max)"
	done
	run_cap ctr-cgroup set -m -1 "$G"
	assert_ok
	assertEquals - "$(stat_of "$G" memory_limit)"
}

test_shares_and_cpuset() {
	run_cap ctr-cgroup create -c 512 --cpuset-cpus 0 "$G/a/b"
	assert_ok
	G=$G/a/b
	assert_match '^(512|20)$' "$(get cpu.shares cpu.weight)"
	assertEquals 0 "$(get cpuset.cpus)"
	run_cap ctr-cgroup run "$G" -- grep Cpus_allowed_list /proc/self/status
	assert_ok
	assert_out_match '^Cpus_allowed_list:	0$'
	G=/$tag
}

# A limit of a hierarchy that the group wasn't in takes its processes there.
test_set_reaches_processes_in_a_new_hierarchy() {
	sleeper "$G"
	run_cap ctr-cgroup set --cpuset-cpus 0 "$G"
	assert_ok
	assert_match '^0$' "$(sed -n 's/^Cpus_allowed_list:	//p' "/proc/$pid/status")"
	ctr-cgroup kill "$G"
	forget $pid
}

# (72, 73) the limits stand before the program, and its descendants are inside
test_run_enters_everywhere_before_exec() {
	run_cap ctr-cgroup run -m 64m "$G" -- sh -c 'sh -c "cat /proc/self/cgroup"; true'
	assert_ok
	for word in memory: pids: cpu: cpu,cpuacct: 0::; do
		line=$(grep "[0-9]*:.*$word\|^$word" "$WORK/.out" | head -n 1)
		[ -z "$line" ] || assertEquals "$line" "$G" "${line##*:}"
	done
	assertEquals 67108864 "$(get memory.limit_in_bytes memory.max)"
}

# The end of the caller's service must not be the end of what it started: no hierarchy keeps it in the caller's group.
test_run_leaves_the_callers_groups() {
	run_cap ctr-cgroup run "$G/x" -- cat /proc/self/cgroup
	assert_ok
	while IFS=: read -r _ controllers path; do
		mine=$(grep ":$controllers:" /proc/self/cgroup | cut -d: -f3)
		[ "$mine" = / ] || [ "${path#"$G"}" != "$path" ] || fail "still in $controllers:$path"
		assertTrue 0
	done <"$WORK/.out"
}

test_run_alone_passes_the_code_and_leaves_nothing() {
	run_cap ctr-cgroup run -m 64m -- sh -c 'cat /proc/self/cgroup; sleep 1000 & exit 7'
	assert_rc 7
	own=$(sed -n 's,.*:/\(ctr-cgroup-[0-9]*-[0-9a-f]*\)$,\1,p' "$WORK/.out" | head -n 1)
	assertNotNull "$out" "$own"
	assertNull "$(groups_named "$own")"
}

test_run_alone_forwards_signals() {
	ctr-cgroup run -- sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' >"$WORK/o" &
	pid=$!
	wait_for 5 grep -q ready "$WORK/o"
	kill -TERM $pid
	wait $pid
	assertEquals 9 $?
	run_cap ctr-cgroup run -- sh -c 'kill -KILL $$'
	assert_rc 137
}

test_run_tells_what_failed() {
	run_cap ctr-cgroup run -m 64m -- no-such-command
	assert_fails 127 'no-such-command: .*not found'
	run_cap ctr-cgroup run -m 64m -- /etc/passwd
	assert_fails 126 '/etc/passwd: '
	run_cap ctr-cgroup run --no-such-option -- true
	assert_fails 125 'unknown option'
	run_cap ctr-cgroup run -m 64m
	assert_fails 125 'CMD'
	run_cap ctr-cgroup run ../up -- true
	assert_fails 125 'group \.\./up: Invalid argument'
	assertNull "$(groups_named ctr-cgroup-$$-)"
}

test_run_command_with_dashes_of_its_own() {
	run_cap ctr-cgroup run -- echo -- a
	assert_ok
	assert_out '-- a'
	run_cap ctr-cgroup run "$G" -- echo -- a
	assert_out '-- a'
}

# (64) 200m under 100m is killed, (65) 50m survive
test_memory_over_the_limit_is_killed() {
	run_cap ctr-cgroup run -m 100m --memory-swap 100m "$G" -- dd if=/dev/zero of=/dev/null bs=200M count=1
	assert_rc 137
	assertEquals 1 "$(stat_of "$G" oom_kills)"
	run_cap ctr-cgroup run -m 100m --memory-swap 100m -- dd if=/dev/zero of=/dev/null bs=50M count=1
	assert_rc 0
}

test_pids_limit_holds() {
	run_cap ctr-cgroup run --pids-limit 3 -- sh -c 'for i in 1 2 3 4 5; do sleep 1 & done; wait'
	assert_err_match '[Cc]an.t fork|Cannot fork|Resource temporarily'
}

# usec SECONDS LIMIT..: processor time that an endless loop gets in $G/x
usec() {
	_seconds=$1
	shift
	ctr-cgroup run "$@" "$G/x" -- timeout "$_seconds" sh -c 'while :; do :; done'
	stat_of "$G/x" cpu_usec
}

# (177) 20 %
test_quota_is_held() {
	used=$(usec 2 --cpu-quota 20000)
	assertTrue "20 % of 2 s: $used us" "[ $used -gt 100000 ] && [ $used -lt 700000 ]"
}

# ran SHARES: processor time of a group of test_shares
ran() {
	stat_of "$G/$1" cpu_usec
}

# raced SHARES SHARES US: both groups have begun, and both together have run for so long
raced() {
	[ "$(ran "$1")" -gt 0 ] && [ "$(ran "$2")" -gt 0 ] && [ $(($(ran "$1") + $(ran "$2"))) -gt "$3" ]
}

# race SHARES SHARES: two loops on one processor; the second's time in percent of the first's, from when both are running. That is
# measured by what they have used, not by a clock: a machine that is busy gives them less, but divides it alike.
race() {
	for shares; do
		ctr-cgroup run --cpuset-cpus 0 -c "$shares" "$G/$shares" -- sh -c 'while :; do :; done' &
	done
	wait_for 60 raced "$1" "$2" 0
	first=$(ran "$1") second=$(ran "$2")
	wait_for 60 raced "$1" "$2" $((first + second + 1000000))
	first=$(($(ran "$1") - first)) second=$(($(ran "$2") - second))
	ctr-cgroup kill "$G"
	wait 2>/dev/null
	echo $((second * 100 / first))
}

# (175) half each, and shares that aren't equal
test_shares_divide_a_processor() {
	percent=$(race 1024 1025)
	assertTrue "1:1 gave $percent %" "[ $percent -gt 60 ] && [ $percent -lt 166 ]"
	percent=$(race 512 1026)
	assertTrue "1:2 gave $percent %" "[ $percent -gt 140 ] && [ $percent -lt 280 ]"
	percent=$(race 400 4000)
	assertTrue "1:10 gave $percent %" "[ $percent -gt 500 ] && [ $percent -lt 2000 ]"
}

# (63) a process is moved by its pid, and /proc/PID/cgroup shows it
test_attach_moves_processes() {
	sleep 1000 &
	pid=$!
	ctr-cgroup create "$G" >/dev/null
	run_cap ctr-cgroup attach "$G" $pid
	assert_ok
	assertTrue "grep -q ':$G\$' /proc/$pid/cgroup"
	assertEquals $pid "$(get cgroup.procs)"
	run_cap ctr-cgroup attach "$G" 0
	assert_fails 1 '0 is no pid'
	run_cap ctr-cgroup attach "$G" 4194303
	assert_fails 1 'move process 4194303 .*: No such process'
	kill $pid
	forget $pid
}

# (66) rm refuses what is in use; -f moves it to the parent first
test_rm_with_processes() {
	sleeper "$G/x"
	run_cap ctr-cgroup rm "$G/x"
	assert_fails 1 "remove group .*$G/x: (Device or r|R)esource busy"
	run_cap ctr-cgroup rm -f "$G/x"
	assert_ok
	assertTrue 'the process lives' "kill -0 $pid"
	assertNull "$(groups_named "$tag/x")"
	ctr-cgroup kill "$G" 2>/dev/null
	kill $pid 2>/dev/null
	forget $pid
}

# v2 has processes in groups alone that hand no controllers down; v1 has no such rule.
test_processes_beside_limited_groups() {
	ctr-cgroup create -m 64m "$G/a" >/dev/null
	run_cap ctr-cgroup run "$G" -- true
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		assert_fails 125 "enter group $G: (Device or r|R)esource busy \(.*take a group below it"
	else
		assert_ok
	fi
	run_cap ctr-cgroup run "$G/b" -- true
	assert_ok
}

# (62) groups in groups
test_nested_groups_go_together() {
	ctr-cgroup create -m 64m "$G/a" >/dev/null
	ctr-cgroup create "$G/a/b/c" >/dev/null
	ctr-cgroup create "$G/a/b/d" >/dev/null
	run_cap ctr-cgroup ls -n -o path "$G"
	assert_out "$G
$G/a
$G/a/b
$G/a/b/c
$G/a/b/d"
	run_cap ctr-cgroup run --memory-swap -1 "$G/a/b/c" -- true
	assert_ok
	run_cap ctr-cgroup rm "$G/a"
	assert_ok
	assertNull "$(groups_named "$tag/a")"
}

# v2 tells of a group's controllers before they are there. A command that comes in between waits until they are: it is stopped when it has
# made its group, then they are handed down to many by one that has hardly any time to do it in. Elsewhere there is nothing to hand down.
test_controllers_that_are_being_handed_down() {
	command -v strace >/dev/null || { skip 'no strace'; return; }
	dir=/sys/fs/cgroup$G
	for i in $(seq 20); do ctr-cgroup create "$G/$i" >/dev/null; done
	[ ! -e "$dir/cgroup.subtree_control" ] || echo '-cpu -memory -pids' >"$dir/cgroup.subtree_control"
	strace -qq -o "$WORK/trace" -e trace=mkdirat -e inject=mkdirat:signal=STOP:when=1 ctr-cgroup create --pids-limit 7 "$G/last" >"$WORK/o" 2>&1 &
	strace=$!
	wait_for 20 grep -q 'stopped by' "$WORK/trace"
	if [ -e "$dir/cgroup.subtree_control" ]; then
		taskset 1 sh -c 'while :; do :; done' &
		busy=$!
		ctr-cgroup run -c 2 --cpuset-cpus 0 "$G-slow" -- sh -c "echo '+cpu +memory +pids' >$dir/cgroup.subtree_control" &
		wait_for 20 grep -q pids "$dir/cgroup.subtree_control"
	fi
	kill -CONT "$(ps -o pid= --ppid $strace)"
	wait $strace
	assertEquals "$(cat "$WORK/o")" 0 $?
	assertEquals 7 "$(ctr-cgroup get "$G/last" pids.max)"
	[ -z "${busy:-}" ] || kill "$busy"
	wait
	[ -z "${busy:-}" ] || ctr-cgroup rm "$G-slow"
}

test_kill_takes_all_and_only_the_group() {
	sleep 1000 &
	bystander=$!
	ctr-cgroup run "$G/a" -- sh -c 'trap "" TERM INT HUP; while :; do sleep 1000 & sleep 0.01; done' &
	busy=$!
	wait_for 20 sh -c "ctr-cgroup stat $G/a | grep -qx 'pids [1-9].*'"
	ctr-cgroup run "$G/a/b" -- sleep 1000 &
	below=$!
	wait_for 20 sh -c "ctr-cgroup ls -n -r -o procs $G/a/b | grep -x 1"
	sleep 0.3
	run_cap ctr-cgroup kill "$G"
	assert_ok
	forget $busy $below
	assertEquals 0 "$(ctr-cgroup ls -n -o procs "$G" | head -n 1)"
	assertTrue 'the process outside lives' "kill -0 $bystander"
	run_cap ctr-cgroup kill "$G"
	assert_ok
	kill $bystander
	forget $bystander
}

ticks() {
	cut -d' ' -f14 "/proc/$1/stat"
}

test_freeze_and_thaw() {
	ctr-cgroup run "$G" -- sh -c 'while :; do :; done' &
	pid=$!
	wait_for 5 sh -c "ctr-cgroup stat $G | grep -qx 'pids 1'"
	run_cap ctr-cgroup freeze "$G"
	assert_ok
	before=$(ticks $pid)
	sleep 0.3
	assertEquals "$before" "$(ticks $pid)"
	run_cap ctr-cgroup thaw "$G"
	assert_ok
	sleep 0.3
	assertNotEquals "$before" "$(ticks $pid)"
	ctr-cgroup freeze "$G"
	run_cap timeout 5 ctr-cgroup kill "$G"
	assert_ok
	forget $pid
	run_cap ctr-cgroup run "$G" -- ctr-cgroup freeze "$G"
	assert_fails 1 'the caller is in it'
}

test_watch_tells_until_the_end() {
	ctr-cgroup create -m 20m --memory-swap 20m "$G" >/dev/null
	ctr-cgroup watch "$G" >"$WORK/events" &
	watcher=$!
	wait_for 5 grep -q oom_kill "$WORK/events"
	ctr-cgroup run "$G" -- tail /dev/zero
	wait_for 5 grep -q 'oom_kill 1' "$WORK/events"
	assertTrue "$(cat "$WORK/events")" $?
	wait_for 5 [ "$(stat_of "$G" pids)" = 0 ]
	ctr-cgroup rm "$G"
	wait $watcher
	assertEquals 0 $?
	if grep -q ' - cgroup2 ' /proc/self/mountinfo; then
		assertEquals 'populated 0
populated 1
populated 0' "$(grep populated "$WORK/events")"
	fi
}

# (61) a group's files
test_get_lists_files() {
	ctr-cgroup create -m 64m "$G" >/dev/null
	run_cap ctr-cgroup get "$G"
	assert_ok
	assert_out_match '^cgroup.procs	$'
	assert_out_match '^memory\.(limit_in_bytes|max)	67108864$'
	if hybrid; then
		assert_out_match '^tasks	$'
		assert_out_match '^notify_on_release	0$'
		assert_out_match '^cgroup.clone_children	0$'
		run_cap ctr-cgroup get / release_agent
		assert_ok
	fi
	run_cap ctr-cgroup get "$G" no.such.file
	assert_fails 1 "read no.such.file of group $G: No such file"
	run_cap ctr-cgroup get "$G" ../memory.max
	assert_fails 1 'Invalid argument'
}

test_listings() {
	ctr-cgroup create -m 64m "$G" >/dev/null
	run_cap ctr-cgroup ls "$G"
	assert_ok
	assert_out_match '^PATH +PROCS +MEMORY +CPU +PIDS$'
	run_cap ctr-cgroup ls -q "$tag/"
	assert_out "$G"
	run_cap ctr-cgroup ls -J -o path,procs,pids "$G"
	assert_out "{\"path\":\"$G\",\"procs\":0,\"pids\":0}"
	run_cap ctr-cgroup ls /no-such-group
	assert_fails 1 'group /no-such-group: No such file'
	run_cap ctr-cgroup ls -o nope
	assert_fails 2 'nope'
}

# (59)
test_controllers() {
	run_cap ctr-cgroup ls --controllers
	assert_ok
	assert_out_match '^CONTROLLER +VERSION +MOUNT$'
	run_cap ctr-cgroup ls --controllers -n -r -f controller=memory
	assert_ok
	assert_out_match '^memory	[12]	/sys/fs/cgroup'
}

test_bad_words() {
	while read -r code what args; do
		# shellcheck disable=SC2086 # words of one line
		run_cap ctr-cgroup $args
		assert_fails "$code" "$(echo "$what" | tr _ ' ')"
	done <<-END
		2 no_such_command frobnicate
		2 PATH create
		2 no_limit set $G
		2 memory_1: create -m 1 $G
		2 not_a_size|is_not create -m 12q $G
		2 less_than create -m 64m --memory-swap 32m $G
		2 needs_--memory create --memory-swap 32m $G
		2 cpus_x create --cpus x $G
		2 exclude create --cpus 1 --cpu-quota 1000 $G
		2 cpu-shares_1: create -c 1 $G
		2 cpu-period create --cpu-period 10 $G
		2 cpuset-cpus_3-1 create --cpuset-cpus 3-1 $G
		2 pids-limit create --pids-limit -2 $G
		2 blkio-weight create --blkio-weight 5 $G
		2 DEVICE create --device-read-bps /dev/null $G
		2 not_a_block create --device-read-bps /dev/null:1m $G
		2 No_such_file create --device-read-bps /no/disk:1m $G
		1 Invalid create a/../b
		1 everybody's create /
		1 everybody's rm -f /
		1 No_such_file set -m 64m /no-such-group
		1 No_such_file rm /no-such-group
		1 No_such_file attach /no-such-group 1
		1 too_long create $(printf '%0256d' 0)
	END
	assertNull "$(groups_named "$tag")"
}

# What the kernel refuses is told with its file, and nothing stays behind.
test_refused_limit_leaves_nothing() {
	run_cap ctr-cgroup create -m 64m --cpuset-cpus 4000 "$G/a/b"
	assert_fails 1 '--cpuset-cpus: write 4000 to .*/cpuset.cpus: '
	assertNull "$(groups_named "$tag")"
	run_cap ctr-cgroup run -m 64m --cpuset-cpus 4000 -- true
	assert_fails 125 '--cpuset-cpus'
	assertNull "$(groups_named ctr-cgroup-$$-)"
}

# (60, 67) a named hierarchy, mounted and unmounted
test_mount_a_named_hierarchy() {
	in_a_namespace "
		ctr-cgroup mount name=$tag $WORK/named &&
		ctr-cgroup ls --controllers -n -r -f controller=name=$tag &&
		ls $WORK/named &&
		ctr-cgroup create /$tag >/dev/null && ctr-cgroup rm /$tag &&
		! ctr-cgroup mount name=$tag $WORK/again &&
		ctr-cgroup umount name=$tag && ! ctr-cgroup umount name=$tag &&
		! ctr-cgroup ls --controllers -q | grep $tag"
	assert_rc 0
	assert_out_match "^name=$tag	1	$WORK/named$"
	assert_out_match '^release_agent$'
	assert_err_match "name=$tag: is mounted at $WORK/named"
	assert_err_match "name=$tag: no such hierarchy"
	assertEquals "two lines: $err" 2 "$(wc -l <"$WORK/.err")"
	for word in name=../x a=b 'name=a,memory' no_such_controller; do
		run_cap ctr-cgroup mount "$word" "$WORK/never"
		assert_rc 1
		assertFalse "[ -e $WORK/never ]"
	done
}

test_mount_brings_what_is_missing() {
	in_a_namespace "umount -R -l /sys/fs/cgroup && ctr-cgroup mount && ctr-cgroup run -m 64m $G -- grep -c . /proc/self/cgroup &&
		ctr-cgroup stat $G && ctr-cgroup rm $G && ctr-cgroup mount | wc -l"
	assert_ok
	assert_out_match '^/sys/fs/cgroup'
	assert_out_match '^memory_limit 67108864$'
	assertEquals 'nothing more is missing' 0 "$(tail -n 1 "$WORK/.out")"
}

test_without_any_cgroup() {
	in_a_namespace 'umount -R -l /sys/fs/cgroup && ctr-cgroup run -- echo fine'
	assert_ok
	assert_out fine
	in_a_namespace 'umount -R -l /sys/fs/cgroup && ctr-cgroup run -m 64m -- echo never'
	assert_fails 125 '--memory: no cgroup hierarchy has the controller memory \(try "ctr-cgroup mount"; .*CONFIG_MEMCG'
	in_a_namespace 'umount -R -l /sys/fs/cgroup && ctr-cgroup create /x'
	assert_fails 1 'ctr-cgroup mount'
	in_a_namespace 'umount -R -l /sys/fs/cgroup && ctr-cgroup ls'
	assert_ok
	in_a_namespace 'umount -R -l /sys/fs/cgroup && mount -t tmpfs none /proc && ctr-cgroup ls'
	assert_fails 1 'read /proc/self/mountinfo: No such file or directory .is proc mounted'
}

# The same words where there is v1 alone, as on an old board.
test_without_unified() {
	hybrid || { skip 'no hybrid host' && return; }
	in_a_namespace "umount -l /sys/fs/cgroup/unified
		ctr-cgroup run -m 64m $G -- sleep 1000 &
		wait_pid=\$!
		until ctr-cgroup get $G tasks 2>/dev/null | grep -q .; do sleep 0.05; done
		ctr-cgroup freeze $G && ctr-cgroup get $G freezer.state && ctr-cgroup stat $G && timeout 5 ctr-cgroup kill $G &&
		ctr-cgroup rm $G; wait \$wait_pid; echo code \$?"
	assert_rc 0
	assert_out_match '^FROZEN$'
	assert_out_match '^memory_limit 67108864$'
	assert_out_match '^cpu_usec [0-9]'
	assert_out_match '^code 137$'
	in_a_namespace "umount -l /sys/fs/cgroup/unified; ctr-cgroup run -- sh -c 'sleep 1000 & exit 5'"
	assert_rc 5
}

# The unified hierarchy alone, without controllers.
test_without_controllers() {
	hybrid || { skip 'no hybrid host' && return; }
	alone='umount -R -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup'
	in_a_namespace "$alone && ctr-cgroup run $G -- cat /proc/self/cgroup && ctr-cgroup stat $G && ctr-cgroup rm $G"
	assert_ok
	assert_out_match "^0::$G\$"
	assert_out_match '^memory -$'
	in_a_namespace "$alone && ctr-cgroup create -m 64m $G"
	assert_fails 1 'no cgroup hierarchy has the controller memory'
}

. shunit2
