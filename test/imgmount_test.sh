#!/bin/sh
# Root file systems kept in a file, and images that are mounted: --rootfs FILE, ctr-image mount.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

KINDS='sqsh erofs ext4'

oneTimeSetUp() {
	need_busybox
	make_rootfs tree
	mkdir -p tree/data mnt
	echo lower | tee tree/lower >tree/data/file
	chown 33:34 tree/data/file
	setfattr -n user.note -v kept tree/lower
	mksquashfs tree a.sqsh -quiet -no-progress >/dev/null
	mkfs.erofs a.erofs tree >/dev/null 2>&1
	truncate -s 32M a.ext4
	mkfs.ext4 -q -d tree a.ext4
	ctr-run --rm busybox true
}

setUp() {
	cut -d' ' -f5- /proc/self/mountinfo | sort >"$WORK/before"
}

tearDown() {
	ctr-ps -a -q | ctr-rm -f - >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
	wait_for 20 no_loops || fail "loop devices are left: $(loops)"
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff "$WORK/before" - || fail 'mounts changed outside'
}

# Loop devices on files of ours.
loops() {
	losetup -a | grep -F "$WORK/"
}

no_loops() {
	! loops
}

# run FILE ARG..: a container of it that is gone afterwards.
run() {
	_file=$1
	shift
	run_cap ctr-run --rm --net none --rootfs "$_file" "$@"
}

test_runs() {
	for kind in $KINDS; do
		run "a.$kind" sh -c 'cat /lower; stat -c %u:%g /data/file; echo upper >/lower; cat /lower'
		assert_ok
		assert_out 'lower
33:34
upper'
	done
	run_cap ctr-run --rm --net none --overlay --rootfs a.sqsh cat /lower
	assert_ok
	run_cap ctr-run --rm --net none --read-only --rootfs a.sqsh sh -c 'touch /x; cat /lower'
	assert_out lower
	assert_err_match 'Read-only file system'
	run_cap ctr-run --rm --net none --init --rootfs a.erofs cat /lower
	assert_ok
}

# Nothing of it is seen on the host while it runs, but the loop device that the kernel needs.
test_mounted_in_the_container_alone() {
	ctr-run -d --name a --net none --rootfs a.sqsh sleep 1000 >/dev/null
	assertEquals 'one loop device' 1 "$(loops | wc -l)"
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff before -
	assertEquals 'nothing on the host' 0 $?
	assertEquals '' "$(ctr-exec a cat /proc/mounts | grep squashfs)"
	ctr-rm -f a >/dev/null
	wait_for 20 no_loops
	assertEquals 'free again' 0 $?
}

# erofs is mounted without a device by Linux 6.12 and newer, where the file isn't on a tmpfs.
test_erofs_needs_no_device() {
	truncate -s 16M disk.img
	mkfs.ext4 -q disk.img
	mkdir -p disk
	mount -o loop disk.img disk
	cp a.erofs disk/
	ctr-run -d --name a --net none --rootfs disk/a.erofs sleep 1000 >/dev/null
	assertEquals "" "$(loops | grep -F a.erofs)"
	assertEquals lower "$(ctr-exec a cat /lower)"
	run_cap umount disk
	assert_fails 32 'busy'
	ctr-rm -f a >/dev/null
	run_cap ctr-run --rm --net none --userns auto --rootfs disk/a.erofs stat -c %u:%g /data/file
	assert_ok
	assert_out 33:34
	wait_for 20 umount disk || fail "disk is busy"
}

test_older_kernels_have_a_device_for_erofs() {
	run_cap strace -o trace -e trace=fsconfig,ioctl -e inject=fsconfig:error=ENOTBLK:when=3 ctr-image mount a.erofs mnt
	assert_ok
	assertEquals 1 "$(loops | wc -l)"
	assertEquals lower "$(cat mnt/lower)"
	ctr-image umount mnt
	grep -q LOOP_CONFIGURE trace
	assertEquals 0 $?
}

# A mount without a device would count as stacked, and no more than two may be: a host whose root is an overlay has one already.
test_erofs_on_an_overlay() {
	mkdir -p o/upper o/work o/low o/on
	mount -t overlay -o lowerdir=o/low,upperdir=o/upper,workdir=o/work overlay o/on
	cp a.erofs o/on/
	run o/on/a.erofs cat /lower
	umount o/on
	assert_ok
	assert_out lower
}

