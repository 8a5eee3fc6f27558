#!/bin/sh
# ctr-image load: the shapes that archives come in, names and platforms, what is not read, what is bad.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"

setUp() { rm -rf "$CTRBOX_ROOT" a.tar dir; }

# forge: runs the Python on stdin, whose output is a.tar.
forge() {
	{ echo 'from forge import *' && echo 'one, two = layer(a="first", b="lower"), layer(b="second")' && cat; } >forged.py
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/test python3 forged.py >a.tar || fail 'forge.py'
}

# loads OUT: a.tar from a file and from a pipe; OUT is printed.
loads() {
	for how in file pipe; do
		rm -rf "$CTRBOX_ROOT"
		if [ $how = file ]; then run_cap ctr-image load -i a.tar; else run_cap sh -c 'cat a.tar | ctr-image load'; fi
		assert_ok
		assert_out "$1"
	done
}

# content NAME: names and text of its files.
content() { ctr-image export "$1" | tar -xO | tr '\n' ' '; }

stored() { find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 -maxdepth 1 ! -name names -printf '%f\n' 2>/dev/null | sort; }

# refused ERE [OPT]..: a.tar is, either way, and nothing is stored.
refused() {
	_ere=$1
	shift
	for how in file pipe; do
		rm -rf "$CTRBOX_ROOT"
		if [ $how = file ]; then run_cap timeout 60 ctr-image load "$@" -i a.tar; else run_cap eval "cat a.tar | timeout 60 ctr-image load $*"; fi
		assert_fails 1 "$_ere"
		assertEquals "$how: nothing is stored" '' "$(stored)"
	done
}

test_docker_before_25_and_links() {
	forge <<-'END'
		c = config([one, two])
		m = old(([one, two], ['x/y:1', 'z:latest'], c))
		write(m)
	END
	loads "$(printf 'x/y:1\nz:latest')"
	assertEquals 'firstsecond' "$(content z)"
	forge <<-'END'
		c = config([one, two, one])
		m = old(([one, two], ['x/y:1'], c))
		names = [n for n, d in m if n.endswith('layer.tar')] + ['again/layer.tar']
		m = [('again/layer.tar', '../' + names[0])] + m[:-1]
		write([('./' + n, d) for n, d in m] + [('./manifest.json', json.dumps([{'Config': './' + sha(c) + '.json', 'RepoTags': ['x/y:1'], 'Layers': names}]).encode())])
	END
	loads x/y:1
	assertEquals 'lower on top again' 'firstlower' "$(content x/y:1)"
}

test_many_layers_and_the_same_twice_run() {
	cat >many.py <<-'END'
		base = open(os.environ['BUILD'] + '/busybox.tar', 'rb').read()
		layers = [base] + [layer(**{'n%d' % n: str(n), 'top': str(n)}) for n in range(124)] + [layer(top='twice', n0='twice'), layer(n1='x')]
		layers[60] = layers[-2]
		write(old((layers, ['many:127'], config(layers))))
	END
	forge <many.py
	run_cap ctr-image load a.tar
	assert_ok
	assertEquals 127 "$(ctr-image ls -n -r -o layers)"
	run_cap timeout 120 ctr-run --net none --name many many:127 /bin/sh -c 'cat /top /n0 /n1 /n2 /n123; ls / | grep -c "^n[0-9]"'
	assert_ok
	assert_out "$(printf 'twicetwicex21231%s' 23)"
	run_cap ctr-commit many many:128
	assert_rc 0
	run_cap ctr-run --rm --net none many:128 /bin/cat /top
	assert_out twice
	ctr-rm many >/dev/null
}

test_docker_since_25() {
	forge <<-'END'
		c = config([one, two])
		m = manifest(c, [one, two])
		top = index(descriptor(m, **named('docker.io/library/hybrid:1', 'io.containerd.image.name')))
		docker = json.dumps([{'Config': blob(c)[0], 'RepoTags': ['hybrid:1'], 'Layers': [blob(one)[0], blob(two)[0]]}]).encode()
		write(layout(top, c, m, one, two) + [('manifest.json', docker), ('repositories', b'{}')])
	END
	loads hybrid:1
	assertEquals 'firstsecond' "$(content hybrid:1)"
}

