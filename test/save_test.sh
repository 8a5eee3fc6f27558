#!/bin/sh
# Images back out of the store: ctr-image save, with the tars of their layers as they came in.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/tar_lib.sh"

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
	setfattr -n user.colour -v blue zoo/hard 2>/dev/null
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
	ctr-image import zeros <t.tar >/dev/null
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

. shunit2
