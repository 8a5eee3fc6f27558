#!/bin/sh
# ctr-info. [N]: the behaviour's number in the seeds' checklist.
. "$(dirname "$0")/lib.sh"

# state FEATURE
state() {
	ctr-info -r -n -o feature,state -f "feature=$1" | cut -f2
}

# [55]
test_kernel() {
	run_cap ctr-info
	assert_ok
	assert_out_match "^kernel +$(uname -r | sed 's/[.+]/[&]/g') +$(uname -m)"
}

# What can be checked from here otherwise.
test_states_are_true() {
	for kind in mnt uts ipc pid net user cgroup; do
		expected=no
		[ ! -e "/proc/self/ns/$kind" ] || expected=yes
		assertEquals "$kind" "$expected" "$(state "$kind namespace")"
	done
	for fs in overlay tmpfs mqueue; do
		grep -q "	$fs$" /proc/filesystems && assertEquals "$fs" yes "$(state $fs)"
	done
	ip link add probe type veth 2>/dev/null && ip link del probe && assertEquals yes "$(state veth)"
	echo 1 >/proc/sys/net/ipv4/ip_forward
	assertEquals on "$(state ip_forward)"
	echo 0 >/proc/sys/net/ipv4/ip_forward
	assertEquals off "$(state ip_forward)"
}

test_cgroups() {
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		assertEquals v2 "$(state cgroups)"
	elif grep -q ' - cgroup2 ' /proc/self/mountinfo; then
		assertEquals hybrid "$(state cgroups)"
	else
		assertEquals v1 "$(state cgroups)"
	fi
	assert_match '^v[12]$' "$(state 'cgroup memory')"
}

# Where no cgroup is mounted, that is said, and no configuration asked for.
test_cgroups_not_mounted() {
	run_cap ctr-ns -m sh -c 'umount -l -R /sys/fs/cgroup; ctr-info -r -n -o feature,state'
	assert_ok
	assert_out_match '^cgroups	not mounted$'
	assert_out_match '^cgroup memory	not mounted$'
}

# What --userns needs, of the same file system.
test_idmapped_mounts() {
	assertEquals yes "$(state 'idmapped mounts')"
	assertFalse 'nothing is made' "[ -e $CTRBOX_ROOT ]"
	mkdir "$WORK/ram"
	mount -t ramfs ramfs "$WORK/ram"
	CTRBOX_ROOT=$WORK/ram/a/b run_cap ctr-info -r -n -o state -f 'feature=idmapped mounts'
	assert_out no
	umount "$WORK/ram"
	rmdir "$WORK/ram"
}

# The upper layer's file system is that of CTRBOX_ROOT, or of the parent that it will be made in.
test_overlay_upper() {
	assertEquals yes "$(state 'overlay upper')"
	assertFalse 'nothing is made' "[ -e $CTRBOX_ROOT ]"
	CTRBOX_ROOT=$WORK/a/b/c run_cap ctr-info -r -n -o state -f 'feature=overlay upper'
	assert_out yes
	mkdir "$WORK/ram"
	mount -t ramfs ramfs "$WORK/ram"
	CTRBOX_ROOT=$WORK/ram run_cap ctr-info -r -n -o state -f 'feature=overlay upper'
	assert_out no
	assertEquals 'nothing is left' '' "$(find "$WORK/ram" -mindepth 1)"
	umount "$WORK/ram"
	rmdir "$WORK/ram"
}

test_missing_configuration() {
	run_cap ctr-info
	fragment=$(printf '%s\n' "$out" | grep '^CONFIG_' | sort)
	missing=$(ctr-info -r -n -o config,state | sed -n 's/	no$//p' | grep -v '^-$' | tr ' ' '\n' | sort -u | sed 's/$/=y/; /^=y$/d')
	assertEquals "$missing" "$fragment"
}

# It leaves no interface, no mount, no module, and doesn't mind being nobody.
test_harmless() {
	ip -o link >"$WORK/l1"
	cut -d' ' -f5- /proc/self/mountinfo >"$WORK/m1"
	cat /proc/modules >"$WORK/mod1" 2>/dev/null
	ctr-info >/dev/null
	assertEquals "$(cat "$WORK/l1")" "$(ip -o link)"
	assertEquals "$(cat "$WORK/m1")" "$(cut -d' ' -f5- /proc/self/mountinfo)"
	assertEquals "$(cat "$WORK/mod1")" "$(cat /proc/modules 2>/dev/null)"
	cp "$CTRBOX" /run/ctr-info
	run_cap setpriv --reuid 12345 --regid 12345 --clear-groups /run/ctr-info -r -n -o feature,state
	assert_rc 0
	assert_out_match '^veth	(unknown|module)$'
	assert_out_match '^pid namespace	yes$'
}

test_json_and_usage() {
	run_cap ctr-info -J -f feature=clone3
	assert_ok
	assert_out_match '^\{"feature": ?"clone3", ?"state": ?"yes"'
	run_cap ctr-info -J
	assertEquals 'one object a line' '' "$(printf '%s\n' "$out" | grep -v '^{.*}$')"
	run_cap ctr-info operand
	assert_fails 2 'no operand'
	run_cap ctr-info --help
	assert_ok
}

. shunit2