test_several_images_share_layers() {
	forge <<-'END'
		write(old(([one], ['a:1', 'b:1'], config([one])), ([one, two], ['c:1'], config([one, two])), ([two], None, config([two])), ([two], ['<none>:<none>'], config([two], Cmd=['x']))))
	END
	rm -rf "$CTRBOX_ROOT"
	run_cap ctr-image load <a.tar
	assert_ok
	assertEquals 'names, and ids where there are none' 'a:1 b:1 c:1' "$(echo "$out" | head -3 | xargs)"
	assertTrue 'ids' "echo '$out' | tail -2 | grep -cxE '[0-9a-f]{12}' | grep -qx 2"
	assertEquals 2 "$(find "$CTRBOX_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)"
	assertEquals 4 "$(ctr-image ls -q | sort -u | wc -l)"
	assertEquals "$(ctr-image ls -q -f name=a:1)" "$(ctr-image ls -q -f name=b:1)"
}

test_oci_names() {
	forge <<-'END'
		def image(word):
		    c = config([one], Cmd=[word])
		    return c, manifest(c, [pack(one)])
		every = [image(w) for w in 'abcd']
		names = [named('host.io/p/a:1'), named('short'), named('docker.io/library/full:2', 'io.containerd.image.name'), named('No Name')]
		names[2]['annotations']['org.opencontainers.image.ref.name'] = '2'
		top = index(*(descriptor(m, **n) for (c, m), n in zip(every, names)))
		write(layout(top, pack(one), *(x for pair in every for x in pair)))
	END
	rm -rf "$CTRBOX_ROOT"
	run_cap ctr-image load a.tar
	assert_ok
	assert_out_match '^[0-9a-f]{12}$'
	assertEquals 'host.io/p/a:1 short:latest docker.io/library/full:2' "$(echo "$out" | head -3 | xargs)"
	run_cap ctr-image inspect full:2
	assert_ok
}

# platforms: an index of several, each another's.
platforms() {
	forge <<-END
		$1
		def image(arch):
		    c = config([one], arch, Cmd=[arch])
		    return c, manifest(c, [one])
		other = 's390x' if HOST != 's390x' else 'ppc64le'
		foreign, mine = image(other), image(HOST)
		said = image('about')
		inner = index(descriptor(foreign[1], **made_for(other)), *([descriptor(mine[1], **made_for(HOST))] if have_mine else []), descriptor(said[1], **made_for('unknown', os='unknown')))
		top = index(descriptor(inner, INDEX, **named('many:1')))
		write(layout(top, inner, one, *foreign, *mine, *said))
	END
}

test_of_several_platforms_this_machines() {
	platforms have_mine=True
	loads many:1
	assertEquals "$(ctr-image inspect many:1 | jq -r '.[0].architecture')" "$(ctr-image inspect many:1 | jq -r '.[0].config.Cmd[0]')"
	assertEquals 'no other image' 1 "$(ctr-image ls -q | wc -l)"
	platforms have_mine=False
	refused 'many:1: it is for linux/[a-z0-9]+, not for linux/'
}

# `skopeo copy --all .. dir:`, and what may be wrong with such a directory.
test_dir_of_several_platforms() {
	cat >flat.py <<-'END'
		def image(arch):
		    c = config([one], arch)
		    return c, manifest(c, [pack(one)])
		foreign, mine = image('s390x' if HOST != 's390x' else 'ppc64le'), image(HOST)
		top = index(descriptor(foreign[1], **made_for('s390x' if HOST != 's390x' else 'ppc64le')), descriptor(mine[1], **made_for(HOST)))
		members = [('version', b'Directory Transport Version: 1.1\n'), ('manifest.json', top), (sha(pack(one)), pack(one))]
		members += [(sha(m) + '.manifest.json', m) for c, m in (foreign, mine)] + [(sha(c), c) for c, m in (foreign, mine)]
		which = {'config': sha(mine[0]), 'layer': sha(pack(one)), 'manifest': sha(mine[1]) + '.manifest.json'}.get(os.environ.get('BAD'))
		missing = os.environ.get('MISSING')
		write([(n, d if n != which else d + (b' ' if d[:1] == b'{' else bytes(20))) for n, d in members if n != which or not missing])
	END
	forge <flat.py
	for how in file pipe; do
		rm -rf "$CTRBOX_ROOT"
		if [ $how = file ]; then run_cap ctr-image load a.tar; else run_cap sh -c 'cat a.tar | ctr-image load'; fi
		assert_ok
		assert_out_match '^[0-9a-f]{12}$'
		assertEquals first "$(ctr-image export "$out" | tar -xO a)"
	done
	for bad in config layer manifest; do
		BAD=$bad forge <flat.py
		refused '[0-9a-f]{64}.*: corrupt: its digest is'
		BAD=$bad MISSING=1 forge <flat.py
		refused 'missing: [0-9a-f]{64}'
	done
}

