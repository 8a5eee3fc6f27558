#!/bin/sh
# Which devices a container may use: v1's devices controller, v2's program, and neither.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

# $kinds: those of below that this host can be. One that can be neither has nothing to be tested.
oneTimeSetUp() {
	need_busybox
	make_rootfs rootfs
	kinds=$(
		! grep -q ' - cgroup .*devices' /proc/self/mountinfo || echo v1
		! grep -q ' - cgroup2 ' /proc/self/mountinfo || echo v2
	)
	[ -n "$kinds" ] || fail 'this host has no device rules'
}

has() {
	case $kinds in *$1*) ;; *) return 1 ;; esac
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
}

# The commands that a test runs under each kind of host: this one's own, the unified hierarchy alone, v1's devices alone.
v1() {
	run_cap unshare -m sh -c "! mountpoint -q /sys/fs/cgroup/unified || umount -l /sys/fs/cgroup/unified; $1"
}

v2() {
	run_cap unshare -m sh -c 'for m in $(sed -n "s/.* \(\/sys\/[^ ]*\) .* - cgroup .*/\1/p" /proc/self/mountinfo); do umount -l $m; done
		'"$1"
}

none() {
	run_cap unshare -m sh -c "umount -R -l /sys/fs/cgroup; $1"
}

# kmsg, 1:11, is there on any host; the kernel lets those read it who have SYSLOG.
run='ctr-run --rm --net none --cap-add SYSLOG'

# shellcheck disable=SC2089 # it is a script, for sh -c
# Nodes can be made; those of the list alone can be opened, whatever they are called and wherever they are.
try='try() { mknod /tmp/n $1 $2 $3 || echo made not; (eval "$4") 2>/dev/null && echo "$1 $2:$3 yes" || echo "$1 $2:$3 no"; rm /tmp/n; }
	try c 1 3 "echo >/tmp/n"; try c 1 5 "head -c1 /tmp/n >/x"; try c 1 7 "head -c1 /tmp/n >/x"; try c 1 8 "head -c1 /tmp/n >/x"
	try c 1 9 "head -c1 /tmp/n >/x"; try c 1 11 ": <>/tmp/n"; try c 1 1 ": </tmp/n"; try c 10 229 ": <>/tmp/n"; try c 4 64 ": </tmp/n"
	try b 7 0 ": </tmp/n"; try b 1 3 ": </tmp/n"; try b 8 0 ": </tmp/n"'
usual='c 1:3 yes
c 1:5 yes
c 1:7 yes
c 1:8 yes
c 1:9 yes
c 1:11 no
c 1:1 no
c 10:229 no
c 4:64 no
b 7:0 no
b 1:3 no
b 8:0 no'

test_the_usual_list() {
	# shellcheck disable=SC2090
	export try
	for kind in $kinds; do
		$kind "$run busybox sh -c \"\$try\""
		assert_ok
		assert_out "$usual"
	done
	run_cap ctr-run --rm --net none busybox sh -c "$try"
	assert_out "$usual"
	for word in ALL SYS_ADMIN; do
		run_cap ctr-run --rm --net none --cap-add $word busybox sh -c "$try"
		assert_out "$usual"
	done
}

# kmsg, which any root can open: EPERM comes of the rules alone
test_the_error_is_the_rules() {
	for kind in $kinds; do
		$kind "ctr-run --rm --net none --cap-add ALL busybox sh -c 'mknod /tmp/n c 1 11; true </tmp/n'"
		assert_err_match "/tmp/n: Operation not permitted"
		$kind "$run --privileged busybox sh -c 'mknod /tmp/n c 1 11; true </tmp/n && echo open'"
		assert_ok
		assert_out open
	done
}

