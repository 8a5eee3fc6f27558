#!/bin/sh
# Kernels that lack what we use: system calls are made to fail one at a time, and all together as Linux 5.4 and 4.19 have it (enosys.c). What has
# something to fall back on works as ever; what can't be done is refused by name. Nothing is left either way.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

. "$(dirname "$0")/oldkernel_lib.sh"

oneTimeSetUp() {
	tool enosys "$TOP/test/enosys.c"
	tool same "$TOP/test/openat2_same.c" "$TOP/lib/base/fdinfo.c"
	need_busybox
	mkdir -p v/sub 'v/with blank' image
	mount -t tmpfs -o nosuid sub v/sub
	mount -t tmpfs -o noexec blank 'v/with blank'
	echo page >v/index.html
	echo below >v/sub/f
	make_rootfs rootfs
	for n in 1 2 3 4; do # an image of some layers
		ctr-run --name layer --net none "$([ $n = 1 ] && echo busybox || echo layered)" sh -c "echo $n >/n$n; echo $n >/n"
		ctr-commit layer layered >/dev/null
		ctr-rm layer >/dev/null
	done
	mksquashfs v image.sqsh -quiet -no-progress >/dev/null
}

oneTimeTearDown() {
	umount v/sub 'v/with blank' 2>/dev/null
	ctr-net rm bridge >/dev/null 2>&1
	setUp
}

setUp() {
	cut -d' ' -f5- /proc/self/mountinfo | sort >mounts.before
	losetup -n -O NAME | sort >loops.before
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
	assertEquals 'no container' '' "$(ctr-ps -aq)"
	assertEquals 'mounts' "$(cat mounts.before)" "$(cut -d' ' -f5- /proc/self/mountinfo | sort)"
	wait_for 20 sh -c 'losetup -n -O NAME | sort | cmp -s - loops.before' || fail "loop devices: $(losetup)"
}

page_is_served() {
	[ "$(timeout 5 busybox wget -q -O - http://127.0.0.1:8080/)" = page ]
}

