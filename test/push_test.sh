#!/bin/sh
# ctr-image push: an image to a registry, a real one, and one that doesn't take everything.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/registry_lib.sh
. "$TOP/test/registry_lib.sh"

HOST=127.0.0.1:5000

oneTimeSetUp() {
	make_layout
	begin_registry
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$HOST/packed"
	ctr-image load small.tar >/dev/null
	mkdir -p empty/blobs/sha256
	mv layout full
	mv empty layout
	begin_bad_registry
}

oneTimeTearDown() {
	end_server "$bad_registry"
	end_server "$registry"
}

setUp() {
	do_this
	rm -f layout/cuts layout/sent layout/blobs/sha256/*
}

# push NAME: small by that name; $sent is how often anything was uploaded.
push() {
	ctr-image tag small "$1"
	_before=$(grep -c PATCH registry.log)
	run_cap ctr-image push "$1"
	sent=$(($(grep -c PATCH registry.log) - _before))
}

# It comes back as it was, by the name with the digest that was printed.
assert_there() {
	assert_ok
	assert_out_match "^${1%:*}@sha256:[0-9a-f]{64}$"
	name=$out
	ctr-image rm "$1"
	CTRBOX_ROOT=$WORK/other run_cap ctr-image pull "$name"
	assert_ok
	CTRBOX_ROOT=$WORK/other ctr-image export "$name" >now.rootfs
	cmp small.rootfs now.rootfs
	assertEquals 'its files' 0 $?
	assertEquals 'its id' "$(ctr-image inspect small | jq -r '.[0].id')" "$(CTRBOX_ROOT=$WORK/other ctr-image inspect "$name" | jq -r '.[0].id')"
	CTRBOX_ROOT=$WORK/other ctr-image rm "$name"
}

test_push() {
	push $HOST/a/small:v1
	assertEquals 'three layers and a config' 4 "$sent"
	assert_there $HOST/a/small:v1
	assertEquals 'skopeo reads it' v1 "$(skopeo list-tags --tls-verify=false docker://$HOST/a/small | jq -r '.Tags[0]')"
	skopeo copy -q --src-tls-verify=false docker://$HOST/a/small:v1 oci:again:latest
	assertEquals 'and copies it' 0 $?
	push $HOST/a/small:v2
	assert_ok
	assertEquals 'nothing again' 0 "$sent"
	push $HOST/b/small
	assertEquals 'the layers are in another repository' 1 "$sent"
	assert_there $HOST/b/small:latest
	ctr-image rm $HOST/a/small:v2
}

digests_of() {
	skopeo inspect --raw --tls-verify=false docker://$HOST/"$1" | jq -c '[.layers[].digest, .config.digest]'
}

# What came packed is packed there: it stays what it is.
test_what_came_packed() {
	export CTRBOX_ROOT="$WORK/third"
	ctr-image pull $HOST/packed >/dev/null
	ctr-image tag $HOST/packed $HOST/c/packed
	run_cap ctr-image push $HOST/c/packed
	assert_ok
	assertEquals 'the same blobs' "$(digests_of packed)" "$(digests_of c/packed)"
	assertNotNull "$(digests_of packed)"
	export CTRBOX_ROOT="$WORK/root"
}

# refused WORDS MESSAGE
refused() {
	do_this "$1"
	run_cap ctr-image push --timeout 2s "$BAD/small"
	assert_fails 1 "$2"
	assertFalse 'no manifest' '[ -e layout/sent ]'
}

test_what_goes_wrong() {
	ctr-image tag small "$BAD/small"
	refused full 'layer [0-9a-f]*: .*/v2/small/blobs/uploads/: it answers 413: no more room'
	refused lost 'without saying where to'
	refused 'cut_upload 100' 'layer [0-9a-f]*: '
	refused 'status 500' 'it answers 500'
	refused 'basic user:secret' 'wants a user'
	rm layout/cuts
	do_this 'cut_upload 3'
	run_cap ctr-image push "$BAD/small"
	assert_ok
	assertEquals 'its manifest' "${out#*@sha256:}" "$(sha256sum <layout/sent | cut -d' ' -f1)"
	assertEquals 'four blobs' 4 "$(find layout/blobs/sha256 -type f | wc -l)"
	ctr-image rm "$BAD/small"
}

# What may not be taken from another repository is sent.
test_a_mount_that_is_refused() {
	ctr-image tag small "$BAD/small"
	ctr-image tag small "$BAD/other"
	do_this no_mount
	run_cap ctr-image push "$BAD/small"
	assert_ok
	assertEquals 'four blobs' 4 "$(find layout/blobs/sha256 -type f | wc -l)"
	ctr-image rm "$BAD/small" "$BAD/other"
}

test_who_asks() {
	ctr-image tag small "$BAD/small"
	for words in 'basic user:secret' 'token user:secret'; do
		rm -f layout/sent layout/blobs/sha256/*
		do_this "$words"
		run_cap ctr-image push --creds user:secret "$BAD/small"
		assert_ok
		assertTrue 'its manifest' '[ -s layout/sent ]'
	done
	ctr-image rm "$BAD/small"
}

test_https() {
	begin_safe_registry
	trust_it
	ctr-image tag small "$SAFE/small"
	do_this "token user:secret" "realm https://$SAFE/token?a=b"
	run_cap ctr-image push --creds user:secret "$SAFE/small"
	assert_ok
	assertEquals 'its manifest' "${out#*@sha256:}" "$(sha256sum <layout/sent | cut -d' ' -f1)"
	assertEquals 'four blobs' 4 "$(find layout/blobs/sha256 -type f | wc -l)"
	mkdir wget
	ln -s "$(command -v wget)" wget/wget
	rm -f layout/blobs/sha256/*
	run_cap env PATH="$WORK/wget" "$BUILD/bin/ctr-image" push --creds user:secret "$SAFE/small"
	assert_fails 1 'needs curl'
	ctr-image rm "$SAFE/small"
	trust_it_no_more
	end_safe_registry
}

test_bad_words() {
	run_cap ctr-image push small
	assert_fails 1 'which registry'
	run_cap ctr-image push $HOST/nosuch
	assert_fails 1 "no such image: $HOST/nosuch"
	run_cap ctr-image push
	assert_fails 2 'NAME is missing'
	run_cap ctr-image push --creds x $HOST/small
	assert_fails 2 'USER:PASSWORD'
}

. shunit2
