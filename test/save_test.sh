#!/bin/sh
# Images back out of the store: ctr-image save, with the tars of their layers as they came in.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/tar_lib.sh"
. "$TOP/test/load_lib.sh"

oneTimeSetUp() {
	hide_var_lib
	made_archives || fail 'skopeo or umoci failed'
	{ entry etc/passwd root && entry bin/sh shell 0755 && finish; } >tiny.in
	export TMPDIR="$WORK"
}

oneTimeTearDown() { show_var_lib; }

setUp() {
	rm -rf "$CTRBOX_ROOT" "$WORK/saved" "$WORK"/*.tar
}

# layer_of ARCHIVE: the digest of the only layer in a docker-archive, recomputed.
layer_of() {
	tar -xOf "$1" "$(tar -xOf "$1" manifest.json | jq -r '.[0].Layers[0]')" | sha256sum | cut -c1-64
}

# same_again WHAT: t.tar imported and saved is the very same tar, and needed an index for it.
same_again() {
	run_cap ctr-image import same <t.tar
	assert_ok
	run_cap ctr-image save -o saved.tar same
	assert_ok
	assertEquals "$1" "$(sha256sum <t.tar | cut -c1-64)" "$(layer_of saved.tar)"
	ctr-image rm same
}

test_gnu_and_pax_tars() {
	mkdir -p zoo/dir/empty "zoo/$(head -c 120 /dev/zero | tr '\0' d)"
	seq 5000 >zoo/dir/numbers
	printf odd >"zoo/$(head -c 200 /dev/zero | tr '\0' f)"
	: >zoo/dir/nothing
	ln -f zoo/dir/numbers zoo/hard
	ln -sfn "$(head -c 150 /dev/zero | tr '\0' t)" zoo/long-link
	mknod zoo/null c 1 3
	mkfifo zoo/fifo
	chmod 4755 zoo/dir/numbers
	chown 3000000:3000000 zoo/dir/nothing
	touch -d '1931-02-03 04:05:06.789' zoo/dir/empty
	setfattr -n user.colour -v blue zoo/hard
	truncate -s 3M zoo/sparse
	printf island | dd of=zoo/sparse bs=1 seek=1500000 conv=notrunc 2>/dev/null
	truncate -s 100k zoo/all-hole
	for how in '--format=gnu' '--format=pax' '--format=gnu -S' '--format=pax -S --sparse-version=1.0' \
		'--format=pax -S --sparse-version=0.1' '--format=pax -S --sparse-version=0.0' \
		'--format=pax --xattrs' '-b 1' '-b 200' '--format=gnu -V label'; do
		# shellcheck disable=SC2086 # options
		tar -C zoo $how -cf t.tar .
		same_again "tar $how"
	done
	busybox tar -C zoo -cf t.tar dir hard null
	same_again 'busybox tar'
	rm -rf zoo
}

test_an_index_is_small_and_beside_the_tree() {
	mkdir many
	for i in $(seq 500); do echo "$i" >"many/file-$i"; done
	tar -cf t.tar many
	rm -r many
	ctr-image import many <t.tar >/dev/null
	layer=$(dirname "$(tree_of many)")
	assertEquals 'size tar.idx tree' "$(cd "$layer" && echo *)"
	size=$(stat -c %s "$layer/tar.idx")
	assertTrue "$size bytes for 500 files" "[ '$size' -lt 50000 ]"
}

test_whiteouts_links_and_devices() {
	{
		dir ./ && dir etc/ && entry etc/.wh.gone '' && entry etc/.wh..wh..opq 'said more than was needed' &&
			hardlink early later/target && dir later/ && entry later/target 'comes after its link' &&
			hardlink again early && entry ./dot/../up 'a name to be cleaned' && entry /absolute 'this one too' &&
			symlink lib usr/lib && dir usr/ && dir usr/lib/ && entry lib/through 'by way of a symlink' &&
			header 3 dev '' 0 0600 && entry .wh..wh.plnk 'of aufs' && header 7 contiguous '' 0 && finish
	} >t.tar
	same_again whiteouts
}

# What is replaced isn't in the tree any more.
test_duplicates() {
	{
		entry twice first && entry twice second && entry twice first && dir d/ && dir d/deep/ && entry d/deep/one 1 && entry d/two 22 &&
			hardlink kept d/two && entry d 'a file now' && dir d/ && entry d/two 'two again' && symlink s d && entry s/in 'through s' &&
			entry s 'no link now' && dir elsewhere/ && entry 3 three && hardlink 3 twice && symlink 3 d && header 5 3/ '' 0 && finish
	} >t.tar
	ctr-image import dup <t.tar >/dev/null
	assertEquals 'replaced size tar.idx tree' "$(cd "$(dirname "$(tree_of dup)")" && echo *)"
	assertEquals 'two again' "$(cat "$(tree_of dup)/d/two")"
	ctr-image rm dup
	assertEquals '' "$(ls "$CTRBOX_ROOT/layers")"
	same_again duplicates
}

# An appended archive (tar -r) holds what was replaced, a large one too.
test_an_appended_archive() {
	mkdir a
	seq 100000 >a/big
	tar -cf t.tar a
	seq 100001 200000 >a/big
	tar -rf t.tar a a/big
	rm -r a
	same_again 'tar -r'
}

test_what_follows_the_end() {
	{ entry f text && finish; } >short.tar
	{ entry f text && head -c 512 /dev/zero; } >t.tar
	same_again 'one block of zeros'
	{ cat short.tar && head -c 9000000 /dev/zero; } >t.tar
	same_again 'megabytes of zeros'
	{ cat short.tar && head -c 70000 /dev/zero && seq 30000 && head -c 77 /dev/zero; } >t.tar
	same_again 'something else'
	{ cat short.tar && printf x; } >t.tar
	same_again 'one byte'
}

test_padding_that_is_not_zero() {
	{ header 0 f '' 5 && printf 'text.%507s' garbage && pax x "comment=$(seq -s ' ' 300)" && entry g more && pax g comment=all && finish; } >t.tar
	same_again padding
}

test_gzip_in_members() {
	seq 3000 >f
	tar -cf t.tar f
	{ head -c 700 t.tar | gzip && tail -c +701 t.tar | gzip; } >t.gz
	ctr-image import z <t.gz >/dev/null
	ctr-image save z >saved.tar
	assertEquals "$(sha256sum <t.tar | cut -c1-64)" "$(layer_of saved.tar)"
}

test_a_real_system() {
	[ -e "$BUILD/debian/root.tar" ] || {
		echo "no $BUILD/debian/root.tar: make debian, which needs a mirror of Debian"
		return
	}
	ln -s "$BUILD/debian/root.tar" t.tar
	same_again debian
}

# digests ARCHIVE: a docker-archive's config and layers, recomputed.
digests() {
	tar -xOf "$1" manifest.json | jq -r '.[] | .Config, .Layers[]' | while read -r f; do tar -xOf "$1" "$f" | sha256sum; done
}

# skopeo_layers REF: what skopeo takes for the layers.
skopeo_layers() { skopeo inspect "$1" | jq -r '.Layers[][7:]'; }

# Theirs, ours, theirs, ours: config and layers stay what they were.
test_round_trips_with_skopeo() {
	digests "$ARCHIVES/docker.tar" >were
	for theirs in docker.tar oci.tar zstd.tar; do
		rm -rf "$CTRBOX_ROOT" saved.tar back.tar
		name=$(ctr-image load "$ARCHIVES/$theirs")
		run_cap ctr-image save -o saved.tar "$name"
		assert_ok
		assertEquals "$theirs" "$(cat were)" "$(digests saved.tar)"
		skopeo copy -q docker-archive:saved.tar:"$name" docker-archive:back.tar:"$name"
		assertEquals "$theirs, by skopeo" "$(cat were)" "$(digests back.tar)"
		ctr-image save --format oci "$name" >saved.tar
		rm back.tar
		skopeo copy -q oci-archive:saved.tar:"$name" docker-archive:back.tar:"$name"
		assertEquals "$theirs, OCI" "$(cat were)" "$(digests back.tar)"
		rm -rf "$CTRBOX_ROOT"
		run_cap ctr-image load saved.tar
		assert_out "$name"
		assertEquals "$(config_digest)" "$(ctr-image inspect "$name" | jq -r '.[0].id')"
		ctr-image load <back.tar >/dev/null
		assertEquals "$(config_digest)" "$(ctr-image inspect "$name" | jq -r '.[0].id')"
	done
}

test_umoci_unpacks_it() {
	ctr-image load "$ARCHIVES/oci.tar" >/dev/null
	mkdir layout
	ctr-image save --format oci localhost/made:2 | tar -xC layout
	umoci raw unpack --image layout:localhost/made:2 unpacked 2>/dev/null >&2 || umoci raw unpack --image "layout:localhost%2Fmade:2" unpacked
	see_tree unpacked >is
	see_tree "$ARCHIVES/unpacked" >should
	assertEquals '' "$(diff should is)"
	rm -rf layout unpacked
}

test_a_committed_image() {
	ctr-run --name work --net none busybox sh -c 'echo changed >/etc/motd; rm -r /opt; mkdir /opt; rm /etc/group; ln /etc/motd /motd'
	ctr-commit work committed >/dev/null
	ctr-rm work >/dev/null
	run_cap ctr-image save -o saved.tar committed
	assert_ok
	skopeo_layers docker-archive:saved.tar >theirs
	assertEquals "$(ctr-image inspect committed | jq -r '.[0].layers[].diff_id')" "$(cat theirs)"
	assertEquals 2 "$(wc -l <theirs)"
	ctr-image rm committed busybox
	ctr-image load <saved.tar >/dev/null
	run_cap ctr-run --rm --net none committed sh -c 'cat /motd; ls /opt; [ -e /etc/group ] || echo gone'
	assert_out "$(printf 'changed\ngone')"
}

test_the_same_bytes_each_time() {
	ctr-image import tiny <tiny.in >/dev/null
	for format in docker oci; do
		ctr-image save --format $format tiny >one.tar
		rm -rf "$CTRBOX_ROOT/layers"/.tmp*
		run_cap ctr-image save -q --format $format -o two.tar tiny
		assert_ok
		assert_out ''
		assertTrue "$format" 'cmp one.tar two.tar'
	done
	assertEquals 'entries of no time and of root' 1 "$(tar --numeric-owner --full-time --utc -tvf one.tar | awk '{ print $2, $4, $5 }' | sort -u | wc -l)"
}

# Two names of an image are one image, a layer of several images is one layer.
test_several_images() {
	ctr-image import one <tiny.in >/dev/null
	ctr-image tag one localhost:5000/other:1.0
	ctr-image import -c 'CMD x' two <tiny.in >/dev/null
	id=$(ctr-image inspect one | jq -r '.[0].id')
	run_cap ctr-image save -o saved.tar one two localhost:5000/other:1.0 one "$id"
	assert_ok
	assertEquals '[["one:latest","localhost:5000/other:1.0"],["two:latest"]]' "$(tar -xOf saved.tar manifest.json | jq -c '[.[].RepoTags]')"
	assertEquals 4 "$(tar -tf saved.tar | sort -u | wc -l)"
	assertEquals 4 "$(tar -tf saved.tar | wc -l)"
	run_cap ctr-image save --format oci -o saved.tar one two localhost:5000/other:1.0
	assert_ok
	assertEquals 'one:latest localhost:5000/other:1.0 two:latest' \
		"$(tar -xOf saved.tar index.json | jq -r '[.manifests[].annotations["org.opencontainers.image.ref.name"]] | join(" ")')"
	for name in one:latest two:latest localhost:5000/other:1.0; do
		assertEquals "$(sha256sum <tiny.in | cut -c1-64)" "$(skopeo_layers "oci-archive:saved.tar:$name")"
	done
	run_cap ctr-image save -o saved.tar "$id"
	assert_ok
	assertEquals 'by its id it has no name' '[[]]' "$(tar -xOf saved.tar manifest.json | jq -c '[.[].RepoTags]')"
}

test_bad_usage() {
	ctr-image import tiny <tiny.in >/dev/null
	run_cap ctr-image save
	assert_fails 2 'NAME is missing'
	run_cap ctr-image save --format tar tiny
	assert_fails 2 '--format tar: docker or oci'
	echo precious >saved.tar
	run_cap ctr-image save -o saved.tar tiny nothing
	assert_fails 1 'no such image: nothing'
	assertEquals precious "$(cat saved.tar)"
	run_cap ctr-image save -o /nowhere/at/all tiny
	assert_fails 1 '/nowhere/at/all: No such file'
	tty_cap 'ctr-image save tiny'
	assert_rc 2
	assert_out_match 'stdout is a terminal'
	tty_cap 'head -c 100000000 /dev/zero >zeros; tar -cf zeros.tar zeros; ctr-image import zeros <zeros.tar; ctr-image save zeros -o saved.tar'
	assert_out_match 'zeros: .*%.*/s'
	rm -f zeros
}

