#!/bin/sh
# Images of many layers where the kernel takes each by mount(2) alone, as before Linux 6.8: fsconfig(2) doesn't know `lowerdir+`.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"

LAYERS='3 5 60 127'

oneTimeSetUp() {
	cat >many.py <<-'END'
		from forge import *
		base = open(os.environ['BUILD'] + '/busybox.tar', 'rb').read()
		images = []
		for count in map(int, sys.argv[1:]):
		    layers = [base] + [layer(**{'n%d' % n: str(n), 'top': str(n)}) for n in range(1, count)]
		    images.append((layers, ['layers:%d' % count], config(layers)))
		write(old(*images))
	END
	# shellcheck disable=SC2086 # numbers
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/test python3 many.py $LAYERS | ctr-image load >/dev/null || fail 'load'
	mkdir mnt
}

# old CMD..: where the word isn't known; it is the second option that is set.
old() {
	run_cap strace -f -o trace -e trace=fsconfig -e inject=fsconfig:error=EINVAL:when=2 "$@"
	grep -q 'fsconfig(.*"lowerdir+".*EINVAL .*(INJECTED)' trace
	assertEquals "$*: it was asked for" 0 $?
}

fds() { find /proc/self/fd/ -mindepth 1 | wc -l; }

test_mounts() {
	for n in $LAYERS; do
		old ctr-image mount "layers:$n" mnt
		assert_ok
		assertEquals "$n layers" "$((n - 1)) $((n - 1)) $((n - 1))" \
			"$(cat mnt/top) $(cat "mnt/n$((n - 1))") $(find mnt -name 'n[0-9]*' | wc -l)"
		assertEquals 'it is known whose it is' 1 "$(grep -c " - overlay ctrbox-.*:$(ctr-image inspect "layers:$n" | jq -r '.[0].id') " /proc/self/mountinfo)"
		run_cap ctr-image rm "layers:$n"
		assert_fails 1 'it is mounted'
		umount mnt
	done
}

test_runs() {
	for n in $LAYERS; do
		old ctr-run --name c --net none "layers:$n" sh -c 'cat /top; ls / | grep -c "^n[0-9]"; echo more >>/top; rm /n1; cat /top; umask'
		assert_ok
		assert_out "$(printf '%s\n' "$((n - 1))$((n - 1))" "$((n - 1))more" 0022)"
		assertEquals "$n layers" 'D /n1 C /top' "$(ctr-diff c | sort -k2 | xargs)"
		old ctr-export -o t.tar c
		assert_ok
		assertEquals "$((n - 1))more" "$(tar -xOf t.tar top)"
		ctr-rm c >/dev/null
	done
}

# One layer is told once, and a user namespace's layers, which have no names, are few enough or refused.
test_the_same_layer_again() {
	cat >again.py <<-'END'
		from forge import *
		base = open(os.environ['BUILD'] + '/busybox.tar', 'rb').read()
		x, y = layer(top='x', x='x'), layer(top='y', y='y')
		write(old(([base, x, y, base, x, y, x], ['again:1'], config([base, x, y, base, x, y, x]))))
	END
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/test python3 again.py | ctr-image load >/dev/null
	old ctr-run --rm --net none again:1 sh -c 'cat /top /x /y; ls / | grep -c bin'
	assert_ok
	assert_out xxy2
}

test_user_namespaces() {
	run_cap strace -f -o trace -e trace=fsconfig -e inject=fsconfig:error=EINVAL:when=2 ctr-run --rm --net none --userns 100000:0:65536 layers:60 true
	assert_fails 125 'mount overlay of 60 layers: .*so many need Linux 6.8'
}

. shunit2