test_another_platform_when_asked_for() {
	platforms have_mine=True
	run_cap ctr-image load --platform linux/s390x a.tar
	assert_ok
	assertEquals s390x "$(ctr-image inspect many:1 | jq -r '.[0].architecture')"
	refused 'many:1: it is for .*, not for linux/mips' --platform linux/mips
}

test_a_single_image_for_another_machine() {
	forge <<-'END'
		write(old(([one], ['far:1'], config([one], 'm68k'))))
	END
	refused 'far:1: it is for linux/m68k, not for linux/.* \(--platform takes it\)'
	run_cap ctr-image load --platform linux/m68k a.tar
	assert_ok
}

test_what_is_known_is_not_read() {
	forge <<-'END'
		one = layer(a='x' * 100000)
		write(old(([one], ['known:1'], config([one]))))
	END
	cp a.tar b.tar
	dd if=/dev/zero of=b.tar bs=1024 seek=20 count=20 conv=notrunc status=none
	ctr-image load a.tar >/dev/null
	run_cap ctr-image load b.tar
	assert_ok
	assert_out known:1
	rm -rf "$CTRBOX_ROOT"
	run_cap ctr-image load b.tar
	assert_fails 1 'corrupt'
}

test_loading_again_writes_nothing() {
	forge <<-'END'
		write(old(([one], ['known:1'], config([one]))))
	END
	ctr-image load a.tar >/dev/null
	find "$CTRBOX_ROOT" -printf '%p %C@ %T@\n' | sort >before
	run_cap ctr-image load a.tar
	assert_ok
	find "$CTRBOX_ROOT" -printf '%p %C@ %T@\n' | sort >after
	assertEquals "$(cat before)" "$(cat after)"
}

test_digests_are_verified() {
	forge <<-'END'
		write(old(([one], ['bad:1'], config([one], diff_ids=['sha256:' + sha(two)]))))
	END
	refused 'bad:1: [0-9a-f]+/layer.tar: corrupt: unpacked its digest is sha256:'
	forge <<-'END'
		c = config([one])
		m = old(([one], ['bad:1'], c))
		write([(n, d.replace(b'linux', b'linus') if n == sha(c) + '.json' else d) for n, d in m])
	END
	refused 'bad:1: [0-9a-f]+.json: corrupt: its digest is sha256:'
	for which in 'm' 'c' 'pack(one)'; do
		forge <<-END
			c = config([one])
			m = manifest(c, [pack(one)])
			members = layout(index(descriptor(m, **named('bad:1'))), pack(one), c, m)
			wrong = blob($which)[0]
			write([(n, d + (b' ' if d[:1] == b'{' else bytes(20)) if n == wrong else d) for n, d in members])
		END
		refused "blobs/sha256/[0-9a-f]+: corrupt: its digest is sha256:"
	done
}

test_missing_parts_and_counts() {
	for which in 'm' 'c' 'pack(one)'; do
		forge <<-END
			c = config([one])
			m = manifest(c, [pack(one)])
			members = layout(index(descriptor(m, **named('bad:1'))), pack(one), c, m)
			write([(n, d) for n, d in members if n != blob($which)[0]])
		END
		refused 'missing: blobs/sha256/'
	done
	forge <<-'END'
		write(old(([one, two], ['bad:1'], config([one]))))
	END
	refused 'bad:1: it has 2 layers, but its config tells of 1'
	forge <<-'END'
		write(old(([one], ['good:1'], config([one])), ([two], ['Bad:1'], config([two]))))
	END
	refused 'bad image name "Bad:1"'
}

