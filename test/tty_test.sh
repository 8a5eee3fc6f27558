#!/bin/sh
# Terminals: ctr-run -t and -i. script(1) gives each test a terminal of its own, with a window of 0x0 as a serial console has.
# Numbers: shared/seeds/CHECKLIST.md.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

# Typing nothing: the end of its stdin script(1) would type itself.
oneTimeSetUp() {
	need_busybox
	mkfifo quiet
	exec 8<>quiet
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
}

# 37, 70, 81, 82
test_a_terminal_of_its_own() {
	tty_cap 'ctr-run --rm -it busybox sh -c "tty; test -t 0 && test -t 1 && test -t 2 && echo yes; echo \$TERM; exit 3"' <&8
	assert_rc 3
	assert_out_match '^/dev/pts/0$'
	assert_out_match '^yes$'
	assert_out_match '^.+$'
	printf 'echo $((6 * 7))\nexit 5\n' >typed
	tty_cap 'ctr-run --rm -it busybox sh' <typed
	assert_rc 5
	assert_out_match '^42$'
	run_cap ctr-run --rm busybox sh -c 'test -t 1'
	assert_rc 1
}

test_without_a_terminal_of_ours() {
	out=$(echo 'echo got $((1 + 1)); exit' | ctr-run --rm -it busybox sh | tr -d '\r')
	assert_match 'got 2' "$out"
}

test_term_comes_with_t() {
	tty_cap 'TERM=vt220 ctr-run --rm -t busybox env' <&8
	assert_out_match '^TERM=vt220$'
	tty_cap 'TERM=vt220 ctr-run --rm -t -e TERM=dumb busybox env' <&8
	assert_out_match '^TERM=dumb$'
}

# A terminal's user is the process's.
test_the_terminal_belongs_to_the_user() {
	tty_cap 'ctr-run --rm -t -u 1000 busybox sh -c "echo works >/dev/tty; echo works >/dev/stdout; stat -c %u /dev/pts/0"' <&8
	assert_out 'works
works
1000'
}

test_job_control() {
	tty_cap 'ctr-run --rm -it busybox sh -c "ps -o pid,tty,args; exit"' <&8
	assert_out_match '^ +1 136,0 '
	assertNull 'no complaint about job control' "$(printf '%s\n' "$out" | grep -i 'job control')"
}

test_window_size() {
	tty_cap 'stty rows 33 cols 77; ctr-run --rm -it busybox stty size' <&8
	assert_out '33 77'
	tty_cap 'stty rows 33 cols 77; ctr-run --rm -t busybox stty size' <&8
	assert_out '33 77'
}

# The command may look at once.
test_window_size_is_there_from_the_first_moment() {
	tty_cap 'stty rows 33 cols 77; for i in $(seq 40); do ctr-run --rm -t --net none busybox stty size; done' <&8
	assert_out "$(yes '33 77' | head -n 40)"
}

test_window_size_is_followed() {
	cat >follow <<'END'
stty rows 33 cols 77
tty=$(tty)
(sleep 0.7; stty rows 40 cols 90 <"$tty") &
ctr-run --rm -it busybox sh -c 'stty size; trap "stty size; exit 6" WINCH; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do sleep 0.1; done'
END
	sleep 3 | script -qec 'sh follow' /dev/null >out
	assertEquals 6 $?
	assertEquals '33 77
40 90' "$(tr -d '\r' <out)"
}

test_a_serial_console() {
	tty_cap 'stty size; ctr-run --rm -it busybox echo fine; ctr-run -d --name a busybox sleep 1000 >/dev/null; ctr-exec -it a echo fine' <&8
	assert_rc 0
	assert_out '0 0
fine
fine'
}

# modes COMMAND: fails if the terminal isn't afterwards as it was before.
modes() {
	tty_cap "stty -g >before; $1; echo \$? >code; stty -g >after"
	assertEquals "$1" "$(cat before)" "$(cat after)"
}

test_the_terminal_is_restored() {
	for command in 'ctr-run --rm -it busybox true' 'ctr-run --rm -it busybox no-such' 'ctr-run --rm -it busybox sh -c "stty raw -echo; exit 9"' \
		'ctr-run --rm -it busybox sleep 0.5 | true' 'ctr-run --rm -it busybox sh -c "sleep 0.3; echo x; sleep 0.2" | true'; do
		modes "$command" <&8
	done
	for signal in USR1 ALRM TERM HUP PIPE; do
		modes "(sleep 0.6; kill -$signal \$(cat pid)) & sh -c 'echo \$\$ >pid; exec ctr-run --rm -it busybox sleep 1'" <&8
	done
}

test_raw_mode() {
	# typed control characters are the container's: ^C interrupts its command, not us
	(sleep 0.5; printf 'sleep 100\n'; sleep 0.5; printf '\003'; sleep 0.3; printf 'exit 4\n'; sleep 0.5) |
		script -qec 'ctr-run --rm -it busybox sh' /dev/null >out
	assertEquals 4 $?
	# nothing is echoed twice
	(sleep 0.5; printf 'abc\n'; sleep 0.3) | script -qec 'ctr-run --rm -it busybox sh -c "stty -echo; read x; echo got \$x"' /dev/null >out
	assertEquals 'got abc' "$(grep abc out | tr -d '\r')"
}

