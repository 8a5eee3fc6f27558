#!/bin/sh
# What goes wrong: each time one clear line, the documented exit code, nothing left behind, nothing else lost.
# Numbers: shared/seeds/CHECKLIST.md.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	make_rootfs rootfs
}

setUp() {
	ls "$CTRBOX_ROOT/containers" 2>/dev/null >"$WORK/containers"
	ls "$CTRBOX_ROOT/volumes" 2>/dev/null >"$WORK/volumes"
	return 0
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'groups are left' "$(leftovers)"
	assertEquals 'containers are left' "$(cat "$WORK/containers")" "$(ls "$CTRBOX_ROOT/containers" 2>/dev/null)"
	assertEquals 'volumes are left' "$(cat "$WORK/volumes")" "$(ls "$CTRBOX_ROOT/volumes" 2>/dev/null)"
}

test_no_such_thing() {
	run_cap ctr-run --rm no-such-image true
	assert_fails 125 'no-such-image'
	run_cap ctr-run --rm --net no-such-net busybox true
	assert_fails 125 'no-such-net: no such network'
	for command in 'exec nobody x' 'start nobody' 'stop nobody' 'kill nobody' 'pause nobody' 'unpause nobody' 'wait nobody' 'restart nobody' \
		'rm nobody' 'rename nobody new' 'attach nobody' 'top nobody' 'logs nobody' 'inspect nobody'; do
		# shellcheck disable=SC2086
		run_cap timeout 10 ctr-$command
		[ "$rc" = 1 ] || [ "$rc" = 125 ]
		expect $? "ctr-$command fails"
		assert_err_match 'nobody: no such container'
	done
	run_cap ctr-run --rm -- --name
	assert_fails 125 'image'
	run_cap ctr-run --rm ''
	assert_fails 125 .
}

test_names() {
	ctr-create --name a busybox true >/dev/null
	run_cap ctr-run --name a busybox true
	assert_fails 125 'a: .*(taken|in use|already|is the name)'
	for bad in '' 123 -x .x a/b 'a b' ../x "$(printf '%0300d' 0)a" 'a
b' 'a*'; do
		run_cap ctr-run --name="$bad" busybox true
		assert_fails 125 .
	done
}

