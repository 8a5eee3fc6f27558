#!/bin/sh
# ctr-init, as PID 1 and as an ordinary process. [N]: the behaviour's number in the seeds' checklist.
. "$(dirname "$0")/lib.sh"

# init plain|pid1 CMD..: ctr-init as it is, or as PID 1.
ways='plain pid1'
init() {
	case $1 in
	plain) shift && run_cap ctr-init "$@" ;;
	pid1) shift && run_cap ctr-ns -p --proc ctr-init "$@" ;;
	esac
}

# [36]
test_exit_codes() {
	for way in $ways; do
		init "$way" sh -c 'exit 42'
		assert_rc 42
		# shellcheck disable=SC2016
		init "$way" sh -c 'kill -TERM $$'
		assert_rc 143
		# shellcheck disable=SC2016
		init "$way" sh -c 'kill -KILL $$'
		assert_rc 137
		init "$way" no-such-command
		assert_fails 127 'ctr-init: no-such-command: command not found'
		init "$way" /etc/passwd
		assert_fails 126 'ctr-init: /etc/passwd: is not executable'
	done
}

test_command_is_not_pid_1() {
	# shellcheck disable=SC2016
	init pid1 sh -c 'echo $$ $PPID; cat /proc/1/comm'
	assert_out "$(printf '2 1\nctr-init')"
}

# [97]: orphans' zombies don't stay. The inner shell's child loses its parent at once.
test_orphans_are_reaped() {
	cat >"$WORK/orphans" <<'END'
for i in 1 2 3 4 5; do (sleep 0.1 & echo $! >>$WORK/pids); done
sleep 0.5
while read -r pid; do [ ! -e /proc/$pid ] || grep State /proc/$pid/status; done <$WORK/pids
wc -l <$WORK/pids
END
	for way in $ways; do
		rm -f "$WORK/pids"
		init "$way" sh "$WORK/orphans"
		assert_ok
		assertEquals "$way" 5 "$out"
	done
}

# ended SIGNAL CMD..: sends it to ctr-init as a process of its own and tells the exit code.
ended() {
	signal=$1
	shift
	rm -f "$WORK/ready"
	# The shell makes its background processes ignore INT and QUIT.
	env --default-signal ctr-init "$@" >"$WORK/said" &
	wait_for 5 [ -e "$WORK/ready" ]
	kill -s "$signal" $!
	wait $!
}

test_signals_are_forwarded() {
	for signal in TERM HUP INT QUIT USR1 USR2 WINCH; do
		# shellcheck disable=SC2016
		ended $signal sh -c "trap 'echo got $signal; exit 9' $signal"'; : >$WORK/ready; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.2; done'
		assertEquals "$signal: exit code" 9 $?
		assertEquals "got $signal" "$(cat "$WORK/said")"
	done
}

test_signals_end_the_command() {
	# shellcheck disable=SC2016
	ended TERM sh -c ': >$WORK/ready; exec sleep 60'
	assertEquals 143 $?
}

test_signal_mask_is_the_callers() {
	init plain grep '^SigBlk' /proc/self/status
	assertEquals "$(grep '^SigBlk' /proc/self/status)" "$out"
}

# An ignored SIGCHLD is inherited: no status would come.
test_ignored_sigchld() {
	run_cap env --ignore-signal=CHLD ctr-init sh -c 'exit 4'
	assert_rc 4
}

test_usage() {
	run_cap ctr-init
	assert_fails 125 'a command is missing.*see "ctr-init --help"'
	run_cap ctr-init --nonsense true
	assert_fails 125 'unknown option --nonsense'
	run_cap ctr-init --help
	assert_ok
	assert_out_match '^usage: ctr-init'
	# shellcheck disable=SC2016
	run_cap ctr-init sh -c 'echo $1' sh --help
	assert_out --help
}

. shunit2
