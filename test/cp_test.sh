#!/bin/sh
# ctr-cp, ctr-export: files between a container and the host. [N]: the behaviour's number in the seeds' checklist.
. "$(dirname "$0")/lib.sh"

# Two containers, one of which runs: what holds for both is asked of both.
BOTH='up down'

oneTimeSetUp() {
	need_busybox
	ctr-run -d --name up -v upvol:/vol --tmpfs /mem busybox sleep 1000 >/dev/null
	ctr-create --name down -v downvol:/vol --tmpfs /mem busybox true >/dev/null
	mkdir -p src/sub src/empty
	echo one >src/one
	echo two >src/sub/two
	ln -s one src/link
	ln src/one src/sub/hard
	mkfifo src/fifo
	chmod 4750 src/sub/two
	chown 1234:5678 src/one
	touch -d '2001-02-03 04:05:06.5 UTC' src/one src/sub src
}

oneTimeTearDown() {
	ctr-rm -f up down >/dev/null 2>&1
	assertNull 'a cgroup is left' "$(leftovers)"
}

setUp() {
	rm -rf here
	mkdir here
	cut -d' ' -f5- /proc/self/mountinfo | sort >before
}

# Nothing is mounted on the host, and nobody stays behind.
tearDown() {
	[ -d here ] || return 0
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff before - || fail 'mounts have changed'
	pidof ctr-cp ctr-export && fail 'a process is left'
	rm -rf here
}

# listing DIR: everything that a copy has to keep.
listing() {
	(cd "$1" && find . -printf '%p %y %m %U:%G %T@ %l\n' | sort)
}

# in_up CMD..: in the container that runs.
in_up() {
	ctr-exec up "$@"
}

test_tree_into_a_container_and_out_again() {
	for c in $BOTH; do
		run_cap ctr-cp src "$c:/tmp/copy"
		assert_ok
		assert_out ''
		run_cap ctr-cp "$c:/tmp/copy" here/back
		assert_ok
		assertEquals "$c" "$(listing src)" "$(listing here/back)"
		assertEquals 'one inode' "$(stat -c %i here/back/one)" "$(stat -c %i here/back/sub/hard)"
		rm -rf here/back
	done
	assertEquals 'two' "$(in_up cat /tmp/copy/sub/two)"
}

