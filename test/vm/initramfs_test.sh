#!/bin/sh
# The box in an initramfs with busybox alone (test/vm/run), on pure cgroup v2: the root that can't be pivoted away from, stores on what a
# board has, limits and what the kernel tells of them.
# shellcheck disable=SC2015,SC2016 # || fail is for both; what shells inside expand
. "$(dirname "$0")/../lib.sh"

oneTimeSetUp() {
	need_busybox
}

tearDown() {
	[ -z "$(ctr-ps -aq)" ] || ctr-ps -aq | ctr-rm -f - >/dev/null
	assertNull "groups are left" "$(leftovers)"
}

# field NAME CTR: of ctr-inspect
field() {
	ctr-inspect "$2" | sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1
}

group_of() {
	echo "/sys/fs/cgroup/ctrbox-$(cat "$CTRBOX_ROOT/tag")/$1"
}

test_the_root_is_the_initramfs() {
	assertTrue "$(cat /proc/self/mountinfo)" "grep -q ' / / .* - rootfs ' /proc/self/mountinfo"
	run_cap ctr-run --name a busybox sh -c 'echo hello; ls -d /modules /build /init'
	assert_out hello
	assert_err_match 'ls: /modules: No such file'
	run_cap ctr-run -d --name b busybox sleep 1000
	assert_rc 0
	assertEquals true "$(field pivot_fallback b)"
}

# Whoever may chroot climbs out of one by a working directory outside of it: no further than to the container's own root.
test_no_way_back() {
	run_cap ctr-run --rm busybox sh -c '
		mkdir -p x/bin && cp bin/busybox x/bin/sh && nsenter -r/x -w/ /bin/sh -c "cd ../../../..; echo bin/* init* modules*" 2>&1
		ls -d /../init /proc/1/root/init /proc/1/cwd/../init 2>&1'
	assertFalse "$out" "printf '%s' '$out' | grep -qE ' init |modules/|^/'"
	assert_out_match '^bin/arch .*bin/zcat init\* modules\*$'
}

