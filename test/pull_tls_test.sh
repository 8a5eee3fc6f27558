#!/bin/sh
# ctr-image pull by https, which curl or wget speaks.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/registry_lib.sh
. "$TOP/test/registry_lib.sh"

oneTimeSetUp() {
	make_layout
	begin_safe_registry
	begin_bad_registry
	for program in curl wget; do
		mkdir $program
		ln -s "$(command -v $program)" $program/$program
	done
	mkdir busybox none
	ln -s "$(command -v busybox)" busybox/wget
	trust_it
}

oneTimeTearDown() {
	trust_it_no_more 2>/dev/null
	end_safe_registry
	end_server "$bad_registry"
}

setUp() {
	do_this
}

# pull_by DIRECTORY WORD..: ctr-image pull where only that has programs.
pull_by() {
	_path=$WORK/$1
	shift
	run_cap env PATH="$_path" "$BUILD/bin/ctr-image" pull "$@"
}

assert_small() {
	assert_ok
	ctr-image export "$1" >now.rootfs
	cmp small.rootfs now.rootfs
	assertEquals 'its files' 0 $?
	ctr-image rm "$1"
}

# refused_by DIRECTORY MESSAGE WORD..
refused_by() {
	_message=$2
	_program=$1
	shift 2
	pull_by "$_program" "$@"
	assert_fails 1 "$_message"
	assertNull 'no layer' "$(find "$CTRBOX_ROOT/layers" -mindepth 1 2>/dev/null)"
}

test_which() {
	for program in curl wget; do
		run_cap env PATH="$WORK/$program" "$BUILD/bin/ctr-info" -f feature=https -n -r -o state
		assert_out $program
	done
}

test_both() {
	odd=$(printf 'user:se"cr\134et')
	for program in curl wget; do
		pull_by $program "$SAFE/small"
		assert_small "$SAFE/small"
		do_this chunked
		pull_by $program "$SAFE/small"
		assert_small "$SAFE/small"
		do_this 'cut_first 10000'
		pull_by $program "$SAFE/small"
		assert_small "$SAFE/small"
		do_this "token $odd" "realm https://$SAFE/token?a=b"
		pull_by $program --creds "$odd" "$SAFE/small"
		assert_small "$SAFE/small"
		do_this
	done
}

# Nobody else on this machine sees it.
test_no_password_is_an_argument() {
	do_this 'slow 1' texts 'basic user:secret'
	for program in curl wget; do
		(pull_by $program --creds user:secret "$SAFE/small") &
		pulling=$!
		: >asked
		wait_for 20 grep -q 'blobs.*Basic:' asked
		cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' >seen
		assertTrue "$program runs" "grep -q '$program' seen"
		assertFalse "what is told in words: $(cat seen)" "grep -q 'Authorization\|secret\|$(printf user:secret | base64)' seen"
		wait $pulling
		ctr-image rm "$SAFE/small"
	done
}

test_what_the_registry_says() {
	for program in curl wget; do
		refused_by $program 'not found: 404' "$SAFE/small:nosuch"
		do_this 'status 403'
		refused_by $program 'denied: 403' "$SAFE/small"
		do_this garbage
		refused_by $program "$SAFE" "$SAFE/small"
		do_this "elsewhere http://$BAD"
		refused_by $program 'it redirects from https to http' "$SAFE/small"
		do_this 'cut 0'
		refused_by $program 'blobs/sha256/' "$SAFE/small"
		do_this 'basic user:secret'
		refused_by $program 'wants a user and a password' "$SAFE/small"
		do_this
		refused_by $program '[Cc]onnect' "box.example:1/small"
	done
}

test_whom_nobody_vouches_for() {
	trust_it_no_more
	for program in curl wget; do
		refused_by $program 'certificate' "$SAFE/small"
		pull_by $program --insecure "$SAFE/small"
		assert_small "$SAFE/small"
	done
	trust_it
	echo '127.0.0.1 box.example other.example' >hosts
	for program in curl wget; do
		refused_by $program 'other.example' "other.example:${SAFE#*:}/small"
	done
}

test_without_any_of_them() {
	for none in none busybox; do
		run_cap env PATH="$WORK/$none" "$BUILD/bin/ctr-info" -f feature=https -n -r -o state
		assert_out no
		refused_by $none "https needs curl or GNU's wget.*skopeo copy" "$SAFE/small"
	done
}

. shunit2