test_file_becomes_the_name_or_goes_into_the_directory() {
	for c in $BOTH; do
		ctr-cp src/one "$c:/tmp/new" && ctr-cp src/one "$c:/srv" && ctr-cp src/one "$c:/srv/"
		assertEquals "$c" 0 $?
		ctr-cp "$c:/tmp/new" here/new && ctr-cp "$c:/srv/one" here && ctr-cp "$c:/srv/one" here/sub
		assertEquals "one one one" "$(cat here/new here/one here/sub | tr '\n' ' ' | sed 's/ $//')"
		rm -rf here/*
	done
}

test_directory_goes_into_one_that_is_there_and_its_content_with_a_dot() {
	for c in $BOTH; do
		ctr-cp src "$c:/opt" && ctr-cp "$c:/opt/src" here
		assertEquals "$c" 0 $?
		assertEquals "$c" "$(listing src)" "$(listing here/src)"
		mkdir here/content
		ctr-cp "$c:/opt/src/." here/content || fail "$c"
		assertEquals "$c" "$(ls src)" "$(ls here/content)"
		ctr-cp src/. "$c:/srv/" && ctr-cp "$c:/srv/sub/two" here/
		assertEquals "$c" 0 $?
		assertEquals two "$(cat here/two)"
		ctr-cp "$c:/opt/src" here/made/ || fail 'a slash after a new name of a directory'
		assertEquals "$c" "$(ls src)" "$(ls here/made)"
		rm -rf here/*
	done
}

test_a_file_is_replaced_and_a_directory_merged() {
	mkdir -p here/src/sub
	echo old >here/src/one
	echo kept >here/src/sub/kept
	ctr-cp src up:/tmp/merge
	ctr-cp up:/tmp/merge/. here/src || fail 'merge'
	assertEquals 'one kept' "$(cat here/src/one here/src/sub/kept | tr '\n' ' ' | sed 's/ $//')"
}

test_what_cannot_be() {
	for c in $BOTH; do
		ctr-cp src "$c:/tmp/d" && ctr-cp src/one "$c:/tmp/f"
		assertEquals "$c" 0 $?
		run_cap ctr-cp src "$c:/tmp/f"
		assert_fails 1 "ctr-cp: $c: /tmp/f: is a file, which a directory can't replace"
		mkdir -p here/one
		run_cap ctr-cp "$c:/tmp/d/one" here
		assert_fails 1 'there is a directory of that name'
		run_cap ctr-cp src/one "$c:/tmp/absent/x"
		assert_fails 1 '/tmp/absent/x: its directory: No such file or directory'
		run_cap ctr-cp src/one "$c:/tmp/absent/"
		assert_fails 1 '/tmp/absent/: no such directory'
		run_cap ctr-cp src/one "$c:/tmp/f/"
		assert_rc 1
		run_cap ctr-cp "$c:/nothing" here
		assert_fails 1 "ctr-cp: $c: /nothing: No such file or directory"
		run_cap ctr-cp here/nothing "$c:/"
		assert_fails 1 'here/nothing: No such file or directory'
		run_cap ctr-cp "$c:/tmp/f/" here
		assert_fails 1 'Not a directory'
		run_cap ctr-cp "$c:/tmp/f" here/absent/x
		assert_fails 1 'here/absent/x: its directory: No such file'
		rm -rf here/*
	done
	assertNull "$(ls here)"
}

test_bad_usage() {
	run_cap ctr-cp here up
	assert_fails 2 'one side has to be CTR:PATH \(see "ctr-cp --help"\)'
	run_cap ctr-cp up:/a down:/a
	assert_fails 2 "one side has to be the host's"
	run_cap ctr-cp up:/a
	assert_fails 2 'SRC and DST are expected'
	run_cap ctr-cp up: here
	assert_fails 2 'a path is missing'
	run_cap ctr-cp nobody:/a here
	assert_fails 1 'ctr-cp: nobody: no such container'
	run_cap ctr-cp --nonsense up:/a here
	assert_rc 2
	touch here/a:b
	run_cap ctr-cp ./here/a:b up:/tmp/colon
	assert_ok
}

test_symlinks_are_copied_unless_asked_for() {
	for c in $BOTH; do
		ctr-cp src "$c:/tmp/links" && ctr-cp "$c:/tmp/links/link" here/link
		assertEquals "$c" 0 $?
		assertEquals one "$(readlink here/link)"
		ctr-cp -L "$c:/tmp/links/link" here/file || fail "$c"
		assertFalse 'followed' '[ -L here/file ]'
		assertEquals one "$(cat here/file)"
		rm -rf here/*
	done
	ln -s ../src here/dir
	ctr-cp here/dir up:/tmp/alink && ctr-cp -L here/dir up:/tmp/adir && ctr-cp here/dir/ up:/tmp/bdir
	assertEquals 'in' 0 $?
	assertEquals ../src "$(in_up readlink /tmp/alink)"
	assertEquals 'one one' "$(in_up cat /tmp/adir/one /tmp/bdir/one | tr '\n' ' ' | sed 's/ $//')"
	ln -s nowhere here/dangling
	ctr-cp here/dangling up:/tmp/dangling || fail 'dangling'
	assertEquals nowhere "$(in_up readlink /tmp/dangling)"
}

# A destination that is a symlink is what it points to, as the container sees that.
test_symlinked_destinations_stay_inside() {
	mkdir -p here/etc
	in_up sh -c 'ln -s /etc/made-by-cp /tmp/out; ln -s ../../../../etc /tmp/etc; ln -s /srv /tmp/srv'
	for dst in /tmp/out /tmp/etc /tmp/srv /../../../tmp/up; do
		ctr-cp src/one "up:$dst" || fail "$dst"
	done
	assertEquals 4 "$(in_up cat /etc/made-by-cp /etc/one /srv/one /tmp/up | grep -c one)"
	assertFalse 'the host has it' '[ -e /etc/made-by-cp ] || [ -e /etc/one ] || [ -e /srv/one ]'
	in_up ln -s /etc/hostname /tmp/h
	ctr-cp -L up:/tmp/h here/h || fail 'absolute link'
	assertEquals "$(in_up hostname)" "$(cat here/h)"
}

# What one copy brought must not lead a later one elsewhere.
test_a_symlink_from_the_container_leads_nowhere_on_the_host() {
	mkdir here/victim here/into
	in_up sh -c "rm -rf /tmp/t; mkdir /tmp/t; ln -s $WORK/here/victim /tmp/t/sub"
	ctr-cp up:/tmp/t/. here/into || fail 'first'
	in_up sh -c 'rm /tmp/t/sub; mkdir /tmp/t/sub; echo bad >/tmp/t/sub/bad'
	run_cap ctr-cp up:/tmp/t/. here/into
	assertNull 'the victim stays empty' "$(ls here/victim)"
}

test_streams() {
	for c in $BOTH; do
		run_cap sh -c "ctr-cp src $c:/tmp/s && ctr-cp $c:/tmp/s - | tar -tf - | sort | head -3"
		assert_out "$(printf 's/\ns/empty/\ns/fifo')"
		run_cap sh -c "ctr-cp $c:/tmp/s/. - | tar -tf - | sort | head -2"
		assert_out "$(printf './\nempty/')"
		run_cap sh -c "tar -czf - src | ctr-cp - $c:/mnt && ctr-cp $c:/mnt/src here/src"
		assert_ok
		assertEquals "$(ls src)" "$(ls here/src)"
		run_cap sh -c "tar -cf - src | ctr-cp - $c:/mnt/src/one"
		assert_fails 1 '/mnt/src/one: a tar stream needs a directory'
		run_cap sh -c "head -c 700 /dev/zero | tr '\\0' x | ctr-cp - $c:/mnt"
		assert_rc 1
		run_cap sh -c "tar -cf - src | head -c 1000 | ctr-cp - $c:/mnt"
		assert_rc 1
		rm -rf here/*
	done
	tty_cap 'ctr-cp up:/etc -'
	assert_rc 2
	assert_out_match 'stdout is a terminal'
}

# Volumes, tmpfs and the files that are mounted belong to what the container sees.
test_mounts() {
	for c in $BOTH; do
		ctr-cp src/one "$c:/vol/one" || fail "$c"
		assertEquals one "$(cat "$CTRBOX_ROOT/volumes/${c}vol/data/one")"
		ctr-cp "$c:/vol" here/vol || fail "$c"
		assertEquals one "$(cat here/vol/one)"
		rm -rf here/*
	done
	ctr-cp src/one up:/mem && ctr-cp up:/mem/one here/mem && ctr-cp up:/etc/hosts here/hosts
	assertEquals 'up' 0 $?
	assertEquals one "$(cat here/mem)"
	assertEquals "$(in_up cat /etc/hosts)" "$(cat here/hosts)"
	run_cap ctr-cp up:/proc/1/status here
	assert_fails 1 "the kernel's own files can't be copied"
	run_cap ctr-cp up:/ here/all
	assert_ok
	assertNull 'no process in it' "$(ls here/all/proc)"
	assertEquals "$(in_up cat /etc/passwd)" "$(cat here/all/etc/passwd)"
}

test_read_only_is_kept() {
	ctr-run -d --name ro --read-only -v rovol:/vol busybox sleep 1000 >/dev/null
	run_cap ctr-cp src/one ro:/tmp
	assert_fails 1 'Read-only file system'
	ctr-cp src/one ro:/vol || fail 'its volume'
	ctr-stop -t 0 ro >/dev/null
	run_cap ctr-cp src/one ro:/tmp
	assert_fails 1 'Read-only file system'
	ctr-rm ro >/dev/null
}

# Below $WORK a mapped root couldn't go: a store of its own.
test_user_namespace_sees_its_own_ids() {
	own_root=$CTRBOX_ROOT own_run=$CTRBOX_RUN
	CTRBOX_ROOT=/run/mapped/root CTRBOX_RUN=/run/mapped/run
	ctr-run -d --name mapped --userns 100000:0:65536 -v mvol:/vol busybox sleep 1000 >/dev/null
	ctr-cp src mapped:/tmp/in && ctr-cp src/one mapped:/vol
	assertEquals 'in' 0 $?
	run_cap ctr-exec mapped stat -c %u:%g /tmp/in/one /tmp/in/sub /vol/one
	assert_out "$(printf '1234:5678\n0:0\n1234:5678')"
	ctr-cp mapped:/tmp/in here/out
	assertEquals "$(listing src)" "$(listing here/out)"
	ctr-stop -t 0 mapped >/dev/null
	ctr-cp src mapped:/tmp/late && ctr-cp mapped:/tmp/late here/late && ctr-cp mapped:/vol/one here
	assertEquals 'stopped' 0 $?
	assertEquals "$(listing src)" "$(listing here/late)"
	ctr-start mapped >/dev/null
	run_cap ctr-exec mapped stat -c %u:%g /tmp/late/one
	assert_out 1234:5678
	run_cap sh -c 'ctr-export mapped | tar --numeric-owner -tvf - tmp/late/one etc/passwd'
	assert_out_match ' 1234/5678 .* tmp/late/one'
	assert_out_match ' 0/0 .* etc/passwd'
	ctr-rm -f mapped >/dev/null
	CTRBOX_ROOT=$own_root CTRBOX_RUN=$own_run
	rm -rf /run/mapped
}

# Nobody mounts the upper directory of one that somebody else has mounted.
test_one_that_does_not_run_is_locked_meanwhile() {
	mkfifo here/slow
	ctr-create --name locked busybox true >/dev/null
	ctr-cp - locked:/tmp <here/slow &
	cp=$!
	exec 5>here/slow
	tar -cf - src | head -c 512 >&5
	lock=$CTRBOX_ROOT/containers/$(ctr-inspect locked 2>/dev/null | sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' | head -1)
	wait_for 5 sh -c "! flock -n '$lock' true"
	assertEquals 0 $?
	kill -KILL $cp
	wait $cp 2>/dev/null
	exec 5>&-
	wait_for 5 flock -n "$lock" true
	assertEquals 'its death lets go' 0 $?
	run_cap ctr-start -a locked
	assert_rc 0
	ctr-rm locked >/dev/null
}

test_disk_full() {
	ctr-run -d --name small --tmpfs /small:size=64k busybox sleep 1000 >/dev/null
	head -c 200000 /dev/zero >here/big
	run_cap ctr-cp here/big small:/small/
	assert_fails 1 'No space left on device'
	ctr-rm -f small >/dev/null
}

# [91]: a container packed into a tar that unpacks to the whole tree, while it runs too
test_export() {
	for c in $BOTH; do
		ctr-cp src "$c:/srv/export" && ctr-cp src/one "$c:/vol/secret"
		assertEquals "$c" 0 $?
		run_cap ctr-export -o here/t.tar "$c"
		assert_ok
		mkdir here/tree
		tar -xpf here/t.tar -C here/tree || fail "$c"
		assertEquals "$(listing src)" "$(listing here/tree/srv/export)"
		assertTrue 'the image is in it' '[ -x here/tree/bin/busybox ] && [ -s here/tree/etc/passwd ]'
		assertNull 'mounts are not' "$(find here/tree/proc here/tree/sys here/tree/vol -mindepth 1)"
		run_cap ctr-root here/tree sh -c 'cat /srv/export/sub/two'
		assert_out two
		run_cap ctr-run --rm --rootfs "$WORK/here/tree" cat /srv/export/one
		assert_out one
		rm -rf here/*
	done
}

test_export_refuses() {
	tty_cap 'ctr-export up'
	assert_rc 2
	assert_out_match 'stdout is a terminal'
	run_cap ctr-export nobody
	assert_fails 1 'ctr-export: nobody: no such container'
	run_cap ctr-export
	assert_fails 2 'one container is expected'
	run_cap ctr-export -o absent/t.tar up
	assert_fails 1 'absent/t.tar: No such file'
	mkdir here/full
	mount -t tmpfs -o size=100k tmpfs here/full
	run_cap ctr-export -o here/full/t.tar up
	assert_fails 1 'No space left on device'
	assertNull 'no half tar' "$(ls here/full)"
	umount here/full
	run_cap sh -c 'ctr-export up | head -c 10 | wc -c'
	assert_out 10
}
. shunit2
