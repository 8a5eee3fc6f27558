#!/bin/sh
# ctr-run's limits, read back inside and in the host's cgroup files. Numbers: shared/seeds/CHECKLIST.md.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	ctr-run --rm busybox true # makes the store's tag
	tag=$(cat "$CTRBOX_ROOT/tag")
	}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'no group is left' "$(leftovers)"
}

# group CONTROLLER: the directory of container a's group
group() {
	for base in "/sys/fs/cgroup/$1" "/sys/fs/cgroup/$1,cpuacct" /sys/fs/cgroup/unified /sys/fs/cgroup; do
		dir=$(echo "$base"/ctrbox-"$tag"/*/)
		[ ! -d "$dir" ] || { [ "$base" = /sys/fs/cgroup/unified ] && ! grep -qw "$1" "$base/cgroup.controllers"; } || { echo "$dir" && return; }
	done
}

# value CONTROLLER V1-FILE V2-FILE: as the host's file has it
value() {
	dir=$(group "$1")
	if [ -e "$dir/$2" ]; then cat "$dir/$2"; else cat "$dir/$3"; fi
}

start() {
	ctr-run -d --name a "$@" busybox sleep 1000 >/dev/null
}

# 71, 72
test_memory() {
	start -m 128m --memory-reservation 64m
	assertEquals 134217728 "$(value memory memory.limit_in_bytes memory.max)"
	assertEquals 67108864 "$(value memory memory.soft_limit_in_bytes memory.low)"
	assertEquals 134217728 "$(ctr-exec a sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max')"
}

test_memory_is_limited_before_the_command_starts() {
	run_cap ctr-run --rm -m 64m busybox sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
	assert_out 67108864
}

# 64, 65
test_memory_over_the_limit_is_killed() {
	run_cap ctr-run --name a -m 40m --memory-swap 40m --pid host busybox sh -c 'exec tail -c 200m /dev/zero'
	assert_rc 137
	assert_match '"oom": *true' "$(ctr-inspect a)"
	run_cap ctr-run --rm -m 100m busybox sh -c 'head -c 50m /dev/zero | tail -c 50m | wc -c'
	assert_out 52428800
}

test_memory_over_the_limit_of_pid_1() {
	run_cap ctr-run --rm -m 40m --memory-swap 40m busybox tail -c 200m /dev/zero
	assert_rc 137
}

# 82, 83: as the notes spell it
test_the_notes_own_spelling() {
	tty_cap 'ctr-run --rm -it -m 100m -cpuset 1 -cpushare 512 busybox sh -c "cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max; grep Cpus_allowed_list /proc/self/status"' </dev/null
	assert_rc 0
	assert_out_match '104857600$'
	assert_out_match 'Cpus_allowed_list:	1$' # script's end of file may have been echoed before it
	start -m 100m -cpuset 1 -cpushare 512
	assertEquals 1 "$(value cpuset cpuset.cpus cpuset.cpus)"
	case $(value cpu cpu.shares cpu.weight) in
	512 | 20 | 59) assertTrue 0 ;;
	*) fail "shares are $(value cpu cpu.shares cpu.weight)" ;;
	esac
}

test_cpus() {
	start --cpus 0.5
	case $(value cpu cpu.cfs_quota_us cpu.max) in
	50000 | '50000 100000') assertTrue 0 ;;
	*) fail "quota is $(value cpu cpu.cfs_quota_us cpu.max)" ;;
	esac
	ctr-rm -f a >/dev/null
	start --cpu-period 50000 --cpu-quota 10000
	case $(value cpu cpu.cfs_quota_us cpu.max) in
	10000 | '10000 50000') assertTrue 0 ;;
	*) fail "quota is $(value cpu cpu.cfs_quota_us cpu.max)" ;;
	esac
}

test_cpuset() {
	run_cap ctr-run --rm --cpuset-cpus 0 busybox nproc
	assert_out 1
	run_cap ctr-run --rm --cpuset-cpus 0-1 --cpuset-mems 0 busybox grep Cpus_allowed_list /proc/self/status
	assert_out 'Cpus_allowed_list:	0-1'
}

test_pids() {
	start
	assertEquals 2048 "$(value pids pids.max pids.max)"
	ctr-rm -f a >/dev/null
	start --pids-limit 7
	assertEquals 7 "$(value pids pids.max pids.max)"
	run_cap ctr-run --rm --pids-limit 5 busybox sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	[ "$rc" != 0 ]
	expect $? 'a fork that fails'
	assert_err_match "can't fork"
	run_cap ctr-run --rm --pids-limit -1 busybox true
	assert_ok
}

# 73
test_descendants_are_in_the_group() {
	ctr-run -d --name a busybox sh -c 'sleep 1000 & sh -c "sleep 1000; true" & wait' >/dev/null
	assertTrue "wait_for 5 sh -c 'ctr-exec a ps -o args | grep -c \"^sleep\" | grep -q 2'"
	assertEquals 4 "$(value pids pids.current pids.current)"
}

# 69, 178
test_where_the_group_is() {
	start
	id=$(cat "$CTRBOX_ROOT"/containers/*/spec.json | grep -o '"id": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{12\}')
	assertEquals "$id" "$(basename "$(group pids)")"
	ctr-rm -f a >/dev/null
	start --cgroup-parent /ctrbox-test-$$/deep
	assertNotNull "$(find /sys/fs/cgroup -path "*/ctrbox-test-$$/deep/*" -type d)"
	ctr-rm -f a >/dev/null
	find /sys/fs/cgroup -depth -path "*/ctrbox-test-$$*" -type d | while read -r d; do rmdir "$d"; done
	assertNull "$(find /sys/fs/cgroup -path "*/ctrbox-test-$$*" -type d)"
	for bad in ../x / '' a/../../b; do
		run_cap ctr-run --rm --cgroup-parent "$bad" busybox true
		assert_fails 125 'group '
	done
}