test_a_device_with_some_rights() {
	for kind in $kinds; do
		$kind "$run --device /dev/kmsg:/dev/log:r busybox sh -c 'true </dev/log && echo read; true >>/dev/log; true <>/dev/log; stat -c %t:%T /dev/log'"
		assert_rc 0
		assert_out "read
1:b"
		assert_err_match '/dev/log: Operation not permitted'
		$kind "$run --device /dev/kmsg:w busybox sh -c 'true >/dev/kmsg && echo written; true </dev/kmsg'"
		assert_out written
		assert_rc 1
		$kind "$run --device /dev/kmsg busybox sh -c 'true <>/dev/kmsg && echo both'"
		assert_out both
	done
}

test_rules_of_ones_own() {
	for kind in $kinds; do
		$kind "$run --device-cgroup-rule 'c 1:11 r' busybox sh -c 'mknod /k c 1 11; true </k && echo read; true >>/k'"
		assert_out read
		assert_rc 1
		for rule in 'c 1:* rw' 'c *:11 rw' 'c *:* rwm' 'a *:* rwm' 'a 1:11 rwm'; do
			$kind "$run --device-cgroup-rule '$rule' busybox sh -c 'mknod /k c 1 11; true <>/k && echo both'"
			assert_out both
		done
		for rule in 'b 1:11 rwm' 'b *:* rwm' 'c 1:12 rwm' 'c 11:1 rwm' 'a 1:12 rwm' 'c 1:11 m' 'c 1:11 rm'; do
			$kind "$run --device-cgroup-rule '$rule' busybox sh -c 'mknod /k c 1 11; true <>/k'"
			assert_rc 1
		done
	done
	run_cap ctr-run --rm --net none --cap-add SYSLOG --device-cgroup-rule 'c 1:11 r' --device-cgroup-rule 'c 10:229 rwm' busybox sh -c 'mknod /k c 1 11; true </k && echo read'
	assert_out read
}

test_rules_that_are_wrong() {
	for rule in '' c 'c 1' 'c 1:3' 'c 1:3 ' 'c 1:3 x' 'c 1:3 rr' 'd 1:3 r' 'c 1 3 r' 'c -1:3 r' 'c 1:-3 r' 'c 0x1:3 r' 'c  1:3 r' ' c 1:3 r' 'c 1:3 rwm ' 'c 4096:1 r' \
		'c 1:1048576 r' 'c **:3 r' 'c 1:3 rwmr' 'c 1:3:4 r' 'c 99999999999999999999:1 r' \
		'c 1:3 rwm 0000000000000000000000000000000000000000000000000000000000000000000000' 'c 1:3 r
a *:* rwm'; do
		run_cap ctr-run --rm --net none --device-cgroup-rule "$rule" busybox true
		assert_fails 125 '--device-cgroup-rule: device rule '
	done
	for bad in '' : /dev/null:rwr /dev/null::r; do
		run_cap ctr-run --rm --net none --device "$bad" busybox true
		assert_rc 125
	done
}

# A node that the image, or a volume, brings along.
test_nodes_that_come_along() {
	mknod rootfs/disk b 7 0
	mknod rootfs/kmsg c 1 11
	for kind in $kinds none; do
		$kind "$run --rootfs $WORK/rootfs sh -c 'true </kmsg'"
		assert_rc 1
		$kind "$run --rootfs $WORK/rootfs --overlay sh -c 'true </kmsg'"
		assert_rc 1
		[ "$kind" != none ] || continue # a volume is the host's word
		$kind "$run -v $WORK/rootfs:/v -v /dev/kmsg:/kmsg busybox sh -c 'true </v/kmsg || true </kmsg'"
		assert_rc 1
		assert_err_match '/kmsg: Operation not permitted'
	done
	rm rootfs/disk rootfs/kmsg
}

test_exec_and_start_keep_them() {
	for kind in $kinds; do
		$kind 'ctr-run -d --net none --cap-add SYSLOG --name a --device-cgroup-rule "c 1:11 r" busybox sleep 1000 >/dev/null
			see="mknod /n c 1 11; mknod /o c 1 1; true </n && echo read; true >>/n; true </o"
			ctr-exec a sh -c "$see"; ctr-exec --privileged a sh -c "rm /[no]; $see"
			ctr-update --cpu-shares 10 a >/dev/null 2>&1; ctr-exec --privileged a sh -c "rm /[no]; $see"
			ctr-restart -t 0 a >/dev/null; ctr-exec a sh -c "rm /[no]; $see"; ctr-rm -f a >/dev/null; true'
		assert_out 'read
read
read
read'
		assertEquals 8 "$(grep -c 'Operation not permitted' "$WORK/.err")"
	done
}

