#!/bin/sh
# ctr-image pull: an image from a registry, from a real one and from one that lies.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/registry_lib.sh
. "$TOP/test/registry_lib.sh"
# shellcheck source=test/rootless_lib.sh
. "$TOP/test/rootless_lib.sh"

oneTimeSetUp() {
	make_layout
	begin_bad_registry
	begin_registry
	skopeo copy -q --dest-tls-verify=false oci:layout:latest docker://127.0.0.1:5000/a/small:v1
}

oneTimeTearDown() {
	unmake_willi
	end_server "$bad_registry"
	end_server "$registry"
}

setUp() {
	do_this
}

tearDown() {
	ctr-image ls -q | xargs -r ctr-image rm -f >/dev/null
}

# The bad one's only image is one that runs now; small_image: is the other again.
box_image() {
	ctr-image import -c 'CMD ["sh"]' box <"$BUILD/busybox.tar" >/dev/null
	ctr-image save --format oci -o box.tar box
	ctr-image rm box
	cp layout/index.json index.small
	skopeo copy -q oci-archive:box.tar oci:layout:box
	jq '.manifests |= (map(select(.annotations["org.opencontainers.image.ref.name"] == "box")) | .[].annotations["org.opencontainers.image.ref.name"] = "latest")' \
		layout/index.json >index.box
	cp index.box layout/index.json
}

small_image() {
	cp index.small layout/index.json
}

# Nothing is in the store, nor half of it.
assert_nothing() {
	assertNull 'no image' "$(ctr-image ls -q)"
	assertNull 'no layer' "$(find "$CTRBOX_ROOT/layers" -mindepth 1 2>/dev/null)"
}

assert_small() {
	ctr-image export "$1" >now.rootfs
	cmp small.rootfs now.rootfs
	assertEquals 'its files' 0 $?
}

# refused WORDS MESSAGE: what the registry does, and what is told. Nothing stays.
refused() {
	do_this "$1"
	run_cap ctr-image pull --timeout 2s "$BAD/small"
	assert_fails 1 "$2"
	assert_nothing
}

test_pull() {
	run_cap ctr-image pull 127.0.0.1:5000/a/small:v1
	assert_ok
	assert_out 127.0.0.1:5000/a/small:v1
	assert_small 127.0.0.1:5000/a/small:v1
	assertEquals 'its config' '["true"]' "$(ctr-image inspect 127.0.0.1:5000/a/small:v1 | jq -c '.[0].config.Cmd // .[0].cmd')"
}

test_by_digest() {
	digest=$(jq -r '.manifests[0].digest' layout/index.json)
	run_cap ctr-image pull "127.0.0.1:5000/a/small@$digest"
	assert_ok
	assert_small "127.0.0.1:5000/a/small@$digest"
	run_cap ctr-image pull "$BAD/small@sha256:$(printf %064d 0)"
	assert_fails 1 'not found'
}

test_what_is_there_is_not_fetched() {
	ctr-image pull -q "$BAD/small" >/dev/null
	assertEquals 'a config and three layers' 4 "$(grep -c '/blobs/' asked)"
	: >asked
	run_cap ctr-image pull "$BAD/small"
	assert_out "$BAD/small:latest"
	assertEquals 'only its config' 1 "$(grep -c '/blobs/' asked)"
	assert_small "$BAD/small"
}

test_cut_at_every_kilobyte() {
	for words in 'cut 1024
texts' 'cut 16000' 'cut_first 1000
whole' 'cut 5000
chunked' close; do
		do_this "$words"
		run_cap ctr-image pull "$BAD/small"
		assert_ok
		assert_small "$BAD/small"
		ctr-image rm "$BAD/small"
	done
}

test_chunked() {
	do_this chunked
	run_cap ctr-image pull "$BAD/small"
	assert_ok
	assert_small "$BAD/small"
}

test_cut_for_ever() {
	refused 'cut 0
texts' 'blobs/sha256/[0-9a-f]*: .*closed the connection'
	refused 'cut_manifest 100' 'closed the connection'
}

# At any place, and wherever it is: the digest tells.
test_flipped_bytes() {
	for at in 0 1 3 9 100 20000 39000; do
		refused "flip $at" "$BAD"
	done
	for at in 0 1 50 300 700; do
		refused "flip_manifest $at" "manifests/latest: corrupt"
	done
}

test_lies() {
	refused 'longer 10
texts' 'closed the connection'
	refused 'longer 10' 'the registry has [0-9]* bytes of it, not '
	refused 'longer -10' 'the registry has [0-9]* bytes of it, not '
	refused 'more 10' 'larger than the [0-9]* bytes'
	refused garbage "isn't HTTP"
	refused 'headers 200' 'too many headers'
	refused 'line 100000' 'too long'
	refused interim 'that it will answer'
	refused sizeless "doesn't tell its size"
	refused first "docker's first kind"
	refused 'cut 3000
wrong_range' 'another part'
}

test_statuses() {
	refused 'status 404' 'not found: 404: it is  \[31m so'
	refused 'status 403' 'denied: 403'
	refused 'status 500' 'it answers 500'
	refused 'status 301' 'without saying where to'
	refused 'status 204' 'it answers 204'
}

