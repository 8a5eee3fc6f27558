#!/bin/sh
# What becomes of virtual machines that tests run in (tools/vm/run, test/run-guest): one that does its job, and those that die, are silent or take
# too long, which count as failures and don't stay.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

# Debian's kernel without its modules, which take longest.
oneTimeSetUp() {
	[ -d "$BUILD/vm/linux" ] || {
		echo "no $BUILD/vm/linux (make $BUILD/vm/linux)"
		exit 1
	}
	mkdir -p linux/modules
	ln -s "$BUILD/vm/linux/vmlinuz" linux/
	: >linux/modules/order
	"$TOP/tools/vm/initramfs" initramfs linux || exit 1
}

tearDown() {
	wait_for 20 sh -c '! ps -eo comm | grep -q ^qemu-system' || fail "there are guests: $(ps -ef)"
	assertNull "$(find "$TMPDIR" -maxdepth 1 -name 'tmp.*')"
}

# guest JOB OPTION..: the kernel's own lines show that it comes along.
guest() {
	printf '%s\n' "$1" >job
	shift
	run_cap nice -n 10 "$TOP/tools/vm/run" -m 128 -p 1 -a loglevel=7 "$@" linux initramfs job
}

test_the_code_of_the_job() {
	guest 'echo "in $(uname -s)"; (exit 7)'
	assert_rc 7
	assert_out_match '^in Linux$'
}

test_it_panics() {
	guest 'echo "before"; echo c >/proc/sysrq-trigger; sleep 1000'
	assert_rc 125
	assert_out_match '^before$'
	assert_out_match 'Kernel panic - not syncing'
	assert_out_match '^vm: the guest ended before the job did$'
}

test_it_does_not_come_to_the_job() {
	guest 'true' -a rdinit=/nothing
	assert_rc 125
	assert_out_match '^vm: the guest ended before the job did$'
}

# What shows that a guest is alive was started last.
test_it_is_silent() {
	guest 'kill $!; echo hanging; sleep 1000' -q 15
	assert_rc 125
	assert_out_match '^hanging$'
	assert_out_match '^vm: the guest was silent for 1[5-9] s, and had [1-9][0-9]* s left: it is ended$'
}

test_it_takes_too_long() {
	guest 'while :; do echo here; sleep 1; done' -t 5
	assert_rc 125
	assert_out_match '^vm: the guest was silent for [0-9]* s, and had 0 s left: it is ended$'
}

# For test/run it is a failure more than the files that didn't tell how they ended.
test_what_the_runner_makes_of_it() {
	printf '%s\n' KIND=initramfs "TESTS='initramfs_test.sh'" >slow.guest
	run_cap env GUEST_TIMEOUT=3 "$TOP/test/run" "$WORK/slow.guest"
	assert_rc 1
	assert_out_match '^not ok: slow.guest: 0 of 1 test files told how they ended \(exit code 125\)$'
	assert_out_match '^0 passed, 2 failed$'
}

. shunit2
