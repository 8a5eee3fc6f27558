#!/bin/sh
# Archives in and out: what is kept, what must not escape, what is garbled.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/tar_lib.sh"

oneTimeSetUp() {
	mkdir -p "$WORK/victim/sub"
	echo precious >"$WORK/victim/keep"
	chmod 700 "$WORK/victim"
	cp -a "$WORK/victim" "$WORK/victim.before"
	make_zoo "$WORK/zoo"
}

setUp() {
	rm -rf "$CTRBOX_ROOT" "$WORK/t.tar"
}

# All that a tree may hold.
make_zoo() {
	mkdir -p "$1/empty" "$1/sticky" "$1/setgid" "$1/d1/d2"
	chmod 1777 "$1/sticky"
	chmod 2755 "$1/setgid"
	echo one >"$1/a file"
	echo in >"$1/setgid/in"
	printf 'x' >"$1/new
line"
	echo setuid >"$1/su" && chmod 4711 "$1/su"
	: >"$1/nothing" && chmod 000 "$1/nothing"
	ln "$1/su" "$1/d1/su-link"
	ln -s /nowhere/at/all "$1/dangling"
	ln "$1/dangling" "$1/dangling-link"
	ln -s "$(head -c 180 /dev/zero | tr '\0' t)" "$1/longlink"
	long=$(head -c 130 /dev/zero | tr '\0' n)
	mkdir -p "$1/$long/$long"
	echo deep >"$1/$long/$long/$long"
	mknod "$1/null" c 1 3
	mknod "$1/disk" b 259 1048575
	mkfifo "$1/fifo"
	chown 1234:2345 "$1/a file"
	chown -h 3000000:4000000 "$1/dangling"
	truncate -s 3M "$1/holes" && echo middle | dd of="$1/holes" bs=1M seek=1 conv=notrunc 2>/dev/null
	head -c 1000001 /dev/urandom >"$1/noise"
	touch -d '2001-02-03 04:05:06.123456789' "$1/noise"
	touch -d '1960-01-01 00:00:00.25' "$1/nothing"
	touch -h -d '1999-09-09' "$1/dangling"
	touch -d '2010-01-01' "$1/d1/d2"
	touch -d '2011-01-01' "$1/d1" "$1/empty" "$1/setgid"
	touch -d '2012-01-01' "$1"
}

# same NAME WHAT: the image's tree is like the zoo's.
same() {
	listing "$WORK/zoo" >"$WORK/want"
	listing "$(tree_of "$1")" >"$WORK/got"
	assertNull "$2" "$(diff "$WORK/want" "$WORK/got")"
}

# The same with whole seconds, as other formats have them.
same_but_ns() {
	listing "$WORK/zoo" | sed 's/\.[0-9]*\t/\t/' >"$WORK/want"
	listing "$(tree_of "$1")" | sed 's/\.[0-9]*\t/\t/' >"$WORK/got"
	assertNull "$2" "$(diff "$WORK/want" "$WORK/got")"
}

import_ok() {
	finish >>"$WORK/t.tar"
	run_cap ctr-image import img <"$WORK/t.tar"
	[ "$rc" = 0 ] && [ -z "$err" ]
	expect $? 'import without a word'
	tree=$(tree_of img)
}

# xattr NAME FILE [hex]: its value, nothing if it has none.
xattr() {
	python3 - "$@" <<-'END'
		import os, sys
		try:
		    value = os.getxattr(sys.argv[2], sys.argv[1])
		    print(value.hex() if len(sys.argv) > 3 else value.decode())
		except OSError:
		    pass
	END
}

unharmed() {
	assertNull 'the host is as it was' "$(diff -r "$WORK/victim.before" "$WORK/victim")"
	assertEquals "$(listing "$WORK/victim.before")" "$(listing "$WORK/victim")"
	assertEquals 700 "$(stat -c %a "$WORK/victim")"
}

test_pax_by_gnu_tar() {
	tar --format=pax -C "$WORK/zoo" -cf t.tar .
	ctr-image import pax <t.tar >/dev/null
	same pax 'pax keeps everything'
}

test_gnu_format() {
	tar --format=gnu -C "$WORK/zoo" -cf t.tar .
	ctr-image import gnu <t.tar >/dev/null
	same_but_ns gnu 'long names, base-256'
}

