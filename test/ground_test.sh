#!/bin/sh
# The multicall binary and its Makefile.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	copy one && fresh_make one -j2 all
}

# copy DIR: what the binary is made from
copy() {
	mkdir -p "$WORK/$1/tools" && cp -r "$TOP/Makefile" "$TOP/VERSION" "$TOP/applets" "$TOP/lib" "$WORK/$1" &&
		cp "$TOP/tools/seccomp.c" "$TOP/tools/syscalls" "$WORK/$1/tools"
}

# fresh_make DIR ARG..: make, as somebody would type it there
fresh_make() {
	_dir=$1
	shift
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILD -u CFLAGS -u LDFLAGS -u APPLETS make -s -C "$WORK/$_dir" "$@"
}

test_list_is_the_folder() {
	run_cap "$CTRBOX" --list
	assert_ok
	assertEquals "$(for source in "$TOP"/applets/ctr-*.c; do basename "$source" .c; done)" "$out"
}

test_the_three_ways_to_call() {
	for applet in $("$CTRBOX" --list); do
		run_cap "$applet" --help
		assert_ok
		by_argv0=$out
		run_cap "$CTRBOX" "$applet" --help
		assert_out "$by_argv0"
		run_cap "$CTRBOX" "${applet#ctr-}" --help
		assert_out "$by_argv0"
	done
}

test_every_applet_has_help() {
	for applet in $("$CTRBOX" --list); do
		run_cap "$applet" --help
		assert_ok
		assert_out_match "$applet"
	done
}

test_bad_option_is_one_line_with_a_hint() {
	for applet in $("$CTRBOX" --list); do
		run_cap "$applet" --no-such-option
		case $rc in
		2 | 125) ;;
		*) fail "$applet --no-such-option: exit code $rc" ;;
		esac
		assert_fails "$rc" "^$applet.*no-such-option.*\\(see \"$applet --help\"\\)\$"
	done
}

test_without_arguments() {
	run_cap "$CTRBOX"
	assert_ok
	assert_out_match '^usage: ctrbox '
	usage=$out
	run_cap "$CTRBOX" --help
	assert_out "$usage"
}

test_version() {
	run_cap "$CTRBOX" --version
	assert_ok
	assert_out "ctrbox $(cat "$TOP/VERSION")"
}

test_unknown_applet() {
	run_cap "$CTRBOX" nope
	assert_fails 127 '^ctrbox: nope: no such applet'
	ln -s "$CTRBOX" ctr-nope
	run_cap ./ctr-nope
	assert_fails 127 '^ctrbox: ctr-nope: no such applet'
}

test_unknown_option() {
	run_cap "$CTRBOX" --nope
	assert_fails 2 '^ctrbox: --nope: unknown option'
	run_cap "$CTRBOX" --root
	assert_fails 2 '^ctrbox: --root: a directory is missing'
}

test_a_foreign_name_is_the_multicall() {
	ln -s "$CTRBOX" toolbox
	run_cap ./toolbox --list
	assert_out "$("$CTRBOX" --list)"
}

test_root_and_run() {
	run_cap "$CTRBOX" --root "$WORK/other" --run="$WORK/other-run" image import other <"$BUILD/busybox.tar"
	assert_rc 0
	run_cap "$CTRBOX" --root="$WORK/other" --run "$WORK/other-run" images -q
	assertEquals 'images in the other store' 1 "$(printf '%s\n' "$out" | grep -c .)"
	run_cap ctr-image ls -q
	assert_ok
	assert_out ''
}

test_words_for_fingers() {
	run_cap ctr-image ls --help
	expected=$out
	run_cap "$CTRBOX" images --help
	assert_ok
	assert_out "$expected"
	run_cap ctr-image rm --help
	expected=$out
	run_cap "$CTRBOX" rmi --help
	assert_ok
	assert_out "$expected"
}