test_two_of_one_name_at_the_same_moment() {
	for i in 1 2 3 4 5 6 7 8; do
		ctr-run -d --name a busybox sleep 1000 >"id$i" 2>"err$i" &
	done
	wait
	assertEquals 'one wins' 1 "$(cat id? | wc -l)"
	assertEquals 'the others are told' 7 "$(cat err? | wc -l)"
	assertEquals 1 "$(find "$CTRBOX_ROOT/containers" -mindepth 1 -maxdepth 1 | wc -l)"
	assertEquals "$(cat id?)" "$(cat "$CTRBOX_ROOT"/containers/*/spec.json | grep -o '"id": *"[^"]*"' | grep -o '[0-9a-f]\{12\}')"
}

# 8, 9
test_a_root_that_is_none() {
	run_cap ctr-run --rm --rootfs / true
	assert_fails 125 "root file system /: is the host's own"
	run_cap ctr-run --rm --rootfs /proc/self/root/ true
	assert_fails 125 "root file system /: is the host's own"
	run_cap ctr-run --rm --rootfs "$WORK/absent" true
	assert_fails 125 'root file system .*/absent: No such file'
	echo >file
	run_cap ctr-run --rm --rootfs "$WORK/file" true
	assert_fails 125 'root file system .*/file: holds no squashfs, erofs or ext4'
	run_cap ctr-run --rm --rootfs "$WORK/rootfs"
	assert_fails 125 'no command given'
	# 162
	mkdir -p empty
	run_cap ctr-run --rm --rootfs empty sh
	assert_fails 127 'sh: command not found in PATH'
	run_cap ctr-run --rm --overlay busybox true
	assert_fails 125 '--overlay goes with --rootfs'
}

test_archives_that_are_broken() {
	images=$(ctr-image ls -q)
	head -c 300000 "$BUILD/busybox.tar" >short.tar
	run_cap sh -c 'ctr-image import short <short.tar'
	[ "$rc" = 1 ] && [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ]
	expect $? 'a truncated tar is refused'
	head -c 100000 /dev/urandom >noise
	run_cap sh -c 'ctr-image import noise <noise'
	[ "$rc" = 1 ] && [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ]
	expect $? 'noise is refused'
	assertEquals "$images" "$(ctr-image ls -q)"
	mkdir -p images
	cp short.tar images/bad.tar
	CTRBOX_IMAGES=$WORK/images run_cap ctr-run --rm bad true
	assert_fails 125 .
	rm images/bad.tar
	chmod 0 short.tar
}

# ctr-create runs nothing: its own failures are 1, and 2 for bad usage.
test_create_fails_as_others_do() {
	run_cap ctr-create --no-such-option busybox
	assert_fails 2 'no-such-option'
	run_cap ctr-create
	assert_fails 2 'is missing'
	run_cap ctr-create no-such-image
	assert_fails 1 'no-such-image'
}

# 'Invalid argument' alone would tell nothing: a root that is no mount point, and one that is.
test_from_inside_a_chroot() {
	mkdir -p jail/proc jail/box mounted upper work
	cp -a rootfs/. jail/box
	cp "$CTRBOX" jail/ctrbox
	mount -t overlay -o lowerdir=jail,upperdir=upper,workdir=work overlay mounted
	for root in jail mounted; do
		mount -t proc proc $root/proc
		run_cap env CTRBOX_ROOT=/root CTRBOX_RUN=/run chroot $root /ctrbox run --rm --net none --rootfs /box true
		assert_fails 125 'Invalid argument \(.*chroot'
		umount $root/proc
		find /sys/fs/cgroup -depth -name "ctrbox-$(cat $root/root/tag)" -type d -exec rmdir {} +
	done
	umount mounted
}

# small SIZE: a file system of its own for a store. end_small: it goes, with the group named by its tag.
small() {
	mkdir -p small
	mount -t tmpfs -o "size=$1" tmpfs small
}

end_small() {
	[ ! -s small/root/tag ] || find /sys/fs/cgroup -depth -name "ctrbox-$(cat small/root/tag)" -type d -exec rmdir {} +
	umount small
}

test_a_disk_that_fills() {
	small 1m
	run_cap env CTRBOX_ROOT="$WORK/small/root" ctr-run --rm busybox true
	assert_fails 125 'No space left on device'
	assertNull 'no half image' "$(CTRBOX_ROOT=$WORK/small/root ctr-image ls -q)"
	assertTrue 'the space is free again' "[ $(du -sk small | cut -f1) -lt 100 ]"
	end_small
	small 4m
	CTRBOX_ROOT=$WORK/small/root ctr-image import busybox <"$BUILD/busybox.tar" >/dev/null
	dd if=/dev/zero of=small/fill bs=4k >/dev/null 2>&1
	run_cap env CTRBOX_ROOT="$WORK/small/root" ctr-run -d --name c busybox sleep 1000
	assert_fails 125 'No space left on device'
	run_cap env CTRBOX_ROOT="$WORK/small/root" ctr-create --name c busybox sleep 1000
	assert_fails 1 'No space left on device'
	assertNull "$(ls small/root/containers 2>/dev/null)"
	rm small/fill
	run_cap env CTRBOX_ROOT="$WORK/small/root" ctr-run --rm --name c busybox echo fine
	assert_ok
	end_small
}

test_a_store_that_is_read_only() {
	small 1m
	mount -o remount,ro small
	run_cap env CTRBOX_ROOT="$WORK/small/root" ctr-run --rm busybox true
	assert_fails 125 '(make|open) .*small/root: Read-only file system \(set CTRBOX_ROOT'
	run_cap env CTRBOX_RUN="$WORK/small/run" ctr-run --rm busybox true
	assert_fails 125 'Read-only file system'
	end_small
	run_cap env CTRBOX_ROOT=/etc/passwd/x ctr-run --rm busybox true
	assert_fails 125 '/etc/passwd'
}

test_no_permission() {
	cp "$CTRBOX" /run/box
	run_cap setpriv --reuid 12345 --regid 12345 --clear-groups /run/box ctr-run --rm --rootfs /bin true
	assert_fails 125 'Permission denied'
	run_cap setpriv --reuid 12345 --regid 12345 --clear-groups env CTRBOX_ROOT=/tmp/ctrbox-test-$$ CTRBOX_RUN=/tmp/ctrbox-test-$$ /run/box ctr-run --rm --net none --rootfs /usr true
	assert_fails 125 '(Permission denied|not permitted)'
	rm -rf "/tmp/ctrbox-test-$$"
}

test_a_container_removed_while_it_runs() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	run_cap ctr-rm a
	[ "$rc" = 1 ]
	expect $? 'refused'
	assert_err_match 'a: '
	ctr-run --name b busybox sleep 1000 &
	wait_for 5 ctr-exec b true
	ctr-rm -f b >/dev/null
	wait $!
	assertEquals 137 $?
	run_cap ctr-exec a true
	assert_ok
}

