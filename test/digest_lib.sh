# shellcheck shell=sh
# SHA-256 and CRC-32 for each kind of processor, by digest_tool.c: for digest_test.sh and cross.sh.

# make_digest_cases: random bytes, parts of them, and their digests as python has them, in $WORK.
make_digest_cases() {
	python3 "$TOP/test/digest_oracle.py" "$WORK/bytes" "$WORK/cases" "$WORK/answers" || exit 1
}

# make_digest_tool FILE CC [FLAG]..
make_digest_tool() {
	_tool=$1
	shift
	(cd "$TOP/lib" && "$@" -std=gnu11 -D_GNU_SOURCE -static -Os -Wall -Wextra -Werror -iquote . -o "$_tool" ../test/digest_tool.c \
		image/sha256*.c image/crc32*.c) || exit 1
}

# assert_digests WAYS CMD..: the tool, run as CMD, uses the instructions of WAYS ("sha256 1 crc32 0"), and is right.
assert_digests() {
	_ways=$1
	shift
	run_cap "$@" "$WORK/bytes" <"$WORK/cases"
	assert_ok
	assertEquals "$*: instructions in use" "$_ways" "$(head -n 1 "$WORK/.out")"
	assertEquals "$*: what hashlib and zlib say" '' "$(tail -n +2 "$WORK/.out" | diff - "$WORK/answers" | head -n 4)"
}

# assert_known CMD..: the examples of FIPS 180 (NIST's), and CRC-32's check value.
assert_known() {
	while read -r _sha _crc _text; do
		printf '%s' "$_text" >"$WORK/text"
		assertEquals "$* of $_text" "$_sha $_crc" "$(echo 0 "${#_text}" 7 | "$@" "$WORK/text" | tail -n 1)"
	done <<-EOF
		ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 352441c2 abc
		248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1 171a3f5f abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq
		15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225 cbf43926 123456789
	EOF
	head -c 1000000 /dev/zero | tr '\0' a >"$WORK/text"
	assertEquals "$* of a million of a" 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0 dc25bfbc' \
		"$(echo 0 1000000 4096 | "$@" "$WORK/text" | tail -n 1)"
	assertEquals "$* of nothing" 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 00000000' \
		"$(echo 0 0 1 | "$@" "$WORK/text" | tail -n 1)"
}