test_install_hard_links() {
	mkdir hard
	cp "$CTRBOX" box
	run_cap ./box --install hard
	assert_ok
	assertEquals "$(./box --list)" "$(ls hard)"
	for link in hard/*; do
		assertEquals "$link" "$(stat -c %i box)" "$(stat -c %i "$link")"
	done
	run_cap ./box --install hard # once more: they are there already
	assert_ok
	assertEquals "$(./box --list)" "$(ls -A hard)"
}

test_install_symlinks() {
	mkdir soft
	cp "$CTRBOX" box
	run_cap ./box --install -s soft
	assert_ok
	assertEquals "$(./box --list)" "$(ls -A soft)"
	for link in soft/*; do
		assertEquals "$link" "$WORK/box" "$(readlink "$link")"
		run_cap "$link" --help
		assert_ok
	done
}

test_install_where_it_cannot() {
	run_cap "$CTRBOX" --install
	assert_fails 2 'usage: --install \[-s\] DIR'
	run_cap "$CTRBOX" --install "$WORK/missing"
	assert_fails 1 'missing/ctr-.*: No such file or directory'
	cp "$CTRBOX" box
	mkdir elsewhere
	mount -t tmpfs tmpfs elsewhere
	run_cap ./box --install elsewhere
	umount elsewhere
	assert_fails 1 'Cross-device link \(-s makes symlinks\)$'
}

test_static_and_stripped() {
	run_cap readelf --wide --program-headers --section-headers --notes "$WORK/one/build/ctrbox"
	assert_rc 0
	assert_out_match ' LOAD '
	assertNotContains "$out" INTERP
	assertNotContains "$out" DYNAMIC
	assertNotContains "$out" .symtab
	assertNotContains "$out" 'Build ID'
}

# Not to grow unnoticed: the aim is less (README).
test_size() {
	size=$(wc -c <"$WORK/one/build/ctrbox") most=638976
	[ "$(uname -m)" = x86_64 ] || most=733184 # what four bytes an instruction come to
	assertTrue "$size bytes" "[ $size -lt $most ]"
}

test_two_directories_give_the_same_bytes() {
	copy a/deeper/place
	fresh_make a/deeper/place -j2 all
	cmp "$WORK/one/build/ctrbox" "$WORK/a/deeper/place/build/ctrbox"
	assertTrue 'cmp' $?
	grep -c "$WORK" "$WORK/one/build/ctrbox" >/dev/null
	assertEquals 'the directory is in the binary' 1 $?
}

test_smaller_box_and_back() {
	all=$("$WORK/one/build/ctrbox" --list)
	size=$(wc -c <"$WORK/one/build/ctrbox")
	fresh_make one APPLETS='ctr-ps ctr-image'
	run_cap "$WORK/one/build/ctrbox" --list
	assert_out "ctr-image
ctr-ps"
	assertEquals "$WORK/one/build/bin/ctr-image $WORK/one/build/bin/ctr-ps $WORK/one/build/bin/ctrbox" \
		"$(echo "$WORK"/one/build/bin/*)"
	smaller=$(wc -c <"$WORK/one/build/ctrbox")
	assertTrue "$smaller < $size" "[ $smaller -lt $size ]"
	run_cap "$WORK/one/build/ctrbox" run
	assert_fails 127 'run: no such applet'
	fresh_make one
	run_cap "$WORK/one/build/ctrbox" --list
	assert_out "$all"
}

test_a_box_of_nothing() {
	fresh_make one APPLETS=
	run_cap "$WORK/one/build/ctrbox" --list
	assert_ok
	assert_out ''
	fresh_make one
}

test_unknown_applet_in_APPLETS() {
	run_cap fresh_make one APPLETS=ctr-nope
	assert_rc 2
	assert_err_match 'no such applet: ctr-nope'
}

test_adding_an_applet_is_adding_a_file() {
	cat >"$WORK/one/applets/ctr-hello.c" <<-END
		#include <stdio.h>
		int ctr_hello_main(int argc, char **argv);
		int ctr_hello_main(int argc, char **argv)
		{
			return printf("%s %d\n", argv[0], argc) < 0;
		}
	END
	fresh_make one
	run_cap "$WORK/one/build/bin/ctr-hello" a b
	assert_ok
	assert_out 'ctr-hello 3'
	rm "$WORK/one/applets/ctr-hello.c"
	fresh_make one
	run_cap "$WORK/one/build/ctrbox" hello
	assert_rc 127
	assertFalse 'the link is gone' "[ -L $WORK/one/build/bin/ctr-hello ]"
}

test_only_what_changed_is_made_again() {
	fresh_make one
	: >stamp
	fresh_make one
	assertNull 'made though nothing changed' "$(find "$WORK/one/build" -newer stamp -type f)"
	sleep 0.01
	touch "$WORK/one/lib/base/say.h"
	fresh_make one
	assertNotNull 'a header changed' "$(find "$WORK/one/build/obj/applets/main.o" -newer stamp)"
	assertNull 'it does not include that one' "$(find "$WORK/one/build/obj/lib/base/num.o" -newer stamp)"
}

test_make_install() {
	# A binary of another architecture can't be run while it is installed: this one tells if it was.
	printf '#!/bin/sh\n: >%s/ran\n' "$WORK" >"$WORK/one/build/ctrbox"
	fresh_make one install DESTDIR="$WORK/dest" PREFIX=/usr BINDIR=/usr/sbin
	assertTrue 'make install' $?
	assertFalse 'it was run' "[ -e $WORK/ran ]"
	assertTrue 'the binary' "cmp $WORK/one/build/ctrbox $WORK/dest/usr/sbin/ctrbox"
	assertEquals 755 "$(stat -c %a "$WORK/dest/usr/sbin/ctrbox")"
	assertEquals ctrbox "$(readlink "$WORK/dest/usr/sbin/ctr-ps")"
	rm "$WORK/one/build/ctrbox"
	fresh_make one
}

test_image_is_reproducible() {
	mkdir -p "$WORK/i"
	(umask 077 && "$TOP/tools/image" "$WORK/i/busybox.tar")
	assertTrue 'tar' "cmp $BUILD/busybox.tar $WORK/i/busybox.tar"
	assertTrue 'tar.gz' "cmp $BUILD/busybox.tar.gz $WORK/i/busybox.tar.gz"
	tar --numeric-owner -tvf "$WORK/i/busybox.tar" >list
	assertEquals 'not 0/0' 0 "$(grep -vc ' 0/0 ' list)"
	assertTrue 'tmp is sticky' "grep -q '^drwxrwxrwt .* tmp/\$' list"
}

. shunit2