# What may unmount (--cap-add SYS_ADMIN) takes its own root away, and what is below it has nothing that lives.
test_no_way_back_by_unmounting() {
	run_cap ctr-run --rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined busybox sh -c '
		umount -l /; cd /; echo init* modules* proc/* sys/*'
	assert_out 'init* modules* proc/* sys/*'
}

test_exec_and_the_end() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	run_cap ctr-exec a sh -c 'ls -d /init; cat /proc/self/cgroup'
	assert_out_match '^0::/$'
	run_cap ctr-exec --privileged a sh -c 'ls /init; exit 7'
	assertFalse 'the host shows' "[ $rc = 0 ]"
	run_cap ctr-stop -t 0 a
	assert_rc 0
	assertEquals 137 "$(field exit_code a)"
}

# limit FILE VALUE: of container a, by cgroup v2's own file
limit() {
	assertEquals "$1" "$2" "$(cat "$(group_of "$(field id a)")/$1")"
}

test_limits() {
	run_cap ctr-run -d --name a -m 64m --memory-swap 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 1 --pids-limit 50 \
		--blkio-weight 200 busybox sleep 1000
	assert_rc 0
	limit memory.max 67108864
	limit memory.low 33554432
	limit cpu.max '50000 100000'
	limit cpu.weight 20
	limit cpuset.cpus 1
	limit pids.max 50
	run_cap ctr-exec a cat /sys/fs/cgroup/memory.max
	assert_out 67108864
	run_cap ctr-update -m 32m --memory-swap 32m --pids-limit 20 a
	assert_rc 0
	limit memory.max 33554432
	limit pids.max 20
}

test_freezer() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	run_cap ctr-pause a
	assert_rc 0
	limit cgroup.freeze 1
	assertEquals paused "$(ctr-ps -n -o status)"
	run_cap ctr-exec a true
	assert_rc 125
	run_cap ctr-unpause a
	assert_rc 0
	limit cgroup.freeze 0
	ctr-pause a >/dev/null
	run_cap ctr-kill a
	assert_rc 0
	wait_for 20 [ ! -d "$(group_of "$(field id a)")" ]
	assertEquals exited "$(ctr-ps -a -n -o status)"
}

test_killed_for_want_of_memory() {
	run_cap ctr-run --name a -m 16m --memory-swap 16m busybox sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'
	assert_rc 137
	assertEquals true "$(field oom a)"
	run_cap ctr-ps -a -n -o exit
	assert_out_match oom
}

test_processes_are_counted() {
	run_cap ctr-run --name a --pids-limit 6 busybox sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; wait'
	assert_err_match "can't fork"
}

# v2 has no devices controller: a program decides.
test_devices() {
	run_cap ctr-run --rm busybox sh -c 'mknod /tmp/k c 1 11 && cat /tmp/k'
	assert_err_match "can't open '/tmp/k': Operation not permitted"
	run_cap ctr-run --rm busybox sh -c 'mknod /tmp/n c 1 3 && echo x >/tmp/n && echo fine'
	assert_out fine
	run_cap ctr-run --rm --device /dev/loop7:/dev/k:r busybox sh -c ': </dev/k && echo read; : <>/dev/k'
	assert_out read
	assert_err_match "can't create /dev/k: Operation not permitted"
}

# v2 lets no group have both processes and groups with controllers: those in the outer container step down to `init`.
test_a_container_in_a_container() {
	ctr-run -d --name a --privileged -m 200m -v /build:/build --tmpfs /var/lib/ctrbox --tmpfs /run busybox sleep 1000 >/dev/null
	inner='PATH=/build/bin:$PATH CTRBOX_IMAGES=/build'
	run_cap ctr-exec a sh -c "$inner ctr-run --rm -m 32m --pids-limit 30 --cpus 0.5 --net none busybox sh -c '
		cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /proc/self/cgroup'"
	assert_ok
	assert_out '33554432
30
0::/'
	run_cap ctr-exec a sh -c "$inner ctr-ps -aq; find /sys/fs/cgroup -mindepth 1 -type d; cat /proc/self/cgroup"
	assert_ok
	assert_out '/sys/fs/cgroup/init
0::/init'
	run_cap ctr-exec a sh -c "$inner ctr-run -d --name b --net none busybox sleep 1000 && $inner ctr-pause b && $inner ctr-ps -n -o status"
	assert_out_match '^paused$'
	run_cap ctr-pause a
	assert_rc 0
	run_cap ctr-unpause a
	assert_rc 0
	run_cap ctr-stop -t 0 a
	assert_rc 0
}

# A store on an ext4 that a file of the initramfs holds
test_store_on_ext4() {
	mkdir -p /mnt/disk
	run_cap mount -t ext4 -o loop /images/ext4 /mnt/disk
	assert_ok
	run_cap env CTRBOX_ROOT=/mnt/disk/store ctr-run --name a busybox sh -c 'echo x >/file; rm /etc/shells; cat /file'
	assert_ok
	assert_out x
	run_cap env CTRBOX_ROOT=/mnt/disk/store ctr-diff a
	assert_out_match '^A /file$'
	run_cap env CTRBOX_ROOT=/mnt/disk/store ctr-rm a
	assert_rc 0
	run_cap umount /mnt/disk
	assert_ok
}

# The initramfs itself can't hold an upper layer (ramfs): the image is copied, and a line says so.
test_store_on_the_initramfs_itself() {
	run_cap env CTRBOX_ROOT=/store ctr-run --rm busybox sh -c 'rm /etc/shells; echo x >/file; cat /file'
	assert_rc 0
	assert_out x
	rm -rf /store
}

test_images_as_files() {
	for kind in squashfs erofs ext4_tree; do
		run_cap ctr-run --rm --rootfs "/images/$kind" sh -c 'echo x >/file && cat /file && echo /bin/busybox'
		assert_ok
		assert_out 'x
/bin/busybox'
	done
	wait_for 10 sh -c '! losetup -a | grep -q .'
	assertNull 'loop devices' "$(losetup -a)"
}

. shunit2