test_two_at_once() {
	for kind in $KINDS; do
		ctr-run -d --name a --net none --rootfs "a.$kind" sh -c 'echo a >/who; exec sleep 1000' >/dev/null
		ctr-run -d --name b --net none --rootfs "a.$kind" sh -c 'echo b >/who; exec sleep 1000' >/dev/null
		wait_for 20 ctr-exec a test -s /who
		wait_for 20 ctr-exec b test -s /who
		assertEquals "$kind" 'a b' "$(ctr-exec a cat /who) $(ctr-exec b cat /who)"
		ctr-rm -f a b >/dev/null
	done
}

test_started_again() {
	for kind in $KINDS; do
		run_cap ctr-run --name a --net none --rootfs "a.$kind" sh -c 'cat /n 2>/dev/null; echo x >>/n'
		assert_ok
		run_cap ctr-start -a a
		assert_ok
		assert_out x
		ctr-rm a >/dev/null
	done
	ctr-run -d --name a --net none --rootfs a.sqsh sh -c 'echo x >>/n; exec sleep 1000' >/dev/null
	wait_for 20 ctr-exec a test -s /n
	run_cap ctr-restart -t 0 a
	assert_rc 0
	wait_for 20 ctr-exec a grep -qc 'x' /n
	ctr-stop -t 0 a >/dev/null
	wait_for 20 no_loops
	assertEquals 'a stopped one needs no device' 0 $?
}

test_changes_are_the_containers() {
	for kind in $KINDS; do
		ctr-run -d --name a --net none --rootfs "a.$kind" sh -c 'echo new >/new; rm /lower; touch /done; exec sleep 1000' >/dev/null
		wait_for 20 ctr-exec a test -e /done
		for state in running stopped; do
			[ $state = running ] || ctr-stop -t 0 a >/dev/null
			assertEquals "$kind $state" 'A /done D /lower A /new' "$(ctr-diff a | xargs)"
			assertEquals "$kind $state" new "$(ctr-cp a:/new - | tar -xO)"
			assertEquals "$kind $state" lower "$(ctr-cp a:/data/file - | tar -xO)"
			assertEquals "$kind $state" 'data/file new' "$(ctr-export a | tar -t | grep -xE '(data/file|new|lower)' | xargs)"
			echo in >in
			ctr-cp in a:/in && ctr-cp a:/in - | tar -xO >out
			assertEquals "$kind $state" in "$(cat out)"
			run_cap ctr-commit a made
			assert_rc 0
			run_cap ctr-run --rm --net none made sh -c 'cat /new /data/file; stat -c %u /data/file; ls /lower'
			assert_rc 1
			assert_out 'new
lower
33'
			ctr-image rm made
			[ $state = stopped ] || ctr-exec a rm /in
		done
		ctr-rm -f a >/dev/null
	done
}

test_volume_is_filled() {
	run_cap ctr-run --rm --net none -v v:/data --rootfs a.sqsh stat -c %u:%g /data/file
	assert_ok
	assert_out 33:34
	ctr-volume rm v >/dev/null
}

# In a user namespace the file's owners are the namespace's: erofs is idmapped since Linux 5.19, squashfs since 6.2, ext4 since 5.12.
test_userns() {
	for kind in $KINDS; do
		run_cap ctr-run --rm --net none --userns 100000:0:65536 --rootfs "a.$kind" \
			sh -c 'stat -c %u:%g /lower /data/file; echo x >/data/file; stat -c %u:%g /data/file; tr -s " " </proc/self/uid_map'
		assert_ok
		assert_out '0:0
33:34
33:34
 0 100000 65536'
	done
}

# Whoever is killed, the kernel ends the mount, and the loop device with it.
test_sigkill_leaves_nothing() {
	ctr-run -d --name a --net none --rootfs a.sqsh sleep 1000 >/dev/null
	kill -9 "$(jq .supervisor "$CTRBOX_RUN/containers/$(readlink "$CTRBOX_ROOT/names/a")/state.json")"
	wait_for 20 no_loops
	assertEquals 0 $?
	ctr-gc >/dev/null
	run_cap strace -o /dev/null -e inject=fsconfig:signal=SIGKILL:when=3 ctr-image mount a.sqsh mnt
	assert_rc 137
	wait_for 20 no_loops
	assertEquals 'between the loop device and its mount' 0 $?
}