test_cut_anywhere() {
	forge <<-'END'
		write(old(([one, two], ['cut:1'], config([one, two]))))
	END
	cp a.tar whole.tar
	used=$(python3 -c 'print(len(open("whole.tar", "rb").read().rstrip(b"\0")))')
	for size in 0 1 511 512 1000 1536 5000 $((used - 1)) "$used" $(((used + 511) / 512 * 512)); do
		head -c "$size" whole.tar >a.tar
		refused 'truncated|empty|missing|neither|end mark|not a tar'
	done
}

test_garbage() {
	for text in '' '{' '[1]' '[{}]' '{}' '[{"Config":1}]' '[{"Config":"x","Layers":{}}]' '[]' "$(printf '%0200d' 0 | tr 0 '[')"; do
		forge <<-END
			write([('manifest.json', b'''$text''')])
		END
		refused 'manifest.json|no image|missing: x'
	done
	for text in '{' '[1]' '{}' '{"manifests":1}' '{"manifests":[1]}' '{"manifests":[{"digest":"sha256:../../x"}]}' '{"manifests":[]}'; do
		forge <<-END
			write([('index.json', b'''$text''')])
		END
		refused 'index.json|index without|no sha256|no image|missing'
	done
	head -c 100000 /dev/urandom >a.tar
	refused 'not a tar'
	cp "$BUILD/busybox.tar" a.tar
	refused 'neither manifest.json nor index.json \(ctr-image import'
}

