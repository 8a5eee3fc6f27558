# shellcheck shell=sh
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
# For tests of ctr-image build: sourced after lib.sh. The context is ./context.

# Image `base`: busybox, made from a Containerfile.
make_base() {
	mkdir -p context
	ln -f "$BUILD/busybox.tar" context/ 2>/dev/null || cp "$BUILD/busybox.tar" context/
	built -t base <<-'END'
		FROM scratch
		ADD busybox.tar /
		CMD ["sh"]
	END
	rm context/busybox.tar
	assert_built
}

# built [OPT]..: run_cap's, of the Containerfile on stdin.
built() {
	cat >context/Containerfile
	run_cap timeout 120 ctr-image build "$@" context
}

# It ended well: stdout is the image's id alone.
assert_built() {
	[ "$rc" = 0 ] && [ "${#out}" = 12 ] && ctr-image inspect "$out" >/dev/null 2>&1
	expect $? 'an image'
}

# assert_refused ERE: exit code 1, nothing on stdout, and the last line on stderr is like that; nothing is left.
assert_refused() {
	[ "$rc" = 1 ] && [ -z "$out" ] && tail -n 1 "$WORK/.err" | grep -qE -- "^ctr-image: $1"
	expect $? "exit code 1 and at last a line like /$1/"
	assert_nothing_left
}

# What the commands of a build said: stderr without the steps themselves.
said() {
	printf '%s\n' "$err" | grep -vE '^\[([a-z0-9]+ )?[0-9]+/[0-9]+\] '
}

# of IMAGE JQ: of its config.
of() {
	ctr-image inspect "$1" | jq -c ".[0].config$2"
}

# in_image IMAGE CMD..
in_image() {
	ctr-run --rm --net none "$@"
}

# The paths that the last layer of IMAGE has, but for its root.
last_layer() {
	ctr-image save -o saved.tar "$1"
	tar -xOf saved.tar "$(tar -xOf saved.tar manifest.json | jq -r '.[0].Layers[-1]')" | tar -t | sed -n 's,^\./,,; s,/$,,; /./p' | sort | xargs
	rm saved.tar
}

# Processes, containers, groups, mounts, half-made things.
what_is_left() {
	ctr-ps -aq
	find "$CTRBOX_ROOT/containers" "$CTRBOX_RUN/containers" -mindepth 1 -maxdepth 1 2>/dev/null
	find "$CTRBOX_ROOT" "$CTRBOX_RUN" -name '.tmp-*'
	leftovers
	grep -F " $CTRBOX_ROOT/" /proc/self/mountinfo
	pgrep -fa 'sleep 54321'
}

assert_nothing_left() {
	assertNull 'nothing is left' "$(what_is_left)"
}