test_busybox_tar() {
	busybox tar -C "$WORK/zoo" -cf t.tar .
	run_cap ctr-image import bb <t.tar
	assert_rc 0
	# busybox's tar has no room for ids over 2097151 nor for times before 1970
	listing "$WORK/zoo" | grep -v -e '^dangling' -e '^nothing' | sed 's/\.[0-9]*\t/\t/' >want
	listing "$(tree_of bb)" | grep -v -e '^dangling' -e '^nothing' | sed 's/\.[0-9]*\t/\t/' >got
	assertNull "$(diff want got)"
}

test_sparse_formats() {
	for form in '--format=gnu' '--format=pax --sparse-version=0.0' '--format=pax --sparse-version=0.1' '--format=pax --sparse-version=1.0'; do
		# shellcheck disable=SC2086 # options
		tar $form --sparse -C "$WORK/zoo" -cf t.tar .
		assertTrue 'the archive has holes' "[ $(wc -c <t.tar) -lt 2000000 ]"
		ctr-image import sparse <t.tar >/dev/null
		same_but_ns sparse "$form"
		assertTrue "$form: holes stay holes" "[ $(stat -c %b "$(tree_of sparse)/holes") -lt 1000 ]"
	done
}

test_many_pieces() {
	i=0
	while [ $i -lt 60 ]; do
		echo piece | dd of=pieces bs=8192 seek=$((2 * i)) conv=notrunc 2>/dev/null
		i=$((i + 1))
	done
	truncate -s 2M pieces
	for form in --format=gnu --format=pax; do
		tar $form --sparse -cf t.tar pieces
		ctr-image import pieces <t.tar >/dev/null
		assertTrue "$form" "cmp -s pieces '$(tree_of pieces)/pieces'"
	done
}

test_round_trip() {
	tar --format=pax -C "$WORK/zoo" -cf t.tar .
	ctr-image import one <t.tar >/dev/null
	ctr-image export one >two.tar
	assertNull 'GNU tar agrees' "$(tar -C "$WORK/zoo" --warning=no-timestamp --compare -f two.tar 2>&1)"
	ctr-image import two <two.tar >/dev/null
	same two 'after two trips'
	ctr-image export two >three.tar
	assertTrue 'the same bytes again' 'cmp -s two.tar three.tar'
	mkdir -p theirs && tar --warning=no-timestamp -xpf two.tar -C theirs
	listing "$WORK/zoo" >want
	listing theirs >got
	assertNull 'GNU tar unpacks ours' "$(diff want got)"
	rm -rf theirs
}

test_xattrs() {
	{
		pax x 'SCHILY.xattr.user.colour=blue' 'SCHILY.xattr.trusted.t=1' && entry f text
		pax x 'SCHILY.xattr.user.of=dir' && dir d/
		pax x 'SCHILY.xattr.trusted.of=link' && symlink s nowhere
		pax x 'SCHILY.xattr.trusted.overlay.opaque=y' 'SCHILY.xattr.trusted.overlay.redirect=/etc' && dir e/
	} >t.tar
	import_ok
	ctr-image export img >out.tar
	assertEquals 'xattrs of file, directory and symlink' 4 "$(grep -ac 'SCHILY.xattr.[a-z.]*=[a-z0-9]' out.tar)"
	assertEquals 'overlay marks are not taken' 0 "$(grep -ac overlay out.tar)"
	assertNull "$(xattr trusted.overlay.opaque "$tree/e")"
	assertEquals blue "$(xattr user.colour "$tree/f")"
}

test_capabilities_are_kept() {
	{ printf '49 SCHILY.xattr.security.capability=\001\000\000\002\000\004\000\000\000\000\000\000\000\000\000\000\000\000\000\000\n' >rec; }
	len=$(wc -c <rec)
	printf '%s SCHILY.xattr.security.capability=\001\000\000\002\000\004\000\000\000\000\000\000\000\000\000\000\000\000\000\000\n' "$len" >rec
	{ header x pax '' "$len" && pad <rec && header 0 ping '' 4 0755 1000 && printf ping | pad; } >t.tar
	import_ok
	assertEquals '0100000200040000000000000000000000000000' "$(xattr security.capability "$tree/ping" hex)"
}

