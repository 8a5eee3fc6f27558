#!/bin/sh
# inject itself: the sweeps prove nothing unless it strikes where it says, once, and changes nothing else.
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/inject_lib.sh
. "$TOP/test/inject_lib.sh"

oneTimeSetUp() {
	make_inject "$WORK"
	need_busybox
}

test_it_lists_each_call_of_each_process() {
	run_cap inject -l -o points sh -c '(cd /; mkdir -p /run/x); exit 3'
	assert_rc 3
	assertEquals 'in their order' "$(sort -t: -k 1,1n -k 2,2n points)" "$(sort -s -t: -k 1,1n points)"
	assertEquals '1 first' '1:1 ' "$(head -n 1 points | sed 's/[a-z_]*$//')"
	assert_match '^2:[0-9]+ chdir$' "$(cat points)"
	strace -f -qq -o trace sh -c 'exit 3'
	assertEquals 'as strace has it, but for the first' "$(tail -n +2 trace | grep -c '(')" "$(inject -l sh -c 'exit 3' 2>&1 | wc -l)"
	assertEquals 'the same each time' "$(inject -l true 2>&1)" "$(inject -l true 2>&1)"
	assertEquals 'of one name' '1:1 exit_group' "$(inject -l -f exit_group,reboot true 2>&1)"
}

test_it_kills_before_the_call() {
	run_cap inject -o fired -f mkdir,mkdirat 1:2 kill mkdir one two three
	assert_rc 137
	assertTrue "[ -d one ] && [ ! -d two ] && [ ! -d three ]"
	assert_match '^1:2 mkdir(at)?$' "$(cat fired)"
	rmdir one
	run_cap inject -o fired 1:10000 kill mkdir one
	assert_ok
	assertNull 'not reached' "$(cat fired)"
	rmdir one
	run_cap inject -o fired -f mkdir,mkdirat 2:1 kill sh -c 'mkdir one; echo $?; mkdir two; echo $?'
	assert_out "$(printf '137\n0')"
	assertTrue "[ ! -d one ] && [ -d two ]"
	rmdir two
}

test_it_refuses_a_call() {
	run_cap inject -o fired -f mkdir,mkdirat 1:2 ENOSPC mkdir one two three
	assert_rc 1
	assert_err_match 'two.*: No space left on device'
	assertTrue "[ -d one ] && [ ! -d two ] && [ -d three ]"
	rmdir one three
	run_cap inject -a -o fired -f mkdir,mkdirat 1:2 EIO mkdir one two three
	assertTrue "[ -d one ] && [ ! -d two ] && [ ! -d three ]"
	assertEquals 2 "$(wc -l <fired)"
	rmdir one
	run_cap inject 1:1 NOSUCH true
	assert_fails 125 'usage'
}

test_kinds_of_calls() {
	# shellcheck disable=SC2016 # the inner shell's
	inject -o points -f creat,fwrite -l sh -c 'echo 1 >file; echo 2; read -r line <file; echo 3 >>file; rm file' >/dev/null
	assertEquals 'not the pipe, not what is only read' 4 "$(wc -l <points)"
	assertEquals 2 "$(grep -c ' open' points)"
	assertEquals 2 "$(grep -c ' write' points)"
}

test_a_program_of_that_name() {
	inject -o points -e /bin/sleep -l sh -c 'true; exec sleep 0'
	assert_match 'nanosleep$' "$(cat points)"
	assertNull 'nothing of true and sh' "$(grep -E ' (fork|wait4|execve)$' points)"
	inject -o points -e "$BUILD/ctrbox" -l ctr-run --rm --net none busybox sh -c 'true; wc -c </etc/passwd' >/dev/null
	inject -o all -l ctr-run --rm --net none busybox sh -c 'true; wc -c </etc/passwd' >/dev/null
	assertTrue 'what the container does is not counted' "[ $(grep -c execve points) -lt $(grep -c execve all) ]"
	assertTrue 'what the box does is' "grep -q pivot_root points"
}

test_a_hook_sees_what_is_before_the_call() {
	# shellcheck disable=SC2016 # the hook's
	run_cap inject -f mkdir,mkdirat -x 'echo "$POINT" $(ls -d one two 2>/dev/null | wc -l)' mkdir one two
	assert_rc 0
	assert_out_match '^1:1 mkdir(at)? 0$'
	assert_out_match '^1:2 mkdir(at)? 1$'
	rmdir one two
}

test_signals_and_stops_pass() {
	run_cap inject -l -o points sh -c 'trap "echo caught" USR1; kill -USR1 $$; kill -TERM $$'
	assert_rc 143
	assert_out caught
	inject -l -o points sh -c 'kill -STOP $$; echo went on' >stopped &
	wait_for 10 grep -q 'kill$' points
	assertTrue "it comes there" $?
	pid=$(cat "/proc/$!/task/$!/children")
	# shellcheck disable=SC2086 # one number
	wait_for 10 eval "kill -CONT $pid; grep -q went stopped"
	assertTrue 'a stop ends' $?
	wait $!
}

test_daemons_are_let_go() {
	run_cap inject -d -o points -l ctr-run -d --name a busybox sleep 1000
	assert_rc 0
	assert_match '^3:' "$(cat points)"
	assertEquals 'nobody follows' 'TracerPid:	0' "$(grep Tracer "/proc/$(ctr-ps -r -n -o pid)/status")"
	supervisor=$(sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN"/containers/*/state.json)
	run_cap inject -l -o points -p "$supervisor" ctr-rm -f a
	assert_ok
	assert_match '^2:[0-9]+ exit_group$' "$(cat points)"
}

test_what_hangs_is_shown_and_killed() {
	run_cap timeout 60 inject -t 1 -l -o points sh -c 'sleep 1000 & wait'
	assert_rc 124
	assert_err_match 'wchan: .*nanosleep'
	assertEquals 'nothing runs' '' "$(pidof sleep)"
}

. shunit2
