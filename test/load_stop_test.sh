#!/bin/sh
# ctr-image load stopped at any system call, by ^C and by SIGKILL: the images are there whole, or the store is what it was.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"

# shellcheck source=test/inject_lib.sh
. "$TOP/test/inject_lib.sh"

oneTimeSetUp() {
	make_inject "$WORK"
	cat >two.py <<-'END'
		from forge import *
		one, two, three = layer(a='first', b='lower'), layer(b='second' * 20000), layer(c='third')
		old_one = config([one], Cmd=['old'])
		os.dup2(os.open('old.tar', os.O_WRONLY | os.O_CREAT), 1)
		write(old(([one], ['first:1'], old_one)))
		sys.stdout.buffer.flush()
		os.dup2(os.open('new.tar', os.O_WRONLY | os.O_CREAT), 1)
		write(old(([one, two], ['first:1', 'other:1'], config([one, two])), ([two, three], ['second:1'], config([two, three]))))
		sys.stdout.buffer.flush()
	END
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/test python3 two.py || fail 'forge.py'
	ctr-image load old.tar >/dev/null
	mv "$CTRBOX_ROOT" before
	cp -a before "$CTRBOX_ROOT"
	seen >before.seen
	inject -l -o listed env --default-signal=INT ctr-image load new.tar >/dev/null || fail 'inject'
	seen >after.seen
	awk -F '[ :]' '$3 == "execve" { ours = 1; next } # until then env
		ours && $3 !~ /^(exit_group|mmap|munmap|brk|arch_prctl|set_tid_address|prlimit64|rt_sig.*)$/ && ++seen[$3] % 3 == 1 { print $1 ":" $2 }' \
		listed >points
}

# All that counts of the store, and what its images hold.
seen() {
	find "$CTRBOX_ROOT" -mindepth 1 ! -path '*/.tmp*' ! -name tag -printf '%P %l\n' | sort
	ctr-image ls -r -n -o name,id
	for name in $(ctr-image ls -r -n -o name | grep :); do ctr-image export "$name" | tar -xO | sha256sum; done
}

# stopped HOW POINT: by int or kill.
stopped() {
	rm -rf "$CTRBOX_ROOT"
	cp -a before "$CTRBOX_ROOT"
	run_cap inject -t 60 -o /dev/null "$2" "$1" env --default-signal=INT ctr-image load new.tar
}

# A first image that counts stays, if the second didn't come to that: each counts for itself.
is_one_of() {
	seen >now.seen
	cmp -s now.seen before.seen || cmp -s now.seen after.seen
}

test_interrupted_anywhere() {
	assertTrue 'there are many' "[ $(wc -l <points) -gt 30 ]"
	while read -r at; do
		stopped int "$at"
		if [ "$rc" = 0 ]; then
			seen >now.seen
			assertEquals "$at: all is there" '' "$(diff after.seen now.seen)"
		else
			assertEquals "$at: it says so" 130 "$rc"
			assertTrue "$at: before or after" is_one_of
		fi
		assertEquals "$at: nothing half-made" '' "$(find "$CTRBOX_ROOT" -name '.tmp*')"
	done <points
}

test_killed_anywhere() {
	while read -r at; do
		stopped kill "$at"
		assertEquals "$at" 137 "$rc"
		seen >now.seen 2>&1
		assertEquals "$at: each image is whole" 0 "$(grep -c ctr-image now.seen)"
		run_cap ctr-image load new.tar
		assert_ok
		seen >now.seen
		assertEquals "$at: then loaded" '' "$(diff after.seen now.seen)"
		assertEquals "$at: no half layer" '' "$(find "$CTRBOX_ROOT/layers" -name '.tmp*')"
		ctr-gc >/dev/null
		assertEquals "$at: nothing half-made" '' "$(find "$CTRBOX_ROOT" -name '.tmp*')"
	done <points
}

# A sweep takes the link that is to become a name for one of somebody who was killed.
test_a_name_that_is_swept_meanwhile() {
	rm -rf "$CTRBOX_ROOT"
	cp -a before "$CTRBOX_ROOT"
	run_cap strace -o trace -e trace=renameat,renameat2 -e inject=renameat,renameat2:error=ENOENT:when=1..2 ctr-image tag first:1 again:1
	assert_ok
	assertEquals 3 "$(grep -c '^rename' trace)"
	assertEquals 'again:1 first:1' "$(ctr-image ls -r -n -o name | sort | xargs)"
	assertEquals '' "$(find "$CTRBOX_ROOT" -name '.tmp*')"
	run_cap timeout 60 strace -o trace -e inject=renameat,renameat2:error=ENOENT ctr-image tag first:1 third:1
	assert_fails 1 'name .*third:1: No such file'
}

. shunit2