# What was changed in the store is told, and isn't given away as what it was.
test_a_damaged_store() {
	seq 1000 >f
	tar -cf t.tar f
	ctr-image import img <t.tar >/dev/null
	tree=$(tree_of img)
	layer=${tree%/tree}
	cp -a "$layer/tar.idx" idx
	damaged() {
		run_cap ctr-image save -o saved.tar img
		assert_fails 1 "$1"
		assertFalse 'no half archive stays' '[ -e saved.tar ]'
	}
	sed -i 1s/1/2/ "$tree/f"
	damaged 'layer [0-9a-f]{12}: its files were changed'
	: >"$tree/f"
	damaged 'layer [0-9a-f]{12}: f is shorter than it was'
	rm "$tree/f"
	damaged 'layer [0-9a-f]{12}: f: No such file'
	ln -s /etc/passwd "$tree/f"
	damaged 'layer [0-9a-f]{12}: f: Symbolic link loop'
	rm "$tree/f"
	cp f "$tree/f"
	: >"$layer/tar.idx"
	damaged "layer [0-9a-f]{12}: .*tar.idx"
	for at in 0 1 14 15 20 40 60; do
		cp idx "$layer/tar.idx"
		printf '\377\377\377\377\377\377\377\377\177' | dd of="$layer/tar.idx" bs=1 seek=$at conv=notrunc 2>/dev/null
		damaged 'layer [0-9a-f]{12}: '
	done
	for size in 12 13 21 30 60 90 $(($(stat -c %s idx) - 1)); do
		head -c "$size" idx >"$layer/tar.idx"
		damaged 'layer [0-9a-f]{12}: '
	done
	cp idx "$layer/tar.idx"
	run_cap ctr-image save -o saved.tar img
	assert_ok
	echo ' ' >>"$CTRBOX_ROOT/images/$(ctr-image inspect img | jq -r '.[0].id')/config.json"
	rm saved.tar
	damaged "img: its config isn't what its id says"
	rm -r "$layer"
	ctr-image rm img
}

