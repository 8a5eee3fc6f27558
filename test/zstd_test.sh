#!/bin/sh
# Images packed by zstd: whatever zstd writes is read; what is damaged is refused.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/tar_lib.sh"

oneTimeSetUp() {
	BAD=$WORK/unpack_bad
	# shellcheck disable=SC2086 # a list of words
	(cd "$TOP/lib" && gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -no-pie -fsanitize=address,undefined -fno-sanitize-recover=all -iquote . \
		-o "$BAD" ../test/unpack_bad.c image/unpack.c image/gzip.c image/inflate*.c image/crc32*.c image/zstd*.c image/match.c image/xxh64.c \
		base/buf.c base/err.c base/num.c base/say.c base/io.c base/file.c base/clock.c) || exit 1
	{ dir bin/ && entry bin/sh shell 0755 && entry hello "$(seq 200)" && finish; } >small.tar
	# text, machine code, noise, zeros, things that repeat near and far
	{ seq 1 60000; cat "$CTRBOX"; head -c 300000 /dev/urandom; head -c 3000000 /dev/zero; cat "$CTRBOX"; seq 1 3 | head -c 5; yes abcdefg | head -c 200000; seq 30000 90000; } >much
	tar -cf much.tar much
	real=$BUILD/debian/root.tar
	[ -e "$real" ] || real=$BUILD/busybox.tar
}

setUp() {
	rm -rf "$CTRBOX_ROOT"
}

# assert_packed TAR CMD [OPT]..: what CMD, a line of shell, writes is imported as the layer that TAR is.
assert_packed() {
	_tar=$1
	eval "$2" >packed.zst
	shift 2
	run_cap ctr-image import "$@" packed <packed.zst
	assert_ok
	assertTrue "the layer is $_tar" "[ -d '$CTRBOX_ROOT/layers/$(sha256sum <"$_tar" | cut -c1-64)/tree' ]"
	rm -rf "$CTRBOX_ROOT"
}

nothing_left() {
	assertEquals 'nothing left' '' "$(find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 ! -name names 2>/dev/null)"
}

test_every_level() {
	for level in -fast=5 -fast=1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 '-ultra -20' '-ultra -22'; do
		assert_packed much.tar "zstd -q -$level -c much.tar"
	done
	zstd -q -19 -c much.tar >much.zst
	run_cap ctr-image import -i much.zst packed
	assert_ok
	assertTrue 'and holds the files' "cmp -s much '$(tree_of packed)/much'"
}

test_every_size() {
	size=0
	while [ $size -lt 300 ]; do
		for from in much "$CTRBOX"; do
			head -c $size "$from" >piece
			zstd -q -c piece >piece.zst
			"$BAD" same 7 piece.zst piece
			assertEquals "$size of $from" 0 $?
		done
		size=$((size + 7))
	done
	for size in 1023 1024 65535 65536 131071 131072 131073 262144 1000000; do
		tail -c $size much >piece
		zstd -q -5 -c piece >piece.zst
		"$BAD" same 100000 piece.zst piece
		assertEquals $size 0 $?
	done
	assertEquals 'an odd end of what is read' 0 "$(for chunk in 1 13 4096 1000000; do "$BAD" same $chunk piece.zst piece || echo $chunk; done | wc -l)"
}

test_a_stream_whose_size_nobody_knew() {
	assert_packed much.tar 'zstd -q <much.tar'
	assert_packed small.tar 'zstd -q --no-check <small.tar'
}

test_other_ways_to_pack() {
	for how in --no-check --no-compress-literals '--rsyncable -T1' '-B200000 -T2' --adapt; do
		assert_packed much.tar "zstd -q $how -c much.tar"
	done
	assert_packed much.tar 'pzstd -q -p 2 -c much.tar'
}

test_a_real_tree() {
	assert_packed "$real" "zstd -q -3 <'$real'"
	assert_packed "$real" "zstd -q -12 --long=23 -c '$real'"
}

test_many_frames() {
	assert_packed small.tar 'head -c 700 small.tar | zstd -q; zstd -q </dev/null; tail -c +701 small.tar | zstd -q -19 --no-check'
	# frames to be skipped: before, between, behind
	printf 'P\052M\030\003\000\000\000abc' >skip
	assert_packed small.tar 'printf "_\052M\030\000\000\000\000"; head -c 1000 small.tar | zstd -q; cat skip; tail -c +1001 small.tar | zstd -q; cat skip'
	assert_packed small.tar 'printf "Q\052M\030\100\102\017\000"; head -c 1000000 /dev/zero; zstd -q <small.tar'
	{ zstd -q <small.tar && printf 'P\052M\030\003\000\000\000ab'; } >cut.zst
	run_cap ctr-image import cut <cut.zst
	assert_fails 1 "zstd: truncated: it ends at byte $(wc -c <cut.zst)\$"
}

test_nothing_packed_is_as_nothing() {
	run_cap ctr-image import empty </dev/null
	want=$rc$out$(echo "$err" | sed 's/byte [0-9]*/byte/')
	zstd -q </dev/null >empty.zst
	run_cap ctr-image import empty <empty.zst
	assertEquals "$want" "$rc$out$(echo "$err" | sed 's/byte [0-9]*/byte/')"
}

