#!/bin/sh
# Whatever takes bytes from strangers stands a few seconds of rubbish (`make fuzz` gives it more); and that rubbish would find a defence that is missing.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"

FUZZ=$TOP/tools/fuzz
export CORPORA="$WORK/corpora" # those of the repository alone, and what is found now

# row TARGET COLUMN: of what tools/fuzz/run printed.
row() {
	printf '%s\n' "$out" | awk -v target="$1" -v column="$2" '$1 == target { print $column }'
}

test_every_target() {
	seconds=${FUZZ_SECONDS:-${CI:+10}}
	JOBS=2 run_cap nice "$FUZZ/run" "${seconds:-2}"
	assert_rc 0
	for source in "$FUZZ"/*.c; do
		target=$(basename "$source" .c)
		seeds=$(find "$FUZZ/corpus/$target" -type f | wc -l)
		assertTrue "$target has seeds" "[ $seeds -gt 0 ]"
		assertTrue "$target ran, on more than its $seeds seeds: $(row "$target" 2)" "[ $(row "$target" 2) -gt $seeds ]"
		assertTrue "$target reached code: $(row "$target" 4)" "[ $(row "$target" 4) -gt 150 ]"
		assertEquals "$target: findings" 0 "$(row "$target" 6)"
	done
}

# A target that passes although the code is wrong would be worth nothing: each of these is found among the seeds.
test_a_missing_defence_is_found() {
	while IFS='|' read -r target file defence; do
		run_cap nice "$FUZZ/run" --without "$file" "$defence" 20 "$target"
		assertTrue "$target is failed by $file without $defence" "[ $rc -ne 0 ]"
		assertEquals "$target: findings, $file without $defence" 1 "$(row "$target" 6)"
	done <<'END'
netlink|lib/net/netlink.c|s/ || a.nla_len > n//
tar|lib/base/path.c|s/(n == 2/(0/
tar_index|lib/image/tar_index_read.c|s/if (n > (uint64_t)(r->end - r->p))/if (0)/
names|lib/image/name.c|s/strlen(name) + strlen(added) > NAME_MAX_LENGTH/0/
layer|lib/image/tar_index.c|s/memcpy(last, p, len)/memcpy(last, p, 1)/
host|lib/ctr/hostfiles.c|s/!starts_with(line, "127.")/true/
containerfile|lib/image/lexer.c|s/l->cost > WORDS_MAX/0/
containerfile|lib/image/pattern.c|s/longest \&\& b == p->n/false/
containerfile|lib/build/ignore.c|s/ \&\& \*star_at != ...//
host|lib/sys/proc_info.c|s/ || !word_at(end + 1, 21)//
END
}

test_what_is_wrong_with_the_command_line() {
	for bad in '' 0 x -1 '5 nothing' '--without' '--without lib/net/netlink.c s/a/b/' '--keep'; do
		# shellcheck disable=SC2086 # words
		run_cap "$FUZZ/run" $bad
		assertTrue "\"$bad\" is refused" "[ $rc -ne 0 ]"
	done
	run_cap "$FUZZ/run" --without lib/net/netlink.c 's/nowhere/x/' 1 netlink
	assertTrue 'a defence that is not there' "[ $rc -ne 0 ]"
	assert_err_match 'the defence in lib/net/netlink.c is not where it was'
}

. shunit2
