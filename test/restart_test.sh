#!/bin/sh
# What happens to containers by themselves: restart policies and their back-off, ctr-start --boot, health checks.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
}

tearDown() {
	for name in a b c d e; do ctr-rm -f "$name" >/dev/null 2>&1; done
	assertNull 'nothing is left' "$(leftovers)"
}

dir_of() {
	echo "$CTRBOX_ROOT/containers/$(readlink "$CTRBOX_ROOT/names/$1")"
}

# col NAME COLUMN
col() {
	ctr-ps -a -r -n -o "$2" -f "name=$1"
}

has() {
	[ "$(col "$1" "$2")" = "$3" ]
}

# How often it was started, by its own account.
runs() {
	wc -l <"$(dir_of "$1")/upper/runs"
}

ran() {
	[ "$(runs "$1")" -ge "$2" ]
}

# As if the power had gone: the supervisor is killed, and what a reboot forgets is forgotten.
power_cut() {
	for ctr; do
		_run=$CTRBOX_RUN/containers/$(readlink "$CTRBOX_ROOT/names/$ctr")
		kill -9 "$(sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$_run/state.json")"
		wait_for 5 has "$ctr" status exited
		find "/sys/fs/cgroup" -path "*/ctrbox-$(cat "$CTRBOX_ROOT/tag")/${_run##*/}" -type d 2>/dev/null | while read -r g; do
			wait_for 5 rmdir "$g"
		done
		rm -r "$_run"
	done
}

test_no_policy() {
	ctr-run -d --name a busybox sh -c 'echo x >>/runs; exit 1' >/dev/null
	wait_for 5 has a status exited
	sleep 0.3
	assertEquals 1 "$(runs a)"
	assertEquals 0 "$(col a restarts)"
}

test_on_failure() {
	ctr-run -d --restart on-failure:2 --name a busybox sh -c 'echo x >>/runs; exit 3' >/dev/null
	ctr-run -d --restart on-failure --name b busybox sh -c 'echo x >>/runs; exit 0' >/dev/null
	wait_for 5 has a status exited
	assertEquals 'the first and two more' 3 "$(runs a)"
	assertEquals 2 "$(col a restarts)"
	assertEquals 3 "$(col a exit)"
	wait_for 5 has b status exited
	assertEquals 'success is none' 1 "$(runs b)"
}

test_always() {
	ctr-run -d --restart always --name a busybox sh -c 'echo x >>/runs; sleep 0.1' >/dev/null
	wait_for 10 ran a 3
	assertTrue 'again and again' $?
	ctr-stop a >/dev/null
	assertEquals exited "$(col a status)"
	_runs=$(runs a)
	sleep 0.5
	assertEquals 'not after ctr-stop' "$_runs" "$(runs a)"
}

# 100 ms, 200 ms, 400 ms ..: in a second at most four starts; and one that waits can be stopped and removed at once.
test_back_off() {
	ctr-run -d --restart always --name a busybox sh -c 'echo x >>/runs; exit 1' >/dev/null
	sleep 1.1
	_runs=$(runs a)
	assertTrue "started $_runs times" "[ $_runs -ge 3 ] && [ $_runs -le 4 ]"
	wait_for 5 has a status restarting
	assertTrue 'it says so' $?
	_began=$(date +%s%N)
	ctr-stop a >/dev/null
	assertTrue 'stopped at once' "[ $((($(date +%s%N) - _began) / 1000000)) -lt 500 ]"
	assertEquals exited "$(col a status)"
	assertEquals 1 "$(col a exit)"
	ctr-start a >/dev/null
	wait_for 5 has a status restarting
	run_cap ctr-rm a
	assert_fails 1 'is running'
	run_cap ctr-kill a
	assert_ok
	assertEquals exited "$(col a status)"
}

test_kill_ends_it_too() {
	ctr-run -d --restart always --name a busybox sleep 1000 >/dev/null
	ctr-kill a >/dev/null
	assertEquals exited "$(col a status)"
	sleep 0.3
	assertEquals exited "$(col a status)"
	assertEquals 0 "$(col a restarts)"
}

# Killed by somebody else is a failure like another.
test_killed_from_the_host() {
	ctr-run -d --restart on-failure --name a busybox sleep 1000 >/dev/null
	kill -9 "$(col a pid)"
	wait_for 5 has a restarts 1
	wait_for 5 has a status running
	assertTrue 'it runs again' $?
}

