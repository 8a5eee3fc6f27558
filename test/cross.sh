#!/bin/sh
# The box for each processor of tools/cross.list, built by `make cross`, run by qemu-user: what reads, hashes, unpacks and writes images. Containers
# need a kernel of their own. Not a *_test.sh, as building takes long: `make test-cross`.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/load_lib.sh"
. "$TOP/test/digest_lib.sh"

QEMU=$BUILD/cross/qemu

oneTimeSetUp() {
	make_digest_cases
	made_archives || exit 1
	mkdir far && make_wide_tree far && tar -C far --sparse --posix -cf far.tar . || exit 1
	images "$CTRBOX"
	mv results expected
}

# make_wide_tree DIR: what doesn't fit into 32 bits.
make_wide_tree() {
	truncate -s 5G "$1/large" && echo end >>"$1/large" &&
		echo late >"$1/late" && touch -d '2100-02-03 04:05:06.123456789' "$1/late" &&
		echo early >"$1/early" && touch -d '1950-02-03 04:05:06' "$1/early" &&
		echo ids >"$1/ids" && chown 4294967294:3000000000 "$1/ids" &&
		mknod "$1/node" c 4095 524287
}

# images CMD..: loads and imports with the box run as CMD, in stores of its own, and saves again. All that there is to see goes to results: ids,
# trees, archives' digests, errors.
images() {
	rm -rf results "$CTRBOX_ROOT"
	{
		for _tar in docker.tar oci.tar zstd.tar oci; do
			rm -rf "$CTRBOX_ROOT"
			"$@" ctr-image load -q --platform linux/amd64 "$ARCHIVES/$_tar"
			"$@" ctr-image ls -n -o name,id,size,layers
			_names=$("$CTRBOX" ctr-image ls -n -o name)
			for _name in $_names; do
				"$@" ctr-image inspect "$_name" | grep -v '"loaded'
				"$@" ctr-image save "$_name" | sha256sum
				"$@" ctr-image save --format oci "$_name" | sha256sum
			done
			trees
		done
		rm -rf "$CTRBOX_ROOT"
		for _tar in "$BUILD/busybox.tar.gz" far.tar; do
			"$@" ctr-image import tar <"$_tar" >id
			"$@" ctr-image ls -n -o size,layers
		done
		far
		"$@" ctr-image save tar | tar -tvf - | grep layer
		bad "$@"
	} >results 2>&1
}

# What every layer of the store has in it; a whiteout is as old as the store.
trees() {
	for _layer in "$CTRBOX_ROOT"/layers/*/tree; do
		see_tree "$_layer" | grep -v '^c 0 0:0 '
	done
}

# What the layers are called, and what of far.tar is in the store: its large file alone would take seconds to read.
far() (
	cd "$CTRBOX_ROOT/layers" || exit
	printf '%s\n' */
	cd "$(dirname ./*/tree/large)" || exit
	find . -printf '%y %m %U:%G %s %T@ %p\n' | sort
	stat -c '%t %T' node
	tail -c 10 large
)

# What is damaged is found, and where.
bad() {
	head -c 400000 "$BUILD/busybox.tar.gz" | "$@" ctr-image import bad
	{ head -c 300000 "$BUILD/busybox.tar.gz"; printf 'bad'; tail -c +300004 "$BUILD/busybox.tar.gz"; } | "$@" ctr-image import bad
	{ head -c 300000 "$ARCHIVES/zstd.tar"; printf 'bad'; tail -c +300004 "$ARCHIVES/zstd.tar"; } | "$@" ctr-image load --platform linux/amd64
	"$@" ctr-image import -q bad </dev/null
	"$@" ctr-image ls -n -o name,size
}

# box ARCH: the store's images are what the native box makes of the same archives.
box() {
	_box=$BUILD/$1/ctrbox
	_qemu=$QEMU/qemu-$(awk -v arch="$1" '$1 == arch { print $5 }' "$TOP/tools/cross.list")
	assertEquals 'its applets' "$("$CTRBOX" --list)" "$("$_qemu" "$_box" --list)"
	images "$_qemu" "$_box"
	assertEquals 'as the native box does' '' "$(diff expected results | head -n 20)"
	make_digest_tool "$WORK/tool" "$BUILD/cross/$1/gcc"
}

# cpu CPU WAYS [WORD]: on such a processor digests are right, by the instructions that it has.
cpu() {
	# shellcheck disable=SC2086 # a word or none
	assert_digests "$2" "$_qemu" -cpu "$1" "$WORK/tool" ${3:-}
}

# The default seccomp profile asks for the low half of an argument, whichever comes first: ARCH WHERE.
low_halves() {
	assertEquals 'low halves' "$2" "$(awk '/{ 0x20,/ { k = substr($5, 9, 2); if (k >= "10") print k }' "$BUILD/$1/seccomp_default.h" | sort -u | tr '\n' ' ')"
}

test_this() {
	assertTrue 'there is something to compare' "[ $(wc -l <expected) -gt 1000 ]"
	assertEquals 'with large files' 1 "$(grep -c ' 5368709124 .* \./large' expected)"
	assertEquals 'damage is told' 4 "$(grep -c '^ctr-image: ' expected)"
	assertEquals 'nothing else is' '' "$(grep -i 'error\|fail' expected)"
}

test_aarch64() {
	box aarch64
	cpu max 'sha256 1 crc32 1'
	assert_known "$_qemu" "$WORK/tool"
	cpu max 'sha256 0 crc32 0' poor
}

test_armhf() {
	box armhf
	cpu max 'sha256 1 crc32 0'
	cpu cortex-a15 'sha256 0 crc32 0'
}

test_i386() {
	box i386
	cpu max 'sha256 1 crc32 1'
	cpu pentium3 'sha256 0 crc32 0'
}

test_riscv64() {
	box riscv64
	cpu max 'sha256 0 crc32 0'
}

# Big-endian.
test_s390x() {
	box s390x
	cpu max 'sha256 0 crc32 0'
}

test_x86_64() {
	_qemu=$QEMU/qemu-x86_64
	make_digest_tool "$WORK/tool" musl-gcc
	cpu max 'sha256 1 crc32 1'
	cpu Westmere 'sha256 0 crc32 1'
	cpu core2duo 'sha256 0 crc32 0'
}

# clone's flags are its second argument on s390.
test_seccomp_knows_the_byte_order() {
	low_halves aarch64 '10 18 '
	low_halves i386 '10 18 '
	low_halves s390x '14 1c '
}

. shunit2
