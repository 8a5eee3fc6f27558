#!/bin/sh
# ctr-volume, volumes in containers, and containers where overlay can't be had. [N]: the number in the seeds' checklist.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
}

setUp() {
	cut -d' ' -f5- /proc/self/mountinfo | sort >mounts.before
}

tearDown() {
	[ -e mounts.before ] || return 0
	for c in $(ctr-ps -aqn 2>/dev/null); do ctr-rm -f "$c" >/dev/null; done
	ctr-volume prune -a >/dev/null
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff mounts.before - || fail 'mounts have changed'
	assertNull 'a cgroup is left' "$(leftovers)"
}

test_create_list_inspect_remove() {
	run_cap ctr-volume create b a
	assert_ok
	assert_out "$(printf 'b\na')"
	run_cap ctr-volume create a
	assert_ok
	assert_out a
	run_cap ctr-volume ls -nr
	assert_out "$(printf 'a\t%s\t-\nb\t%s\t-' "$CTRBOX_ROOT/volumes/a/data" "$CTRBOX_ROOT/volumes/b/data")"
	ctr-create --name user -v a:/x busybox true >/dev/null
	run_cap ctr-volume ls -nr -o containers,name
	assert_out "$(printf 'user\ta\n-\tb')"
	run_cap ctr-volume ls -q
	assert_out "$(printf 'a\nb')"
	run_cap ctr-volume ls -J -f name=a
	assert_out "{\"name\":\"a\",\"path\":\"$CTRBOX_ROOT/volumes/a/data\",\"containers\":[\"user\"]}"
	run_cap ctr-volume inspect a
	assert_ok
	assert_out_match '"name": "a"'
	assert_out_match '"anonymous": false'
	ctr-rm user >/dev/null
	run_cap ctr-volume rm a b
	assert_ok
	assert_out "$(printf 'a\nb')"
	assertNull "$(ctr-volume ls -n)"
}

test_bad_input() {
	run_cap ctr-volume
	assert_rc 2
	run_cap ctr-volume nonsense
	assert_rc 2
	run_cap ctr-volume rm
	assert_fails 2 'NAME is missing'
	run_cap ctr-volume create ../x
	assert_fails 1 'volume: name "../x"'
	run_cap ctr-volume create 123
	assert_fails 1 'all digits'
	assertNull 'nothing was made' "$(ctr-volume ls -n)"
	run_cap ctr-volume rm ../containers
	assert_rc 1
	run_cap ctr-volume rm absent
	assert_fails 1 'ctr-volume: absent: no such volume'
	run_cap ctr-volume inspect absent
	assert_rc 1
	assert_err_match 'absent: no such volume'
	run_cap ctr-volume ls -o nonsense
	assert_rc 2
}

test_one_in_use_is_kept_and_the_others_still_removed() {
	ctr-volume create a b c >/dev/null
	ctr-create --name one -v b:/b busybox true >/dev/null
	ctr-run -d --name two -v b:/b busybox sleep 100 >/dev/null
	run_cap ctr-volume rm a b c
	assert_rc 1
	assert_out "$(printf 'a\nc')"
	assert_err_match 'ctr-volume: b: in use by one, two'
	assertEquals b "$(ctr-volume ls -q)"
}

# [90]: removing a container leaves its volume's data; -v takes those that nobody named
test_prune_and_anonymous_volumes() {
	ctr-run --name a -v named:/n -v /anonymous busybox sh -c 'echo kept >/n/f; echo x >/anonymous/f'
	assertEquals 2 "$(ctr-volume ls -q | wc -l)"
	run_cap ctr-volume prune
	assert_ok
	assert_out ''
	ctr-rm a >/dev/null
	run_cap ctr-volume prune
	assert_match '^[0-9a-f]{32}$' "$out"
	assertEquals named "$(ctr-volume ls -q)"
	assertEquals kept "$(cat "$CTRBOX_ROOT/volumes/named/data/f")"
	run_cap ctr-volume prune --all
	assert_out named
	ctr-run --name b -v /anonymous busybox true
	ctr-rm -v b >/dev/null
	assertNull "$(ctr-volume ls -q)"
	run_cap ctr-volume create
	assert_match '^[0-9a-f]{32}$' "$out"
}

# [114]: two containers with two volumes at once; one volume in both
test_containers_share_a_volume() {
	ctr-run -d --name w -v shared:/s -v own1:/o busybox sh -c 'echo from w >/s/f; exec sleep 100' >/dev/null
	ctr-run -d --name r -v shared:/s:ro -v own2:/o busybox sleep 100 >/dev/null
	wait_for 5 test -s "$CTRBOX_ROOT/volumes/shared/data/f"
	run_cap ctr-exec r sh -c 'cat /s/f; echo x >/s/g'
	assert_out 'from w'
	assert_err_match 'Read-only'
	assertEquals 3 "$(ctr-volume ls -q | wc -l)"
}

test_a_new_volume_gets_what_the_image_has_there() {
	ctr-run --name src busybox sh -c 'mkdir -m 700 /app; echo seed >/app/f; chown -R 5:6 /app'
	ctr-commit src app >/dev/null
	run_cap ctr-run --rm -v data:/app app sh -c 'cat /app/f; stat -c %a:%u:%g /app /app/f; echo more >/app/f'
	assert_out "$(printf 'seed\n700:5:6\n644:5:6')"
	run_cap ctr-run --rm -v data:/app app cat /app/f
	assert_out more
	ctr-rm src >/dev/null
	ctr-image rm app >/dev/null
}