test_in_the_foreground() {
	run_cap ctr-run --restart on-failure:1 --name a busybox sh -c 'echo run; exit 4'
	assert_rc 4
	assertEquals 'run run' "$(echo "$out" | xargs)"
}

# Its group is new with each run: limits hold, and nobody of the last run is in it.
test_nothing_of_the_last_run() {
	ctr-run -d --restart on-failure:1 --name a busybox sh -c 'ps >>/ps; sleep 1000 & exit 1' >/dev/null
	wait_for 5 has a status exited
	assertEquals 0 "$(grep -c ' sleep 1000$' "$(dir_of a)/upper/ps")"
	assertEquals 2 "$(grep -c '^ *1 root' "$(dir_of a)/upper/ps")"
}

test_policies_are_checked() {
	for policy in sometimes on-failure:x on-failure:-1 always:3 ''; do
		run_cap ctr-run -d --restart "$policy" --name a busybox true
		assert_rc 125
		assert_out ''
	done
	run_cap ctr-run --rm --restart always busybox true
	assert_fails 125 -- '--rm'
}

# A supervisor that is told to end, as at a shutdown, ends its container and doesn't start it again.
test_supervisor_told_to_end() {
	ctr-run -d --restart always --stop-timeout 300ms --name a --init busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
	wait_for 10 sh -c 'ctr-logs a | grep -q ready'
	kill "$(sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN/containers/"*/state.json)"
	wait_for 5 has a status exited
	assertEquals 'killed after its time-out' 137 "$(col a exit)"
	sleep 0.3
	assertEquals exited "$(col a status)"
}

test_boot() {
	ctr-run -d --restart always --name b busybox sleep 1000 >/dev/null
	ctr-run -d --restart unless-stopped --name a busybox sleep 1000 >/dev/null
	ctr-run -d --restart unless-stopped --name c busybox sleep 1000 >/dev/null
	ctr-run -d --name d busybox sleep 1000 >/dev/null
	ctr-run -d --restart always --name e busybox sleep 1000 >/dev/null
	ctr-stop c e >/dev/null
	power_cut a b d
	for name in a b c d e; do assertEquals "$name" exited "$(col $name status)"; done
	run_cap ctr-start --boot
	assert_ok
	assertEquals 'in the order of their creation' "$(for name in b a e; do basename "$(dir_of $name)"; done)" "$out"
	for name in a b e; do assertEquals "$name" running "$(col $name status)"; done
	for name in c d; do assertEquals "$name" exited "$(col $name status)"; done
	run_cap ctr-start --boot
	assert_ok
}

# A stop and a start before the power cut: it was wanted.
test_boot_after_stop_and_start() {
	ctr-run -d --restart unless-stopped --name a busybox sleep 1000 >/dev/null
	ctr-stop a >/dev/null
	ctr-start a >/dev/null
	power_cut a
	ctr-start --boot >/dev/null
	assertEquals running "$(col a status)"
	power_cut a
	ctr-stop a >/dev/null
	ctr-start --boot >/dev/null
	assertEquals 'stopped while it was down' exited "$(col a status)"
}

# What ends with the machine is to run at the next boot: it runs, waits to be started again, or has a terminal of its own.
test_shutdown() {
	ctr-run -d --restart unless-stopped --name a busybox sleep 1000 >/dev/null
	ctr-run -d --restart always --name b busybox false >/dev/null
	ctr-run -d --restart unless-stopped --name c busybox sleep 1000 >/dev/null
	ctr-run -d --name d busybox sleep 1000 >/dev/null
	ctr-run --restart unless-stopped --name e busybox sleep 1000 2>/dev/null &
	wait_for 10 has e status running
	ctr-stop c >/dev/null
	run_cap ctr-stop --shutdown
	assert_ok
	assertEquals "$(for name in a b d e; do basename "$(dir_of $name)"; done | sort)" "$out"
	wait $!
	for name in a b c d e; do assertEquals "$name" exited "$(col $name status)"; done
	run_cap ctr-stop --shutdown
	assert_ok
	assert_out ''
	ctr-start --boot >/dev/null
	assertEquals 'a b e' "$(ctr-ps -r -n -o name | sort | xargs)"
	ctr-stop a >/dev/null
	ctr-start --boot >/dev/null
	assertEquals 'a user wants it down' exited "$(col a status)"
	run_cap ctr-stop --shutdown b
	assert_fails 2 'takes no containers'
	assertEquals 'b e' "$(ctr-ps -r -n -o name | sort | xargs)"
}

