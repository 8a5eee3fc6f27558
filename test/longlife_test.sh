#!/bin/sh
# A hundredth of tools/longlife: what lives long stays small.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"

# lived PART..
lived() {
	run_cap "$TOP/tools/longlife" "$@" 1
	assert_rc 0
	assert_match '^points [1-9][0-9]*, leaks 0$' "$(printf '%s\n' "$out" | tail -n 1)"
}

test_restarts() { lived restarts; }

test_a_log_that_is_full() { lived log; }

test_a_log_that_is_followed() { lived follow; }

test_who_comes_and_goes() { lived attach exec health; }

test_bad_words() {
	run_cap "$TOP/tools/longlife" nosuch
	assert_fails 2 'nosuch: neither a part'
}

. shunit2