test_end_of_file() {
	(sleep 0.5; printf '\004'; sleep 0.3) | script -qec 'ctr-run --rm -it busybox sh -c "cat; echo after"' /dev/null >out
	assertEquals 0 $?
	assert_match after "$(tr -d '\r' <out)"
	out=$(ctr-run --rm -it busybox cat </dev/null)
	assertEquals 0 $?
	out=$(printf 'x\n' | ctr-run --rm -i busybox sh -c 'cat; echo after')
	assertEquals 'x
after' "$out"
}

test_detach() {
	(sleep 0.7; printf '\020\021'; sleep 0.5) | script -qec 'ctr-run -it --name a busybox sh' /dev/null >out
	assertEquals 0 $?
	assertEquals 'it goes on' sh "$(ctr-exec a cat /proc/1/comm)"
	(sleep 0.5; printf 'echo still $((40 + 2))\n'; sleep 0.3; printf 'exit 8\n'; sleep 0.3) | script -qec 'ctr-attach a' /dev/null >out
	assertEquals 8 $?
	assert_match 'still 42' "$(tr -d '\r' <out)"
}

test_other_detach_keys() {
	(sleep 0.7; printf '\020\021echo $((1 + 1))x\n'; sleep 0.3; printf 'a\002'; sleep 0.3) |
		script -qec 'ctr-run -it --name a --detach-keys a,ctrl-b busybox sh' /dev/null >out
	assertEquals 0 $?
	assertEquals sh "$(ctr-exec a cat /proc/1/comm)"
	for bad in ctrl-1 ctrl- a,,b xyz ctrl-p,ctrl; do
		run_cap ctr-run --rm --detach-keys "$bad" busybox true
		assert_fails 125 'detach-keys'
	done
}

# A half of the keys that turns out to be none gets through, the same one twice as well.
test_half_of_the_keys_is_input() {
	(sleep 0.7; printf '\020x\020\020yz'; sleep 0.4) | script -qec 'ctr-run --rm -it busybox sh -c "stty raw -echo; head -c 6 | od -An -c | tr -d \" \""' /dev/null >out
	assertEquals '020x020020yz' "$(tr -d '\r\n' <out)"
}

# 94: the line drops, the container goes on
test_a_dropped_line() {
	script -qec 'echo $$ >pid; exec ctr-run -it --name a busybox sh' /dev/null <&8 >/dev/null &
	wait_for 5 ctr-exec a true
	kill -KILL $!
	wait $!
	sleep 0.5
	assertEquals 'it goes on' sh "$(ctr-exec a cat /proc/1/comm)"
	assertFalse 'its client has gone' "kill -0 $(cat pid)"
}

# In another session: all it sees is that nothing more can be read.
test_a_dropped_line_without_its_signal() {
	script -qec 'setsid -w sh -c "echo \$\$ >pid; exec ctr-run -it --name a busybox sh"' /dev/null <&8 >/dev/null &
	wait_for 5 ctr-exec a true
	kill -KILL $!
	wait $!
	wait_for 5 sh -c "! kill -0 $(cat pid)"
	assertEquals 'it goes on' sh "$(ctr-exec a cat /proc/1/comm)"
}

test_signals_are_forwarded() {
	for signal in TERM INT USR1; do
		sleep 3 | script -qec "sh -c 'echo \$\$ >pid; exec ctr-run --rm -t busybox sh -c \"trap \\\"exit 11\\\" $signal; while :; do sleep 0.1; done\"'" /dev/null >out &
		sleep 1
		kill -$signal "$(cat pid)"
		wait $!
		assertEquals "$signal" 11 $?
	done
}

# A long paste into a slow reader, and its echo back.
test_much_input() {
	yes 0123456789abcde | head -c 1000000 >much
	script -qec 'ctr-run --rm -it busybox sh -c "stty raw -echo; echo ready; head -c 1000000 | wc -c"' /dev/null <much >out
	assert_match 1000000 "$(tr -d '\r' <out)"
	ctr-create -i --name a busybox sh -c 'tee /dev/stderr | wc -c' >/dev/null
	assertEquals 1000000 "$(timeout 30 ctr-start -ai a <much 2>echoed | tail -1)"
	assertTrue 'all of it came back' 'cmp much echoed'
}

test_much_output() {
	script -qec 'ctr-run --rm -t busybox sh -c "yes 0123456789abcde | head -c 3000000"' /dev/null </dev/null >out
	assertEquals 3000000 "$(tr -d '\r' <out | wc -c)"
}

test_d_with_t() {
	run_cap ctr-run -dit --name a busybox sh
	assert_ok
	assertEquals /dev/pts/0 "$(ctr-exec a readlink /proc/1/fd/0)"
}

test_the_console_is_the_terminal() {
	tty_cap "ctr-run --rm -t --net none busybox sh -c 'echo to the console >/dev/console'"
	assert_rc 0
	assert_out "to the console"
}

. shunit2