test_a_layer_that_is_gone() {
	ctr-image import img <tiny.in >/dev/null
	tree=$(tree_of img)
	rm -r "${tree%/tree}"
	run_cap ctr-image save -o saved.tar img
	assert_fails 1 'img: layer [0-9a-f]{12}: .*No such file'
	assertFalse '[ -e saved.tar ]'
}

test_a_full_disk() {
	ctr-image import busybox <"$BUILD/busybox.tar" >/dev/null
	mkdir -p small
	mount -t tmpfs -o size=1m none small
	run_cap ctr-image save -o small/saved.tar busybox
	assert_fails 1 'No space left on device'
	assertEquals '' "$(ls small)"
	CTRBOX_ROOT=$WORK/small/root
	{ entry f text && finish && seq 300000; } >t.tar
	run_cap ctr-image import img <t.tar
	assert_fails 1 'No space left on device'
	assertEquals '' "$(ls -A small/root/layers)"
	CTRBOX_ROOT=$WORK/root
	umount small
}

# A layer of a store from before there was an index gets another tar, of the same files.
test_without_an_index() {
	tar --xattrs --xattrs-include='*' --format=pax -C "$ARCHIVES/unpacked" -cf t.tar .
	ctr-image import old <t.tar >/dev/null
	tree=$(tree_of old)
	rm "${tree%/tree}/tar.idx"
	run_cap ctr-image save -o saved.tar old
	assert_rc 0
	assert_err_match "^ctr-image: old: how the tar of a layer was isn't known .* the image's id is [0-9a-f]{12}\$"
	id=$(printf '%s' "$err" | tail -c 12)
	assertEquals "$(layer_of saved.tar)" "$(skopeo_layers docker-archive:saved.tar)"
	ctr-image load saved.tar >/dev/null
	assertEquals "$id" "$(ctr-image ls -q | head -c 12)"
	see_tree "$(tree_of old)" >is
	see_tree "$ARCHIVES/unpacked" >should
	assertEquals '' "$(diff should is)"
}