test_redirects() {
	refused around 'more than 10 redirects'
	refused nowhere 'without saying where to'
	refused 'elsewhere ftp://127.0.0.1' 'is no URL'
	refused 'elsewhere http://127.0.0.1:1' 'Connection refused'
	do_this
	cp -a layout other
	python3 "$TOP/test/registry.py" other other.port other.asked &
	other=$!
	wait_for 20 [ -s other.port ]
	do_this "elsewhere http://127.0.0.1:$(cat other.port)" texts 'basic user:secret'
	run_cap ctr-image pull --creds user:secret "$BAD/small"
	assert_ok
	assert_small "$BAD/small"
	assertEquals 'it was asked for the blobs' 4 "$(grep -c blobs other.asked)"
	assertEquals 'and not told the password' 4 "$(grep -c ' -$' other.asked)"
	assertTrue 'the registry was' "grep -q 'Basic:' asked"
	end_server $other
}

test_passwords() {
	do_this 'basic user:secret'
	run_cap ctr-image pull "$BAD/small"
	assert_fails 1 'wants a user and a password \(--creds USER:PASSWORD\)'
	run_cap ctr-image pull --creds user:wrong "$BAD/small"
	assert_fails 1 'denied: 401 \(--creds'
	mkdir -p config
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$BAD" "$(printf user:secret | base64)" >config/config.json
	DOCKER_CONFIG=$PWD/config run_cap ctr-image pull "$BAD/small"
	assert_ok
	ctr-image rm "$BAD/small"
	for text in '' '{' '[]' '{"auths": 1}' '{"auths": {"'"$BAD"'": {"auth": "a\r\nX: y"}}}'; do
		echo "$text" >config/config.json
		DOCKER_CONFIG=$PWD/config run_cap ctr-image pull "$BAD/small"
		assert_fails 1 'wants a user'
	done
	assert_nothing
}

test_tokens() {
	do_this 'token '
	run_cap ctr-image pull "$BAD/small"
	assert_ok
	assertEquals 'one token for all' 1 "$(grep -c /token asked)"
	ctr-image rm "$BAD/small"
	do_this 'token user:secret'
	run_cap ctr-image pull --creds user:secret "$BAD/small"
	assert_ok
	ctr-image rm "$BAD/small"
	run_cap ctr-image pull "$BAD/small"
	assert_fails 1 'it gives no token: 401 \(--creds'
	do_this 'token user:secret' 'realm ftp://x'
	run_cap ctr-image pull --creds user:secret "$BAD/small"
	assert_fails 1 'is no URL'
	assert_nothing
}

# A realm elsewhere, named over plain HTTP: whoever it is isn't told the password.
test_a_realm_elsewhere_is_not_told() {
	cp -a layout realm
	echo 'token user:secret' >realm/do
	python3 "$TOP/test/registry.py" realm realm.port realm.asked &
	realm=$!
	wait_for 20 [ -s realm.port ]
	do_this 'token user:secret' "realm http://127.0.0.1:$(cat realm.port)/token?a=b"
	run_cap ctr-image pull --creds user:secret "$BAD/small"
	assert_fails 1 'it gives no token'
	assertEquals 'asked without a password' '/token?a=b&service=the%20service%2C%20really&scope=repository:r:pull - -' "$(cut -d' ' -f2- realm.asked)"
	end_server $realm
}

test_a_slow_one() {
	do_this 'slow 1'
	run_cap ctr-image pull "$BAD/small"
	assert_ok
	ctr-image rm "$BAD/small"
	refused 'slow 30' 'nothing came for 2 seconds'
}

test_platforms() {
	cp -a layout platforms
	manifest=$(jq '.manifests[0]' layout/index.json)
	printf '%s' "$manifest" | jq '{schemaVersion: 2, manifests: [. + {platform: {os: "linux", architecture: "s390x"}}, . + {platform: {os: "linux", architecture: "amd64"}}, . + {platform: {os: "linux", architecture: "arm64"}}]}' >index
	sum=$(sha256sum <index | cut -d' ' -f1)
	cp index "layout/blobs/sha256/$sum"
	run_cap ctr-image pull "$BAD/small@sha256:$sum"
	assert_ok
	ctr-image rm "$BAD/small@sha256:$sum"
	run_cap ctr-image pull --platform linux/ppc64le "$BAD/small@sha256:$sum"
	assert_fails 1 'it is for linux/s390x, linux/amd64, linux/arm64, not for linux/ppc64le'
	rm -r platforms
}

test_interrupted() {
	do_this 'slow 60'
	ctr-image pull "$BAD/small" >said 2>&1 &
	pulling=$!
	wait_for 20 grep -q blobs asked
	kill -TERM $pulling
	wait $pulling
	assertEquals 'it dies of the signal' 143 $?
	assert_nothing
}

