#!/bin/sh
# Archives read by two threads: the same layers and messages as by one, and nothing hangs, stays or grows.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/tar_lib.sh"

oneTimeSetUp() {
	# many chunks; what repeats is far apart, so that zstd's window is full
	mkdir -p tree/dir
	seq 1 700000 >tree/dir/numbers
	head -c 7000000 /dev/urandom >tree/dir/noise
	for n in 1 2 3; do cp "$CTRBOX" tree/dir/box$n; done
	cp tree/dir/noise tree/dir/noise_again
	tar --sort=name -cf a.tar tree
	gzip -1 -c a.tar >a.tar.gz
	zstd -q --long=23 -c a.tar >a.tar.zst
	second=$(grep -abo tree/dir/noise_again a.tar | head -n 1 | cut -d: -f1) # a header far behind the first
	id=$(sha256sum <a.tar | cut -c1-64)
	cpu=$(taskset -pc $$ | sed 's/.*: *\([0-9]*\).*/\1/') # the first that we may run on
	mkfifo feed
	read=$(awk '$1 == "read" { print $2 }' "$BUILD/syscalls") # the call's number
}

setUp() { rm -rf "$CTRBOX_ROOT"; }

tearDown() { exec 7>&-; }

# import FILE: from a pipe, whose end it has to find.
import() {
	# shellcheck disable=SC2002 # it wouldn't be a pipe
	cat "$1" | ctr-image import made
}

# one_cpu CMD..: on one processor.
one_cpu() { taskset -c "$cpu" "$@"; }

nothing_stored() {
	assertEquals "nothing is stored after $1" '' "$(find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 ! -name names 2>/dev/null)"
}

test_the_layer_is_the_same() {
	for f in a.tar a.tar.gz a.tar.zst; do
		for how in '' one_cpu; do
			rm -rf "$CTRBOX_ROOT"
			run_cap $how ctr-image import -i $f made
			assert_ok
			assertTrue "$how $f" "diff -r tree '$CTRBOX_ROOT/layers/$id/tree/tree'"
		done
		rm -rf "$CTRBOX_ROOT"
		run_cap import $f
		assert_ok
		assertTrue "$f from a pipe" "[ -d '$CTRBOX_ROOT/layers/$id' ]"
	done
}

# threads CMD..: how many it began.
threads() {
	strace -f -qq -e trace=clone,clone3 -o trace "$@" >/dev/null
	grep -c CLONE_THREAD trace
}

test_a_thread_only_where_it_helps() {
	[ "$(nproc)" -gt 1 ] || { skip 'one processor'; return; }
	for f in a.tar a.tar.gz a.tar.zst; do
		assertEquals "$f" 1 "$(threads ctr-image import -i $f made)"
		assertEquals "$f on one processor" 0 "$(threads taskset -c "$cpu" ctr-image import -i $f made)"
	done
	{ dir bin/ && entry bin/sh shell 0755 && finish; } | gzip >small.tar.gz
	assertEquals 'a small one' 0 "$(threads ctr-image import -i small.tar.gz made)"
}

# same_refusal FILE ERE: with two processors as with one.
same_refusal() {
	run_cap one_cpu ctr-image import -i "$1" made
	assert_fails 1 "$2"
	_one=$err
	run_cap ctr-image import -i "$1" made
	assertEquals "$1" "$_one" "$err"
	run_cap import "$1"
	assertEquals "$1 from a pipe" "$_one" "$err"
	nothing_stored "$1"
}

test_truncated() {
	for f in a.tar a.tar.gz a.tar.zst; do
		size=$(wc -c <$f)
		for part in 1 5 9; do
			head -c $((size * part / 10 + part)) "$f" >short
			same_refusal short 'truncated: (it|the archive) ends at byte [0-9]+$'
		done
	done
}

test_corrupt() {
	for f in a.tar.gz a.tar.zst; do
		size=$(wc -c <$f)
		for part in 2 6 9; do
			cp $f bad
			head -c 64 /dev/zero | tr '\0' '\377' | dd of=bad bs=1 seek=$((size * part / 10)) conv=notrunc 2>/dev/null
			same_refusal bad 'corrupt|checksum|garbled'
		done
	done
	cp a.tar bad
	put bad "$second" X
	same_refusal bad "garbled: a header's checksum is wrong"
	gzip -1 bad && same_refusal bad.gz "garbled: a header's checksum is wrong"
}