test_symlink_then_write_through_it() {
	{ symlink a "$WORK/victim" && entry a/keep text && finish; } >t.tar
	refused 'a/keep: directory a: No such file'
	unharmed
	{ symlink up ../../../../../../../.. && entry "up$WORK/victim/keep" text && symlink a "$WORK/victim" && entry a/keep other; } >t.tar
	import_ok
	unharmed
	assertEquals 'it is inside' other "$(cat "$tree$WORK/victim/keep")"
}

test_dotdot_and_absolute() {
	{ entry ../../../../../../evil1 text && entry "/$WORK/victim/evil2" text && entry "a/../../../$WORK/victim/evil3" text; } >t.tar
	import_ok
	unharmed
	assertTrue '.. stops at the top' "[ -f '$tree/evil1' ]"
	assertTrue 'absolute is relative' "[ -f '$tree$WORK/victim/evil2' ] && [ -f '$tree$WORK/victim/evil3' ]"
}

test_hard_link_out() {
	hardlink h "../../../../../..$WORK/victim/keep" >t.tar
	finish >>t.tar
	run_cap ctr-image import img <t.tar
	assert_fails 1 'hard link to .*victim/keep: No such file'
	{ symlink s "$WORK/victim" && hardlink h s/keep && entry h changed; } >t.tar
	finish >>t.tar
	run_cap ctr-image import img <t.tar
	assert_fails 1 'hard link to .*s/keep: No such file'
	{ symlink s "$WORK/victim/keep" && hardlink h s && entry other text; } >t.tar
	import_ok
	assertEquals 'a link to the symlink itself' "$WORK/victim/keep" "$(readlink "$tree/h")"
	unharmed
}

test_duplicates_last_wins() {
	{
		symlink f "$WORK/victim/keep" && entry f replaced 0777
		symlink d "$WORK/victim" && dir d/ 0777 && entry d/x text
		dir e/ && entry e/gone text && entry e file
		entry g file && dir g/ && entry g/inner text
	} >t.tar
	import_ok
	unharmed
	assertEquals replaced "$(cat "$tree/f")"
	assertEquals 'directory 777' "$(stat -c '%F %a' "$tree/d")"
	assertEquals file "$(cat "$tree/e")"
	assertEquals text "$(cat "$tree/g/inner")"
}

test_a_link_survives_what_replaces_its_name() {
	{ entry a first && hardlink b a && entry a second; } >t.tar
	import_ok
	assertEquals 'first second' "$(cat "$tree/b") $(cat "$tree/a")"
}

test_hard_links_to_later_entries() {
	{ hardlink one two && hardlink two d/three && entry d/three text; } >t.tar
	import_ok
	assertEquals 'text 3' "$(cat "$tree/one") $(stat -c %h "$tree/d/three")"
}

test_whiteouts() {
	{ dir d/ && entry d/.wh.gone '' && entry o/.wh..wh..opq '' && dir o/ 0700 && entry .wh.x '' && dir x/ && entry y/f text; } >t.tar
	{ entry .wh.y '' && entry .wh..wh.plnk '' && entry .wh.z '' && entry z/inner text; } >>t.tar
	import_ok
	assertEquals 'character special file 0:0' "$(stat -c '%F %t:%T' "$tree/d/gone")"
	for opaque in o x y z; do
		assertEquals "$opaque is opaque" y "$(xattr trusted.overlay.opaque "$tree/$opaque")"
	done
	assertEquals 700 "$(stat -c %a "$tree/o")"
	assertEquals "$(printf 'd\no\nx\ny\nz')" "$(ls "$tree")"
	ctr-image export img >out.tar
	assertEquals 'an exported root has none' 0 "$(tar -tf out.tar | grep -c -e '\.wh\.' -e d/gone)"
}

test_whiteout_through_a_symlink() {
	for name in . .. ''; do
		{ dir d/ && entry "d/.wh.$name" '' && finish; } >t.tar
		refused 'a whiteout of nothing'
	done
	{ entry ".$WORK/victim/keep" inner && symlink a "$WORK/victim" && entry a/.wh.keep '' && entry a/.wh..wh..opq ''; } >t.tar
	import_ok
	unharmed
	assertEquals '' "$(xattr trusted.overlay.opaque "$WORK/victim")"
}

test_directory_times_after_their_files() {
	{ dir a/ && dir a/b/ && entry a/b/1 x && entry a/2 x && entry c x && entry a/b/3 x && entry a/4 x; } >t.tar
	import_ok
	assertEquals '1000 1000' "$(stat -c %Y "$tree/a" "$tree/a/b" | tr '\n' ' ' | sed 's/ $//')"
}

