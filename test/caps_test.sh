#!/bin/sh
# Capabilities and labels: the five sets, for ctr-run and ctr-exec alike, and what lifts them. Numbers: capabilities(7).
# shellcheck disable=SC2016,SC2086 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	all=$(sed -n 's/^CapBnd:\t*//p' /proc/self/status)
	none=0000000000000000
	usual=00000000a80425fb
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
}

show="sed -n 's/^Cap...:\t//p' /proc/self/status"

# sets INHERITABLE PERMITTED EFFECTIVE BOUNDING AMBIENT [OPTION..]: what a command has, and one that is executed there later
sets() {
	expected="$1
$2
$3
$4
$5"
	shift 5
	run_cap ctr-run --rm --net none "$@" busybox sh -c "$show"
	assert_ok
	assert_out "$expected"
	ctr-run -d --net none --name a "$@" busybox sleep 1000 >/dev/null
	run_cap ctr-exec a sh -c "$show"
	assert_ok
	assert_out "$expected"
	ctr-rm -f a >/dev/null
}

test_the_usual_sets() {
	sets $none $usual $usual $usual $none
	sets $none $none $none $usual $none -u 1000
	sets $none $none $none $usual $none -u 1000:0
	sets $none $usual $usual $usual $none -u 0:1000
	sets $none $usual $usual $usual $none --init
	sets $none $usual $usual $usual $none --userns 100000:0:65536
}

test_sets_with_more_and_less() {
	sets $none $none $none $none $none --cap-drop ALL
	sets $none $none $none $none $none --cap-drop all -u 1000
	sets $none 0000000000000001 0000000000000001 0000000000000001 $none --cap-drop ALL --cap-add CAP_CHOWN
	sets $none $none $none 0000000000000001 $none --cap-drop CAP_ALL --cap-add chown -u 1000
	sets $none "$all" "$all" "$all" $none --cap-add ALL
	sets $none "$all" "$all" "$all" $none --privileged
	sets $none $none $none "$all" $none --privileged -u 1000
}

# bounding OPTION..
bounding() {
	run_cap ctr-run --rm --net none "$@" busybox sed -n 's/^CapBnd:\t*//p' /proc/self/status
}

test_spellings_and_order() {
	for name in SYS_ADMIN sys_admin CAP_SYS_ADMIN cap_sys_admin Cap_Sys_Admin; do
		bounding --cap-add $name
		assert_out 00000000a82425fb
	done
	less=$(printf '%016x' $((0x$all & ~1)))
	for word in ALL all CAP_ALL; do
		bounding --cap-add $word --cap-drop CHOWN
		assert_out "$less"
		bounding --cap-drop chown --cap-add $word
		assert_out "$less"
		bounding --cap-add net_raw --cap-drop $word
		assert_out 0000000000002000
	done
	bounding --privileged --cap-drop CHOWN
	assert_out "$less"
	for bad in NO_SUCH '' CAP_ CAP_CAP_CHOWN 'CHOWN ' 0 21 CHOWN,KILL; do
		bounding --cap-add "$bad"
		assert_fails 125 "--cap-add: $bad: no such capability"
		bounding --cap-drop "$bad"
		assert_fails 125 "--cap-drop: $bad: no such capability"
	done
}

# A program that root left in the image: set-uid gives what the bounding set has, and nothing with no-new-privileges.
test_a_set_uid_program() {
	make_rootfs rootfs
	cp "$CTRBOX" rootfs/bin/ctr-init # busybox would lay down what it gets
	chmod 4755 rootfs/bin/ctr-init
	see="sed -n 's/^CapEff:\t*//p' /proc/\$PPID/status"
	run_cap ctr-run --rm --net none -u 1000 --rootfs "$WORK/rootfs" ctr-init sh -c "$see"
	assert_out $usual
	run_cap ctr-run --rm --net none -u 1000 --cap-drop ALL --rootfs "$WORK/rootfs" ctr-init sh -c "$see"
	assert_out $none
	for word in no-new-privileges no-new-privileges=true no-new-privileges:true; do
		run_cap ctr-run --rm --net none -u 1000 --security-opt $word --rootfs "$WORK/rootfs" ctr-init sh -c "$see"
		assert_out $none
	done
	ctr-run -d --net none --name a --security-opt no-new-privileges --rootfs "$WORK/rootfs" sleep 1000 >/dev/null
	run_cap ctr-exec -u 1000 a ctr-init sh -c "$see"
	assert_out $none
	run_cap ctr-exec a grep NoNewPrivs /proc/self/status
	assert_out 'NoNewPrivs:	1'
}

# CVE-2022-24769: whatever the caller's inheritable and ambient sets are
test_the_callers_sets_stay_outside() {
	command -v setpriv >/dev/null || { skip 'no setpriv' && return; }
	run_cap setpriv --inh-caps +net_admin --ambient-caps +net_admin ctr-run --rm --net none busybox sh -c "$show"
	assert_out "$none
$usual
$usual
$usual
$none"
	ctr-run -d --net none --name a busybox sleep 1000 >/dev/null
	run_cap setpriv --inh-caps +net_admin --ambient-caps +net_admin ctr-exec -u 1000 a sh -c "$show"
	assert_out "$none
$none
$none
$usual
$none"
}