test_too_large() {
	printf '[{"Config":"c","RepoTags":["made:1"],"Layers":["l"]}]' >manifest.json
	printf '{"architecture":"%s","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')" "$id" >c
	for f in a.tar a.tar.gz a.tar.zst; do
		cp $f l
		tar -cf big.tar manifest.json c l
		for how in '' one_cpu; do
			run_cap $how ctr-image load --max-size 12m big.tar
			assert_fails 1 'larger than was allowed'
			nothing_stored "$f"
		done
	done
}

# blocked PID: one of its threads waits in read(2) for what the pipe doesn't give, and no other thread runs.
blocked() {
	_reads=0
	for _t in "/proc/$1/task"/*; do
		read -r _call _ <"$_t/syscall" || return 1
		[ "$_call" != running ] || return 1
		[ "$_call" != "$read" ] || _reads=$((_reads + 1))
	done
	[ $_reads -gt 0 ] && [ "$(find "$CTRBOX_ROOT/layers" -name box1 -size +100)" ]
}

# starve CMD..: it reads from a pipe that has given it the beginning of a file and stays silent.
starve() {
	file=$1
	shift
	env --default-signal=INT "$@" <feed >out 2>err &
	pid=$!
	exec 7<>feed
	timeout 60 head -c $(($(wc -c <"$file") * 6 / 10)) "$file" >&7
	wait_for 60 blocked $pid
	assertTrue "it waits: $(cat err)" $?
}

# gone PID: it has ended.
gone() { ! [ -e "/proc/$1/task" ] || grep -q '^State:.Z' "/proc/$1/status"; }

# end_by SIGNAL: starve's process gets it; how it ended.
end_by() {
	kill -"$1" "$pid"
	wait_for 60 gone "$pid" || kill -9 "$pid"
	wait "$pid"
}

test_a_signal_ends_a_wait_for_a_silent_pipe() {
	for f in a.tar a.tar.gz a.tar.zst; do
		for sig in 2 15; do
			starve $f ctr-image import made
			end_by $sig
			assertEquals "signal $sig, $f" $((128 + sig)) $?
			assertEquals '' "$(cat err)"
			nothing_stored "signal $sig, $f"
			exec 7>&-
		done
	done
	tar -cf whole.tar a.tar.gz a.tar.zst && gzip -1 whole.tar
	starve whole.tar.gz ctr-image load
	end_by 2
	assertEquals "two threads and more" 130 $?
	nothing_stored 'a load from a packed stream'
}

test_an_error_needs_no_more_input() {
	cp a.tar bad
	put bad "$second" X
	head -c $((second + 600000)) bad >bad.tar && mv bad.tar bad
	gzip -1 <bad >bad.gz
	for f in bad bad.gz; do
		ctr-image import made <feed >out 2>err &
		pid=$!
		exec 7<>feed
		timeout 60 cat $f >&7 # and no more, nor an end
		wait_for 60 gone $pid
		assertTrue "$f: it ends" $?
		kill -9 $pid 2>/dev/null
		wait $pid
		assertEquals "$f" 1 $?
		assertTrue "$(cat err)" "grep -q 'garbled' err"
		exec 7>&-
		nothing_stored "$f"
	done
}

# A member that no image has may be a broken layer: what follows it is read all the same.
test_a_stream_is_read_on_after_a_bad_layer() {
	printf '[{"Config":"c","RepoTags":["made:1"],"Layers":["l"]}]' >manifest.json
	printf '{"architecture":"%s","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')" "$id" >c
	head -c 1500000 a.tar >bad
	head -c 3000000 /dev/urandom >>bad
	gzip -1 -c bad >bad.gz
	cp a.tar.gz l
	for f in bad bad.gz; do
		tar -cf stream.tar manifest.json $f c l
		gzip -1 -c stream.tar >stream.tar.gz
		for s in stream.tar stream.tar.gz; do
			rm -rf "$CTRBOX_ROOT"
			# shellcheck disable=SC2002 # it wouldn't be a pipe
			run_cap eval "cat $s | ctr-image load"
			assert_ok
			assertTrue "$f in $s" "diff -r tree '$CTRBOX_ROOT/layers/$id/tree/tree'"
		done
	done
}

test_memory_is_bounded() {
	for f in a.tar a.tar.gz a.tar.zst; do
		starve $f ctr-image import made
		peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
		assertTrue "$f: $peak KB" "[ ${peak:-99999} -le 16384 ]"
		kill $pid
		wait $pid
		exec 7>&-
	done
}

. shunit2
