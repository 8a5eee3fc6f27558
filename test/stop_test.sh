#!/bin/sh
# Ending containers: ctr-stop, ctr-kill, ctr-pause, ctr-unpause, ctr-restart, ctr-rm, and ctr-update of their limits.
# Restart policies are in restart_test.sh. Numbers: shared/seeds/CHECKLIST.md.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	began=$(date +%s%N)
	ctr-run --rm busybox true
	a_container=$((($(date +%s%N) - began) / 1000000))
}

tearDown() {
	for name in a b c d; do ctr-rm -f "$name" >/dev/null 2>&1; done
	assertNull 'nothing is left' "$(leftovers)"
}

# start NAME CMD..: in the background, with its own handlers set once it says so.
start() {
	_name=$1
	shift
	ctr-run -d --name "$_name" busybox "$@" >/dev/null || return
}

# One that ends with 7 on signal SIG, and is ready for it.
start_catching() {
	start "$1" sh -c "trap 'exit 7' $2; echo ready; while :; do sleep 0.1; done" && wait_for 5 said "$1" ready
}

start_deaf() {
	start "$1" sh -c "trap '' TERM; echo ready; while :; do sleep 1; done" && wait_for 5 said "$1" ready
}

id_of() {
	readlink "$CTRBOX_ROOT/names/$1"
}

said() {
	grep -q "$2" "$CTRBOX_ROOT/containers/$(id_of "$1")/log"
}

last() {
	cat "$CTRBOX_ROOT/containers/$(id_of "$1")/last.json"
}

# What there is of any container.
containers_files() {
	find "$CTRBOX_ROOT/containers" "$CTRBOX_ROOT/names" "$CTRBOX_RUN/containers" -mindepth 1
}

# assert_ended NAME CODE: it is exited with CODE, and nothing but its files remains.
assert_ended() {
	run_cap ctr-ps -a -n -o status,exit -f "name=$1"
	assert_out_match "^exited +$2"
	assertFalse 'no run directory' "[ -e '$CTRBOX_RUN/containers/$(id_of "$1")' ]"
	assertNull 'no cgroup' "$(leftovers)"
}

# took MS CMD..: run_cap, and it took less than MS, and what ten containers take on this machine: an emulated one is slow.
took() {
	_limit=$(($1 + 10 * a_container)) _began=$(date +%s%N)
	shift
	run_cap "$@"
	_ms=$((($(date +%s%N) - _began) / 1000000))
	assertTrue "less than $_limit ms, not $_ms" "[ $_ms -lt $_limit ]"
}

# 96, 97: stop: the signal, and the container is 'exited' at once
test_stop_asks() {
	start_catching a TERM
	took 3000 ctr-stop a
	assert_ok
	assert_out a
	assert_ended a 7
	took 1000 ctr-stop a
	assert_ok
	assert_out a
}

test_stop_kills_at_once_who_does_not_listen() {
	start a sleep 1000
	took 2000 ctr-stop a
	assert_ok
	assert_ended a 137
}

# Whoever only ignores the signal doesn't listen either; with --init it is the command that has to.
test_stop_of_ignoring_ones() {
	start_deaf a
	took 2000 ctr-stop a
	assert_ended a 137
	ctr-run -d --init --name b busybox sleep 1000 >/dev/null
	took 2000 ctr-stop b
	assert_ended b 143
}

# A PID 1 that blocks the signal may be waiting for it; only the time-out tells.
test_stop_times_out() {
	ctr-run -d --name a --init busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done' >/dev/null
	wait_for 5 said a ready
	_began=$(date +%s%N)
	took 3000 ctr-stop -t 0.7 a
	assert_ok
	assertTrue 'it waited' "[ $(($(date +%s%N) - _began)) -gt 600000000 ]"
	assert_ended a 137
	ctr-run -d --name b --init --stop-timeout 500ms busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done' >/dev/null
	wait_for 5 said b ready
	took 3000 ctr-stop b
	assert_ended b 137
}

test_stop_signal() {
	ctr-run -d --name a --stop-signal USR1 busybox sh -c 'trap "exit 9" USR1; trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
	wait_for 5 said a ready
	took 3000 ctr-stop a
	assert_ended a 9
}

test_stop_several_at_once() {
	for name in a b c; do
		ctr-run -d --name $name --init busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done' >/dev/null
		wait_for 5 said $name ready
	done
	took 2500 ctr-stop -t 1 a nobody b c
	assert_rc 1
	assertEquals 'a b c' "$(echo "$out" | xargs)"
	assertEquals 'ctr-stop: nobody: no such container' "$err"
	for name in a b c; do assert_ended $name 137; done
}

