#!/bin/sh
# Crash-only: whatever is killed, garbled, removed or raced, what comes next works, and ctr-gc and ctr-rm clear it away. Deaths at any system call:
# sweep_test.sh.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	ctr-run --rm busybox true
	ctr-gc >/dev/null
}

tearDown() {
	ctr-ps -a -q | ctr-rm -f - >/dev/null 2>&1
	ctr-gc >/dev/null
	assertNull 'nothing is left' "$(leftovers)"
}

id_of() {
	readlink "$CTRBOX_ROOT/names/$1"
}

# What there is of any container.
containers_files() {
	find "$CTRBOX_ROOT/containers" "$CTRBOX_ROOT/names" "$CTRBOX_RUN/containers" -mindepth 1
}

dir_of() {
	echo "$CTRBOX_ROOT/containers/$(id_of "$1")"
}

status_of() {
	ctr-ps -a -r -n -o status -f "name=$1"
}

exited() {
	[ "$(status_of "$1")" = exited ]
}

runs() {
	[ "$(status_of "$1")" = running ]
}

supervisor_of() {
	sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN/containers/$(id_of "$1")/state.json"
}

# Nothing of ctrbox's runs any more.
idle() {
	! grep -lqE '^[0-9]+ \((ctr-|ctrbox|sleep|true).*\) [^ZX]' /proc/[0-9]*/stat 2>/dev/null
}

# The supervisor's death is the container's.
test_killed_supervisor() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	pid=$(ctr-ps -r -n -o pid)
	kill -9 "$(supervisor_of a)"
	wait_for 5 exited a
	wait_for 5 idle
	assertFalse 'it died too' "[ -d '/proc/$pid/root/proc' ]"
	assertEquals 137 "$(ctr-ps -a -r -n -o exit)"
	run_cap ctr-inspect a
	assert_out_match 'supervisor lost'
	run_cap ctr-wait a
	assert_out 137
	run_cap ctr-exec a true
	assert_rc 125
	run_cap ctr-stop a
	assert_ok
	run_cap ctr-start a
	assert_ok
	assertEquals running "$(status_of a)"
}

# A ctr-run in the foreground is one, its command's children are gone with it.
test_killed_ctr_run_in_the_foreground() {
	ctr-run --name a busybox sh -c 'sleep 1000 & sleep 1000 & wait' &
	pid=$!
	wait_for 5 runs a
	kill -9 $pid
	wait $pid 2>/dev/null
	wait_for 5 idle
	assertTrue 'nothing runs' $?
	assertEquals exited "$(status_of a)"
}

# 99: killed from the host
test_killed_from_the_host() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	kill -9 "$(ctr-ps -r -n -o pid)"
	wait_for 5 exited a
	assertEquals 137 "$(ctr-ps -a -r -n -o exit)"
	wait_for 5 idle
	assertNull 'no group' "$(leftovers)"
	assertNull 'no run directory' "$(ls "$CTRBOX_RUN/containers")"
	assertTrue 'its files' "[ -d '$(dir_of a)/upper' ]"
}

test_hangup() {
	script -qec 'ctr-run -d --name a busybox sleep 1000; ctr-run -d --name b -it busybox sh' /dev/null >/dev/null </dev/null
	sleep 0.2
	assertEquals running "$(status_of a)"
	assertEquals running "$(status_of b)"
	assertEquals 'a session of its own' "$(supervisor_of a)" "$(cut -d' ' -f6 "/proc/$(supervisor_of a)/stat")"
	assertEquals 'no terminal' 0 "$(cut -d' ' -f7 "/proc/$(supervisor_of a)/stat")"
	assertEquals 'no directory of ours' / "$(readlink "/proc/$(supervisor_of a)/cwd")"
}

