#!/bin/sh
# SHA-256 and CRC-32, by the processor's instructions and without. Other processors than this one: cross.sh.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/digest_lib.sh"

oneTimeSetUp() {
	make_digest_cases
	make_digest_tool "$WORK/tool" musl-gcc
}

# The kernel's list of what this processor has.
has() {
	grep -qE "^(flags|Features).* ($1)( |\$)" /proc/cpuinfo && echo 1 || echo 0
}

test_of_this_processor() {
	assert_digests "sha256 $(has 'sha_ni|sha2') crc32 $(has 'pclmulqdq|crc32')" "$WORK/tool"
	assert_known "$WORK/tool"
}

test_without_its_instructions() {
	assert_digests 'sha256 0 crc32 0' "$WORK/tool" plain
	assert_known "$WORK/tool" plain
}

. shunit2
