#!/bin/sh
# Some of `make test-faults`, other points each time: what dies at a system call leaves nothing that ctr-gc doesn't take (tools/crashsweep).
. "$(dirname "$0")/lib.sh"

# swept ACT..: at every 47th call.
swept() {
	run_cap env JOBS=2 "$TOP/tools/crashsweep" "$@" 47
	assert_rc 0
	assert_match '^points [0-9]+, leaks 0$' "$(printf '%s\n' "$out" | tail -n 1)"
	assertTrue 'there were some' "[ $(printf '%s\n' "$out" | tail -n 1 | tr -dc '0-9 ' | cut -d' ' -f2) -ge $# ]"
}

test_starting() {
	swept run_rm run run_userns run_rm_d run_d run_terminal run_restart run_file create start start_boot
}

test_ending() {
	swept stop kill restart rm rm_f gc
}

test_beside_one_that_runs() {
	swept exec exec_d pause unpause update stats rename rename_running
}

test_files() {
	swept cp_in cp_in_running cp_out volume_create volume_rm volume_prune
}

test_images() {
	swept import load commit commit_running save tag image_rm image_prune image_mount mount_file
}

test_networks() {
	swept net_create net_rm net_prune net_reload net_connect net_disconnect net_run run_kinds
}

test_no_act_is_forgotten() {
	for act in $(sed -n 's/^act_\([a-z_0-9]*\)() {$/\1/p' "$TOP/tools/sweep/acts.sh"); do
		grep -qE "^	swept .*\<$act\>" "$TOP/test/sweep_test.sh"
		assertTrue "$act" $?
	done
}

# The sweep bites: a ctr-gc that does nothing is found out.
test_it_finds_a_leak() {
	mkdir -p false/bin
	cp -a "$BUILD"/bin/. false/bin
	cp "$BUILD/ctrbox" "$BUILD/busybox.tar" "$BUILD/syscalls" false
	rm false/bin/ctr-gc
	printf '#!/bin/sh\n' >false/bin/ctr-gc
	chmod 755 false/bin/ctr-gc
	run_cap env BUILD="$WORK/false" "$TOP/tools/crashsweep" run_userns 97
	assert_rc 1
	assert_out_match '^LEAK: run_userns 1:[0-9]+ '
	assertEquals 'a word that it does not know' 2 "$("$TOP/tools/crashsweep" nosuch >/dev/null 2>&1; echo $?)"
}

. shunit2