# A pty, the console and what belongs to a terminal work.
test_terminals() {
	for kind in $kinds; do
		$kind "script -qec \"$run -t busybox sh -c 'echo x >/dev/tty && echo y >/dev/console && tty'\" /dev/null </dev/null"
		assert_rc 0
		assert_out_match '/dev/pts/0'
	done
}

test_a_user_namespace() {
	for kind in $kinds; do
		$kind "$run --userns 100000:0:65536 --device /dev/kmsg:r busybox sh -c 'echo x >/dev/null && head -c1 /dev/zero | wc -c; true >>/dev/kmsg'"
		assert_out 1
		assert_err_match 'kmsg: (Operation not permitted|Permission denied)'
	done
}

# Nothing enforces rules: no MKNOD then, and no device but those of /dev works.
test_without_a_controller() {
	none "$run busybox sh -c 'grep CapBnd /proc/self/status; mknod /tmp/n c 1 11; echo >/dev/null; head -c1 /dev/zero | wc -c; grep \" / \" /proc/mounts'"
	assert_out_match '^CapBnd:	00000004a00425fb$'
	assert_out_match '^1$'
	assert_out_match '^overlay / overlay rw,nodev'
	assert_err_match 'mknod: /tmp/n: Operation not permitted'
	none "$run --cap-add MKNOD busybox true"
	assert_fails 125 'capability MKNOD without device rules, .*--privileged'
	none "$run --cap-add MKNOD --privileged busybox mknod /n c 1 3"
	assert_ok
	none 'ctr-info -r -n -o state -f "feature=cgroup devices"'
	assert_out_match 'no'
	for kind in $kinds; do
		$kind 'ctr-info -r -n -o state -f "feature=cgroup devices"'
		assert_out "$kind"
	done
}

# Made where rules were enforced, started where they aren't.
test_a_host_that_lost_its_controller() {
	ctr-create --name a --net none busybox true >/dev/null
	spec=$(echo "$CTRBOX_ROOT"/containers/*/spec.json)
	jq 'del(.limits)' "$spec" >spec.json && cp spec.json "$spec" # that of processes would be told first
	none 'ctr-start -a a'
	assert_fails 125 'capability MKNOD without device rules'
}

test_a_device_that_went_away() {
	mknod "$WORK/gone" c 1 3
	ctr-create --name a --net none --device "$WORK/gone:/dev/gone" busybox true >/dev/null
	rm "$WORK/gone"
	run_cap ctr-start -a a
	assert_fails 125 "device $WORK/gone: no such device"
}

# A group above that allows less: of the usual ones nobody is told, of those asked for one is.
test_inside_a_group_that_allows_less() {
	has v1 || { skip 'no devices controller of v1' && return; }
	group=$(sed -n 's/.* \(\/sys\/[^ ]*\) .* - cgroup .*devices.*/\1/p' /proc/self/mountinfo | head -1)/devtest-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	mkdir "$group"
	echo 'c 10:* rwm' >"$group/devices.deny"
	run_cap ctr-run --rm --net none --cgroup-parent "/${group##*/}" busybox true
	assert_ok
	run_cap ctr-run --rm --net none --cgroup-parent "/${group##*/}" --device-cgroup-rule 'c 10:229 rwm' busybox true
	assert_fails 125 'write c 10:229 rwm to .*devices.allow: Operation not permitted \(the group above it'
	find /sys/fs/cgroup -depth -type d -name "${group##*/}" -exec rmdir {} +
	assertEquals 'nothing is left of the group' '' "$(find /sys/fs/cgroup -name "${group##*/}")"
}

. shunit2
