# shellcheck shell=sh
# What sweep_*test.sh share: some of `make test-faults`, other points each time.

# swept ACT..: none leaks, killed at every 47th of its calls.
# shellcheck disable=SC2154 # run_cap sets out
swept() {
	run_cap env JOBS=2 "$TOP/tools/crashsweep" "$@" 47
	assert_rc 0
	assert_match '^points [0-9]+, leaks 0$' "$(printf '%s\n' "$out" | tail -n 1)"
	assertTrue 'there were some' "[ $(printf '%s\n' "$out" | sed -n '$s/points \([0-9]*\).*/\1/p') -ge $# ]"
}
