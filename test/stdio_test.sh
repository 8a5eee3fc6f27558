#!/bin/sh
# What stands at the other end of ctr-run's stdin, stdout and stderr: a reader that has gone, a full disk, nothing at all.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

tearDown() {
	ctr-ps -aq | ctr-rm -f - >/dev/null
}

test_a_reader_that_goes() {
	assertEquals y "$(timeout -k 1 20 ctr-run --name a --net none busybox yes | head -n 1)"
	assertEquals 'yes met an error' 1 "$(ctr-ps -a -n -r -o exit)"
}

test_a_reader_that_goes_is_told_to_a_shell() {
	(timeout -k 1 20 ctr-run --net none busybox sh -c 'yes; echo after >&2' | head -n 1) >first 2>second
	assertEquals y "$(cat first)"
	assertEquals 'the shell went on' after "$(tail -n 1 second)"
}

test_a_full_disk() {
	ctr-run --name a --net none busybox echo hi >/dev/full 2>err
	assertEquals 'ctr-run: standard output: write: No space left on device' "$(cat err)"
	assertEquals 'the log has it' hi "$(ctr-logs a)"
}

test_id_to_a_full_disk() {
	ctr-run -d --net none busybox sleep 1000 >/dev/full 2>err
	assertEquals 125 $?
	assertEquals 1 "$(wc -l <err)"
	assertTrue "$(cat err)" 'grep -q "No space left on device" err'
}

# stdout that somebody else has set to O_NONBLOCK: all comes through
test_stdout_that_does_not_block() {
	timeout 60 perl -e '
		use Fcntl;
		pipe(R, W);
		fcntl(W, F_SETFL, O_NONBLOCK);
		my $pid = fork;
		if (!$pid) {
			open(STDOUT, ">&W");
			exec(qw(ctr-run --net none busybox head -c 1000000 /dev/zero));
		}
		close(W);
		sleep 1;
		my $n = 0;
		while (my $r = sysread(R, my $b, 65536)) { $n += $r; }
		waitpid($pid, 0);
		print "$n\n";' >count
	assertEquals 1000000 "$(cat count)"
}

test_closed_streams() {
	run_cap sh -c 'ctr-run --rm busybox echo hi <&-'
	assert_rc 0
	assert_out hi
	run_cap sh -c 'ctr-run --rm busybox sh -c "echo hi; echo no >&2" 2>&-'
	assert_rc 0
	assert_out hi
	sh -c 'ctr-run -d --name a busybox sleep 1000 <&- >&- 2>&-'
	assertEquals running "$(ctr-ps -n -r -o status)"
	assertEquals 'they lead nowhere' '/dev/null /dev/pipe /dev/pipe' \
		"$(ctr-exec a sh -c 'for i in 0 1 2; do readlink /proc/1/fd/$i; done' | sed 's/^pipe.*/\/dev\/pipe/' | xargs)"
}

# The host's root must not come along as somebody's stdin.
test_closed_streams_of_a_chain() {
	mkdir tree
	tar -xf "$BUILD/busybox.tar" -C tree
	run_cap sh -c 'ctr-root --proc tree sh -c "readlink /proc/\$\$/fd/0" <&-'
	assert_rc 1
	assert_out ''
}

. shunit2