test_bad_files() {
	head -c 500000 a.sqsh >short.sqsh
	head -c 500000 a.erofs >short.erofs
	head -c 500000 a.ext4 >short.ext4
	for kind in $KINDS; do
		for cmd in ctr-run ctr-create; do
			run_cap "$cmd" --net none --rootfs "short.$kind" true
			[ $rc != 0 ]
			expect $? 'a failure'
			assert_err_match "root file system short.$kind: is truncated: it has 500000 bytes of its"
		done
		run_cap ctr-image mount "short.$kind" mnt
		assert_fails 1 "short.$kind: is truncated"
	done
	: >empty
	mkfifo pipe
	for bad in "empty:holds no squashfs, erofs or ext4" "$BUILD/busybox.tar:holds no squashfs, erofs or ext4" \
		"pipe:is no regular file" "/dev/null:is no regular file" "nowhere:No such file"; do
		run_cap timeout 20 ctr-run --net none --rootfs "${bad%%:*}" true
		assert_fails 125 "root file system ${bad%%:*}: .*${bad#*:}"
		[ "${bad#/}" != "$bad" ] || bad=./$bad
		run_cap timeout 20 ctr-image mount "${bad%%:*}" mnt
		assert_fails 1 "${bad%%:*}: .*${bad#*:}"
	done
	rm pipe
	assertNull 'no container' "$(ctr-ps -a -q)"
}

# A superblock alone: the kernel says what is wrong with the rest.
test_garbled() {
	for kind in sqsh erofs; do
		{ head -c 1200 "a.$kind" && head -c 3000000 /dev/zero; } >"garbled.$kind"
		run "garbled.$kind" true
		assert_fails 125 "root file system .*garbled.$kind: mount as (squashfs|erofs): "
	done
	wait_for 20 no_loops
	assertEquals 0 $?
}

test_gone_or_changed_since_create() {
	cp a.sqsh b.sqsh
	ctr-create --name a --net none --rootfs b.sqsh cat /lower >/dev/null
	rm b.sqsh
	run_cap ctr-start -a a
	assert_fails 125 'root file system .*/b.sqsh: No such file'
	run_cap ctr-cp a:/lower -
	assert_fails 1 'root file system .*/b.sqsh: No such file'
	run_cap ctr-commit a made
	assert_fails 1 'root file system .*/b.sqsh: No such file'
	echo text >b.sqsh
	run_cap ctr-start -a a
	assert_fails 125 'b.sqsh: holds no squashfs'
	cp a.erofs b.sqsh
	run_cap ctr-start -a a
	assert_ok
	assert_out lower
}

# ext4 whose last mount didn't end well: its journal can't be replayed on what is read-only.
test_journal() {
	cp a.ext4 dirty.ext4
	mount -o loop dirty.ext4 mnt
	touch mnt/x
	sync -f mnt
	cp dirty.ext4 dirty2.ext4
	umount mnt
	run dirty2.ext4 true
	assert_fails 125 'dirty2.ext4: mount as ext4: Read-only file system .*e2fsck'
	e2fsck -fy dirty2.ext4 >/dev/null 2>&1
	run dirty2.ext4 cat /lower
	assert_ok
}

test_what_the_kernel_lacks() {
	run_cap strace -o /dev/null -e inject=fsopen:error=ENODEV ctr-image mount a.sqsh mnt
	assert_fails 1 'a.sqsh: mount as squashfs: No such device \(is CONFIG_SQUASHFS in this kernel\?\)'
	run_cap strace -o /dev/null -e inject=fsopen:error=ENODEV ctr-image mount a.erofs mnt
	assert_fails 1 'CONFIG_EROFS_FS'
	run_cap strace -o /dev/null -P /dev/loop-control -e inject=open,openat:error=ENOENT ctr-image mount a.sqsh mnt
	assert_fails 1 'a.sqsh: open /dev/loop-control: No such file or directory \(is CONFIG_BLK_DEV_LOOP'
	for row in squashfs erofs 'loop devices'; do
		assertEquals "$row" yes "$(ctr-info -r -n -o state -f "feature=$row")"
	done
}

# Somebody else takes the free device first.
test_loop_device_race() {
	run_cap strace -o trace -e trace=ioctl -e inject=ioctl:error=EBUSY:when=2 ctr-image mount a.sqsh mnt
	assert_ok
	assertEquals 2 "$(grep -c LOOP_CTL_GET_FREE trace)"
	assertEquals lower "$(cat mnt/lower)"
	ctr-image umount mnt
}

