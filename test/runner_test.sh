#!/bin/sh
# test/run judges: whatever keeps a test from saying that it passed makes the run fail.
. "$(dirname "$0")/lib.sh"

# sample TEXT: makes a test file of this text, where a line's first CASE stands for "test" (so that these aren't counted
# as tests of this file).
sample() {
	mkdir -p "$WORK/inner"
	{
		echo '#!/bin/sh'
		echo ". $TOP/test/lib.sh"
		printf '%s\n' "$1" | sed 's/^CASE/test/'
		echo '. shunit2'
	} >"$WORK/inner/sample_test.sh"
}

# judge TEXT: run_cap's result for such a file; $last is the last line.
judge() {
	sample "$1"
	run_cap env -u VERDICTS -u CURRENT CI="${CI_INSIDE:-}" TIMEOUT="${LIMIT:-60}" "$TOP/test/run" "$WORK/inner/sample_test.sh"
	last=$(tail -n 1 "$WORK/.out")
}

# refuses LAST-LINE: the run failed and counted so
refuses() {
	assert_rc 1
	assertEquals "$out" "$1" "$last"
}

good='CASE_good() { assertTrue 0; }'

test_success_is_counted() {
	judge "$good
CASE_too() { run_cap echo x; assert_out x; }"
	assert_rc 0
	assertEquals '2 passed, 0 failed' "$last"
}

test_all_but_some() {
	EXCEPT='test_too test_none' judge "$good
CASE_too() { assertTrue 1; }"
	assert_rc 0
	assertEquals '1 passed, 0 failed' "$last"
}

# Names that are none don't count as tests that passed.
test_some_only() {
	ONLY=test_good judge "$good
CASE_bad() { assertEquals 1 2; }"
	assert_rc 0
	assertEquals '1 passed, 0 failed' "$last"
	ONLY=test_goo judge "$good"
	refuses '0 passed, 1 failed'
}

test_failing_assertion() {
	judge "$good
CASE_bad() { assertEquals 1 2; }"
	refuses '1 passed, 1 failed'
}

test_failure_before_a_success_in_one_test() {
	judge 'CASE_bad() { assertEquals 1 2; assertEquals 1 1; }'
	refuses '0 passed, 1 failed'
}

test_helpers_can_fail() {
	judge 'CASE_rc() { run_cap false; assert_rc 0; }
CASE_out() { run_cap echo a; assert_out b; }
CASE_out_match() { run_cap echo a; assert_out_match ^b; }
CASE_err_match() { run_cap ls /nope; assert_err_match ^b; }
CASE_ok() { run_cap ls /nope; assert_ok; }
CASE_fails() { run_cap true; assert_fails 1 .; }
CASE_match() { assert_match ^b a; }
CASE_wait_for() { wait_for 1 false; assertTrue $?; }'
	refuses '0 passed, 8 failed'
}

test_exit_in_a_test() {
	judge "$good
CASE_exit() { assertTrue 0; exit 0; }
CASE_after() { assertTrue 0; }"
	refuses '1 passed, 2 failed'
}

test_file_without_tests() {
	judge ':'
	refuses '0 passed, 1 failed'
}

test_file_that_dies() {
	judge "exit 0
$good"
	refuses '0 passed, 1 failed'
	judge "$good
CASE_killed() { kill -9 \$\$; }"
	refuses '1 passed, 1 failed'
}

test_file_that_does_not_parse() {
	judge "$good
CASE_bad() { if; }"
	refuses '0 passed, 2 failed'
}

test_assertion_in_a_subshell() {
	judge 'CASE_sub() { assertTrue 0; ( assertEquals 1 2 ); assertTrue 0; }'
	refuses '0 passed, 1 failed'
}

test_without_an_assertion() {
	judge 'CASE_idle() { true; }'
	refuses '0 passed, 1 failed'
}

test_tear_down_that_fails() {
	judge "$good
tearDown() { assertEquals 1 2; }"
	refuses '1 passed, 1 failed'
}

test_skips_are_loud_and_fail_in_ci() {
	text="$good
CASE_skipped() { skip 'no such kernel'; assertTrue 1; }"
	judge "$text"
	assert_rc 0
	assertEquals '1 passed, 0 failed' "$last"
	assert_out_match '^SKIPPED: .*no such kernel'
	CI_INSIDE=1 judge "$text"
	refuses '1 passed, 1 failed'
}

