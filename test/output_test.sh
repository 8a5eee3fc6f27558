#!/bin/sh
# -o FILE of ctr-image save, ctr-image export and ctr-export: FILE is what it was until all is written.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	{ make_rootfs big && head -c 3000000 /dev/urandom >big/data; } || fail 'tar'
	tar -C big -c . | ctr-image import big >/dev/null
	ctr-create --name box --net none big true >/dev/null
}

setUp() {
	mkdir to
	echo precious >to/old
}

tearDown() {
	! mountpoint -q to || umount to
	rm -rf to
}

# Every command that writes a tar, with -o.
each_writer() {
	for writer in 'ctr-image save' 'ctr-image export' 'ctr-export'; do
		what=big
		[ "$writer" != ctr-export ] || what=box
		"$@"
	done
}

# write FILE: the writer's.
write() { $writer -o "$1" "$what"; }

whole() { tar -tf "$1" >/dev/null && [ "$(wc -c <"$1")" -gt 3000000 ]; }

writes_it() {
	run_cap write to/new
	assert_ok
	assertTrue "$writer: new" 'whole to/new'
	assertEquals "$writer: a new file's mode" 644 "$(stat -c %a to/new)"
	rm to/new
	chown 5:6 to/old
	chmod 0640 to/old
	run_cap write to/old
	assert_ok
	assertTrue "$writer: old" 'whole to/old'
	assertEquals "$writer: mode and owner stay" '640 5:6' "$(stat -c '%a %u:%g' to/old)"
	cd to || return
	ln -s old link
	echo precious >old
	run_cap write link
	cd ..
	assert_ok
	assertTrue "$writer: where a link leads" '[ -L to/link ] && whole to/old'
	rm to/link
	assertEquals "$writer: nothing else" old "$(ls -A to)"
}
test_it_is_written() { each_writer writes_it; }

# struck CALL FILE: the writer, or its child, is killed at CALL.
struck() {
	# shellcheck disable=SC2086 # words
	run_cap timeout 60 strace -f -o /dev/null -e inject="$1:signal=SIGKILL" $writer -o "$2" "$what"
	[ "$rc" != 0 ] && [ "$rc" -lt 140 ]
	expect $? "$writer dies at $1"
}

# In the middle of writing there is no name for what is half there; right before it takes its place it has one.
is_killed() {
	for file in new old; do
		struck write:when=3 to/$file
		assertEquals "$writer $file, writing" old "$(ls to)"
		struck '?rename,renameat:when=1' to/$file
		assertFalse "$writer, not renamed" '[ -e to/new ]'
		assertTrue "$writer $file" 'grep -qx precious to/old'
		rm -f to/*.[0-9]*
	done
}
test_killed() { each_writer is_killed; }

# vfat has no O_TMPFILE: there it has a name all the time, which ^C takes away. traced OPTION..: the writer, whose first such open fails.
traced() {
	# shellcheck disable=SC2086 # words
	timeout 60 strace -o trace -e trace=open,openat $writer -o to/old "$what"
	_call=$(grep O_TMPFILE trace | grep -oE '^open[at]*')
	_which=$(grep "^$_call(" trace | grep -n O_TMPFILE | cut -d: -f1)
	echo precious >to/old
	# shellcheck disable=SC2086 # words
	run_cap timeout 60 env --default-signal=INT strace -f -o trace -e trace=open,openat,write \
		-e inject="$_call:error=EOPNOTSUPP:when=$_which" "$@" $writer -o to/old "$what"
	assertTrue "$writer: it was tried" 'grep -q "O_TMPFILE.*INJECTED" trace'
	assertEquals "$writer, $*: nothing else" old "$(ls to)"
}

has_no_tmpfile() {
	traced
	assert_ok
	assertTrue "$writer" 'whole to/old'
	for sig in INT TERM HUP; do
		traced -e inject=write:signal=SIG$sig:when=2
		assertTrue "$writer, SIG$sig" "[ '$rc' != 0 ] && grep -qx precious to/old"
	done
}
test_a_file_system_without_unnamed_files() { each_writer has_no_tmpfile; }

meets_a_full_disk() {
	mount -t tmpfs -o size=1m none to
	echo precious >to/old
	for file in old new; do
		run_cap write to/$file
		assert_fails 1 'No space left on device'
		assertEquals "$writer: $file" old "$(ls -A to)"
		assertTrue "$writer" 'grep -qx precious to/old'
	done
	umount to
}
test_a_full_disk() { each_writer meets_a_full_disk; }

# What can't be replaced is written: a pipe, a device, a link to nothing, a file in a directory where none can be made.
writes_directly() {
	mkfifo to/pipe
	cat to/pipe >got &
	pid=$!
	run_cap write to/pipe
	wait $pid
	assert_ok
	assertTrue "$writer: a pipe" 'whole got'
	rm to/pipe got
	run_cap write /dev/null
	assert_ok
	assertTrue "$writer: a device stays one" '[ -c /dev/null ]'
	run_cap sh -c "$writer -o /dev/stdout $what | cat >got"
	assert_ok
	assertTrue "$writer: /dev/stdout" 'whole got'
	ln -s nowhere to/link
	run_cap write to/link
	assert_ok
	assertTrue "$writer: a link to nothing" '[ -L to/link ] && whole to/nowhere'
	rm to/link to/nowhere
	run_cap write to/nowhere/at/all
	assert_fails 1 'to/nowhere/at/all: No such file'
	run_cap write to
	assert_fails 1 'to: Is a directory'
	mount --bind -o ro to to
	run_cap write to/new
	assert_fails 1 'to/new: Read-only file system'
	umount to
	assertEquals "$writer: nothing else" old "$(ls -A to)"
}
test_what_is_written_directly() { each_writer writes_directly; }

. shunit2
