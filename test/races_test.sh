#!/bin/sh
# Commands that meet on the same names: some of tools/races, other random ones each time (it tells the seed), and what each of its findings came from.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/sweep_lib.sh
. "$TOP/test/sweep_lib.sh"

# raced [PART].. [SECONDS]
raced() {
	run_cap env MANY=40 "$TOP/tools/races" "$@"
	assert_rc 0
	assert_match '^points [0-9]+, leaks 0$' "$(printf '%s\n' "$out" | tail -n 1)"
}

test_many_at_once() {
	raced runs starts
}

test_one_name() {
	raced same_name
}

test_a_random_mix() {
	raced mix 20
	assertTrue 'there were some' "[ $(printf '%s\n' "$out" | tail -n 1 | tr -dc '0-9 ' | cut -d' ' -f2) -ge 50 ]"
}

# A command that says what isn't documented is found out; so is a container that is lost.
test_it_bites() {
	printf '#!/bin/sh\necho "ctr-start: Resource temporarily unavailable" >&2\nexit 1\n' | false_box ctr-start
	run_cap env BUILD="$WORK/false" MANY=4 "$TOP/tools/races" starts
	assert_rc 1
	assert_out_match '^LEAK: starts: ctr-start c[12]: it ends with 1 and says: '
	assert_out_match '^LEAK: starts: running: 0 instead of 2'
	assertEquals 'a word that it does not know' 2 "$("$TOP/tools/races" nosuch >/dev/null 2>&1; echo $?)"
}

# Who looks whether to remove a layer has its lock for a moment.
test_a_layer_that_is_looked_at_is_waited_for() {
	need_busybox
	layer=$(echo "$CTRBOX_ROOT"/layers/*)
	mkfifo locked
	flock -x "$layer" sh -c 'echo >locked; sleep 1' &
	read -r _ <locked
	run_cap ctr-image save -o saved.tar busybox
	assert_ok
	wait
}

# Nobody takes a network away while another brings it up.
test_networks_change_one_at_a_time() {
	ctr-net create n >/dev/null
	for act in 'rm n' 'create m' reload; do
		# shellcheck disable=SC2086 # words
		run_cap flock -x "$CTRBOX_RUN/net" timeout 1 ctr-net $act
		assertEquals "ctr-net $act waits" 124 "$rc"
	done
	assertEquals n "$(ctr-net ls -q)"
	ctr-net rm n >/dev/null
	assertEquals '' "$(ctr-net ls -q)"
}

. shunit2