test_failed_start_leaves_nothing() {
	for how in '' -d -t --init; do
		# shellcheck disable=SC2086
		run_cap ctr-run --rm $how busybox /no/such/command
		assert_rc 127
		assert_out ''
		assertNull "$how" "$(containers_files)"
		assertNull "$how" "$(leftovers)"
	done
	run_cap ctr-run --name a busybox /no/such/command
	assert_rc 127
	assertEquals 'without --rm it stays' created "$(status_of a)"
	assertNull "$(leftovers)"
}

test_failed_pidfile() {
	run_cap ctr-run -d --name a --pidfile /no/such/directory/pid busybox sleep 1000
	assert_fails 125 'write /no/such/directory/pid: No such file or directory'
	wait_for 5 idle
	assertTrue 'nothing runs' $?
	assertNull "$(leftovers)"
}

# Exactly one of two gets the name.
# The container fills its store's disk and ends: how it ended is known nevertheless.
test_full_disk_at_the_end() {
	own=$CTRBOX_ROOT
	mkdir full
	mount -t tmpfs -o size=12m tmpfs full
	CTRBOX_ROOT=$WORK/full
	run_cap ctr-run --name a busybox sh -c 'head -c 60000000 /dev/zero >/big; exit 7'
	assert_rc 7
	run_cap ctr-ps -a -n -r -o status,exit
	assert_out "$(printf 'exited\t7')"
	ctr-rm a >/dev/null
	assertEquals '' "$(ctr-ps -aq)"
	CTRBOX_ROOT=$own
	umount full
}

test_two_of_one_name() {
	for round in $(seq 20); do
		ctr-run --name a busybox echo won >one 2>one.err &
		one=$!
		ctr-run --name a busybox echo won >two 2>two.err &
		two=$!
		wait $one
		one=$?
		wait $two
		two=$?
		case $one,$two in
		0,125) lost=two ;;
		125,0) lost=one ;;
		*) fail "round $round: $one $two: $(cat one.err two.err)" && continue ;;
		esac
		assertEquals won "$(cat one two)"
		grep -q '^ctr-run: a: the name "a" is taken by container [0-9a-f]\{12\}$' "$lost.err" || fail "round $round: $(cat "$lost.err")"
		assertEquals 'nothing of the other' 1 "$(find "$CTRBOX_ROOT/containers" -mindepth 1 -maxdepth 1 | wc -l)"
		ctr-rm a >/dev/null
	done
}

# quiet CMD..: it ends by itself, by no signal, with at most a line for each of the containers.
quiet() {
	run_cap timeout 20 "$@"
	[ "$rc" -lt 124 ] || [ "$rc" = 125 ] || fail "$(captured "$*: exit code")"
	[ "$(wc -l <"$WORK/.err")" -le 1 ] || fail "$(captured "$*: lines")"
}

# Every applet copes with container a, and ctr-rm removes it.
assert_coped() {
	id=$(basename "$1")
	for words in 'ps -a' 'ps -a -J' "inspect $id" "logs $id" "top $id" "diff $id" "pause $id" "unpause $id" "exec $id true" \
		"update -m 64m $id" "kill -s USR1 $id" "port $id" "rename $id other" gc "stop $id" "start $id" "restart $id" gc; do
		# shellcheck disable=SC2086
		[ ! -e "$BUILD/bin/ctr-${words%% *}" ] || quiet "$CTRBOX" $words
	done
	[ ! -d "$1" ] || run_cap ctr-rm -f "$id"
	[ "$rc" = 0 ] || fail "$(captured "$2: ctr-rm -f")"
	ctr-gc >/dev/null
	assertNull "$2" "$(leftovers)"
	wait_for 5 idle || fail "$2: it still runs"
	assertNull "$2" "$(containers_files)"
}

garble() {
	case $2 in
	empty) : >"$1" ;;
	garbage) printf '\377\0\1{[' >"$1" ;;
	cut) _half=$(head -c 40 "$1") && printf '%s' "$_half" >"$1" ;;
	types) echo '{"id":1,"name":[],"pid":"x","supervisor":{},"exit_code":"a"}' >"$1" ;;
	other) echo '{}' >"$1" ;;
	gone) rm "$1" ;;
	directory) rm "$1" && mkdir "$1" ;;
	esac
}