test_names_lead_nowhere_else() {
	forge <<-'END'
		c = config([one])
		write([('l.tar', '/etc/passwd'), ('m.tar', 'n.tar'), ('n.tar', 'm.tar'), ('c.json', c), ('manifest.json', json.dumps([{'Config': 'c.json', 'RepoTags': ['x:1'], 'Layers': ['l.tar']}]).encode())])
	END
	refused 'missing: l.tar'
	forge <<-'END'
		c = config([one])
		write([('m.tar', 'n.tar'), ('n.tar', 'm.tar'), ('c.json', c), ('manifest.json', json.dumps([{'Config': 'c.json', 'RepoTags': ['x:1'], 'Layers': ['../../m.tar']}]).encode())])
	END
	refused 'missing: ../../m.tar'
	forge <<-'END'
		c = config([one])
		m = manifest(c, [one])
		top = layout(index(descriptor(m, **named('x:1'))), c, m)
		unpack(top, 'dir')
		os.symlink(os.getcwd() + '/outside', 'dir/' + blob(one)[0])
		open('outside', 'wb').write(one)
	END
	run_cap ctr-image load dir
	assert_fails 1 'missing: blobs/sha256/'
	assertEquals '' "$(stored)"
	rm dir/blobs/sha256/*
	mkfifo "dir/oci" && ln -sf oci dir/index.json
	run_cap timeout 20 ctr-image load dir
	assert_fails 1 'index.json: not a regular file'
}

test_indexes_too_deep_and_too_wide() {
	forge <<-'END'
		c = config([one])
		inner = [manifest(c, [one])]
		for n in range(8):
		    inner.append(index(descriptor(inner[-1], INDEX if n else MANIFEST)))
		write(layout(inner[-1], c, one, *inner))
	END
	refused 'indexes within indexes'
	forge <<-'END'
		c = config([one])
		inner = [manifest(c, [one])]
		for n in range(3):
		    inner.append(index(*[descriptor(inner[-1], **named('x:1'))] * 300))
		write(layout(inner[-1], c, one, *inner))
	END
	refused 'more than 1000 manifests'
}

test_more_layers_than_descriptors() {
	forge <<-'END'
		each = [layer(a=str(n)) for n in range(300)]
		write(old(*(([x], ['n:%d' % n], config([x])) for n, x in enumerate(each))))
	END
	run_cap sh -c 'ulimit -S -n 64; ctr-image load a.tar | wc -l'
	assert_ok
	assert_out 300
}

test_json_that_takes_memory() {
	forge <<-'END'
		write([('manifest.json', b'[' + b'1,' * 2000000 + b'1]')])
	END
	refused 'more than 65536 values'
	forge <<-'END'
		write([('manifest.json', b'[' + b' ' * 5000000 + b']')])
	END
	refused 'too large to be kept|5000002 bytes are too many'
	forge <<-'END'
		write([('x/%d' % n, b'') for n in range(90000)])
	END
	refused 'too many files|neither manifest.json'
}

test_a_gigabyte_of_zeros() {
	forge <<-'END'
		import zlib
		pack, sums = zlib.compressobj(9, 8, 31), hashlib.sha256()
		head = tarfile.TarInfo('zeros')
		head.size = 1 << 30
		packed = b''
		for part in [head.tobuf(tarfile.USTAR_FORMAT)] + [bytes(1 << 20)] * 1024 + [bytes(1024)]:
		    packed += pack.compress(part)
		    sums.update(part)
		packed += pack.flush()
		c = config([], diff_ids=['sha256:' + sums.hexdigest()])
		write(old(([packed], ['zeros:1'], c)))
	END
	assertTrue 'it is small' "[ $(wc -c <a.tar) -lt 1500000 ]"
	refused 'larger than was allowed \(--max-size\)' --max-size 100m
}

# peak FILE: kilobytes that loading takes, from a file or a pipe, if it is more than what Python took before it.
peak() {
	for from in "$1" ''; do
		rm -rf "$CTRBOX_ROOT"
		# shellcheck disable=SC2086 # a word or none
		python3 -I -S -c 'import os, sys; print(os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)[2].ru_maxrss)' \
			"$BUILD/bin/ctr-image" load -q $from <"$1" | tail -n 1
	done | sort -n | tail -n 1
}

# Windows of 8 MB, which is what zstd has from level 19 on.
test_memory_is_bounded() {
	window='zstd -q -1 --zstd=wlog=23'
	forge <<-END
		import subprocess
		data = layer(a=os.urandom(10 << 20).hex())
		write(old(([subprocess.run('$window'.split(), input=data, stdout=subprocess.PIPE, check=True).stdout], ['a:1'], config([data]))))
	END
	gzip -1 <a.tar >a.gz
	$window <a.tar >a.zst
	for file in a.tar a.gz; do
		kb=$(peak $file)
		assertTrue "$file: $kb KB" "[ '$kb' -lt 16384 ]"
	done
	kb=$(peak a.zst)
	assertTrue "two windows: $kb KB" "[ '$kb' -gt 16384 ] && [ '$kb' -lt 19456 ]"
	rm a.gz a.zst
}

test_a_full_disk() {
	forge <<-'END'
		one = layer(a='x' * 3000000)
		write(old(([two, one], ['big:1'], config([two, one]))))
	END
	mkdir -p small
	mount -t tmpfs -o size=2m none small
	for how in 'ctr-image load a.tar' 'cat a.tar | ctr-image load'; do
		CTRBOX_ROOT=$WORK/small/root run_cap sh -c "$how"
		assert_fails 1 'No space left on device'
		assertEquals '' "$(find small/root -mindepth 2 ! -name names)"
	done
	umount small
}

half_made() { find "$CTRBOX_ROOT/layers" -path '*/.tmp-*' -type f -size +100 | grep -q .; }

test_interrupted() {
	forge <<-'END'
		one = layer(a='x' * 3000000)
		write(old(([two, one], ['big:1'], config([two, one]))))
	END
	mkfifo feed
	for sig in 2 15 1 9; do
		env --default-signal=INT ctr-image load <feed >out 2>err &
		pid=$!
		exec 7>feed
		head -c 1000000 a.tar >&7
		assertTrue 'it has begun' 'wait_for 60 half_made'
		kill -$sig $pid
		wait $pid 2>/dev/null
		assertEquals "signal $sig" $((128 + sig)) $?
		exec 7>&-
		[ $sig = 9 ] || assertEquals "after signal $sig" '' "$(stored)"
	done
	rm feed
	assertEquals 'what was killed left nothing that counts' '' "$(stored | grep -v '^.tmp')"
	run_cap ctr-image load a.tar
	assert_ok
	assertEquals '' "$(find "$CTRBOX_ROOT/layers" -name '.tmp*')"
}

test_usage() {
	run_cap ctr-image load a b
	assert_fails 2 'more than one FILE'
	run_cap ctr-image load -i a b
	assert_fails 2 'more than one FILE'
	run_cap ctr-image load nothing
	assert_fails 1 'nothing: No such file'
	run_cap ctr-image load --help
	assert_ok
}

. shunit2
