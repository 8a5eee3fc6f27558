#!/bin/sh
# ctr-logs. [N]: the behaviour's number in the seeds' checklist.
# shellcheck disable=SC2046,SC2016 # lists of ids; what sh -c expands
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() { make_rootfs "$WORK/fs"; }

tearDown() { no_containers; }

start() {
	_name=$1
	shift
	ctr-run -d --name "$_name" "$@" >/dev/null
}

# ended NAME CMD: has run sh -c CMD.
ended() {
	start "$1" --rootfs "$WORK/fs" sh -c "$2"
	ctr-wait "$1" >/dev/null
}

# [105]
test_logs() {
	start bird --rootfs "$WORK/fs" sh -c 'echo one; echo two >&2; printf three; sleep 100'
	wait_for 5 sh -c 'ctr-logs bird | grep -q three'
	run_cap ctr-logs bird
	assert_rc 0
	assert_out "$(printf 'one\nthree')"
	assertEquals two "$err"
}

test_logs_of_ended() {
	ended a 'echo a; echo b; exit 3'
	run_cap ctr-logs a
	assert_ok
	assert_out "$(printf 'a\nb')"
	ended quiet 'exit 0'
	run_cap ctr-logs quiet
	assert_ok
	assert_out ''
	ctr-create --name made --rootfs "$WORK/fs" true >/dev/null
	run_cap timeout 5 ctr-logs -f made
	assert_ok
	assert_out ''
}

test_options_after_the_name() {
	ended a 'echo a; echo b'
	run_cap ctr-logs a --tail 1
	assert_out b
}

test_timestamps() {
	ended a 'echo x'
	run_cap ctr-logs -t a
	assert_ok
	assert_out_match '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z x$'
}

test_tail() {
	ended a 'for i in 1 2 3 4 5; do echo $i; done'
	for n in 1 2 5 6 9999999; do
		run_cap ctr-logs --tail $n a
		assert_out "$(seq 1 5 | tail -n $n)"
	done
	run_cap ctr-logs --tail 0 a
	assert_ok
	assert_out ''
	run_cap ctr-logs -n all a
	assert_out "$(seq 1 5)"
	for bad in -1 x 1x '' 99999999999999999999; do
		run_cap ctr-logs --tail "$bad" a
		assert_fails 2 'neither a number of lines nor "all" \(see "ctr-logs --help"\)'
	done
}

# A line that was written in parts, or is longer than one read, is one line.
test_tail_of_long_lines() {
	ended a 'echo first; printf par; sleep 0.2; printf t; sleep 0.2; echo s; head -c 20000 /dev/zero | tr "\000" x; echo'
	run_cap ctr-logs --tail 1 a
	assertEquals 20001 "$(wc -c <"$WORK/.out")"
	run_cap ctr-logs --tail 2 a
	assertEquals parts "$(printf '%s\n' "$out" | head -1)"
	run_cap ctr-logs -t --tail 2 a
	assertEquals 2 "$(printf '%s\n' "$out" | grep -c '^20')"
	assertEquals "$(ctr-logs a)" "$(ctr-logs --tail 3 a)"
}

test_since() {
	start a --rootfs "$WORK/fs" sh -c 'echo old; sleep 2.2; echo young; sleep 0.1'
	wait_for 5 sh -c 'ctr-logs a | grep -q old'
	middle=$(($(date +%s) + 1)) # a whole second that lies between the two
	iso=$(date -u -d "@$middle" +%Y-%m-%dT%H:%M:%SZ)
	ctr-wait a >/dev/null
	run_cap ctr-logs --since "$iso" a
	assert_ok
	assert_out young
	run_cap ctr-logs --since "$middle" a
	assert_out young
	run_cap ctr-logs --since 10m a
	assert_out "$(printf 'old\nyoung')"
	run_cap ctr-logs --since 2199-01-01T00:00:00+01:00 a
	assert_out ''
	for bad in yesterday 10x '' 2026-13-01T00:00:00Z 2999-01-01T00:00:00Z; do
		run_cap ctr-logs --since "$bad" a
		assert_fails 2 'not a time'
	done
}

