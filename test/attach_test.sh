#!/bin/sh
# ctr-attach.
# shellcheck disable=SC2046,SC2016,SC2059 # lists of ids; what sh -c expands; what is typed has escapes
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() { make_rootfs "$WORK/fs"; }

tearDown() { no_containers; }

start() {
	_name=$1
	shift
	ctr-run -d --name "$_name" "$@" >/dev/null
}

# Both streams, each on its own, and the exit code.
test_attach() {
	start a --rootfs "$WORK/fs" sh -c 'sleep 0.5; echo out; echo err >&2; exit 7'
	run_cap ctr-attach a
	assert_rc 7
	assert_out out
	assertEquals err "$err"
}

test_attach_signalled() {
	start b --rootfs "$WORK/fs" sleep 100
	(sleep 0.3; kill -9 "$(ctr-ps -n -r -o pid -f name=b)") &
	run_cap ctr-attach b
	assert_rc 137
}

test_attach_stdin() {
	start a -i --rootfs "$WORK/fs" sh -c 'cat; echo over'
	echo hello >in
	run_cap ctr-attach a <in
	assert_rc 0
	assert_out "$(printf 'hello\nover')"
}

# Neither our stdin nor its end reaches the container.
test_attach_no_stdin() {
	start a -i --rootfs "$WORK/fs" sh -c 'read line; echo got $line'
	timeout -s KILL 1 ctr-attach --no-stdin a </dev/null >got
	assertEquals '' "$(cat got)"
	assertEquals running "$(ctr-ps -n -r -o status)"
	echo x | ctr-attach a >got
	assertEquals 'got x' "$(cat got)"
}

# A container without -i has no stdin that we could give it anything on.
test_attach_without_input() {
	start a --rootfs "$WORK/fs" sh -c 'sleep 0.3; cat; echo end'
	run_cap timeout -k 1 5 ctr-attach a <<-END
		ignored
	END
	assert_rc 0
	assert_out end
}

test_attach_two() {
	start a --rootfs "$WORK/fs" sh -c 'sleep 0.5; echo x; exit 3'
	ctr-attach a >one &
	first=$!
	run_cap ctr-attach a
	assert_rc 3
	assert_out x
	wait $first
	assertEquals 3 $?
	assertEquals x "$(cat one)"
}

test_attach_signals() {
	start a --rootfs "$WORK/fs" sh -c 'trap "echo caught; exit 9" TERM; while :; do sleep 0.1; done'
	ctr-attach a >got &
	attached=$!
	sleep 0.4
	kill -TERM $attached
	wait $attached
	assertEquals 9 $?
	assertEquals caught "$(cat got)"
}

# The end of whoever is attached isn't the container's.
test_attach_killed() {
	start a --rootfs "$WORK/fs" sleep 100
	ctr-attach a &
	attached=$!
	sleep 0.3
	kill -KILL $attached
	wait $attached
	assertEquals running "$(ctr-ps -n -r -o status)"
}

# typed_cap COMMANDLINE SECONDS TEXT ..: tty_cap while each text is typed after its pause.
typed_cap() {
	_command=$1
	shift
	rm -f keys
	mkfifo keys
	{
		while [ $# -gt 1 ]; do
			sleep "$1"
			printf "$2"
			shift 2
		done
		sleep 0.5
	} >keys &
	tty_cap "$_command" <keys
}

test_tty() {
	start a -it --rootfs "$WORK/fs" sh
	typed_cap 'ctr-attach a' 0.5 'tty; exit 5\r'
	assert_rc 5
	assert_out_match '^/dev/(pts/0|console)$'
}

test_tty_detach() {
	start a -it --rootfs "$WORK/fs" sh
	typed_cap 'ctr-attach a; echo left=$?; stty -a' 0.5 'echo a$((40 + 2))\r' 0.5 '\020\021'
	assert_out_match '^a42$'
	assert_out_match 'left=0'
	assert_out_match ' icanon .*'
	assertEquals running "$(ctr-ps -n -r -o status)"
	typed_cap 'ctr-attach --detach-keys x a; echo left=$?' 0.5 'echo b$((40 + 2))\r' 0.5 'x'
	assert_out_match '^b42$'
	assert_out_match 'left=0'
	assertEquals running "$(ctr-ps -n -r -o status)"
}

# A half of the detach keys is input like any other.
test_tty_half_detach() {
	start a -it --rootfs "$WORK/fs" cat
	typed_cap 'timeout --foreground -k 1 9 ctr-attach a' 1 '\020x\r' 0.5 '\004'
	assert_rc 0
	assert_out_match 'x$'
}

test_bad_input() {
	run_cap ctr-attach
	assert_fails 125 'a container is missing \(see "ctr-attach --help"\)'
	run_cap ctr-attach a b
	assert_fails 125 'takes one container'
	run_cap ctr-attach nobody
	assert_fails 125 '^ctr-attach: nobody: no such container$'
	ctr-create --name made --rootfs "$WORK/fs" true >/dev/null
	run_cap ctr-attach made
	assert_fails 125 "made: isn't running"
	for keys in ctrl-pp ctrl-1 'a,,b' ctrl-; do
		run_cap ctr-attach --detach-keys "$keys" made
		assert_fails 125 'detach-keys.*not keys like'
	done
}

test_paused() {
	start a --rootfs "$WORK/fs" sleep 100
	ctr-pause a >/dev/null
	run_cap timeout -k 1 5 ctr-attach a
	assert_fails 125 'a: is paused'
	ctr-unpause a >/dev/null
}

. shunit2
