#!/bin/sh
# ctr-stats: what running containers use.
# shellcheck disable=SC2016,SC2046 # what sh -c expands; lists of ids
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() { make_rootfs "$WORK/fs"; }

tearDown() { no_containers; }

# start NAME [OPT].. CMD..: detached, without a network.
start() {
	_name=$1
	shift
	ctr-run -d --net none --name "$_name" --rootfs "$WORK/fs" "$@" >/dev/null
}

# limited NAME CMD..
limited() {
	_name=$1
	shift
	ctr-run -d --net none --name "$_name" -m 64m --rootfs "$WORK/fs" "$@" >/dev/null
}

# column NAME CTR: its bare value
column() {
	ctr-stats --once -n -r -o "$1" "$2"
}

test_of_nothing() {
	run_cap ctr-stats --once
	assert_ok
	assert_out 'ID  NAME  CPU  MEMORY  LIMIT  PIDS  NET_RX  NET_TX  IO_READ  IO_WRITE'
}

test_of_two() {
	limited bird sh -c 'sleep 1000 & sleep 1001'
	start fish sleep 1000
	wait_for 10 sh -c '[ "$(ctr-stats --once -n -r -o pids bird)" = 2 ]'
	run_cap ctr-stats --once
	assert_ok
	assert_out_match '^[0-9a-f]{12}  bird +[0-9]+\.[0-9]{2} +[0-9.]+[KM] +64\.0M +2 +0B +0B '
	assert_out_match '^[0-9a-f]{12}  fish +[0-9]+\.[0-9]{2} +[0-9.]+[KM] +- +1 '
	assertEquals 'fish bird' "$(ctr-stats --once -n -r -o name | xargs)"
	assertEquals bird "$(ctr-stats --once -n -r -o name bird)"
	assertEquals "$(ctr-ps -q)" "$(ctr-stats --once -q)"
	assertEquals 67108864 "$(column limit bird)"
}

# Bytes that a container has written to its tmpfs are its memory's; those exact numbers are the kernel's own.
test_memory_is_the_groups() {
	limited bird sh -c 'head -c 20m /dev/zero >/dev/shm/x; sleep 1000'
	wait_for 20 sh -c '[ "$(ctr-stats --once -n -r -o memory bird)" -gt 20971520 ]'
	assertTrue "memory $(column memory bird)" "[ $(column memory bird) -gt 20971520 ] && [ $(column memory bird) -lt 67108864 ]"
}

# One that does nothing but count uses a processor, one that sleeps none. A machine that is busy gives less.
test_cpu_tells_who_is_busy() {
	start busy sh -c 'while :; do :; done'
	start idle sleep 1000
	run_cap ctr-stats --once --interval 500ms -J -o name,cpu
	assert_ok
	busy=$(printf '%s\n' "$out" | jq -r 'select(.name == "busy").cpu')
	idle=$(printf '%s\n' "$out" | jq -r 'select(.name == "idle").cpu')
	assertTrue "busy $busy, idle $idle" "awk 'BEGIN { exit !($busy > 3 && $busy < 130 && $idle < 1) }'"
}

test_network_of_its_own() {
	ctr-run -d --name bird --rootfs "$WORK/fs" sleep 1000 >/dev/null
	run_cap ctr-exec bird ping -c 3 -i 0.2 -s 1000 "$(ctr-net inspect bridge | jq -r '.[0].gateways[0]')"
	assert_rc 0
	assertTrue "rx $(column net_rx bird), tx $(column net_tx bird)" "[ $(column net_rx bird) -gt 3000 ] && [ $(column net_tx bird) -gt 3000 ]"
	ctr-run -d --name host --net host --rootfs "$WORK/fs" sleep 1000 >/dev/null
	assertEquals - "$(column net_rx host)"
	ctr-rm -f bird host >/dev/null
	ctr-net rm bridge >/dev/null
}

test_json_is_numbers() {
	limited bird sleep 1000
	run_cap ctr-stats --once -J
	assert_ok
	assertEquals number "$(printf '%s' "$out" | jq -r '[.cpu, .memory, .limit, .pids, .net_rx, .net_tx] | map(type) | unique | .[]')"
	start fish sleep 1000
	assertEquals null "$(ctr-stats --once -J -o limit fish | jq .limit)"
}

# Only where something waits for the kernel to count is there a pause.
test_without_cpu_it_does_not_wait() {
	start bird sleep 1000
	run_cap timeout 20 ctr-stats --once --interval 1h -n -r -o name,pids
	assert_ok
	assert_out "$(printf 'bird\t1')"
}

test_pressure_where_the_kernel_tells() {
	start bird sleep 1000
	run_cap ctr-stats --once -n -r -o cpu_pressure,memory_pressure,io_pressure bird
	assert_ok
	if [ -e /proc/pressure/cpu ] && grep -q ' - cgroup2 ' /proc/self/mountinfo; then
		assert_out_match '^[0-9]+\.[0-9]{2}	[0-9]+\.[0-9]{2}	[0-9]+\.[0-9]{2}$'
	else
		assert_out "$(printf -- '-\t-\t-')"
	fi
	run_cap ctr-cgroup stat "$(ctr-inspect bird | jq -r '.[0].cgroup // .[0].state.cgroup')"
	assert_ok
	assert_out_match '^cpu_pressure ([0-9]+\.[0-9]{2}|-)$'
	assert_out_match '^io_pressure ([0-9]+\.[0-9]{2}|-)$'
}

# Again and again; ends by itself when none of those named runs any more.
test_goes_on_until_they_have_ended() {
	start bird sleep 1000
	timeout 60 ctr-stats --interval 50ms -n -r -o name bird >"$WORK/seen" 2>&1 &
	_pid=$!
	wait_for 20 sh -c "[ \"\$(grep -c bird '$WORK/seen')\" -ge 3 ]"
	ctr-kill bird >/dev/null
	wait $_pid
	assertEquals 0 $?
	assertEquals bird "$(sort -u "$WORK/seen")"
}

test_a_terminal_is_redrawn() {
	start bird sleep 1000
	tty_cap "timeout 2 ctr-stats --interval 100ms -o name"
	assertTrue "$(printf '%s' "$out" | od -c | head)" "[ $(printf '%s' "$out" | grep -c "$(printf '\033\\[H\033\\[J')") -ge 2 ]"
	tty_cap "ctr-stats --once -n -o name"
	assertEquals bird "$out"
}

test_bad_input() {
	start bird sleep 1000
	ctr-create --name made --rootfs "$WORK/fs" true >/dev/null
	run_cap ctr-stats --once -n -r -o name nobody made bird
	assert_rc 1
	assert_out bird
	assert_err_match '^ctr-stats: nobody: no such container$'
	assert_err_match "^ctr-stats: made: isn't running$"
	run_cap timeout 10 ctr-stats made
	assert_fails 1 "^ctr-stats: made: isn't running$"
	for bad in '--interval 0' '--interval x' '-o color' '--frobnicate' '-f color=red'; do
		# shellcheck disable=SC2086 # words
		run_cap timeout 10 ctr-stats --once $bad
		assert_fails 2 '\(see "ctr-stats --help"\)$'
	done
}

. shunit2
