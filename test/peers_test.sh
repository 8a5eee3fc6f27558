#!/bin/sh
# Images from buildah and podman to ctr-image load, and from ctr-image save back to them: the same trees, ids and digests.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; quoted is what another shell expands
. "$(dirname "$0")/lib.sh"
. "$TOP/test/load_lib.sh"
. "$TOP/test/peers_lib.sh"

# their_id NAME, our_id NAME
their_id() { podman image inspect "$1" | jq -r '.[0].Id'; }
our_id() { ctr-image inspect "$1" | jq -r '.[0].id'; }

# their_layers NAME, our_layers NAME: diff_ids.
their_layers() { podman image inspect "$1" | jq -r '.[0].RootFS.Layers[][7:]'; }
our_layers() { ctr-image inspect "$1" | jq -r '.[0].layers[].diff_id'; }

oneTimeSetUp() {
	peers_store one
	{ hide_var_lib && base_layer base && peer_image docker localhost/d:1 && peer_image oci localhost/o:1; } >made 2>&1 || fail "$(cat made)"
	for name in d o; do
		see_tree "$(podman image mount localhost/$name:1)" >$name.should
		podman image umount localhost/$name:1 >/dev/null
		their_id localhost/$name:1 >$name.id
		their_layers localhost/$name:1 >$name.layers
	done
}

oneTimeTearDown() { show_var_lib; }

setUp() {
	peers_store one
	rm -rf "$CTRBOX_ROOT" a.tar a back.tar theirs mounted
}

# same_as WHICH NAME: our image NAME has id, layers and tree of theirs, d or o.
same_as() {
	assertEquals "id of $2" "$(cat "$1.id")" "$(our_id "$2")"
	assertEquals "layers of $2" "$(cat "$1.layers")" "$(our_layers "$2")"
	mkdir -p mounted
	ctr-image mount "$2" mounted || fail 'mount'
	see_tree mounted >is
	umount mounted
	assertEquals "tree of $2" '' "$(diff "$1.should" is)"
}

# loads WHICH [NAME]: what is called `a.tar` or the directory `a`, as a file and from a pipe; it is called NAME, or nothing.
loads() {
	for how in file pipe; do
		rm -rf "$CTRBOX_ROOT"
		if [ -d a ]; then run_cap ctr-image load a; elif [ $how = file ]; then run_cap ctr-image load a.tar; else run_cap eval 'ctr-image load <a.tar'; fi
		assert_ok
		assert_out "${2:-$(head -c 12 "$1.id")}"
		same_as "$1" "$out"
		run_cap ctr-run --rm --net none "$out" sh -c 'echo $WORD; cat /gone /second'
		assert_out "$(printf 'from the config\nagain\nsecond')"
	done
}

test_the_trees_are_what_was_meant() {
	assertEquals 'capabilities' 2 "$(grep -c '^security.capability=' d.should)"
	assertEquals 'on files and a directory' 5 "$(grep -c '^user\.' d.should)"
	assertEquals 'links in three layers' 2 "$(grep -cE '^f 644 0:0 [0-9.]+ 2 +\./(gone|many/levels/of/other/gone)$' d.should)"
	assertEquals 'a changed owner, then setuid' 1 "$(grep -cE '^f 4711 55:66 .* \./many/levels/one$' d.should)"
	assertEquals 'opaque' './opaque/second ./opaque/upper ./opaque/zero' "$(grep -oE '^[fcp] .*' d.should | grep -oE '\./opaque/.*' | sort | xargs)"
	podman save -q --format docker-archive -o a.tar localhost/d:1
	for layer in $(tar -xOf a.tar manifest.json | jq -r '.[0].Layers[]'); do tar -xOf a.tar "$layer" | tar -t; done >names
	assertEquals 'whiteouts and opaque directories' 0 "$(grep -q '\.wh\.gone$' names && grep -q 'opaque/\.wh\.\.wh\.\.opq$' names; echo $?)"
}

test_podman_docker_archive() {
	podman save -q --format docker-archive -o a.tar localhost/d:1
	loads d localhost/d:1
}

test_podman_oci_archive() {
	podman save -q --format oci-archive -o a.tar localhost/o:1
	loads o localhost/o:1
}

test_podman_oci_dir() {
	podman save -q --format oci-dir -o a localhost/o:1
	loads o localhost/o:1
}

# It writes the name that was asked for, and those that it has.
test_buildah_docker_archive() {
	buildah push -q localhost/d:1 "docker-archive:$PWD/a.tar:x/y:z"
	run_cap ctr-image load a.tar
	assert_out "$(printf 'docker.io/x/y:z\nlocalhost/d:1')"
	same_as d x/y:z
}

