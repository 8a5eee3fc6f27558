#!/bin/sh
# Images of root file systems: import, ls, tag, inspect, history, export, rm, prune, mount; gzip.
# shellcheck disable=SC2154 # rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/tar_lib.sh"

oneTimeSetUp() {
	{ dir bin/ && entry bin/sh shell 0755 && entry hello "$(seq 200)" && finish; } >small.tar
	gzip -9 -n <small.tar >small.tar.gz
	{ entry other text && finish; } >other.tar
}

setUp() {
	rm -rf "$CTRBOX_ROOT" stock
	mkdir stock
	CTRBOX_IMAGES=$WORK/stock
}

# Names of what the store's folders hold, half-made things too.
stored() { find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 -maxdepth 1 ! -name names -printf '%f\n' 2>/dev/null | sort; }

layers() { find "$CTRBOX_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l; }

test_import_prints_the_id_and_ls_shows_it() {
	run_cap ctr-image import tiny <small.tar
	assert_ok
	assert_match '^[0-9a-f]{12}$' "$out"
	id=$out
	run_cap ctr-image ls
	assert_out_match '^NAME +ID +SIZE +LAYERS +CREATED +CONTAINERS$'
	assert_out_match "^tiny:latest +$id +[0-9]+[BK.0-9]* +1 +[0-9]{4}-[0-9-]+ [0-9:]+ +0\$"
	run_cap ctr-image ls -q
	assert_out "$id"
	run_cap ctr-image list -n -o name,layers -r
	assert_out "$(printf 'tiny:latest\t1')"
	run_cap ctr-image ls -J
	assert_out_match "^\{\"name\":\"tiny:latest\",\"id\":\"$id\",\"size\":696,\"layers\":1,\"created\":[0-9]+,\"containers\":0\}\$"
	run_cap ctr-image ls -f name=other -n
	assert_out ''
}

test_the_layers_id_is_the_tars_digest() {
	ctr-image import tiny <small.tar >/dev/null
	assertTrue "[ -d '$CTRBOX_ROOT/layers/$(sha256sum <small.tar | cut -c1-64)/tree/bin' ]"
	{ cat small.tar && head -c 700000 /dev/zero && echo trailing; } >long.tar
	ctr-image import long <long.tar >/dev/null
	assertTrue 'what follows the end counts too' "[ -d '$CTRBOX_ROOT/layers/$(sha256sum <long.tar | cut -c1-64)' ]"
}

test_the_images_id_is_its_configs_digest() {
	ctr-image import tiny <small.tar >/dev/null
	id=$(ctr-image inspect tiny | sed -n 's/^    "id": "\(.*\)",/\1/p')
	assertEquals "$id" "$(sha256sum "$CTRBOX_ROOT/images/$id/config.json" | cut -c1-64)"
}

test_gzip_is_the_same_image() {
	ctr-image import a <small.tar >/dev/null
	for level in 1 6 9; do
		gzip -$level <small.tar | ctr-image import b >/dev/null
	done
	assertEquals 'one layer for all' 1 "$(layers)"
	run_cap ctr-image import -i small.tar.gz c
	assert_ok
	assertEquals 1 "$(layers)"
}

test_gzip_headers_members_and_blocks() {
	python3 - <<-'END'
		import zlib, struct
		data = open('small.tar', 'rb').read()
		def raw(d, level=6, strategy=0):
		    c = zlib.compressobj(level, 8, -15, 9, strategy)
		    return c.compress(d) + c.flush()
		def member(d, flags=0, extra=b'', **how):
		    return b'\x1f\x8b\x08' + bytes([flags]) + bytes(6) + extra + raw(d, **how) + struct.pack('<II', zlib.crc32(d), len(d))
		half = len(data) // 2
		kinds = {
		    'fixed': member(data, strategy=zlib.Z_FIXED),
		    'huffman': member(data, strategy=zlib.Z_HUFFMAN_ONLY),
		    'rle': member(data, strategy=zlib.Z_RLE),
		    'stored': member(data, level=0),
		    'flags': member(data, 31, b'\x05\x00extra' + b'name\0' + b'comment\0' + b'\x12\x34'),
		    'members': member(data[:half]) + member(b'') + member(data[half:]),
		    'padded': member(data) + bytes(3000),
		}
		for name, text in kinds.items():
		    open(name + '.kind', 'wb').write(text)
	END
	for kind in fixed huffman rle stored flags members padded; do
		run_cap ctr-image import $kind <$kind.kind
		assert_ok
	done
	assertEquals 1 "$(layers)"
}

test_gzip_of_much_data() {
	{ head -c 3000000 /dev/urandom; head -c 5000000 /dev/zero; cat "$CTRBOX" "$CTRBOX"; seq 1 300000; } >much
	tar -cf much.tar much
	for level in 1 4 9; do
		gzip -$level <much.tar | ctr-image import much >/dev/null
		assertTrue "level $level" "cmp -s much '$(tree_of much)/much'"
	done
	rm -f much much.tar
}

test_gzip_cut_anywhere() {
	size=$(wc -c <small.tar.gz)
	at=1
	while [ $at -lt "$size" ]; do
		head -c $at small.tar.gz >cut.gz
		run_cap ctr-image import cut <cut.gz
		if [ "$rc" != 1 ] || ! printf '%s' "$err" | grep -qE 'truncated.*byte|not a tar'; then fail "$(captured "cut at $at")"; fi
		at=$((at + 3))
	done
	assertEquals 'nothing left' '' "$(stored)"
	assert_err_match 'gzip: truncated: .*byte [0-9]+'
}

test_gzip_garbled_anywhere() {
	# a flipped bit is found wherever it makes gzip itself complain
	python3 - <<-'END'
		data = bytearray(open('small.tar.gz', 'rb').read())
		for at in range(10, len(data), 5):
		    data[at] ^= 16
		    open('garbled.%d' % at, 'wb').write(data)
		    data[at] ^= 16
	END
	for file in garbled.*; do
		gzip -dc <"$file" >/dev/null 2>&1 && continue
		run_cap ctr-image import garbled <"$file"
		if [ "$rc" != 1 ] || [ -n "$out" ]; then fail "$(captured "$file")"; fi
	done
	rm -f garbled.*
	{ cat small.tar.gz && echo garbage; } >after.gz
	run_cap ctr-image import garbled <after.gz
	assert_fails 1 'gzip: a bad header at byte'
	assertEquals 'nothing left' '' "$(stored)"
}

test_changes_make_the_config() {
	run_cap ctr-image import -c 'CMD ["a","b c"]' -c 'ENTRYPOINT /bin/x y' -c 'ENV A=1 B="two words"' -c 'ENV OLD form here' -c 'USER me:us' \
		-c 'WORKDIR /srv' -c 'WORKDIR sub' -c 'EXPOSE 80 53/udp' -c 'VOLUME ["/data"]' -c 'LABEL k=v' -c 'STOPSIGNAL QUIT' -m 'by hand' img <small.tar
	assert_ok
	run_cap ctr-image inspect img
	assert_ok
	assertEquals '{"architecture": "x", "config": {"Cmd": ["a", "b c"], "Entrypoint": ["/bin/sh", "-c", "/bin/x y"], "Env": ["A=1", "B=two words", "OLD=form here"], "ExposedPorts": {"53/udp": {}, "80/tcp": {}}, "Labels": {"k": "v"}, "StopSignal": "QUIT", "User": "me:us", "Volumes": {"/data": {}}, "WorkingDir": "/srv/sub"}, "history": "by hand", "names": ["img:latest"], "os": "linux"}' \
		"$(printf '%s' "$out" | python3 -c 'import json, sys
i = json.load(sys.stdin)[0]
print(json.dumps({"config": i["config"], "os": i["os"], "architecture": "x", "names": i["names"], "history": i["history"][0]["created_by"]}, sort_keys=True))')"
	for bad in CMD 'RUN x' 'ENV novalue' 'EXPOSE http' '' 'ENV =x'; do
		run_cap ctr-image import -c "$bad" bad <small.tar
		assert_fails 1 'instruction|none of|KEY=VALUE|port'
	done
	run_cap ctr-image inspect bad
	assert_rc 1
}

test_names() {
	ctr-image import tiny <small.tar >/dev/null
	long=$(head -c 243 /dev/zero | tr '\0' a)
	for good in "$long" "$long:latest" a a/b a.b-c__d:T_1.x localhost/x reg.example:5000/a/b:1 "a@sha256:$(printf x | sha256sum | cut -c1-64)"; do
		run_cap ctr-image tag tiny "$good"
		assert_ok
		run_cap ctr-image inspect "$good"
		assert_rc 0
	done
	for bad in '' A a/ /a a//b a: a:-x .a a..b 'a b' a@sha256:1 ../x a/../b "$(printf x | sha256sum | cut -c1-64)" "${long}a" "${long}a:latest" 'host:/a' 'a:x:y'; do
		run_cap ctr-image tag tiny "$bad"
		assert_fails 1 'bad image name'
	done
	assertEquals 8 "$(ctr-image ls -n | wc -l)"
}

test_names_are_found_as_docker_would() {
	ctr-image import localhost/pod <small.tar >/dev/null
	ctr-image import docker.io/library/dock:1 <small.tar >/dev/null
	id=$(ctr-image ls -q -f name=localhost/pod:latest)
	for name in pod pod:latest localhost/pod "$id" "$(echo "$id" | cut -c1-6)" "sha256:$id" dock:1; do
		run_cap ctr-image inspect "$name"
		assert_rc 0
	done
	for name in dock pod:2 "$(echo "$id" | cut -c1-3)" 0000000 other/pod; do
		run_cap ctr-image inspect "$name"
		assert_rc 1
		assert_err_match "^ctr-image: no such image: $name\$"
	done
}

test_tag_and_remove() {
	ctr-image import one <small.tar >/dev/null
	id=$(ctr-image ls -q)
	ctr-image tag one two:x
	assertEquals 2 "$(ctr-image ls -q | wc -l)"
	run_cap ctr-image rm "$id"
	assert_fails 1 'has 2 names'
	run_cap ctr-image rm one
	assert_ok
	run_cap ctr-image inspect one
	assert_rc 1
	run_cap ctr-image rm two:x
	assert_ok
	assertEquals 'nothing left' '' "$(stored)"
	ctr-image import one <small.tar >/dev/null
	ctr-image tag one three
	run_cap ctr-image rm -f "$(ctr-image ls -q | head -n 1)"
	assert_ok
	assertEquals '' "$(ctr-image ls -n)"
	run_cap ctr-image rm nothing one
	assert_rc 1
	assertEquals 'a line each' 2 "$(wc -l <"$WORK/.err")"
}

test_a_shared_layer_stays() {
	ctr-image import one <small.tar >/dev/null
	ctr-image import -c 'CMD x' two <small.tar >/dev/null
	assertEquals 1 "$(layers)"
	ctr-image rm one
	assertEquals 1 "$(layers)"
	assertEquals shell "$(ctr-image export two | tar -xO bin/sh)"
	ctr-image rm two
	assertEquals 0 "$(layers)"
}

test_a_name_moves_and_prune_takes_what_is_left() {
	ctr-image import one <small.tar >/dev/null
	ctr-image import one <other.tar >/dev/null
	run_cap ctr-image ls -n -r -o name,layers
	assert_out "$(printf 'one:latest\t1\n-\t1')"
	run_cap ctr-image prune
	assert_ok
	assert_out_match '^image [0-9a-f]{64}$'
	assert_out_match '^layer [0-9a-f]{64}$'
	assertEquals 1 "$(ctr-image ls -q | wc -l)"
	assertEquals 1 "$(layers)"
	run_cap ctr-image prune
	assert_out ''
}

test_an_image_in_use_stays() {
	id=$(ctr-image import one <small.tar)
	whole=$(find "$CTRBOX_ROOT/images" -maxdepth 1 -name "$id*" -printf %f)
	mkdir -p "$CTRBOX_ROOT/containers/0123456789ab"
	printf '{"id":"0123456789ab","name":"user","image_id":"%s"}' "$whole" >"$CTRBOX_ROOT/containers/0123456789ab/spec.json"
	run_cap ctr-image rm one
	assert_fails 1 '^ctr-image: one: .*uses it'
	assertEquals 1 "$(ctr-image ls -n -r -o containers)"
	ctr-image import one <other.tar >/dev/null
	ctr-image prune >/dev/null
	run_cap ctr-image inspect "$whole"
	assert_rc 0
	rm -r "$CTRBOX_ROOT/containers"
	ctr-image prune >/dev/null
	run_cap ctr-image inspect "$whole"
	assert_rc 1
}

test_half_made_things_are_swept() {
	mkdir -p "$CTRBOX_ROOT/layers/.tmp-0000000000000001/tree/a" "$CTRBOX_ROOT/layers/.tmp-0000000000000002"
	mkdir -p "$CTRBOX_ROOT/images/.tmp-0000000000000003" "$CTRBOX_ROOT/images/names"
	ln -s ../x "$CTRBOX_ROOT/images/names/.tmp-0000000000000004"
	exec 9<"$CTRBOX_ROOT/layers/.tmp-0000000000000002"
	flock 9
	run_cap ctr-image prune
	assert_ok
	assertEquals 'only what its maker still holds' .tmp-0000000000000002 "$(stored)"
	exec 9<&-
	ctr-image prune >/dev/null
	assertEquals '' "$(stored)"
}

test_a_killed_import_leaves_nothing_that_counts() {
	mkfifo slow
	ctr-image import killed <slow >/dev/null 2>&1 &
	pid=$!
	exec 8>slow
	head -c 2000 small.tar >&8
	wait_for 5 [ -d "$CTRBOX_ROOT"/layers/.tmp-*/tree/bin ]
	assertTrue 'prune spares what is being made' "ctr-image prune && ls -d $CTRBOX_ROOT/layers/.tmp-*"
	kill -9 $pid
	wait $pid 2>/dev/null
	exec 8>&-
	run_cap ctr-image inspect killed
	assert_rc 1
	ctr-image import next <other.tar >/dev/null
	assertEquals 'the next import sweeps' 1 "$(find "$CTRBOX_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)"
	rm slow
}

