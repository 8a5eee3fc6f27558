#!/bin/sh
# Commands for containers killed at system calls leave nothing that ctr-gc doesn't take (tools/crashsweep).
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/sweep_lib.sh
. "$TOP/test/sweep_lib.sh"

test_starting() {
	swept run_rm run run_userns run_rm_d run_d run_terminal run_restart run_file create start start_boot
}

test_ending() {
	swept stop kill restart rm rm_f gc
}

test_beside_one_that_runs() {
	swept exec exec_d pause unpause update stats rename rename_running
}

test_no_act_is_forgotten() {
	# shellcheck source=tools/sweep/acts.sh
	for act in $(. "$TOP/tools/sweep/acts.sh" && echo "$ACTS"); do
		grep -qhE "^	swept .*\<$act\>" "$TOP"/test/sweep_*test.sh
		assertTrue "$act" $?
	done
}

# The sweep bites: a ctr-gc that does nothing is found out.
test_it_finds_a_leak() {
	printf '#!/bin/sh\n' | false_box ctr-gc
	run_cap env BUILD="$WORK/false" "$TOP/tools/crashsweep" run_userns 97
	assert_rc 1
	assert_out_match '^FOUND: run_userns kill 1:[0-9]+ '
	assertEquals 'a word that it does not know' 2 "$("$TOP/tools/crashsweep" nosuch >/dev/null 2>&1; echo $?)"
}

. shunit2
