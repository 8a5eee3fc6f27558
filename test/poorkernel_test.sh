#!/bin/sh
# Kernels that were built without something, and hosts that mount less: what is missing is found and told, and the rest works.
# No nf_tables: net_kinds_test.sh; no seccomp: seccomp_test.sh; no v2, no controllers: cgroup_test.sh; older ones: oldkernel_test.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/oldkernel_lib.sh"

oneTimeSetUp() {
	tool enosys "$TOP/test/enosys.c"
	need_busybox
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	ctr-net rm bridge >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
}

# inject WHAT=ERROR.. -- CMD..: the calls of CMD itself, not of what it starts
inject() {
	_how=$1
	shift
	run_cap strace -qq -o trace -e "trace=${_how%%:*}" -e "inject=$_how" "$@"
}

test_without_overlay() {
	inject fsopen:error=ENODEV:when=1 ctr-run --name a --net none busybox sh -c 'echo new >/made; cat /made'
	assert_rc 0
	assert_out new
	assert_err_match 'this kernel has no overlay \(CONFIG_OVERLAY_FS\): its image is copied$'
	ctr-cp a:/made copied
	assertEquals new "$(cat copied)"
}

# The kernel's answer to a namespace that it doesn't have, and /proc's.
test_without_user_namespaces() {
	OLD='clone3 clone_newuser unshare_newuser'
	for how in 'ctr-run --rm --net none --userns auto busybox true' 'ctr-ns -U true'; do
		# shellcheck disable=SC2086 # words
		old strace -qq -f -o trace -P /proc/self/ns/user -e inject=%file:error=ENOENT $how
		assert_err_match 'Invalid argument \(this kernel has no user namespaces; ctr-info tells more\)$'
		assert_rc 125
	done
}

test_without_cgroups() {
	run_cap ctr-ns -m sh -c 'umount -R -l /sys/fs/cgroup
		ctr-run -d --name a --net none busybox sleep 1000 && ctr-exec a echo in && ctr-ps -nr -o status && ctr-stop -t 0 a && ctr-rm a'
	assert_ok
	assert_out_match '^in$'
	assert_out_match '^running$'
	run_cap ctr-ns -m sh -c 'umount -R -l /sys/fs/cgroup; ctr-run --rm --net none -m 64m busybox true'
	assert_fails 125 'memory: no cgroup hierarchy has the controller memory .*CONFIG_MEMCG'
	run_cap ctr-ns -m sh -c 'umount -R -l /sys/fs/cgroup; ctr-run -d --name b --net none busybox sleep 1000 >/dev/null; ctr-pause b; ctr-rm -f b'
	assert_err_match 'no hierarchy with a freezer has it .*CONFIG_CGROUP_FREEZER'
}

test_without_proc() {
	run_cap ctr-ns -m sh -c 'mount -t tmpfs none /proc; ctr-run --rm --net none busybox true'
	assert_fails 125 'is /proc mounted'
	run_cap ctr-ns -m sh -c 'mount -t tmpfs none /proc; ctr-info -r -n -o feature,state,use'
	assert_rc 0
	ctr-run -d --name a --net none busybox sleep 1000 >/dev/null
	for act in ctr-gc 'ctr-rm a' 'ctr-stop a' 'ctr-ps'; do
		run_cap ctr-ns -m sh -c "mount -t tmpfs none /proc; $act"
		assert_err_match 'boot_id: No such file or directory \(is /proc mounted\?\)$'
	done
	assertEquals running "$(ctr-ps -nr -o status)"
}

# A kernel with TOMOYO, and no /dev/fd.
test_without_a_name_for_descriptors() {
	for inject in error=ENOENT error=ENOENT:when=1; do
		inject "execveat:$inject" ctr-run --rm --net none busybox cat /proc/1/comm
		assert_ok
		assert_out cat
	done
}

# nth KIND: which sendto of what ctr-run does makes a link of that KIND
nth() {
	ctr-net rm bridge >/dev/null 2>&1
	strace -f -s 9999 -e trace=sendto ctr-run --rm busybox true 2>&1 | grep sendto | grep -in "RTM_NEWLINK.*IFLA_INFO_KIND.*\"$1\"" | sed -n '1s/:.*//p'
}

test_without_drivers() {
	for driver in BRIDGE VETH; do
		n=$(nth $driver)
		ctr-net rm bridge >/dev/null 2>&1
		inject "sendto:error=EOPNOTSUPP:when=$n" ctr-run --rm busybox true
		assert_fails 125 "in this kernel\? CONFIG_$driver\)$"
	done
}

. shunit2
