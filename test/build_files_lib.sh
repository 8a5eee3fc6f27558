# shellcheck shell=sh
# Building in tests: sourced after lib.sh. ./ctx is the context; the Containerfile is beside it.

# make_base: image `base` is busybox, built from nothing.
make_base() {
	mkdir -p ctx base &&
		cp "$BUILD/busybox.tar" base/ &&
		printf 'FROM scratch\nADD busybox.tar /\nCMD ["sh"]\n' >base/Containerfile &&
		ctr-image build -qt base base >/dev/null
}

# build LINE..: image `t` of those lines after FROM base, and ./ctx. OPTS: further options.
build() {
	printf '%s\n' 'FROM base' "$@" >Containerfile
	# shellcheck disable=SC2086 # words
	run_cap timeout 120 ctr-image build -q -f Containerfile -t t ${OPTS:-} ctx
}

# built LINE..: and that worked.
built() {
	build "$@"
	assert_ok
}

# within CMD..: in a container of image t.
within() {
	run_cap ctr-run --rm --net none t "$@"
}

# has LINES CMD..: what CMD prints in image t.
has() {
	_lines=$1
	shift
	within "$@"
	assert_out "$_lines"
}

# shows LINES FILE..: `MODE UID:GID TYPE NAME` of each, a line each.
shows() {
	_lines=$1
	shift
	has "$_lines" stat -c '%a %u:%g %F %n' "$@"
}

# remember, nothing_new: no container, half-made layer or mount that wasn't there.
remember() {
	ctr-ps -aqn >ps.before
	cut -d' ' -f5- /proc/self/mountinfo | sort >mounts.before
}

nothing_new() {
	assertEquals 'containers' "$(cat ps.before)" "$(ctr-ps -aqn)"
	assertNull 'a container is left' "$(find "$CTRBOX_ROOT/containers" "$CTRBOX_RUN/containers" -mindepth 1 2>/dev/null)"
	assertNull 'something half-made is left' "$(find "$CTRBOX_ROOT" -xdev -path '*/tree' -prune -o -name '.tmp*' -print)"
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff mounts.before - || fail 'mounts have changed'
	assertNull 'a cgroup is left' "$(leftovers)"
}