test_a_window_larger_than_allowed() {
	# at its end the beginning is repeated: only a large window sees it
	head -c 20000000 /dev/urandom >far
	cp far away
	tar -cf far.tar far away
	rm far away
	zstd -q --long=27 <far.tar >far.zst
	assertTrue 'the window is used' "[ $(wc -c <far.zst) -lt 21000000 ]"
	run_cap ctr-image import far <far.zst
	assert_fails 1 'zstd: decoding needs a window of 128M .*--max-window 128M'
	nothing_left
	run_cap ctr-image import --max-window 127m far <far.zst
	assert_fails 1 'needs a window of 128M'
	assert_packed far.tar 'cat far.zst' --max-window 128m
	# a size that is known is all that is needed
	zstd -q --long=27 -c far.tar >far.zst
	run_cap ctr-image import far <far.zst
	assert_fails 1 'needs a window of 39M .*--max-window 39M'
	assert_packed far.tar 'cat far.zst' --max-window=39m
	rm -f far.tar far.zst
	zstd -q -c much.tar >far.zst
	run_cap ctr-image import --max-window 1m far <far.zst
	assert_fails 1 'needs a window of'
	for bad in -1 x ''; do
		run_cap ctr-image import --max-window "$bad" far <small.tar
		assert_fails 2 'max-window'
	done
}

test_memory_is_bounded() {
	{ head -c 30000000 /dev/urandom && head -c 300000000 /dev/zero; } >big
	tar -cf - big | zstd -q -19 --single-thread >big.zst
	rm big
	run_cap sh -c 'ulimit -v 16384; ctr-image import big' <big.zst
	assert_ok
	rm -f big.zst
}

test_a_dictionary_is_refused_by_name() {
	printf '\050\265\057\375\143\071\060\000\000\000\000\001\000\000' >dictionary.zst
	run_cap ctr-image import x <dictionary.zst
	assert_fails 1 'zstd: it was compressed with dictionary 12345'
	zstd -q -D much -c small.tar >dictionary.zst
	run_cap ctr-image import x <dictionary.zst
	assert_fails 1 'zstd: corrupt'
	nothing_left
}

# frame BYTES..: octal, behind a magic number.
frame() {
	printf '\050\265\057\375'
	for byte; do
		# shellcheck disable=SC2059 # that is the octal
		printf "\\$byte"
	done
}

test_frames_by_hand() {
	# a block of 4 equal bytes, in a frame of a byte's size; one of a window; one that lies about its size
	frame 040 004 043 000 000 141 >rle.zst && printf aaaa >rle
	"$BAD" same 100 rle.zst rle
	assertEquals 'a block of equal bytes' 0 $?
	frame 000 000 021 000 000 142 143 >raw.zst && printf bc >raw
	"$BAD" same 100 raw.zst raw
	assertEquals 'a plain block' 0 $?
	for bad in '040 005 043 000 000 141:less than the promised' '040 003 043 000 000 141:a bad block' '000 000 007 000 000:a bad block' '010 000 001 000 000:a bad header' \
		'000 000 021 100 000:a bad block' '000 000 015 000 000 141:corrupt at byte 9'; do
		# shellcheck disable=SC2086 # words
		frame ${bad%%:*} >bad.zst
		run_cap ctr-image import x <bad.zst
		assert_fails 1 "zstd: .*${bad#*:}"
	done
}

test_cut_anywhere() {
	zstd -q -c small.tar >small.zst
	at=4
	while [ $at -lt "$(wc -c <small.zst)" ]; do
		head -c $at small.zst >cut.zst
		run_cap ctr-image import cut <cut.zst
		assert_fails 1 "zstd: truncated: it ends at byte $at\$"
		at=$((at + 9))
	done
	nothing_left
	for level in 1 9 19; do
		head -c 500000 much | zstd -q -$level >much.zst
		assertEquals "level $level" '' "$(head -c 500000 much >piece && "$BAD" cut 211 much.zst piece 2>&1)"
	done
}

test_garbled_anywhere() {
	for level in 1 5 19; do
		{ seq 1 3000 && head -c 60000 "$CTRBOX"; } >piece
		zstd -q -$level -c piece >piece.zst
		assertEquals "level $level" '' "$("$BAD" flip 37 piece.zst piece 2>&1)"
	done
	zstd -q -c small.tar >small.zst
	assertEquals '' "$("$BAD" flip 1 small.zst small.tar 2>&1)"
	{ cat small.zst && echo garbage; } >after.zst
	run_cap ctr-image import garbled <after.zst
	assert_fails 1 "zstd: a bad header at byte $(wc -c <small.zst)\$"
	{ head -c 200 small.zst && head -c 500 /dev/urandom; } >garbled.zst
	run_cap ctr-image import garbled <garbled.zst
	assert_fails 1 'zstd: .* at byte [0-9]+'
	nothing_left
}

test_a_stock_image() {
	mkdir -p stock
	zstd -q -c "$BUILD/busybox.tar" >stock/packed.tar.zst
	CTRBOX_IMAGES=$WORK/stock run_cap ctr-run --rm --net none packed echo hello
	assert_ok
	assert_out hello
}

. shunit2