test_stop_paused() {
	start_catching a TERM
	ctr-pause a >/dev/null
	took 3000 ctr-stop a
	assert_ok
	assert_ended a 7
	start b sleep 1000
	ctr-pause b >/dev/null
	took 3000 ctr-stop b
	assert_ended b 137
}

test_stop_targets_from_stdin() {
	start a sleep 1000
	start b sleep 1000
	printf 'a\nb\n' >list
	run_cap ctr-stop - <list
	assert_ok
	assertEquals 'a b' "$(echo "$out" | xargs)"
	run_cap ctr-rm - <list
	assertEquals 'a b' "$(echo "$out" | xargs)"
	run_cap ctr-ps -a -q
	assert_out ''
}

# A ctr-run in the foreground is a supervisor too.
test_stop_of_a_foreground_one() {
	ctr-run --name a busybox sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' >foreground &
	wait_for 5 grep -q ready foreground
	took 3000 ctr-stop a
	assert_ok
	wait $!
	assertEquals 5 $?
	assert_ended a 5
}

test_kill() {
	start a sleep 1000
	took 2000 ctr-kill a
	assert_ok
	assert_out a
	assert_ended a 137
	run_cap ctr-kill a
	assert_fails 1 "^ctr-kill: a: isn't running$"
	start_catching b USR1
	run_cap ctr-kill -s SIGUSR1 b
	assert_ok
	run_cap ctr-wait b
	assert_out 7
	run_cap ctr-kill -s NOSUCH b
	assert_fails 2 'no such signal: "NOSUCH"'
	start c sleep 1000
	ctr-pause c >/dev/null
	took 2000 ctr-kill c
	assert_ended c 137
}

test_pause_and_unpause() {
	# shellcheck disable=SC2016 # the container's
	start a sh -c 'n=0; while :; do n=$((n + 1)); echo $n >/count; done'
	wait_for 5 ctr-exec a test -s /count
	run_cap ctr-pause a
	assert_ok
	assert_out a
	run_cap ctr-ps -n -o status
	assert_out_match paused
	count=$CTRBOX_ROOT/containers/$(id_of a)/upper/count
	cp "$count" before
	sleep 0.2
	assertTrue 'it stands still' "cmp before '$count'"
	run_cap ctr-pause a
	assert_fails 1 'a: is paused already'
	run_cap ctr-unpause a
	assert_ok
	wait_for 5 eval "! cmp before '$count'"
	assertTrue 'it goes on' $?
	run_cap ctr-unpause a
	assert_fails 1 "a: isn't paused"
	ctr-stop a >/dev/null
	run_cap ctr-pause a
	assert_fails 1 "a: isn't running"
}

test_restart() {
	start a sh -c 'echo once >>/starts; exec sleep 1000'
	_pid=$(ctr-ps -n -o pid -f name=a)
	took 3000 ctr-restart a
	assert_ok
	assert_out a
	run_cap ctr-exec a cat /starts
	assertEquals 'once once' "$(echo "$out" | xargs)"
	assertNotEquals "$_pid" "$(ctr-ps -n -o pid -f name=a)"
	ctr-stop a >/dev/null
	run_cap ctr-restart a
	assert_ok
	run_cap ctr-ps -n -o status -f name=a
	assert_out_match running
	ctr-run -d --rm --name b busybox sleep 1000 >/dev/null
	run_cap ctr-restart b
	assert_fails 1 'b: made with --rm'
	run_cap ctr-ps -n -o status -f name=b
	assert_out_match running
}

# 98: rm
# A short name is hardly ever meant for the id of another container: three characters of an id are needed.
test_rm_by_prefix() {
	id=$(ctr-create busybox true)
	for n in 1 2; do
		run_cap ctr-rm "$(echo "$id" | cut -c1-$n)"
		assert_fails 1 'no such container'
	done
	run_cap ctr-rm "$(echo "$id" | cut -c1-3)"
	assert_rc 0
	assertNull "$(ctr-ps -aq)"
}

test_rm() {
	start a sleep 1000
	run_cap ctr-rm a
	assert_fails 1 'a: is running \(stop it first, or use -f\)$'
	ctr-pause a >/dev/null
	run_cap ctr-rm a
	assert_fails 1 'a: is running'
	ctr-unpause a >/dev/null
	ctr-stop a >/dev/null
	run_cap ctr-rm a
	assert_ok
	assert_out a
	run_cap ctr-rm a
	assert_fails 1 '^ctr-rm: a: no such container$'
	assertNull "$(containers_files)"
}

