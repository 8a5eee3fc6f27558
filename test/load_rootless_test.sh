#!/bin/sh
# ctr-image load and save by an ordinary user: owners are those of the user's namespace, and digests are what they were.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; quoted is what another shell expands
. "$(dirname "$0")/lib.sh"
. "$TOP/test/rootless_lib.sh"
. "$TOP/test/load_lib.sh"

oneTimeSetUp() {
	hide_var_lib
	made_archives || fail 'skopeo or umoci failed'
	make_willi
	mkdir -p /run/etc && cp "$ARCHIVES"/*.tar /run/box/ && gzip -1 <"$ARCHIVES/docker.tar" >/run/box/docker.tar.gz && cp -r "$ARCHIVES/oci" /run/box/ &&
		chmod -R a+rX /run/box
	for ids in subuid subgid; do
		printf 'willi:3000000000:4000000\n' >/run/etc/$ids
		mount --bind /run/etc/$ids /etc/$ids
	done
}

oneTimeTearDown() {
	for ids in subuid subgid; do ! mountpoint -q /etc/$ids || umount /etc/$ids; done
	unmake_willi
	show_var_lib
}

setUp() { rm -rf $HOME_OF_WILLI/.local $HOME_OF_WILLI/*.tar "$CTRBOX_ROOT"; }

tearDown() {
	wait_for 20 none_left
	assertEquals 'none of the processes stays' 0 $?
}

# What can be there without a privilege of the host's: no devices.
as_root_has_it() {
	ctr-image load -q "$ARCHIVES/docker.tar" >/dev/null
	ctr-run --rm --net none localhost/made:1 sh -c "$1"
}

SEE='cd /; echo $WORD; cat second opaque/upper; ls opaque gone 2>&1; stat -c "%A %u:%g %h %Y %n" deep deep/er deep/er/file deep/hard sticky fifo; readlink sticky/link'

loads() {
	expected=$(as_root_has_it "$SEE")
	assert_match '1234:3000000' "$expected"
	run_cap willi sh -c "$1"
	assert_rc 0
	assertEquals "ctr-image: 2 device nodes can't be made in a user namespace" "$err"
	assert_out "$2"
	run_cap willi ctr-run --rm --net none "$2" sh -c "$SEE"
	assert_ok
	assertEquals "$1" "$expected" "$out"
	assertEquals 'id' "$(config_digest)" "$(willi ctr-image inspect "$2" | jq -r '.[0].id')"
}

test_docker() { loads 'ctr-image load /run/box/docker.tar' localhost/made:1; }
test_docker_gz_from_a_pipe() { loads 'cat /run/box/docker.tar.gz | ctr-image load' localhost/made:1; }
test_oci() { loads 'ctr-image load </run/box/oci.tar' localhost/made:2; }
test_zstd_layers() { loads 'ctr-image load -i /run/box/zstd.tar' localhost/made:3; }
test_a_directory() { loads 'ctr-image load /run/box/oci' latest:latest; }

# What is saved is what root would save, to the byte.
test_save_gives_the_same() {
	ctr-image load "$ARCHIVES/docker.tar" >/dev/null
	willi ctr-image load /run/box/docker.tar >/dev/null 2>&1
	for format in docker oci; do
		ctr-image save --format $format -o root.tar localhost/made:1
		run_cap willi ctr-image save --format $format -o saved.tar localhost/made:1
		assert_ok
		assertTrue "$format" "cmp root.tar $HOME_OF_WILLI/saved.tar"
		assertEquals "$format: it is the user's" "$WILLI:$GROUP" "$(stat -c %u:%g $HOME_OF_WILLI/saved.tar)"
		skopeo copy -q $format-archive:$HOME_OF_WILLI/saved.tar:localhost/made:1 dir:theirs 2>/dev/null
		assertTrue "$format: skopeo takes it" "[ -e theirs/$(config_digest) ]"
		rm -r theirs root.tar
	done
}

# With one id alone files are all the user's; what the owners were is kept beside them.
test_one_id_alone() {
	mkdir -p /run/tools
	ln -sf "$(command -v sh)" "$(command -v cat)" /run/tools/
	ctr-image load "$ARCHIVES/docker.tar" >/dev/null
	ctr-image save -o root.tar localhost/made:1
	export WILLIS_PATH=/run/tools
	run_cap willi ctr-image load /run/box/docker.tar
	assert_rc 0
	assert_err_match 'of users without an id'
	run_cap willi ctr-run --rm --net none localhost/made:1 sh -c 'stat -c %u:%g /deep/er; cat /second'
	assert_out "$(printf '0:0\nsecond')"
	run_cap willi ctr-image save -o saved.tar localhost/made:1
	unset WILLIS_PATH
	assert_ok
	assertTrue 'the same bytes' "cmp root.tar $HOME_OF_WILLI/saved.tar"
	rm root.tar
}

. shunit2