# [115]: commit, and a container of that image with the same volume: the change and the data
test_commit_and_volume_together() {
	ctr-run -d --name container1 -v vol:/to1 busybox top >/dev/null
	ctr-exec container1 sh -c 'echo hello >/to1/test1.txt; mkdir /to1-1; echo inner >/to1-1/test1.txt'
	run_cap ctr-commit container1 image1
	assert_ok
	ctr-stop -t 0 container1 >/dev/null
	ctr-rm container1 >/dev/null
	run_cap ctr-run --rm -v vol:/to1 image1 cat /to1/test1.txt /to1-1/test1.txt
	assert_out "$(printf 'hello\ninner')"
	run_cap ctr-run --rm image1 ls -A /to1
	assert_out ''
	ctr-image rm image1 >/dev/null
}

# without_overlay FSTYPE: a store on a file system that can't hold what a container changes.
without_overlay() {
	mkdir -p "$WORK/other"
	case $1 in
	ramfs) mount -t ramfs ramfs "$WORK/other" ;;
	overlay)
		mkdir -p "$WORK/u" "$WORK/w" "$WORK/l"
		mount -t overlay -o "lowerdir=$WORK/l,upperdir=$WORK/u,workdir=$WORK/w" overlay "$WORK/other"
		;;
	esac
	own=$CTRBOX_ROOT
	CTRBOX_ROOT=$WORK/other/root
}

with_overlay() {
	CTRBOX_ROOT=$own
	umount "$WORK/other"
	rm -rf "$WORK/other" "$WORK/u" "$WORK/w" "$WORK/l"
}

# [187]: no overlay: the image is copied
test_without_overlay_the_image_is_copied() {
	for fs in ramfs overlay; do
		without_overlay $fs
		run_cap ctr-run --name copy -v data:/srv busybox sh -c 'rm /etc/passwd; echo x >/x; mkdir /var/y; rm -r /var/spool; echo d >/srv/d; grep " / " /proc/mounts'
		assert_rc 0
		assert_err_match "^ctr-run: copy: the store's file system can't hold an overlay's changes: its image is copied$"
		assert_out_match " / $fs "
		run_cap ctr-start -a copy sh -c 'cat /x /srv/d; ls -d /var/y /etc/passwd /var/spool'
		assert_out "$(printf 'x\nd\n/var/y')"
		run_cap ctr-run --rm busybox sh -c 'ls /x; cat /etc/passwd'
		assert_out_match root
		echo in >in
		ctr-cp in copy:/tmp && ctr-cp copy:/tmp/in out
		assertEquals in "$(cat out)"
		run_cap ctr-diff copy
		assert_fails 1 "isn't known"
		run_cap ctr-commit copy committed
		assert_ok
		assertEquals 1 "$(ctr-image ls -nr -o layers -f name=committed:latest)"
		run_cap ctr-run --rm committed sh -c 'cat /x; ls /etc/passwd'
		assert_out x
		ctr-rm copy >/dev/null
		assertNull 'the copy is gone' "$(ls "$CTRBOX_ROOT/containers")"
		with_overlay
	done
}

# Layers on layers, put together without overlay's help: what a later one deletes or replaces is gone.
test_layers_are_copied_one_on_the_other() {
	ctr-run --name a busybox sh -c 'rm /etc/passwd; mkdir /etc/new; echo 1 >/etc/new/1; rm -r /srv; ln -s /etc /srv'
	ctr-commit a layers >/dev/null
	ctr-run --name b layers sh -c 'rm /etc/new/1; echo 2 >/etc/new/2; rm /srv; mkdir -p /srv/x; echo 3 >/srv/x/3'
	ctr-commit b layers >/dev/null
	ctr-rm a b >/dev/null
	without_overlay ramfs
	mkdir "$CTRBOX_ROOT"
	cp -a "$own/layers" "$own/images" "$CTRBOX_ROOT"
	run_cap ctr-run --rm layers sh -c 'ls /etc/passwd; ls /etc/new; cat /srv/x/3; [ -L /srv ]; ls -A /etc | grep -c wh'
	assert_out "$(printf '2\n3\n0')"
	with_overlay
	ctr-image rm layers >/dev/null
	ctr-image prune >/dev/null
}

test_a_copy_that_does_not_fit_leaves_nothing() {
	make_rootfs rootfs
	head -c 20000000 /dev/zero >rootfs/big
	mkdir "$WORK/small"
	mount -t tmpfs -o size=8m tmpfs "$WORK/small"
	mkdir -p "$WORK/l" "$WORK/small/u" "$WORK/small/w" "$WORK/other"
	mount -t overlay -o "lowerdir=$WORK/l,upperdir=$WORK/small/u,workdir=$WORK/small/w" overlay "$WORK/other"
	own=$CTRBOX_ROOT
	CTRBOX_ROOT=$WORK/other/root
	run_cap ctr-run --name big --rootfs "$WORK/rootfs" --overlay true
	assert_rc 125
	assert_err_match 'No space left on device'
	assertNull "$(find "$CTRBOX_ROOT/containers" "$CTRBOX_ROOT/names" -mindepth 1)"
	with_overlay
	umount "$WORK/small"
	rm -rf rootfs
}
. shunit2