test_rm_force() {
	start a sleep 1000
	ctr-run -d --rm --name b busybox sleep 1000 >/dev/null
	start c sleep 1000
	ctr-pause c >/dev/null
	ctr-create --name d busybox true >/dev/null
	took 4000 ctr-rm -f a b c d
	assert_ok
	assertEquals 'a b c d' "$(echo "$out" | xargs)"
	assertNull "$(containers_files)"
}

# One that is removed just while it starts is gone; whoever started it is told, or it was too late.
test_rm_force_while_starting() {
	for delay in 0 0.001 0.002 0.003 0.004 0.005 0.007 0.01 0.02; do
		ctr-run --name a busybox sleep 1000 >/dev/null 2>&1 &
		sleep $delay
		wait_for 5 test -e "$CTRBOX_ROOT/names/a"
		run_cap ctr-rm -f a
		assert_rc 0
		wait $!
		run_cap ctr-ps -a -q
		assert_out ''
		assertNull "$(containers_files)"
	done
}

test_rm_with_anonymous_volumes() {
	ctr-run --name a -v /data -v named:/named busybox true
	ctr-run --name b -v /data busybox true
	assertEquals 3 "$(ctr-volume ls -q | wc -l)"
	ctr-rm -v a >/dev/null
	assertEquals 2 "$(ctr-volume ls -q | wc -l)"
	ctr-rm b >/dev/null
	assertEquals 'without -v it stays' 2 "$(ctr-volume ls -q | wc -l)"
	ctr-volume rm named >/dev/null
	ctr-gc >/dev/null
	assertNull "$(ctr-volume ls -q)"
}

# get NAME FILE..: the first that is there
limit() {
	_path=/ctrbox-$(cat "$CTRBOX_ROOT/tag")/$(id_of "$1")
	shift
	for _file; do
		ctr-cgroup get "$_path" "$_file" 2>/dev/null && return
	done
}

test_update() {
	ctr-run -d -m 32m --name a busybox sleep 1000 >/dev/null
	run_cap ctr-update -m 64m --pids-limit 20 a
	assert_ok
	assert_out a
	assertEquals 67108864 "$(limit a memory.max memory.limit_in_bytes)"
	assertEquals 20 "$(limit a pids.max)"
	run_cap ctr-update --cpus 0.5 a
	assert_ok
	assert_match '^50000( 100000)?$' "$(limit a cpu.max cpu.cfs_quota_us)"
	ctr-restart a >/dev/null
	assertEquals 'it lasts' 67108864 "$(limit a memory.max memory.limit_in_bytes)"
	assert_match '^50000( 100000)?$' "$(limit a cpu.max cpu.cfs_quota_us)"
	ctr-stop a >/dev/null
	ctr-update --pids-limit 30 a >/dev/null
	ctr-start a >/dev/null
	assertEquals 30 "$(limit a pids.max)"
}

test_update_refused() {
	start a sleep 1000
	run_cap ctr-update a
	assert_fails 2 'a limit is missing'
	run_cap ctr-update -m 5 a
	assert_fails 1 'a: --memory 5: not between'
	ctr-update -m 64m a >/dev/null
	run_cap ctr-update --memory-swap 10m a
	assert_fails 1 'a: --memory-swap 10485760: less than --memory 67108864'
	run_cap ctr-update -m 32m nobody
	assert_fails 1 'nobody: no such container'
	run_cap ctr-update --cpuset-cpus 4000 a
	assert_rc 1
	assertEquals 'as before' 67108864 "$(limit a memory.max memory.limit_in_bytes)"
	ctr-restart a >/dev/null
	assertTrue 'what was refused is not kept' $?
}

# A policy's container that starts again and again takes a limit for its next start.
test_update_of_a_restarting_one() {
	ctr-run -d --restart always --name a busybox sh -c 'sleep 0.3' >/dev/null
	ctr-update --pids-limit 33 a >/dev/null
	wait_for 5 sh -c "ctr-ps -n -o restarts -f name=a | grep -q '[1-9]'"
	assertTrue 'it was started again' $?
	wait_for 5 sh -c "[ \"\$(ctr-cgroup get /ctrbox-$(cat "$CTRBOX_ROOT/tag")/$(id_of a) pids.max)\" = 33 ]"
	assertTrue 'with the new limit' $?
}

test_usage() {
	for applet in ctr-stop ctr-kill ctr-pause ctr-unpause ctr-restart ctr-rm; do
		run_cap $applet
		assert_fails 2 "^$applet: a container is missing"
		run_cap $applet --no-such-option
		assert_fails 2 'no-such-option'
		run_cap $applet nobody
		assert_fails 1 "^$applet: nobody: no such container$"
		run_cap $applet --help
		assert_ok
	done
}

. shunit2