test_follow() {
	start a --rootfs "$WORK/fs" sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done; echo end >&2; exit 4'
	run_cap timeout 10 ctr-logs -f a
	assert_rc 0
	assert_out "$(seq 1 3)"
	assertEquals end "$err"
	run_cap timeout 5 ctr-logs -f a
	assert_rc 0
	assert_out "$(seq 1 3)"
}

# Lines come when they are written, not when it ends.
test_follow_is_prompt() {
	start a --rootfs "$WORK/fs" sh -c 'echo begun; sleep 100'
	ctr-logs -f a >got &
	follower=$!
	wait_for 3 grep -q begun got
	assertTrue "$(cat got)" "grep -q begun got"
	ctr-rm -f a >/dev/null
	wait_for 3 sh -c "! kill -0 $follower"
	assertFalse 'ends with the container' "kill -0 $follower"
	wait $follower
	assertEquals 0 $?
}

test_follow_doesnt_poll() {
	command -v strace >/dev/null || { skip 'no strace'; return; }
	start a --rootfs "$WORK/fs" sleep 100
	timeout 1 strace -f -o trace ctr-logs -f a
	assertEquals 'one wait' 1 "$(grep -c 'poll(' trace)"
}

test_follow_tail() {
	start a --rootfs "$WORK/fs" sh -c 'echo 1; echo 2; sleep 0.6; echo 3'
	wait_for 3 sh -c 'ctr-logs a | grep -q 2'
	run_cap timeout 5 ctr-logs -f --tail 1 a
	assert_out "$(printf '2\n3')"
}

# Nothing is lost or told twice while the files rotate under the reader.
# Slow enough that a reader who has to wait for a processor isn't two files behind: what is there no more nobody can follow.
test_follow_across_rotation() {
	start a --log-max-size 2k --rootfs "$WORK/fs" sh -c 'sleep 0.3; for i in $(seq 100); do echo line $i; usleep 25000; done'
	run_cap timeout 60 ctr-logs -f a
	assert_ok
	assertEquals "$(seq -f 'line %.0f' 100)" "$out"
	assertTrue 'it did rotate' "[ -e $CTRBOX_ROOT/containers/*/log.1 ]"
	run_cap ctr-logs a
	assert_ok
	assert_out_match '^line 100$'
	assertEquals 'the end of it, in order' "$(seq -f 'line %.0f' 100 | tail -n "$(printf '%s\n' "$out" | wc -l)")" "$out"
	run_cap ctr-logs --tail 45 a
	assertEquals 'across both files' "$(seq -f 'line %.0f' 56 100)" "$out"
	for file in log log.1; do
		assertTrue "$file" "[ $(stat -c %s "$CTRBOX_ROOT"/containers/*/$file) -le 2100 ]"
	done
}

# The writer of a pipe that nobody reads any more ends, also while nothing is written.
test_follow_closed_pipe() {
	start a --rootfs "$WORK/fs" sh -c 'echo 1; sleep 100'
	wait_for 3 sh -c 'ctr-logs a | grep -q 1'
	run_cap timeout 5 sh -c 'ctr-logs -f a | head -n 1'
	assert_rc 0
	assert_out 1
}

test_not_kept() {
	start a --log none --rootfs "$WORK/fs" sh -c 'echo x; sleep 100'
	run_cap ctr-logs a
	assert_fails 1 "a: its output isn't kept"
	run_cap ctr-logs -f a
	assert_fails 1 "a: its output isn't kept"
}

test_garbled_log() {
	ended a 'echo x'
	printf 'no such line\n\n \n2026\n2026-01-01T00:00:00Z stdout F half' >>"$(echo "$CTRBOX_ROOT"/containers/*/log)"
	run_cap ctr-logs a
	assert_ok
	assert_out "$(printf 'x\nno such line\n\n \n2026')"
	run_cap ctr-logs --tail 1 -t a
	assert_rc 0
}

test_bad_usage() {
	run_cap ctr-logs
	assert_fails 2 'a container is missing'
	run_cap ctr-logs a b
	assert_fails 2 'takes one container'
	run_cap ctr-logs nobody
	assert_fails 1 '^ctr-logs: nobody: no such container$'
}

. shunit2