# attempt PARENT: a container with a limit below it
attempt() {
	run_cap ctr-run --rm -m 64m --cgroup-parent "$1" busybox sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
}

# A service that was handed a group (systemd's Delegate=) and has its own processes in one below it gives the others to containers. On v2
# it can't while it has processes in the group itself, and is told so.
test_below_the_group_of_a_service() {
	parent=/ctrbox-test-$$
	ctr-cgroup run $parent/service -- sleep 1000 &
	sleeper=$!
	wait_for 20 sh -c "ctr-cgroup ls -n -r -o procs $parent/service | grep -x 1"
	attempt $parent
	assert_out 67108864
	ctr-cgroup run $parent-2 -- sleep 1000 &
	wait_for 20 sh -c "ctr-cgroup ls -n -r -o procs $parent-2 | grep -x 1"
	attempt $parent-2
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		assert_fails 125 "write .*memory.* to .*$parent-2/cgroup.subtree_control: .*busy \(processes live in this group: move them to a group below"
	else
		assert_out 67108864
	fi
	assertEquals 'the service lives on, where it was' 1 "$(ctr-cgroup ls -n -r -o procs $parent/service)"
	kill $sleeper $!
	wait $sleeper $! 2>/dev/null
	ctr-cgroup rm $parent && ctr-cgroup rm $parent-2
	assertNull "$(find /sys/fs/cgroup -name "ctrbox-test-$$*")"
}

test_limits_that_are_wrong() {
	for bad in '-m x' '-m -5' '-m 1z' '--cpus x' '--cpus -1' '--cpus 0' '--cpuset-cpus x' '--cpuset-cpus 0-' '--cpuset-cpus 999' '--cpuset-mems 77' \
		'--pids-limit x' '--cpu-shares 1x' '--memory-swap 1m -m 64m' '--cpu-quota 10' '-cpuset nine'; do
		# shellcheck disable=SC2086
		run_cap ctr-run --rm $bad busybox true
		[ "$rc" = 125 ] && [ -z "$out" ] && [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ] && [ -n "$err" ]
		expect $? "$bad refused"
	done
	assertNull 'nothing is left' "$(ls "$CTRBOX_ROOT/containers")"
}

# The kernel refuses: a memory limit below what starting takes
test_a_limit_too_small_to_start() {
	run_cap ctr-run --rm -m 4k busybox true
	[ "$rc" != 0 ] && [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ]
	expect $? 'a refusal in one line'
	assertNull "$(ls "$CTRBOX_ROOT/containers")"
}

. shunit2