test_eight_at_once() {
	i=0
	while [ $i -lt 8 ]; do
		{ ctr-image import "at$((i % 2))" <small.tar >"at.$i" 2>&1 || echo failed >>at.failed; } &
		i=$((i + 1))
	done
	wait
	assertFalse 'all succeed' '[ -e at.failed ]'
	assertEquals 'one layer' 1 "$(layers)"
	assertEquals 2 "$(ctr-image ls -n | grep -c '^at')"
}

test_first_use_imports_from_the_stock() {
	cp small.tar.gz stock/fromgz.tar.gz
	cp small.tar stock/plain.tar
	touch -d '2020-02-02' stock/plain.tar
	run_cap ctr-image inspect plain
	assert_rc 1
	assertEquals 'looking imports nothing' '' "$(stored)"
	for name in plain fromgz:latest; do
		run_cap ctr-create "$name" /bin/sh
		assert_rc 0
	done
	run_cap ctr-image ls -n -r -o name
	assert_out "$(printf 'fromgz:latest\nplain:latest')"
	run_cap ctr-create absent /bin/sh
	assert_rc 1
	assert_err_match 'no such image: absent'
	echo nonsense >stock/bad.tar
	run_cap ctr-create bad /bin/sh
	assert_rc 1
	assert_err_match 'bad.tar: .*truncated'
}

