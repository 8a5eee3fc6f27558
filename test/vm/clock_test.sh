#!/bin/sh
# The clock is set while containers run: back, far ahead, and to the beginning of time, where a board without a battery starts. What waits,
# waits by the clock that can't be set; what is told of an end isn't before the beginning. In a guest, whose clock is nobody else's.
. "$(dirname "$0")/../lib.sh"

oneTimeSetUp() {
	need_busybox
	date +%s >now
}

tearDown() {
	date -s "@$(cat now)" >/dev/null
	[ -z "$(ctr-ps -aq)" ] || ctr-ps -aq | ctr-rm -f - >/dev/null
	assertNull "groups are left" "$(leftovers)"
}

# field NAME CTR: of ctr-inspect
field() {
	ctr-inspect "$2" | sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1
}

status() {
	[ "$(ctr-ps -a -r -n -o status -f "name=$1")" = "$2" ]
}

set_clock() {
	date -s "@$1" >/dev/null # busybox's tells no failure by its exit code
	assertTrue "the clock is set to $1" "[ $(($(date +%s) - $1)) -lt 60 ] && [ $(($(date +%s) - $1)) -ge 0 ]"
}

# The earliest that the kernel lets it be: clock_settime(2).
beginning() {
	echo $(($(cut -d. -f1 /proc/uptime) + 20))
}

# What a container goes through when the clock jumps to $1.
jump() {
	ctr-run -d --name a busybox sh -c 'trap "echo ended; exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
	ctr-run -d --name again --restart always busybox sh -c 'sleep 0.3; exit 1' >/dev/null
	ctr-run -d --name deaf --stop-timeout 500ms busybox sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
	wait_for 20 sh -c 'ctr-logs deaf | grep -q up && ctr-logs a | grep -q up'
	set_clock "$1"
	assertTrue 'it runs' 'status a running'
	run_cap ctr-exec a echo works
	assert_out works
	before=$(field restarts again)
	wait_for 30 sh -c "[ \$(ctr-inspect again | sed -n 's/.*\"restarts\": \([0-9]*\).*/\1/p') -gt $((before + 1)) ]"
	assertEquals 'it is started again as before' 0 $?
	run_cap ctr-gc
	assert_ok
	run_cap timeout 30 ctr-stop a deaf again
	assert_ok
	assertEquals 'it was asked' 3 "$(field exit_code a)"
	assertEquals 'its time was over' 137 "$(field exit_code deaf)"
	for name in a deaf again; do
		assertTrue "$name: exited" "status $name exited"
		assertTrue "$name: it ended after it began" "[ $(field finished $name) -ge $(field started $name) ]"
	done
	run_cap ctr-logs a
	assert_out "$(printf 'up\nended')"
	run_cap ctr-wait a
	assert_out 3
	run_cap ctr-start a
	assert_ok
	assertTrue 'it runs again' 'status a running'
}

test_back() {
	jump $(($(cat now) - 86400))
}

test_far_ahead() {
	jump $(($(cat now) + 400000000))
}

test_to_the_beginning() {
	jump "$(beginning)"
}

test_at_the_beginning() {
	set_clock "$(beginning)"
	run_cap ctr-run --name a busybox sh -c 'echo here; exit 4'
	assert_rc 4
	assertTrue 'it ran' 'status a exited'
	assertEquals 4 "$(field exit_code a)"
	run_cap ctr-wait a
	assert_out 4
	run_cap ctr-logs a
	assert_out here
	run_cap ctr-commit a image
	assert_rc 0
	run_cap ctr-image ls
	assert_rc 0
	ctr-image rm image >/dev/null
}

. shunit2