test_exec_privileged() {
	ctr-run -d --net none --name a busybox sleep 1000 >/dev/null
	run_cap ctr-exec --privileged a sh -c "$show"
	assert_out "$none
$all
$all
$all
$none"
	run_cap ctr-exec --privileged -u 1000 a sh -c "$show"
	assert_out "$none
$none
$none
$all
$none"
}

# Capabilities, devices, masks, filters and read-only mounts
test_privileged_lifts_everything() {
	for start in 'ctr-run --rm --net none --privileged busybox' 'ctr-exec --privileged a'; do
		ctr-run -d --net none --privileged --name a busybox sleep 1000 >/dev/null
		run_cap $start sh -c 'sed -n "s/^\(CapEff\|Seccomp\|NoNewPrivs\):\t/\1 /p" /proc/self/status
			grep -cE " /(proc|sys)/?[^ ]* [^ ]* ro," /proc/mounts; mknod /k c 1 11; true <>/k && echo device
			for d in /sys/fs/cgroup/unified /sys/fs/cgroup; do mkdir $d/made 2>/dev/null && echo group && break; done
			[ $(head -c1 /proc/interrupts | wc -c) = 1 ] && echo tells; echo changed >/proc/sys/kernel/hostname; hostname'
		assert_ok
		assert_out "CapEff $all
NoNewPrivs 0
Seccomp 0
0
device
group
tells
changed"
		ctr-rm -f a >/dev/null
	done
}

test_inspect_tells() {
	ctr-create --name a --net none --privileged busybox >/dev/null
	assertContains "$(ctr-inspect a)" '"privileged": true'
	ctr-create --name b --net none --cap-drop ALL --cap-add KILL --security-opt no-new-privileges busybox >/dev/null
	run_cap ctr-inspect b
	assertContains "$out" '"privileged": false'
	assertEquals '"CAP_KILL"' "$(printf '%s' "$out" | tr -d ' \n' | sed 's/.*"capabilities":\[\([^]]*\)\].*/\1/')"
	assertContains "$out" '"no_new_privs": true'
}

test_odd_users_of_exec() {
	ctr-run -d --net none --name a busybox sleep 1000 >/dev/null
	for bad in 0x1 1: :1 : 99999999999 4294967295 -1 +1 1:1:1 1:2:3 ' 1' '1 ' 'a/b' '1,2' 1.0 1:0x1 1:+1 '1: 1' 1:4294967295 '
1'; do
		run_cap ctr-exec --user="$bad" a id
		assert_fails 125 'user|group'
		run_cap ctr-run --rm --net none --user="$bad" busybox id
		assert_fails 125 'user|group'
	done
	run_cap ctr-exec -u nobody-here a id
	assert_fails 125 'user "nobody-here": not in the container'
}

test_labels_that_are_not_to_be_had() {
	for opt in apparmor= label= 'apparmor=a b' label=disabled label=type:container_t label=a:b; do
		run_cap ctr-run --rm --net none --security-opt "$opt" busybox true
		assert_fails 125 'security-opt '
	done
	run_cap ctr-run --rm --net none --security-opt apparmor=unconfined --security-opt label=disable busybox true
	assert_ok
	[ -e /sys/module/apparmor ] || run_cap ctr-run --rm --net none --security-opt apparmor=docker-default busybox true
	[ -e /sys/module/apparmor ] || assert_fails 125 "security-opt apparmor=docker-default: AppArmor isn't enabled on this host"
	[ -e /sys/fs/selinux ] || run_cap ctr-run --rm --net none --security-opt label=u:r:t:s0 busybox true
	[ -e /sys/fs/selinux ] || assert_fails 125 "security-opt label=u:r:t:s0: SELinux isn't enabled on this host"
}

# A host that says it had AppArmor: what is written where.
test_a_label_is_written() {
	[ ! -e /sys/module/apparmor ] || { skip 'this host has AppArmor' && return; }
	fake='mount -t tmpfs t /sys/module && mkdir -p /sys/module/apparmor/parameters && echo Y >/sys/module/apparmor/parameters/enabled'
	run_cap unshare -m sh -c "$fake; strace -f -o $WORK/trace -e trace=openat2,write ctr-run --net none --name a --security-opt apparmor=none-such busybox true"
	assert_fails 125 'AppArmor profile none-such: '
	assert_match '"thread-self/attr/(apparmor/)?exec", \{flags=O_WRONLY\|O_NOFOLLOW.*RESOLVE_NO_XDEV' "$(grep attr "$WORK/trace")"
	assert_match 'write\([0-9]+, "exec none-such", 14\)' "$(grep none-such "$WORK/trace")"
	assertContains "$(ctr-inspect a)" '"apparmor": "none-such"'
}

. shunit2