# Without overlay the container gets a copy, as of an image.
test_copied_without_overlay() {
	mksquashfs tree plain.sqsh -no-xattrs -quiet -no-progress >/dev/null
	mkdir -p ram
	mount -t ramfs ram ram
	run_cap env CTRBOX_ROOT="$WORK/ram/root" CTRBOX_RUN="$WORK/ram/run" ctr-run --rm --net none --rootfs plain.sqsh cat /lower
	umount ram
	assert_rc 0
	assert_out lower
	assert_err_match 'its image is copied'
}

test_mount_file() {
	for kind in $KINDS; do
		run_cap ctr-image mount "a.$kind" mnt
		assert_ok
		assertEquals lower "$(cat mnt/lower)"
		assertEquals kept "$(getfattr --only-values -n user.note mnt/lower)"
		assert_match '^ro,nosuid,nodev' "$(findmnt -n -o OPTIONS mnt)"
		run_cap ctr-image umount mnt
		assert_ok
	done
	run_cap ctr-image mount a.sqsh nowhere
	assert_fails 1 'nowhere: No such file'
	run_cap ctr-image mount nonsense mnt
	assert_fails 1 'no such image: nonsense'
	cp a.sqsh Upper.sqsh # no image's name
	run_cap ctr-image mount Upper.sqsh mnt
	assert_ok
	ctr-image umount mnt
}

test_an_images_name_comes_first() {
	cp a.sqsh busybox
	run_cap ctr-image mount busybox mnt
	assert_ok
	[ -e mnt/lower ]
	assertEquals 'the image' 1 $?
	ctr-image umount mnt
	run_cap ctr-image mount ./busybox mnt
	assert_ok
	assertEquals lower "$(cat mnt/lower)"
	ctr-image umount mnt
	rm busybox
}

test_mounted_image_is_in_use() {
	tar -cf - -C tree . | ctr-image import one >/dev/null
	id=$(ctr-image inspect one | jq -r '.[0].id')
	mkdir -p other
	ctr-image mount one mnt
	ctr-image mount one other
	for ways in one "-f $id"; do
		# shellcheck disable=SC2086 # words
		run_cap ctr-image rm $ways
		assert_fails 1 'a container uses it, or it is mounted'
	done
	tar -cf - -C tree data | ctr-image import one >/dev/null # another takes its name
	run_cap ctr-image prune
	assert_ok
	assert_out ''
	run_cap ctr-gc
	assert_ok
	ctr-image umount mnt
	run_cap ctr-image prune
	assert_out ''
	assertEquals lower "$(cat other/lower)"
	umount other
	run_cap ctr-image prune
	assert_ok
	assert_out_match "^image $id"
	run_cap ctr-image rm one
	assert_ok
}

# Layers may be the same ones: then there is one to stack.
test_mount_the_same_layer_twice() {
	tar -cf once.tar -C tree data
	ctr-image import once <once.tar >/dev/null
	diff=$(sha256sum <once.tar | cut -c1-64)
	printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' "$diff" "$diff" >config
	id=$(sha256sum <config | cut -c1-64)
	mkdir "$CTRBOX_ROOT/images/$id" && cp config "$CTRBOX_ROOT/images/$id/config.json"
	run_cap ctr-image mount "$id" mnt
	assert_ok
	assertEquals lower "$(cat mnt/data/file)"
	ctr-image umount mnt
}

# Another store's image of the same content isn't ours.
test_mounted_in_another_store() {
	for store in x y; do
		CTRBOX_ROOT=$WORK/$store/root CTRBOX_RUN=$WORK/$store/run ctr-image import same <"$BUILD/busybox.tar" >/dev/null
	done
	cp -a x/root/images y/root/
	CTRBOX_ROOT=$WORK/x/root CTRBOX_RUN=$WORK/x/run ctr-image mount same mnt
	CTRBOX_ROOT=$WORK/y/root CTRBOX_RUN=$WORK/y/run run_cap ctr-image rm same
	assert_ok
	CTRBOX_ROOT=$WORK/x/root CTRBOX_RUN=$WORK/x/run run_cap ctr-image rm same
	assert_fails 1 'mounted'
	ctr-image umount mnt
}

. shunit2
