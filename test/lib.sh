# shellcheck shell=sh
# What every test file starts with, and how it ends:
#
#	#!/bin/sh
#	. "$(dirname "$0")/lib.sh"
#	test_something() { run_cap ctr-run --rm busybox true; assert_rc 0; }
#	. shunit2
#
# test/run (or the file itself, which then calls it) runs it as root in its own mount, pid, net, ipc and uts namespaces,
# where /run and $WORK are fresh tmpfs, lo is up and ctr-* come first in PATH. Anything alive or mounted after the last
# test makes the file fail. A test that makes no assertion fails; so does one whose assertion fails in a subshell.
# setUp, tearDown, oneTimeSetUp and oneTimeTearDown are the file's own to define.
#
# $TOP the repository    $BUILD the build directory     $CTRBOX the binary    $WORK  scratch, gone afterwards
# $CTRBOX_ROOT, $CTRBOX_RUN: a fresh store for this file; an unknown image `busybox` is imported from $BUILD/busybox.tar.

[ -n "${VERDICTS:-}" ] || exec "$(dirname "$0")/run" "$0"

CTRBOX=$BUILD/ctrbox
CTRBOX_ROOT=$WORK/root
CTRBOX_RUN=$WORK/run
CTRBOX_IMAGES=$BUILD
PATH=$BUILD/bin:$PATH
SHUNIT_COLOR=none
LC_ALL=C
export CTRBOX CTRBOX_ROOT CTRBOX_RUN CTRBOX_IMAGES PATH SHUNIT_COLOR LC_ALL
unset CTRBOX_DEBUG
cd "$WORK" || exit 1

# run_cap CMD..: $out, $err and $rc are what it printed and how it ended.
run_cap() {
	"$@" >"$WORK/.out" 2>"$WORK/.err"
	rc=$?
	out=$(cat "$WORK/.out")
	err=$(cat "$WORK/.err")
}

# tty_cap COMMANDLINE: run_cap on a terminal of its own; what is typed comes from stdin. $out without carriage returns.
# script(1) reads on for 10 ms once its child has ended: the child waits, so that a busy machine loses no output.
tty_cap() {
	run_cap script -qec "($1); _rc=\$?; sleep 0.2; exit \$_rc" /dev/null
	out=$(printf '%s' "$out" | tr -d '\r')
}

# Each assertion about run_cap's result shows all of it when it fails.
captured() {
	printf '%s\n  exit %s\n  stdout: %s\n  stderr: %s' "$1" "$rc" "$out" "$err"
}

# expect RC WHAT: one assertion, which holds if RC is 0.
expect() {
	if [ "$1" -eq 0 ]; then assertTrue 0; else fail "$(captured "$2 expected")"; fi
}

# assert_rc N
assert_rc() {
	[ "$rc" = "$1" ]
	expect $? "exit code $1"
}

# assert_out TEXT: exactly this on stdout.
assert_out() {
	[ "$out" = "$1" ]
	expect $? "stdout \"$1\""
}

# assert_out_match ERE, assert_err_match ERE: some line of it matches.
assert_out_match() {
	printf '%s\n' "$out" | grep -qE -- "$1"
	expect $? "stdout like /$1/"
}

assert_err_match() {
	printf '%s\n' "$err" | grep -qE -- "$1"
	expect $? "stderr like /$1/"
}

# assert_ok: exit code 0 and nothing on stderr.
assert_ok() {
	[ "$rc" = 0 ] && [ -z "$err" ]
	expect $? 'success without a word'
}

# assert_fails N ERE: exit code N, nothing on stdout, one line like ERE on stderr.
assert_fails() {
	[ "$rc" = "$1" ] && [ -z "$out" ] && [ "$(wc -l <"$WORK/.err")" -eq 1 ] && printf '%s\n' "$err" | grep -qE -- "$2"
	expect $? "exit code $1 and one line like /$2/"
}

# assert_match ERE TEXT
assert_match() {
	if printf '%s\n' "$2" | grep -qE -- "$1"; then assertTrue 0; else fail "like /$1/ expected, but it is \"$2\""; fi
}

# wait_for SECONDS CMD..: tries it every 50 ms until it succeeds; 1 if it never does.
wait_for() {
	_tries=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $_tries -gt 0 ] || return 1
		_tries=$((_tries - 1))
		sleep 0.05
	done
}

# make_rootfs DIR: busybox and its links.
make_rootfs() {
	mkdir -p "$1" && tar -xf "$BUILD/busybox.tar" -C "$1"
}

# need_busybox: image `busybox`, whose command is sh, is in the store.
need_busybox() {
	ctr-image inspect busybox >/dev/null 2>&1 || ctr-image import -c 'CMD ["sh"]' busybox <"$BUILD/busybox.tar" >/dev/null
}

# Lines about what this store still has running: containers' processes' groups. For tearDown: assertNull "$(leftovers)".
leftovers() {
	[ ! -e "$CTRBOX_ROOT/tag" ] ||
		find /sys/fs/cgroup -mindepth 1 -path "*/ctrbox-$(cat "$CTRBOX_ROOT/tag")/*" -type d 2>/dev/null
}

# For tearDown: every container goes, and nothing of any is left.
no_containers() {
	# shellcheck disable=SC2046 # a list of ids
	ctr-rm -f $(ctr-ps -aq) >/dev/null 2>&1
	assertNull "$(leftovers)"
}

# skip WHY: the rest of this test isn't run; loud, and a failure under CI. `skip 'no overlay' && return`
skip() {
	echo "SKIPPED: $*"
	startSkipping
}

# shunit2 asks this function for the tests: each is run through one_test, which writes its verdict.
suite() {
	while read -r _name; do
		eval "verdict_$_name() { one_test $_name; }"
		suite_addTest "verdict_$_name"
	done <"$PLAN"
}

# The output is kept apart to find assertions that failed in a subshell, which shunit2 doesn't count.
# shellcheck disable=SC2154 # shunit2's own counters
one_test() {
	_failed=$__shunit_assertsFailed _total=$__shunit_assertsTotal _skipped=$__shunit_assertsSkipped
	"$1" >"$CURRENT" 2>&1
	_rc=$? _verdict=ok
	cat "$CURRENT"
	if [ "$__shunit_assertsTotal" -eq "$_total" ] && ! isSkipping; then
		fail 'it asserts nothing'
	elif [ "$__shunit_assertsFailed" -eq "$_failed" ] && grep -q 'ASSERT:' "$CURRENT"; then
		fail 'an assertion failed in a subshell'
	fi
	if [ $_rc -ne 0 ] || [ "$__shunit_assertsFailed" -ne "$_failed" ]; then
		_verdict='not ok'
	elif isSkipping || [ "$__shunit_assertsSkipped" -ne "$_skipped" ]; then
		_verdict=skip
	fi
	echo "$_verdict $1" | tee -a "$VERDICTS"
	rm "$CURRENT"
	[ $_rc -eq 0 ]
}