test_two_first_uses_at_once() {
	cp small.tar stock/plain.tar
	for i in 1 2 3 4; do
		{ ctr-create plain /bin/sh >"use.$i" 2>&1 || echo failed >>use.failed; } &
	done
	wait
	assertFalse 'all work' '[ -e use.failed ]'
	assertEquals 'the same image' 1 "$(find "$CTRBOX_ROOT/images" -mindepth 1 -maxdepth 1 ! -name names | wc -l)"
}

test_history() {
	ctr-image import -m 'made by a test' img <small.tar >/dev/null
	run_cap ctr-image history -n -r -o layer,created_by img
	assert_out "$(sha256sum <small.tar | cut -c1-12)	made by a test"
	run_cap ctr-image history none
	assert_fails 1 'no such image: none'
}

test_export() {
	ctr-image import img <small.tar >/dev/null
	run_cap ctr-image export -o out.tar img
	assert_ok
	assertNull "$(tar -C "$(tree_of img)" --compare -f out.tar 2>&1)"
	assertTrue 'stdout is the same' 'ctr-image export img | cmp -s - out.tar'
	run_cap ctr-image export -o /nowhere/x img
	assert_fails 1 '/nowhere/x: No such file'
	ctr-image export img >/dev/full 2>full
	assertEquals 1 $?
	assert_match 'No space left' "$(cat full)"
}