test_a_run_that_is_interrupted() {
	do_this 'slow 60'
	ctr-run --rm --net none "$BAD/small" true >said 2>&1 &
	pulling=$!
	wait_for 20 grep -q blobs asked
	kill -TERM $pulling
	wait $pulling
	assertEquals 'it says that it failed' 125 $?
	assertTrue "$(cat said)" "grep -q '^ctr-run: pull .*: Interrupted system call$' said"
	assert_nothing
	assertNull 'no container' "$(ctr-ps -aq)"
}

all_gone() {
	ctr-gc
	[ -z "$(find "$CTRBOX_ROOT/layers" -mindepth 1)" ]
}

test_killed() {
	do_this 'cut 1024' 'whole'
	ctr-image pull "$BAD/small" >said 2>&1 &
	pulling=$!
	wait_for 20 grep -q blobs asked
	kill -KILL $pulling
	wait $pulling 2>/dev/null
	do_this
	wait_for 20 all_gone
	assert_nothing
}

test_names_from_the_hosts_file() {
	echo '127.0.0.1 box.example' >hosts
	mount --bind hosts /etc/hosts
	run_cap ctr-image pull --plain-http "box.example:${BAD#*:}/small"
	umount /etc/hosts
	assert_ok
	assert_small "box.example:${BAD#*:}/small"
}

# A name server that knows one name, and answers nothing to whoever asks for IPv6.
test_names_by_dns() {
	cat >dns.py <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
while True:
    q, who = s.recvfrom(512)
    end = q.index(b"\0", 12) + 5
    known = b"\x08registry\7example\0\0\1" in q
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if known else b""
    code = b"\x81\x80" if b"\x08registry\7example" in q else b"\x81\x83"
    s.sendto(q[:2] + code + b"\0\1" + (b"\0\1" if known else b"\0\0") + b"\0\0\0\0" + q[12:end] + answer, who)
END
	python3 dns.py &
	dns=$!
	wait_for 20 eval 'ss -uln | grep -q 127.0.0.1:53'
	echo 'nameserver 127.0.0.1' >resolv.conf
	mount --bind resolv.conf /etc/resolv.conf
	run_cap ctr-image pull --plain-http "registry.example:${BAD#*:}/small"
	assert_ok
	assert_small "registry.example:${BAD#*:}/small"
	run_cap ctr-image pull --plain-http "nosuch.example:${BAD#*:}/small"
	assert_fails 1 'look up nosuch.example: Name does not resolve'
	end_server $dns
	umount /etc/resolv.conf
}

test_over_ipv6() {
	python3 -c '
import http.server, socket
class S(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
S(("::1", 8080), http.server.BaseHTTPRequestHandler).serve_forever()' 2>/dev/null &
	six=$!
	wait_for 20 curl -so /dev/null 'http://[::1]:8080/'
	run_cap ctr-image pull '[::1]:8080/small'
	assert_fails 1 'http://\[::1\]:8080/v2/small/.* it answers 501'
	end_server $six
}

test_run_pulls_what_is_missing() {
	box_image
	run_cap ctr-run --rm --net none --pull never "$BAD/box" true
	assert_fails 125 'no such image'
	run_cap ctr-run --rm --net none "$BAD/box" echo hello
	assert_ok
	assert_out hello
	: >asked
	run_cap ctr-run --rm --net none --pull missing "$BAD/box" echo hello
	assert_out hello
	assertNull 'nothing is asked for' "$(cat asked)"
	run_cap ctr-run --rm --net none --pull always "$BAD/box" echo hello
	assert_out hello
	assertTrue 'it is asked for' "grep -q manifests/latest asked"
	do_this 'status 404'
	run_cap ctr-run --rm --net none --pull always "$BAD/box" true
	assert_fails 125 'pull .*: not found: 404'
	run_cap ctr-create --pull always busybox true
	assert_fails 1 'which registry'
	run_cap ctr-run --pull sometimes "$BAD/box" true
	assert_fails 125 'none of always, missing, never'
	run_cap ctr-run localhost/nosuch true
	assert_fails 125 'no such image: localhost/nosuch$'
	small_image
}

test_an_ordinary_user() {
	make_willi
	box_image
	do_this 'basic user:secret'
	willi mkdir .docker
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$BAD" "$(printf user:secret | base64)" | willi tee .docker/config.json >/dev/null
	run_cap willi ctr-run --rm --net none "$BAD/box" id -u
	assert_ok
	assert_out 0
	run_cap willi ctr-image pull "$BAD/box"
	assert_out "$BAD/box:latest"
	small_image
	wait_for 20 none_left
}

test_bad_words() {
	run_cap ctr-image pull small
	assert_fails 1 'which registry'
	run_cap ctr-image pull "$BAD/Small"
	assert_fails 1 'upper case'
	run_cap ctr-image pull
	assert_fails 2 'NAME is missing'
	run_cap ctr-image pull --creds x "$BAD/small"
	assert_fails 2 'USER:PASSWORD'
	run_cap ctr-image pull --max-size 10k "$BAD/small"
	assert_fails 1 'max-size'
	run_cap ctr-image pull localhost:1/small
	assert_fails 1 'Connection refused'
	assert_nothing
}

. shunit2
