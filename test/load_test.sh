#!/bin/sh
# ctr-image load: archives and layouts that skopeo and umoci wrote.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; quoted is what another shell expands
. "$(dirname "$0")/lib.sh"
. "$TOP/test/load_lib.sh"

oneTimeSetUp() {
	hide_var_lib
	made_archives || fail 'skopeo or umoci failed'
}

oneTimeTearDown() { show_var_lib; }

setUp() { rm -rf "$CTRBOX_ROOT"; }

# loads WHAT NAME: WHAT as a file, and from a pipe; it runs, and its tree is what umoci unpacks.
loads() {
	for how in file pipe; do
		rm -rf "$CTRBOX_ROOT"
		if [ $how = file ]; then run_cap ctr-image load "$1"; else run_cap eval "cat '$1' | ctr-image load"; fi
		assert_ok
		assert_out "$2"
		same_tree "$2" || fail "$1, from a $how: another tree"
		run_cap ctr-run --rm --net none "$2" sh -c 'echo $WORD; cat /second'
		assert_out "$(printf 'from the config\nsecond')"
	done
	assertEquals "$(config_digest)" "$(ctr-image inspect "$2" | jq -r '.[0].id')"
	assertEquals 'nothing half-made is left' '' "$(find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -name '.tmp*')"
}

test_docker_archive() { loads "$ARCHIVES/docker.tar" localhost/made:1; }
test_oci_archive() { loads "$ARCHIVES/oci.tar" localhost/made:2; }
test_oci_archive_of_zstd_layers() {
	tar -xOf "$ARCHIVES/zstd.tar" --wildcards 'blobs/*' | od -An -tx1 | tr -d '\n ' | grep -q 28b52ffd || fail 'no zstd is in it'
	loads "$ARCHIVES/zstd.tar" localhost/made:3
}

test_an_archive_packed_as_a_whole() {
	gzip -1 <"$ARCHIVES/docker.tar" >docker.tar.gz
	zstd -q <"$ARCHIVES/oci.tar" >oci.tar.zst
	loads docker.tar.gz localhost/made:1
	loads oci.tar.zst localhost/made:2
}

test_oci_directory() {
	for how in '' -i; do
		# shellcheck disable=SC2086 # no word, or one
		run_cap ctr-image load $how "$ARCHIVES/oci"
		assert_ok
		assert_out latest:latest
	done
	same_tree latest:latest || fail 'another tree'
}

. shunit2