# Two layers under an image that is written by hand, as ctr-commit will make them.
test_several_layers() {
	{ entry base base && dir d/ && entry d/old old && entry gone gone && finish; } >low.tar
	{ entry .wh.gone '' && entry d/.wh..wh..opq '' && entry d/new new && finish; } >high.tar
	ctr-image import low <low.tar >/dev/null
	ctr-image import high <high.tar >/dev/null
	printf '{"architecture":"amd64","os":"linux","config":{},"history":[{"created_by":"a"},{"created_by":"b","empty_layer":true},{"created_by":"c"}],"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' \
		"$(sha256sum <low.tar | cut -c1-64)" "$(sha256sum <high.tar | cut -c1-64)" >config
	id=$(sha256sum <config | cut -c1-64)
	mkdir "$CTRBOX_ROOT/images/$id" && cp config "$CTRBOX_ROOT/images/$id/config.json"
	ln -s "../$id" "$CTRBOX_ROOT/images/names/both:latest"
	run_cap ctr-image export -o both.tar both
	assert_ok
	assertEquals "$(printf './\nbase\nd/\nd/new')" "$(tar -tf both.tar)"
	assertEquals "$(printf 'c\nb\na')" "$(ctr-image history -n -r -o created_by both)"
	mkdir -p mnt
	run_cap ctr-image mount both mnt
	assert_ok
	assertEquals "$(printf 'base\nd')" "$(ls mnt)"
	touch mnt/x 2>/dev/null
	assertEquals 'read-only' 1 $?
	run_cap ctr-image umount mnt
	assert_ok
	assertEquals '' "$(ls mnt)"
}