# It is killed when its time is over, and is to run nevertheless.
test_shutdown_in_time() {
	ctr-run -d --restart unless-stopped --name a busybox sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null
	ctr-exec a sh -c 'until grep -q "^SigIgn:.*4...$" /proc/1/status; do sleep 0.1; done'
	run_cap ctr-stop -t 100ms --shutdown
	assert_ok
	assertEquals 137 "$(col a exit)"
	ctr-start --boot >/dev/null
	assertEquals running "$(col a status)"
}

test_boot_goes_on_past_failures() {
	ctr-run -d --restart always --name a -v "$WORK/source:/x" busybox sleep 1000 >/dev/null
	ctr-run -d --restart always --name b busybox sleep 1000 >/dev/null
	power_cut a b
	rm -rf "$(dir_of a)/upper" && : >"$(dir_of a)/upper"
	run_cap ctr-start --boot
	assert_rc 1
	assert_err_match '^ctr-start: '
	assertEquals running "$(col b status)"
}

test_health() {
	ctr-run -d --name a --health-cmd 'test -e /good' --health-interval 100ms --health-retries 2 busybox sleep 1000 >/dev/null
	assertEquals starting "$(col a health)"
	wait_for 5 has a health unhealthy
	assertTrue 'no /good' $?
	assertEquals 'it still runs' running "$(col a status)"
	ctr-exec a touch /good
	wait_for 5 has a health healthy
	assertTrue 'with /good' $?
	ctr-exec a rm /good
	wait_for 5 has a health unhealthy
	assertTrue 'without it again' $?
}

test_health_start_period() {
	ctr-run -d --name a --health-cmd 'false' --health-interval 50ms --health-retries 1 --health-start-period 700ms \
		busybox sleep 1000 >/dev/null
	sleep 0.4
	assertEquals 'failures do not count yet' starting "$(col a health)"
	wait_for 5 has a health unhealthy
	assertTrue 'now they do' $?
}

# A check that hangs is ended, inside too.
test_health_timeout() {
	ctr-run -d --name a --health-cmd 'sleep 777' --health-interval 50ms --health-timeout 200ms --health-retries 1 \
		busybox sleep 1000 >/dev/null
	wait_for 5 has a health unhealthy
	assertTrue 'it failed' $?
	sleep 0.3
	run_cap ctr-exec a ps
	assertTrue 'at most one check at a time' "[ $(printf '%s\n' "$out" | grep -c 'sleep 777') -le 2 ]"
	ctr-stop a >/dev/null
	assertEquals exited "$(col a status)"
}

# A paused container can't be checked, and nothing hangs on it.
test_health_of_a_paused_one() {
	ctr-run -d --name a --health-cmd true --health-interval 50ms busybox sleep 1000 >/dev/null
	wait_for 5 has a health healthy
	ctr-pause a >/dev/null
	sleep 0.6
	assertEquals paused "$(col a status)"
	assertEquals 'it is not checked' healthy "$(col a health)"
	ctr-unpause a >/dev/null
	wait_for 5 has a health healthy
	assertTrue 'healthy again' $?
	ctr-stop a >/dev/null
	assertEquals exited "$(col a status)"
}

test_the_pidfile_follows_a_restart() {
	run_cap ctr-run -d --name bird --restart always --pidfile "$WORK/pid" --net none busybox sleep 1000
	assert_rc 0
	first=$(cat "$WORK/pid")
	kill -9 "$first"
	wait_for 5 sh -c "[ -s $WORK/pid ] && [ \"\$(cat $WORK/pid)\" != $first ]"
	assertEquals "$(ctr-ps -nro pid)" "$(cat "$WORK/pid")"
	ctr-rm -f bird >/dev/null
}

test_a_relative_pidfile_follows_too() {
	mkdir here
	(cd here && ctr-run -d --name bird --restart always --pidfile pid --net none busybox sleep 1000 >/dev/null)
	first=$(cat here/pid)
	kill -9 "$first"
	wait_for 5 sh -c "[ \"\$(cat here/pid)\" != $first ]"
	assertEquals "$(ctr-ps -nro pid)" "$(cat here/pid)"
	assertFalse 'none in /' '[ -e /pid ]'
	ctr-rm -f bird >/dev/null
}

. shunit2
