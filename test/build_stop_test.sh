#!/bin/sh
# ctr-image build, ended on its way: nothing is left but the cache.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/built_lib.sh
. "$TOP/test/built_lib.sh"
# shellcheck source=test/inject_lib.sh
. "$TOP/test/inject_lib.sh"
# shellcheck source=test/registry_lib.sh
. "$TOP/test/registry_lib.sh"

oneTimeSetUp() {
	make_inject "$WORK"
	make_base
	base_images=$(ctr-image ls -q)
}

tearDown() {
	assert_nothing_left
	assertEquals 'no image' "$base_images" "$(ctr-image ls -q)"
}

# Its Containerfile is stdin, its id $build; `ends` tells how it ended and that it took less than ten seconds, which is much for a busy machine.
begin() {
	cat >context/Containerfile
	: >told
	env --default-signal setsid ctr-image build --net none context >id 2>told &
	build=$!
}

# told_by WORD: it has come so far.
told_by() {
	wait_for 60 grep -q "$1" told
	assertEquals "$1: $(cat told)" 0 $?
}

ends() {
	wait_for 10 ended
	assertEquals 'it ends soon' 0 $?
	kill -KILL "$build" 2>/dev/null
	wait "$build"
	assertEquals "$(cat told)" "$1" $?
	assertNull 'no id' "$(cat id)"
}

ended() { ! kill -0 "$build" 2>/dev/null || grep -q '^State:.Z' "/proc/$build/status"; }

# signal NAME group|alone: as a terminal sends it, and as kill(1) does.
signal() {
	if [ "$2" = group ]; then env kill -"$1" -- "-$build"; else kill -"$1" "$build"; fi
}

# After a SIGKILL.
takes_it_back() {
	wait_for 10 nobody_runs
	assertEquals 'nobody runs on' 0 $?
	ctr-gc >/dev/null
}

nobody_runs() { [ -z "$(pgrep -f 'sleep 54321|ctr-image build')" ]; }

test_in_a_run() {
	for how in 'INT group 130' 'INT alone 130' 'TERM group 143' 'TERM alone 143' 'HUP alone 129'; do
		# shellcheck disable=SC2086 # words
		set -- $how
		begin <<-'END'
			FROM base
			RUN touch /x; (sleep 54321 >/dev/null 2>&1 &); echo begun; sleep 54321
		END
		told_by ^begun
		signal "$1" "$2"
		ends "$3"
		assertNull "$how: at once, without gc" "$(what_is_left)"
	done
}

# As timeout(1) sends it: to its child, and to the group that this is in.
test_twice_at_once() {
	for _ in 1 2 3 4 5 6 7 8; do
		begin <<-'END'
			FROM base
			RUN echo begun; sleep 54321
		END
		told_by ^begun
		kill -TERM "$build"
		env kill -TERM "$build" 2>/dev/null # that takes a moment
		ends 143
		assertNull 'at once, without gc' "$(what_is_left)"
	done
}

# begin_two: two stages at work.
begin_two() {
	begin <<-'END'
		FROM base AS one
		RUN echo begun; sleep 54321
		FROM base AS two
		RUN echo other; sleep 54321
		FROM scratch
		COPY --from=one / /
		COPY --from=two / /
	END
	told_by 'one] begun'
	told_by 'two] other'
}

test_in_two_stages() {
	for how in 'INT group 130' 'TERM group 143' 'TERM alone 143'; do
		# shellcheck disable=SC2086 # words
		set -- $how
		begin_two
		signal "$1" "$2"
		ends "$3"
		assertNull "$how: at once, without gc" "$(what_is_left)"
	done
}

# A stage killed wherever it makes a directory or gives a file its name: also before its container has anything but its record.
test_killed_while_a_step_begins() {
	printf 'FROM base\nWORKDIR /new\n' >context/Containerfile
	n=1
	while inject -t 60 -d -o struck -f mkdirat,renameat,symlinkat -e "$BUILD/ctrbox" "2:$n" kill ctr-image build -q --no-cache context >id 2>told; [ -s struck ]; do
		ctr-gc >/dev/null
		assertNull "$(cat struck): $(cat told)" "$(ctr-ps -aq)"
		n=$((n + 1))
	done
	assertTrue "$n places" "[ $n -gt 6 ]"
	ctr-image rm "$(cat id)"
}

test_killed() {
	begin_two
	signal KILL alone
	ends 137
	takes_it_back
}

# While files are looked at, and while they are copied: neither takes as long as it would to the end.
test_in_a_copy() {
	truncate -s 64G context/big
	begin <<-'END'
		FROM base
		COPY big /
	END
	told_by COPY
	signal TERM alone
	ends 143
	begin <<-'END'
		FROM base
		COPY big /
	END
	told_by COPY
	signal INT group
	ends 130
	rm context/big
	head -c 300000000 /dev/urandom >context/big
	begin <<-'END'
		FROM base
		COPY big /
	END
	wait_for 60 being_copied
	assertEquals 'it is being copied' 0 $?
	signal TERM group
	ends 143
	rm context/big
}

being_copied() { [ -n "$(find "$CTRBOX_ROOT/containers" "$CTRBOX_ROOT/layers" -name big)" ]; }

# Waiting for another build's cache mount.
test_in_a_wait() {
	begin <<-'END'
		FROM base
		RUN --mount=type=cache,target=/c,sharing=locked echo begun; sleep 54321
	END
	first=$build
	told_by ^begun
	cp context/Containerfile other
	env --default-signal ctr-image build --net none -f other context >/dev/null 2>other.told &
	second=$!
	wait_for 60 grep -q '2/2' other.told
	kill -TERM "$second"
	wait "$second"
	assertEquals 143 $?
	kill -TERM "$first"
	ends 143
}

test_in_a_pull() {
	make_layout
	begin_bad_registry
	do_this 'slow 1000'
	begin <<-END
		FROM $BAD/small
		RUN echo begun
	END
	wait_for 60 grep -q blobs asked
	signal TERM alone
	ends 143
	: >asked
	begin <<-END
		FROM $BAD/small
		RUN echo begun
	END
	wait_for 60 grep -q blobs asked
	signal INT group
	ends 130
	end_server "$bad_registry"
	assertNull 'nothing is fetched' "$(find "$CTRBOX_ROOT" -name '.tmp*')"
}

. shunit2