test_process_left() {
	judge 'CASE_leaves() { sleep 1000 & assertTrue 0; }'
	refuses '1 passed, 1 failed'
	assert_out_match 'left behind: process .*sleep 1000'
}

test_mount_left() {
	judge 'CASE_leaves() { mount -t tmpfs tmpfs /mnt; assertTrue $?; }'
	refuses '1 passed, 1 failed'
	assert_out_match 'left behind: mount /mnt'
	assertFalse 'the mount came out' 'mountpoint -q /mnt'
}

test_veth_left() {
	judge 'CASE_leaves() { ip link add va type veth peer name vb; assertTrue $?; }'
	assert_rc 1
	assert_out_match 'left behind: interface va'
}

test_cgroup_left() {
	group=$(dirname "$(find /sys/fs/cgroup -name cgroup.procs -path '*/ctrbox-test.*' | head -n 1)")
	hierarchy=${group%/*}
	judge "CASE_leaves() { mkdir -p \$CTRBOX_ROOT $hierarchy/ctrbox-feed/x; echo feed >\$CTRBOX_ROOT/tag; assertTrue \$?; }"
	refuses '1 passed, 2 failed'
	assert_out_match 'left behind: cgroup .*/ctrbox-feed/x'
	assertFalse 'the group is gone' "[ -e $hierarchy/ctrbox-feed ]"
}

test_time_limit() {
	LIMIT=1 judge 'CASE_hangs() { sleep 1000; assertTrue 0; }'
	assert_rc 1
	assert_match '^0 passed' "$last"
	assert_out_match 'took longer than 1 s'
}

# What a run in the background of this test still has.
remains() {
	pgrep -fx 'sleep 1234'
	find /sys/fs/cgroup -name 'ctrbox-test.*.sample_test.sh'
	find "$TMPDIR" -name 'ctrbox-test.*'
}

test_interrupted_run_leaves_nothing() {
	sample "CASE_long() { : >$WORK/started; sleep 1234; assertTrue 0; }"
	setsid env --default-signal -u VERDICTS -u CURRENT "$TOP/test/run" "$WORK/inner/sample_test.sh" >interrupted &
	runner=$!
	wait_for 10 test -e "$WORK/started"
	assertNotNull 'it runs' "$(remains)"
	env kill -INT -- "-$runner" # as ^C does: to all of them (dash's own kill knows no groups)
	wait $runner
	assertEquals 130 $?
	wait_for 5 sh -c "! find /sys/fs/cgroup -name 'ctrbox-test.*.sample_test.sh' | grep -q ."
	assertNull "$(remains)"
	assertNotContains "$(cat interrupted)" passed
}

test_signals_are_not_ignored() {
	judge "CASE_int() { assertEquals 0000000000000000 \"\$(sed -n 's/^SigIgn:.//p' /proc/self/status)\"; }"
	assert_rc 0
}

test_namespaces_are_its_own() {
	readlink /proc/self/ns/mnt /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts >outside
	: >/run/outside
	judge "CASE_ns() { readlink /proc/self/ns/* >inside
grep -Fxf $WORK/outside inside; assertEquals 'in common' 1 \$?
assertFalse 'a /run of its own' '[ -e /run/outside ]'
assertContains \"\$(findmnt -no PROPAGATION /)\" shared
assertTrue 'lo is up' 'ip link show lo | grep -q LOWER_UP'
assertContains \"\$(cat /proc/self/cgroup)\" sample_test; }"
	assert_rc 0
	assertEquals '1 passed, 0 failed' "$last"
}

test_helpers_for_terminals_and_file_systems() {
	tty_cap 'test -t 0 && test -t 1 && echo on a terminal; exit 3'
	assert_rc 3
	assert_out 'on a terminal'
	echo typed >keys
	# shellcheck disable=SC2016 # expanded there
	tty_cap 'stty -echo; read -r line; echo "got $line"' <keys
	assert_out_match 'got typed$'
	make_rootfs "$WORK/fs"
	run_cap chroot "$WORK/fs" /bin/sh -c 'id -u'
	assert_ok
	assert_out 0
}

test_missing_file() {
	run_cap env -u VERDICTS "$TOP/test/run" nope_test.sh
	assert_rc 1
	assertEquals '0 passed, 1 failed' "$out"
}

. shunit2