# skopeo's `dir:`, which has no names; of several platforms with `skopeo copy --all`.
test_podman_docker_dir() {
	podman save -q --format docker-dir -o a localhost/d:1
	loads d
	podman save -q --format docker-dir --compress -o packed localhost/d:1
	mv packed/* a/
	rmdir packed
	loads d
	tar -C a -cf a.tar .
	rm -r a
	loads d
}

test_buildah_oci_archive_of_zstd() {
	buildah push -q --compression-format zstd --format oci localhost/o:1 "oci-archive:$PWD/a.tar:x/y:z"
	loads o x/y:z
}

test_podman_many_images() {
	podman tag localhost/d:1 localhost/also:1
	podman save -q --multi-image-archive -o a.tar localhost/d:1 localhost/also:1 localhost/o:1
	podman rmi localhost/also:1 >/dev/null
	run_cap ctr-image load a.tar
	assert_ok
	assertEquals 'localhost/also:1 localhost/d:1 localhost/o:1' "$(echo "$out" | sort | xargs)"
	for name in d also; do same_as d localhost/$name:1; done
}

# What umoci makes of the same layers. An overlay counts a link that is removed above.
test_umoci_unpacks_the_same() {
	buildah push -q localhost/o:1 oci:a:x
	umoci raw unpack --image a:x theirs >/dev/null 2>&1
	see_tree theirs | sed 's|1  \(./many/numbers\)$|2  \1|' >is
	assertEquals '' "$(diff o.should is)"
}

# see_theirs: the tree that a command of theirs mounts, with what comes after it.
see_theirs() { see_tree "$("$@")" >is; }

# in_podman FILE WHICH: what podman has of FILE is WHICH, and what it saves is back.tar.
in_podman() {
	run_cap podman load -q -i "$1"
	assert_rc 0
	assert_out_match "localhost/$2:1"
	assertEquals "$1: id" "$(cat "$2.id")" "$(their_id "localhost/$2:1")"
	assertEquals "$1: layers" "$(cat "$2.layers")" "$(their_layers "localhost/$2:1")"
	see_theirs podman image mount "localhost/$2:1"
	podman image umount "localhost/$2:1" >/dev/null
	assertEquals "$1: tree" '' "$(diff "$2.should" is)"
	rm -f back.tar
	podman save -q --format "$(format_of "$2")-archive" -o back.tar "localhost/$2:1"
	podman rmi -a -f >/dev/null
}

# in_buildah FORMAT-archive:FILE WHICH
in_buildah() {
	buildah from -q --name work "$1" >/dev/null
	assertEquals "$1: id" "$(cat "$2.id")" "$(buildah inspect work | jq -r .FromImageID)"
	see_theirs buildah mount work
	assertEquals "$1: tree" '' "$(diff "$2.should" is)"
	buildah rm work >/dev/null
	podman rmi -a -f >/dev/null
}

# in_skopeo FORMAT-archive:FILE WHICH: blobs by digest.
in_skopeo() {
	skopeo copy -q --preserve-digests "$1" dir:theirs 2>/dev/null
	assertEquals "$1: blobs" "$(sort -u "$2.id" "$2.layers")" \
		"$(cd theirs && find . -type f ! -name manifest.json ! -name version -printf '%P\n' | sort)"
	rm -r theirs
}

format_of() { if [ "$1" = o ]; then echo oci; else echo docker; fi; }

# Into a store that is empty: they take layers that they know unread.
test_what_is_saved_loads_there_and_comes_back() {
	for which in d o; do
		rm -f a.tar
		podman save -q --format "$(format_of $which)-archive" -o a.tar localhost/$which:1
		ctr-image load -q a.tar >/dev/null
		for format in docker oci; do ctr-image save --format $format -o $which.$format.tar localhost/$which:1; done
	done
	peers_store two
	for which in d o; do
		for format in docker oci; do
			in_podman $which.$format.tar $which
			rm -rf "$CTRBOX_ROOT"
			run_cap ctr-image load back.tar
			assert_out localhost/$which:1
			same_as $which localhost/$which:1
			in_buildah $format-archive:$which.$format.tar $which
			in_skopeo $format-archive:$which.$format.tar $which
		done
	done
}

# What a container of ours did to it is a layer there.
test_what_is_committed_goes_there() {
	podman save -q -o a.tar localhost/d:1
	ctr-image load -q a.tar >/dev/null
	ctr-run --name work --net none localhost/d:1 sh -c 'rm -r /many/levels /gone; mkdir /many/levels; echo new >/many/levels/new
		ln /many/levels/new /linked; chown 3000000:3000000 /second; mknod /full c 1 7; rm -r /swap; echo now a file >/swap; chmod 4755 /second'
	run_cap ctr-commit work localhost/ours:1
	assert_rc 0
	ctr-rm work >/dev/null
	ctr-image save -o back.tar localhost/ours:1
	peers_store two
	run_cap podman load -q -i back.tar
	assert_out_match 'localhost/ours:1'
	assertEquals "$(our_id localhost/ours:1)" "$(their_id localhost/ours:1)"
	see_theirs podman image mount localhost/ours:1
	podman image umount localhost/ours:1 >/dev/null
	podman rmi -a -f >/dev/null
	mkdir -p mounted
	ctr-image mount localhost/ours:1 mounted
	see_tree mounted >ours.should
	umount mounted
	assertEquals '' "$(diff ours.should is)"
	grep -qE '^f 4755 3000000:3000000 .* \./second$' is
	assertEquals 0 $?
}

. shunit2