test_state_that_is_garbled() {
	id=$(ctr-create --name a busybox echo works)
	id2=$(ctr-create --name b busybox echo works)
	for content in '' '{' 'garbage' '[]' '{"id":5}' '{"id":"../../x"}' "$(head -c 5000 /dev/zero | tr '\0' '[')"; do
		printf '%s' "$content" >"$CTRBOX_ROOT/containers/$id/spec.json"
		run_cap ctr-start a
		assert_rc 1
		run_cap ctr-exec a true
		assert_rc 125
		run_cap ctr-ps -a
		assert_rc 0
		assert_out_match "^$id2 "
		run_cap ctr-start -a b
		assert_out works
	done
	run_cap ctr-rm -f "$id"
	assert_rc 0
	assertFalse "[ -e $CTRBOX_ROOT/containers/$id ]"
}

test_state_of_a_running_one_that_is_garbled() {
	id=$(ctr-run -d --name a busybox sleep 1000)
	for content in '' '{' '{"pid": "x"}'; do
		printf '%s' "$content" >"$CTRBOX_RUN/containers/$id/state.json"
		run_cap ctr-exec a true
		assert_rc 125
		run_cap ctr-ps -a
		assert_rc 0
	done
	run_cap ctr-rm -f a
	assert_rc 0
	assertNull 'its group is found by its name' "$(leftovers)"
}

test_a_start_that_fails_leaves_nothing_but_the_record() {
	run_cap ctr-run --name a busybox no-such
	assert_fails 127 'not found'
	assertNull 'its run directory' "$(find "$CTRBOX_RUN/containers" -mindepth 1 -name state.json)"
	run_cap ctr-run -it --name b busybox no-such
	assert_rc 127
}

# It fails at once, while its parent still speaks to it and listens late.
test_a_failure_is_always_told() {
	for i in 1 2 3; do
		run_cap strace -f -o strace.out -e trace=recvmsg -e inject=recvmsg:delay_enter=30000 \
			ctr-run --rm --net none --rootfs rootfs --hostname "h$i" --tmpfs /t:nonsense=1 true
		assert_fails 125 ': mount tmpfs on /t: Invalid argument$'
	done
}

test_options_that_are_wrong() {
	for bad in --rm=maybe --no-such -Z --name '--stop-timeout x' '--stop-signal NOPE' '--restart sometimes' '--restart on-failure:x' '--log nowhere' \
		'--shm-size x' '--label =x' '--add-host x' '--log-max-size x' '--health-interval x' '--health-retries x'; do
		# shellcheck disable=SC2086
		run_cap ctr-run $bad busybox true
		assert_fails 125 .
	done
	run_cap ctr-run --rm --net none --net host busybox true
	assert_fails 125 'net'
	run_cap ctr-run --rm --pid nonsense busybox true
	assert_fails 125 'pid nonsense: none of'
}

# One option is one word of one line of /etc/hosts or resolv.conf.
test_names_and_addresses_that_are_none() {
	newline='
'
	for bad in 'a b:192.0.2.1' ':192.0.2.1' 'a:' 'a:192.0.2' 'a:b' "a${newline}b:192.0.2.1" "a:192.0.2.1$newline"; do
		run_cap ctr-run --rm --net none --add-host "$bad" busybox true
		assert_fails 125 'add-host'
	done
	for bad in '' 192.0.2 name "192.0.2.1${newline}x"; do
		run_cap ctr-run --rm --net none --dns "$bad" busybox true
		assert_fails 125 'dns'
	done
	for bad in '' 'a b' "a${newline}nameserver 192.0.2.1"; do
		run_cap ctr-run --rm --net none --dns-search "$bad" busybox true
		assert_fails 125 'dns-search'
	done
}

. shunit2