test_garbled_while_it_runs() {
	for what in empty cut types gone directory; do
		for file in spec state; do
			ctr-run -d --name a busybox sleep 1000 >/dev/null
			dir=$(dir_of a)
			[ $file = spec ] && path=$dir/spec.json || path=$CTRBOX_RUN/containers/${dir##*/}/state.json
			garble "$path" $what
			assert_coped "$dir" "$file $what"
		done
	done
}

test_garbled_after_its_end() {
	for what in empty garbage cut types other gone directory; do
		for file in spec last; do
			ctr-run --name a busybox true
			dir=$(dir_of a)
			garble "$dir/$file.json" $what
			assert_coped "$dir" "$file $what"
		done
	done
}

# A start doesn't run a second one beside one whose state was lost.
test_lost_state_of_a_running_one() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	pid=$(ctr-ps -r -n -o pid)
	rm "$CTRBOX_RUN/containers/$(id_of a)/state.json"
	run_cap ctr-start a
	assert_fails 1 'is running'
	run_cap ctr-rm a
	assert_fails 1 'is running'
	assertTrue 'it still runs' "[ -d '/proc/$pid' ]"
	run_cap ctr-stop a
	assert_ok
	wait_for 5 idle
	assertTrue 'it is stopped' $?
}

test_garbled_names() {
	ctr-create --name zed busybox true >/dev/null
	id=$(id_of zed)
	rm "$CTRBOX_ROOT/names/zed"
	run_cap ctr-inspect "$id"
	assert_ok
	: >"$CTRBOX_ROOT/names/zed"
	run_cap ctr-inspect zed
	assert_rc 1
	run_cap ctr-rm "$id"
	assert_ok
	rm -f "$CTRBOX_ROOT/names/zed"
	ln -s ../../../../etc "$CTRBOX_ROOT/names/b"
	ln -s 0123456789ab "$CTRBOX_ROOT/names/c"
	for name in b c; do
		run_cap ctr-rm $name
		assert_fails 1 "$name: no such container"
		run_cap ctr-run --rm --name $name busybox echo works
		assert_out works
	done
}

test_garbled_tag() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	tag=$(cat "$CTRBOX_ROOT/tag")
	: >"$CTRBOX_ROOT/tag"
	run_cap ctr-exec a echo works
	assert_out works
	run_cap ctr-run --rm busybox echo works
	assert_out works
	run_cap ctr-rm -f a
	assert_ok
	assertNull "$(find /sys/fs/cgroup -type d -path "*/ctrbox-$tag*")"
	assertNotEquals '' "$(cat "$CTRBOX_ROOT/tag")"
}

test_container_directory_removed_by_hand() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	ctr-run -d --rm --name b busybox sleep 1000 >/dev/null
	rm -r "$(dir_of a)" "$(dir_of b)"
	for applet in stop rm start inspect; do
		quiet ctr-$applet a
		assertNotEquals 0 "$rc"
	done
	ctr-gc >/dev/null
	wait_for 5 idle
	assertTrue 'nothing runs' $?
	assertNull "$(containers_files)"
}

# Removed while its process ends by itself.
test_removed_while_it_ends() {
	for round in $(seq 10); do
		ctr-run -d --name a busybox sleep "0.0$round" >/dev/null
		quiet ctr-rm -f a
		assertEquals "round $round" 0 "$rc"
		ctr-run -d --rm --name b busybox sleep "0.0$round" >/dev/null
		run_cap ctr-rm -f b
		[ "$rc" = 0 ] || assert_err_match 'b: no such container'
	done
	wait_for 5 idle
	assertNull "$(containers_files)"
}

. shunit2