test_strip() {
	tar -C "$WORK" -cf t.tar zoo
	ctr-image import --strip 1 img <t.tar >/dev/null
	same_but_ns img 'without its leading folder'
	first=$(tree_of img)
	ctr-image import --strip 1 again <t.tar >/dev/null
	assertEquals 'the same tree has the same id' "$first" "$(tree_of again)"
	ctr-image import whole <t.tar >/dev/null
	assertTrue 'another than unstripped' "[ -d '$(tree_of whole)/zoo' ]"
}

# What isn't an archive: refused, with nothing left. refused ERE: of t.tar
refused() {
	run_cap ctr-image import bad <t.tar
	assert_fails 1 "$1"
	assertEquals 'nothing left' '' "$(find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 ! -name names 2>/dev/null)"
}

test_not_an_archive() {
	: >t.tar
	refused 'empty input'
	echo 'hello' >t.tar
	refused 'truncated'
	head -c 100000 /dev/urandom >t.tar
	refused 'not a tar archive'
	{ entry a text && head -c 5000 /dev/urandom && finish; } >t.tar
	refused 'offset 1024: .*checksum'
	{ entry a text; } >t.tar
	refused 'truncated.*1024.*end mark'
	{ entry a text && header 0 b '' 5000; } >t.tar
	refused 'b: truncated: .*1536'
	{ header Q strange && finish; } >t.tar
	refused "strange: .*type 'Q'"
	{ header L long '' 2000000 && finish; } >t.tar
	refused 'extended header of 2000000 bytes'
	printf '(\265/\375abc' >t.tar
	refused 'zstd'
	printf '\3757zXZ\0' >t.tar
	refused 'xz'
}

test_garbled_headers() {
	for record in '5 x' '99 path=a' '0 path=a' '999999999999999999999 path=a' '12 path=abcde' 'path=a'; do
		{ header x pax '' ${#record} && printf '%s' "$record" | pad && entry f text && finish; } >t.tar
		refused 'extended header'
	done
	for record in 'size=-1' 'uid=x' 'uid=4294967295' 'mtime=now' 'GNU.sparse.map=1,2,3' 'GNU.sparse.size=-5'; do
		{ pax x "$record" && entry f text && finish; } >t.tar
		refused 'extended header|sparse'
	done
	{ pax x 'GNU.sparse.size=10' 'GNU.sparse.map=0,100' && entry f text && finish; } >t.tar
	refused 'sparse'
	{ pax x 'GNU.sparse.size=9223372036854775807' 'GNU.sparse.map=9223372036854775806,4' && entry f text && finish; } >t.tar
	refused 'sparse'
	{ pax x 'GNU.sparse.major=1' 'GNU.sparse.minor=0' 'GNU.sparse.realsize=5' && entry f 999999999999999999999 && finish; } >t.tar
	refused 'sparse'
	{ pax x "path=$(head -c 5000 /dev/zero | tr '\0' p)" && entry f text && finish; } >t.tar
	refused 'a name of 5000 bytes'
	{ entry ./. text && finish; } >t.tar
	refused 'name'
}

test_an_archive_of_images() {
	{ entry manifest.json '[]' && entry repositories '{}' && finish; } >t.tar
	refused 'archive of images'
	{ entry oci-layout '{}' && dir blobs/ && finish; } >t.tar
	refused 'archive of images'
}

test_empty_archive() {
	: >t.tar
	import_ok
	assertEquals '' "$(ls -A "$tree")"
}

test_global_header() {
	{ pax g 'uid=77' comment=x && entry a 1 && pax x uid=78 && entry b 2 && entry c 3; } >t.tar
	import_ok
	assertEquals '77 78 77' "$(stat -c %u "$tree/a" "$tree/b" "$tree/c" | tr '\n' ' ' | sed 's/ $//')"
}

test_a_full_disk() {
	mkdir -p small
	mount -t tmpfs -o size=3m none small
	tar -C "$WORK/zoo" -cf t.tar .
	CTRBOX_ROOT=$WORK/small/root run_cap ctr-image import img <t.tar
	assert_fails 1 'No space left on device'
	assertEquals '' "$(ls -A small/root/layers)"
	head -c 100000 /dev/zero >small/fits
	umount small
}

# shellcheck source-path=SCRIPTDIR
. shunit2
