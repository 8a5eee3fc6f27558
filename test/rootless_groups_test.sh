#!/bin/sh
# Control groups that were handed to an ordinary user: limits, and what becomes of those who have none of them.
# shellcheck disable=SC2016,SC2046 # what is in single quotes is expanded inside; lists of files
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/rootless_lib.sh"

# A directory: not every kernel's tmpfs holds an ordinary user's overlay.
export FS=/run/fs

oneTimeSetUp() {
	make_willi
	make_rootfs $FS && chown -R $WILLI:$GROUP $FS
}

oneTimeTearDown() {
	unmake_willi
}

tearDown() {
	willi ctr-rm -f a b >/dev/null 2>&1
	wait_for 20 none_left || fail "left behind: $(ps -o pid=,args= -u $WILLI)"
}

unified() {
	grep -q ' - cgroup2 ' /proc/self/mountinfo
}

# The hierarchies that a host hands over a group in: v2's, and those of v1 that have one of these.
handed() {
	awk '/ - cgroup2 / || / - cgroup .*[ ,](cpu|memory|pids|freezer|devices)(,|$)/ { print $5 }' /proc/self/mountinfo
}

# hand_over [SUB].. : ctrbox-willi.$$ in each, with groups in it, becomes the user's, as a service of systemd's that has Delegate=yes.
hand_over() {
	for h in $(handed); do
		[ ! -e "$h/cgroup.controllers" ] || echo '+memory +pids' >"$h/cgroup.subtree_control" 2>/dev/null
		[ ! -e "$h/cgroup.controllers" ] || echo '-cpuset' >"$h/cgroup.subtree_control" 2>/dev/null
		for sub in '' "$@"; do
			group=$h/ctrbox-willi.$$$sub
			mkdir "$group" && echo "$group" >>/run/groups
			for set in cpus mems; do
				[ ! -e "$h/cpuset.$set" ] || [ -e "$h/cgroup.controllers" ] || cat "$h/cpuset.$set" >"$group/cpuset.$set"
			done
		done
		chown -R $WILLI "$h/ctrbox-willi.$$"
	done
}

# within SUB SCRIPT: in that group everywhere
within() {
	run_cap sh -c '. "$TOP/test/rootless_lib.sh"
		for g in $(grep "/ctrbox-willi\.[0-9]*$1\$" /run/groups); do echo 0 >$g/cgroup.procs; done
		eval "$2"' - "$@"
}

take_back() {
	assertEquals 'the group is gone' '' "$(find /sys/fs/cgroup -path "*/ctrbox-willi.$$/ctrbox-*/*" -type d)"
	find /sys/fs/cgroup -depth -path "*/ctrbox-willi.$$*" -type d -exec rmdir {} \;
	assertNull "$(find /sys/fs/cgroup -name "ctrbox-willi.$$")"
	rm -f /run/groups /run/user/$WILLI/ctrbox/cgroups
}

# value V1-FILE V2-FILE: of container a's group
value() {
	cat $(find /sys/fs/cgroup -path "*/ctrbox-willi.$$/ctrbox-*/*/$1") $(find /sys/fs/cgroup -path "*/ctrbox-willi.$$/ctrbox-*/*/$2")
}

# The container's own view of its limits, whatever the host has.
seen='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory.max pids/pids.max pids.max 2>/dev/null; true'

# Groups that were handed to the user are used, also by a command that isn't in one of them; the rest is refused.
test_delegated_groups() {
	hand_over
	within '' "willi ctr-run --net none -d --name a -m 32m --pids-limit 20 --rootfs $FS sleep 1000 >/dev/null; willi ctr-exec a sh -c '$seen'"
	assert_ok
	assert_out '33554432
20'
	assertEquals 33554432 "$(value memory.limit_in_bytes memory.max)"
	run_cap willi ctr-exec a true
	if unified; then
		assert_fails 125 'clone into the container: Permission denied \(an ordinary user has the groups that were delegated'
	else
		assert_ok
	fi
	run_cap willi ctr-pause a
	assert_ok
	assertEquals paused "$(willi ctr-ps -r -n -o status)"
	run_cap willi ctr-unpause a
	assert_ok
	run_cap willi ctr-update -m 64m a
	assert_ok
	assertEquals 67108864 "$(value memory.limit_in_bytes memory.max)"
	run_cap willi ctr-rm -f a
	assert_ok
	take_back
}

# What wasn't handed over is refused by its name.
test_a_controller_that_was_not_delegated() {
	hand_over
	! grep -q cpuset $(sed 's,$,/cgroup.controllers,' /run/groups) 2>/dev/null || fail 'cpuset was handed over'
	within '' 'willi ctr-run --net none --rm --cpuset-cpus 0 --rootfs $FS true'
	assert_fails 125 'cpuset-cpus: no cgroup hierarchy has the controller cpuset \(an ordinary user'
	take_back
}

# supervisors_groups NAME
supervisors_groups() {
	cat "/proc/$(ps -o ppid= -p "$(willi ctr-ps -r -n -o pid -f "name=$1")" | tr -d ' ')/cgroup"
}

# As systemd has it: a service for the user, whose programs are in scopes of their own below it. The containers' groups are beside them;
# nobody has to leave a scope but the supervisors, which outlive it, and from another one the containers are there as well.
test_scopes_of_a_session() {
	hand_over /app.slice /app.slice/one.scope /app.slice/two.scope
	within /app.slice/one.scope "willi ctr-run --net none -d --name a -m 32m --pids-limit 20 --rootfs $FS sleep 1000 >/dev/null; cat /proc/self/cgroup"
	assert_ok
	assert_out_match '/app.slice/one.scope$'
	assertEquals 33554432 "$(value memory.limit_in_bytes memory.max)"
	within /app.slice/two.scope "willi ctr-exec a sh -c '$seen'; willi ctr-update -m 64m a >/dev/null; willi ctr-stats --once -n -r -o limit a; willi ctr-pause a;
		willi ctr-unpause a; willi ctr-run --net none -d --name b -m 16m --rootfs $FS sleep 1000 >/dev/null; willi ctr-exec b sh -c '$seen'"
	assert_ok
	assert_out '33554432
20
67108864
a
a
16777216
2048'
	for name in a b; do
		assertEquals "supervisor of $name" '' "$(supervisors_groups $name | grep scope)"
	done
	run_cap willi ctr-rm -f a b
	assert_ok
	take_back
}

. shunit2