a_life() {
	old ctr-run -d --name a -p 8080:80 -v "$WORK/v:/v:ro" --tmpfs /t busybox httpd -f -p 80 -h /v
	assert_ok
	wait_for 20 page_is_served || fail 'the published port'
	old ctr-exec a sh -c 'cat /v/sub/f; touch /v/x /v/sub/x "/v/with blank/x"; echo new >/etc/new; id -u
		for n in /proc/self/ns/*; do readlink $n; done'
	assert_out "below
0
$(for n in "/proc/$(ctr-inspect a | jq '.[0].pid')/ns/"*; do readlink "$n"; done)"
	assertEquals "$OLD: read-only" 3 "$(printf '%s\n' "$err" | grep -c 'Read-only file system')"
	old ctr-cp a:/etc/new copied
	assert_ok
	assertEquals new "$(cat copied)"
	old ctr-cp copied a:/v/y
	assert_fails 1 'Read-only file system'
	old ctr-diff a
	assert_out_match '^A /etc/new'
	old ctr-commit a committed
	assert_rc 0
	old ctr-pause a
	assert_ok
	old ctr-unpause a
	assert_ok
	old ctr-stop -t 0 a
	assert_ok
	old ctr-cp a:/etc/new -
	assert_rc 0
	old ctr-start a
	assert_ok
	old ctr-rm -f a
	assert_ok
}

other_ways() {
	old ctr-run --rm --net none committed cat /etc/new
	assert_ok
	assert_out new
	old ctr-run --rm --net none layered sh -c 'cat /n /n1 /n2 /n3 /n4'
	assert_ok
	assert_out "$(printf '4\n1\n2\n3\n4')"
	old ctr-run --rm --net none --init --rootfs rootfs sh -c 'echo here; exit 3'
	assert_rc 3
	assert_out here
	assertEquals '' "$err"
	old ctr-run --rm --net none --read-only --rootfs image.sqsh --overlay /missing
	assert_rc 127
	old ctr-run -d --name b --net none busybox sleep 1000
	assert_ok
	old ctr-run --rm --net container:b --ipc container:b --pid container:b busybox sh -c 'ls /dev/shm; cat /proc/1/comm'
	assert_ok
	assert_out sleep
	old ctr-kill b
	assert_ok
	old ctr-wait b
	assert_out 137
	old ctr-rm b
	assert_ok
	old ctr-export --help
	assert_ok
	old sh -c 'ctr-image save layered | ctr-image load'
	assert_rc 0
	old sh -c 'ctr-image export committed | ctr-image import again'
	assert_rc 0
	old ctr-image mount again image
	assert_ok
	assertEquals new "$(cat image/etc/new)"
	assert_match '^ro,nosuid,nodev' "$(findmnt -n -o OPTIONS image)"
	old ctr-image umount image
	assert_ok
	old ctr-image rm again committed
	assert_rc 0
	old ctr-gc
	assert_ok
	assert_out ''
}

everything() {
	for OLD; do
		a_life
		other_ways
	done
}

test_as_ever() {
	everything ''
}

test_without_openat2() {
	everything openat2 openat2=EPERM
}

test_without_clone3() {
	everything clone3 clone3=EPERM into_cgroup
}

test_without_close_range() {
	everything close_range close_range_cloexec
}

test_without_setns_by_pidfd() {
	everything setns_pidfd
}

test_without_mount_setattr() {
	everything mount_setattr mount_setattr=EPERM
}

test_without_lesser_ones() {
	everything 'faccessat2 memfd_exec loop_configure bpf keyctl'
}

test_linux_5_4() {
	everything 5.4
}

# Where the kernel would come to, our walk of a path comes to, for any links, and is refused what it is refused.
test_paths_lead_where_the_kernel_would() {
	for seed in 1 2 3; do
		mkdir -p tree/proc tree/a/sub
		mount -t proc proc tree/proc
		mount -t tmpfs sub tree/a/sub
		run_cap ./same tree $seed 20000
		umount tree/proc tree/a/sub
		rm -r tree
		assert_rc 0
		assert_out_match '^same 20000 reached [0-9]{4,}$'
	done
}

# The ways out that openat2 closes are closed without it.
test_escapes_without_openat2() {
	run_cap env TMPDIR="$WORK/tmp" ONLY='test_link_swapped_during_set_up test_archive_of_a_stranger test_links_in_a_volume_lead_nowhere
		test_dev_is_a_link test_false_proc_and_sys' enosys openat2 -- "$TOP/test/run" escape_test.sh
	assert_rc 0
	assert_out_match '^5 passed, 0 failed$'
}

# Names don't wait for the randomness of a machine that has just been switched on, if the kernel can do that (Linux 5.6).
test_names_by_getrandom() {
	run_cap strace -f -o trace -e trace=getrandom ctr-run --rm --net none busybox true
	assert_ok
	assert_match 'GRND_INSECURE|, 0x4\)' "$(cat trace)"
	assertNull "$(grep -E 'getrandom.*, 0\)' trace)"
	run_cap strace -f -o trace -e trace=getrandom -e inject=getrandom:error=EINVAL:when=1+2 ctr-run --rm --net none busybox true
	assert_ok
	assert_match 'getrandom.*, 0\)' "$(cat trace)"
}

# What a container may call is barred and let through as ever. seccomp_test's other tests count filters, of which enosys has one of its own, want a
# kernel's answer to calls that are newer, or a user namespace.
test_seccomp_of_linux_5_4() {
	run_cap env TMPDIR="$WORK/tmp" ONLY='test_barred test_unknown test_exec_and_health test_typing_for_others' \
		enosys 5.4 -- "$TOP/test/run" seccomp_test.sh
	assert_rc 0
	assert_out_match '^4 passed, 0 failed$'
	OLD=5.4
	old sed -n 's/^Seccomp_filters:.//p' /proc/self/status
	filters=$out
	for how in '' '-u 1000' '--init' '--security-opt no-new-privileges' '--cap-add SYS_ADMIN'; do
		# shellcheck disable=SC2086 # words
		old ctr-run --rm --net none $how busybox sed -n 's/^Seccomp_filters:.//p' /proc/self/status
		assertEquals "$how" $((filters + 1)) "$out"
	done
	old ctr-run --rm --net none --security-opt seccomp=unconfined busybox sed -n 's/^Seccomp_filters:.//p' /proc/self/status
	assert_out "$filters"
}

# What ctr-run's caller has open, high numbers too, isn't inside.
test_descriptors_without_close_range() {
	for OLD in close_range close_range_cloexec 5.4; do
		old python3 -c 'import os, sys
for n in (9, 300, 1000): os.dup2(0, n, True)
os.execvp(sys.argv[1], sys.argv[1:])' ctr-run --rm --net none busybox sh -c 'ls /proc/self/fd; ls /proc/1/fd'
		assert_rc 0
		assertEquals "$OLD" '' "$(printf '%s\n' "$out" | grep -E '^(9|300|1000)$')"
	done
}

# A mount's own flags stay, and those of the mounts below it are added to.
test_flags_without_mount_setattr() {
	for OLD in '' mount_setattr; do
		old ctr-run --rm --net none -v "$WORK/v:/v:ro,nodev" busybox sh -c 'cut -d" " -f5,6 /proc/self/mountinfo | grep "^/v"'
		assert_ok
		assert_out_match '^/v ro,nodev'
		assert_out_match '^/v/sub ro,nosuid,nodev,'
		assert_out_match '^/v/with.040blank ro,nodev,noexec,'
	done
}

# Nobody is let in before he is in the container's group.
test_group_without_clone_into_cgroup() {
	for OLD in clone3 into_cgroup; do
		old ctr-run -d --name a --net none busybox sh -c 'cat /proc/self/cgroup >/own; sleep 1000'
		assert_ok
		old ctr-exec -d a sleep 2000
		assert_ok
		for group in $(leftovers); do
			case $group in */unified/* | */pids/*) assertEquals "$OLD: $group" 2 "$(grep -c . "$group/cgroup.procs")" ;; esac
		done
		ctr-rm -f a >/dev/null
	done
}

# cgroup.kill is Linux 5.14's; pidfds do it otherwise, a frozen group's too.
test_without_cgroup_kill() {
	ctr-cgroup run /old-$$ -- sh -c 'sleep 1000 & sleep 2000 & wait' 2>/dev/null &
	wait_for 20 sh -c "ctr-cgroup ls -nr -o path,procs | grep -q '^/old-$$	3$'" || fail 'three run'
	ctr-cgroup freeze /old-$$
	run_cap strace -o trace -e trace=openat -P old-$$/cgroup.kill -e inject=openat:error=ENOENT ctr-cgroup kill /old-$$
	assert_ok
	assert_match 'cgroup.kill.*INJECTED' "$(cat trace)"
	wait $!
	assertEquals 137 $?
	ctr-cgroup rm /old-$$ 2>/dev/null
	assertNull "$(find /sys/fs/cgroup -name old-$$)"
}

# One device, free again afterwards.
test_loop_device_in_two_steps() {
	OLD=loop_configure
	old ctr-run -d --name a --net none --rootfs image.sqsh --overlay /v
	old ctr-image mount image.sqsh image
	assert_ok
	assertEquals 1 "$(losetup -n -O NAME,RO,AUTOCLEAR -j image.sqsh | grep -c ' 1 *1$')"
	assertEquals page "$(cat image/index.html)"
	ctr-image umount image
	ctr-rm -f a >/dev/null 2>&1
}

# refused WORD CALL SINCE: to start, and nothing is taken
refused() {
	OLD=$1
	old ctr-run --rm --net none busybox true
	assert_fails 125 "Function not implemented \($2 is missing: Linux before $3, or a seccomp filter bars it\)"
	assertEquals '' "$(ctr-ps -aq)"
}

test_what_there_is_no_way_around() {
	refused pidfd_open pidfd_open 5.3
	refused fsopen fsopen 5.2
	refused open_tree open_tree 5.2
	refused move_mount move_mount 5.2
	refused 'execveat memfd_create' execveat 3.19
	refused 4.19 pidfd_open 5.3
}

test_user_namespaces() {
	for OLD in openat2 clone3 setns_pidfd close_range; do
		old ctr-run -d --name a --net none --userns auto -v "$WORK/v:/v:idmap" busybox sleep 1000
		assert_ok
		old ctr-exec a sh -c 'echo own >/etc/own; stat -c %u /etc/own /v/index.html; readlink /proc/self/ns/user'
		assert_out "$(printf '0\n0\n%s' "$(readlink "/proc/$(ctr-inspect a | jq '.[0].pid')/ns/user")")"
		user=${out##*
}
		old ctr-run --rm --net none --userns container:a --ipc container:a busybox readlink /proc/self/ns/user
		assert_ok
		assert_out "$user"
		old ctr-cp a:/etc/own owned
		assert_ok
		old ctr-stop -t 0 a
		assert_ok
		old ctr-cp a:/etc/own owned
		assert_ok
		ctr-rm a >/dev/null
	done
}

test_user_namespaces_need_mount_setattr() {
	OLD=5.4
	old ctr-run --rm --net none --userns auto busybox true
	assert_fails 125 'mount_setattr is missing: Linux before 5.12.*5\.19'
}

# A container that runs isn't taken for a dead one by who can't look.
test_running_ones_are_left_alone() {
	ctr-run -d --name a --net none busybox sleep 1000 >/dev/null
	for OLD in 4.19 pidfd_open; do
		for act in 'ctr-rm a' 'ctr-stop -t 0 a' 'ctr-exec a true' 'ctr-wait a'; do
			# shellcheck disable=SC2086 # words
			old $act
			assert_match '^(1|125)$' "$rc"
			assert_err_match 'pidfd_open is missing: Linux before 5.3'
		done
		old ctr-gc
		assert_out ''
	done
	assertEquals running "$(ctr-ps -nr -o status)"
	assertEquals fine "$(ctr-exec a echo fine)"
}

# state FEATURE
state() {
	old ctr-info -r -n -o state -f "feature=$1"
}

test_info_tells() {
	for pair in 'openat2 openat2' 'clone3 clone3' 'close_range close_range' 'mount_setattr mount_setattr' 'pidfd_open pidfd' 'fsopen mount API'; do
		OLD=${pair%% *}
		state "${pair#* }"
		assert_out no
	done
	OLD=clone3
	state 'clone into cgroup'
	assert_out no
	OLD=5.4
	for what in mnt uts ipc pid net user cgroup; do
		state "$what namespace"
		assert_out yes
	done
	state 'idmapped mounts'
	assert_out no
	OLD=
	for what in openat2 clone3 close_range mount_setattr pidfd 'mount API' 'setns by pidfd' 'clone into cgroup'; do
		state "$what"
		assert_out yes
	done
}

. shunit2
