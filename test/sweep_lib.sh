# shellcheck shell=sh
# What sweep_*test.sh share: some of `make test-faults`, other points each time.

# swept ACT..: none leaks, killed at every 47th of its calls.
# shellcheck disable=SC2154 # run_cap sets out
swept() {
	run_cap env JOBS=2 "$TOP/tools/crashsweep" "$@" 47
	assert_rc 0
	assert_match '^points [0-9]+, leaks 0$' "$(printf '%s\n' "$out" | tail -n 1)"
	assertTrue 'there were some' "[ $(printf '%s\n' "$out" | sed -n '$s/points \([0-9]*\).*/\1/p') -ge $# ]"
}

# false_box APPLET: $WORK/false is $BUILD with an applet that is the script on stdin. What finds nothing in it proves nothing.
false_box() {
	mkdir -p false/bin
	cp -a "$BUILD"/bin/. false/bin
	cp "$BUILD/ctrbox" "$BUILD/busybox.tar" "$BUILD/syscalls" false
	rm "false/bin/$1"
	cat >"false/bin/$1"
	chmod 755 "false/bin/$1"
}