test_mount_one_layer() {
	ctr-image import img <small.tar >/dev/null
	mkdir -p mnt
	run_cap ctr-image mount img mnt
	assert_ok
	assertEquals shell "$(cat mnt/bin/sh)"
	touch mnt/x 2>/dev/null
	assertEquals 'read-only' 1 $?
	ctr-image umount mnt
	run_cap ctr-image umount mnt
	assert_fails 1 'umount mnt: Invalid argument'
	run_cap ctr-image mount img /nowhere
	assert_fails 1 '/nowhere: No such file'
}

test_garbled_state_is_a_case() {
	ctr-image import img <small.tar >/dev/null
	ctr-image import good <other.tar >/dev/null
	id=$(ctr-image inspect img | sed -n 's/^    "id": "\(.*\)",/\1/p')
	for text in '' '{' '[]' '{"rootfs":{"diff_ids":["sha256:../../x"]}}'; do
		printf '%s' "$text" >"$CTRBOX_ROOT/images/$id/config.json"
		run_cap ctr-image export img
		assert_fails 1 config.json\|layers
		run_cap ctr-image ls -n -r -o name
		assert_out_match '^good:latest$'
	done
	rm -r "$CTRBOX_ROOT/layers/$(sha256sum <other.tar | cut -c1-64)"
	run_cap ctr-image export good
	assert_fails 1 'layer [0-9a-f]{12}: No such file'
}

test_bad_usage() {
	for words in '' 'import' 'import a b' 'tag a' 'inspect' 'rm' 'history' 'export' 'mount a' 'umount' 'ls x' 'nonsense' 'import --nonsense x' 'import --strip -1 x' 'ls -o nonsense'; do
		# shellcheck disable=SC2086 # words
		run_cap ctr-image $words <small.tar
		assert_fails 2 '\(see "ctr-image.* --help"\)'
	done
	run_cap ctr-image --help
	assert_ok
	for sub in import ls rm tag inspect history export prune mount umount; do
		run_cap ctr-image $sub --help
		assert_ok
		assert_out_match "ctr-image $sub"
	done
	run_cap ctr-image import -i /nowhere x
	assert_fails 1 '^ctr-image: /nowhere: No such file'
	run_cap ctr-image import -i / x
	assert_fails 1 'Is a directory'
}

test_progress_on_a_terminal_only() {
	{ head -c 30000000 /dev/urandom >filler && tar -cf filler.tar filler; }
	tty_cap "ctr-image import bar <filler.tar"
	assert_rc 0
	assert_out_match '^[0-9a-f]{12}$|[0-9a-f]{12}$'
	tty_cap "ctr-image import -q bar <filler.tar"
	assert_out_match '^[0-9a-f]{12}$'
	tty_cap "ctr-image export bar"
	assert_rc 2
	rm -f filler filler.tar
}

. shunit2