# Names that were stripped aren't in the tar that a layer would be: there its digest is that of the tar that is made.
test_stripped_layers_keep_their_digest() {
	{ dir top/ && entry top/f text && finish; } >t.tar
	ctr-image import --strip 1 stripped <t.tar >/dev/null
	run_cap ctr-image save -o saved.tar stripped
	assert_ok
	assertEquals "$(ctr-image inspect stripped | jq -r '.[0].layers[0].diff_id')" "$(layer_of saved.tar)"
}

test_a_killed_import_and_what_it_replaced() {
	{ entry f first && entry f second; } >t.tar
	mkfifo slow
	ctr-image import killed <slow >/dev/null 2>&1 &
	pid=$!
	exec 8>slow
	cat t.tar >&8
	wait_for 10 [ -s "$CTRBOX_ROOT"/layers/.tmp-*/tree/f ]
	wait_for 10 [ -d "$CTRBOX_ROOT"/layers/.tmp-*/replaced ]
	kill -9 $pid
	wait $pid 2>/dev/null
	exec 8>&-
	rm slow
	assertEquals 'replaced tar.idx tree' "$(cd "$CTRBOX_ROOT"/layers/.tmp-* && echo *)"
	ctr-gc >/dev/null
	assertEquals '' "$(ls -A "$CTRBOX_ROOT/layers")"
}

. shunit2
