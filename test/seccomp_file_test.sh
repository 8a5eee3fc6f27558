#!/bin/sh
# --security-opt seccomp=FILE: profiles in docker's format. What we make of them is judged by seccomp_oracle.py, in part by libseccomp.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

REAL=/usr/share/containers/seccomp.json # podman's own, and near to docker's
DEFAULT='CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'

oneTimeSetUp() {
	need_busybox
	musl-gcc -static -Os -Wall -Wextra -Werror -o "$WORK/probe" "$TOP/test/seccomp_probe.c" || exit 1
}

tearDown() {
	ctr-rm -f a >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
	assertNull 'no container is left' "$(ctr-ps -aq)"
}

# run [OPT].. -- CMD..: in a container with the probe in it, under the profile `p`.
run() {
	_opts=
	while [ "$1" != -- ]; do
		_opts="$_opts $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # a list of options
	run_cap ctr-run --rm --net none --security-opt "seccomp=$WORK/p" $_opts -v "$WORK/probe:/probe:ro" busybox "$@"
}

# profile DEFAULT [ROW]..: writes `p`; a ROW is the inside of an object.
profile() {
	{
		printf '{"defaultAction": "SCMP_ACT_%s", "syscalls": [' "$1"
		shift
		_sep=
		for row; do
			printf '%s\n{%s}' "$_sep" "$row"
			_sep=,
		done
		printf ']}\n'
	} >p
}

oracle() {
	run_cap python3 "$TOP/test/seccomp_oracle.py" "$@"
}

# compiled FILE [OPT]..: what ctrbox made of it.
compiled() {
	_file=$1
	shift
	ctr-create --name a --net none --security-opt "seccomp=$_file" "$@" busybox true >/dev/null || return 1
	ctr-inspect a | jq -r '.[].spec.process.seccomp_filter'
	ctr-rm a >/dev/null
}

ERRNO='"action": "SCMP_ACT_ERRNO"'
ALLOW='"action": "SCMP_ACT_ALLOW"'

test_rows() {
	profile ALLOW "\"names\": [\"keyctl\", \"add_key\"], $ERRNO" "\"names\": [\"unshare\"], $ERRNO, \"errnoRet\": 38" \
		"\"names\": [\"personality\"], $ERRNO, \"args\": [{\"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\"}]" \
		'"name": "kcmp", "action": "SCMP_ACT_KILL_PROCESS"'
	run -- /probe keyctl,9999 add_key,1 unshare,0x10000000 personality,8 personality,0 kcmp,1,1,99 request_key,1 600
	assert_out 'keyctl,9999 EPERM
add_key,1 EPERM
unshare,0x10000000 ENOSYS
personality,8 EPERM
personality,0 passed
kcmp,1,1,99 killed 31
request_key,1 passed
600 ENOSYS'
}

test_conditions_on_the_container() {
	profile ALLOW "\"names\": [\"keyctl\"], $ERRNO, \"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}" \
		"\"names\": [\"add_key\"], $ERRNO, \"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}" \
		"\"names\": [\"request_key\"], $ERRNO, \"includes\": {\"minKernel\": \"4.8\"}" \
		"\"names\": [\"unshare\"], $ERRNO, \"includes\": {\"minKernel\": \"99.1\"}" \
		"\"names\": [\"kcmp\"], $ERRNO, \"includes\": {\"arches\": [\"s390x\", \"mips\"]}" \
		"\"names\": [\"chroot\"], $ERRNO, \"excludes\": {\"arches\": [\"s390x\"]}, \"includes\": {}, \"comment\": \"here\""
	run -- /probe keyctl,9999 add_key,1 request_key,1 unshare,0x10000000 chroot,1
	assert_out 'keyctl,9999 passed
add_key,1 EPERM
request_key,1 EPERM
unshare,0x10000000 passed
chroot,1 EPERM'
	run --cap-add SYS_ADMIN -- /probe keyctl,9999 add_key,1 kcmp,1,1,99
	assert_out_match 'keyctl,9999 EPERM'
	assert_out_match 'add_key,1 passed'
}

# With no_new_privs it is loaded right before the command: only what the command needs must be in it.
test_a_strict_one() {
	profile KILL_PROCESS "\"names\": [\"execve\", \"arch_prctl\", \"set_tid_address\", \"exit_group\", \"write\", \"writev\", \"ioctl\",
		\"rt_sigprocmask\", \"gettid\", \"fork\", \"clone\", \"wait4\", \"getpid\", \"set_tls\", \"rt_sigreturn\"], $ALLOW"
	run --security-opt no-new-privileges -- /probe getpid keyctl,9999
	assert_rc 0
	assert_out 'getpid passed
keyctl,9999 killed 31'
	profile KILL_PROCESS "\"names\": [\"execve\"], $ALLOW"
	run --security-opt no-new-privileges -- /probe getpid
	assert_rc 159
}

test_a_real_one() {
	cp $REAL p
	run -- /probe unshare,0x10000000 keyctl,9999 bpf,-1 add_key,1 600
	assert_out 'unshare,0x10000000 passed
keyctl,9999 passed
bpf,-1 EPERM
add_key,1 ENOSYS
600 ENOSYS'
	run --privileged -- /probe bpf,-1 userfaultfd,-1 # docker: given explicitly, it holds
	assert_out 'bpf,-1 passed
userfaultfd,-1 EPERM'
}

# What was read at its creation stays the container's, whatever becomes of the file.
test_the_file_may_go() {
	profile ALLOW "\"names\": [\"keyctl\"], $ERRNO"
	ctr-create --name a --net none --security-opt "seccomp=p" -v "$WORK/probe:/probe:ro" --health-cmd '/probe keyctl,9999 >/health' \
		--health-interval 100ms busybox sh -c '/probe keyctl,9999 unshare,0x10000000; exec sleep 1000' >/dev/null
	assertEquals "$WORK/p" "$(ctr-inspect a | jq -r '.[].seccomp')"
	rm p
	for round in 1 2; do
		ctr-restart -t 0 a >/dev/null
		wait_for 20 ctr-exec a true
		assertEquals "$round" 'keyctl,9999 EPERM' "$(ctr-exec a /probe keyctl,9999)"
		wait_for 20 ctr-exec a grep EPERM /health
		assertEquals "$round" 'keyctl,9999 EPERM' "$(ctr-exec a cat /health)"
		ctr-exec a rm -f /health
	done
	assertEquals 'keyctl,9999 EPERM
unshare,0x10000000 passed' "$(ctr-logs a | sort -u)"
	assertEquals 'keyctl,9999 passed' "$(ctr-exec --privileged a /probe keyctl,9999)"
}

# A later option counts; "builtin" is docker's word for the default.
test_words() {
	profile ALLOW
	run -- /probe keyctl,9999
	assert_out 'keyctl,9999 passed'
	run --security-opt seccomp=builtin -- /probe keyctl,9999
	assert_out 'keyctl,9999 EPERM'
	run --security-opt seccomp=unconfined -- grep Seccomp: /proc/self/status
	assert_out 'Seccomp:	0'
}

# refused ERE: the profile p, with p named in the one line about it; nothing was made.
refused() {
	run -- true
	assert_fails 125 "seccomp=$WORK/p: .*$1"
}

test_bad_ones() {
	rm -f p
	refused 'read it: No such file'
	: >p
	refused '.'
	echo '{"defaultAction": "SCMP_ACT_ALLOW"' >p
	refused 'byte'
	echo '[]' >p
	refused "isn't an object"
	echo '{}' >p
	refused '"defaultAction" is missing'
	profile NOTIFY
	refused '"defaultAction": SCMP_ACT_NOTIFY'
	profile ALLOW "\"names\": [\"keyctl\", \"raed\"], $ERRNO"
	refused 'no system call is called "raed"'
	profile ALLOW "\"names\": [\"\"], $ERRNO"
	refused 'no system call is called ""'
	profile ALLOW "\"names\": [1], $ERRNO"
	refused 'not names'
	profile ALLOW "$ERRNO"
	refused '"names" is missing'
	profile ALLOW '"names": ["read"]'
	refused '"action" is missing'
	profile ALLOW '"names": ["read"], "action": "DENY"'
	refused '"action": DENY'
	profile ALLOW "\"names\": [\"read\"], $ERRNO, \"errnoRet\": 70000"
	refused '"errnoRet": 70000'
	profile ALLOW "\"names\": [\"read\"], $ERRNO, \"arg\": []"
	refused '"arg" isn.t known'
	profile ALLOW "\"names\": [\"read\"], $ERRNO, \"args\": {}"
	refused '"args" isn.t of its type'
	for arg in '"index": 6, "value": 1, "op": "SCMP_CMP_EQ"' '"value": 1, "op": "SCMP_CMP_EQ"' '"index": 0, "value": 1' \
		'"index": 0, "value": -1, "op": "SCMP_CMP_EQ"' '"index": 0, "value": 1, "op": "SCMP_CMP_LIKE"' \
		'"index": 0, "value": 18446744073709551616, "op": "SCMP_CMP_EQ"' '"index": "0", "value": 1, "op": "SCMP_CMP_EQ"'; do
		profile ALLOW "\"names\": [\"read\"], $ERRNO, \"args\": [{$arg}]"
		refused '"(index|op|value)"'
	done
	profile ALLOW "\"names\": [\"read\"], $ERRNO, \"includes\": {\"caps\": [\"CAP_FLY\"]}"
	refused 'CAP_FLY: no such capability'
	profile ALLOW "\"names\": [\"read\"], $ERRNO, \"includes\": {\"minKernel\": \"new\"}"
	refused '"minKernel": new'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_S390X"]}' >p
	refused '"architectures": has no SCMP_ARCH_'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{"architecture": "SCMP_ARCH_S390X", "subArchitectures": []}]}' >p
	refused '"archMap": has no SCMP_ARCH_'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}' >p
	refused '"listenerPath" isn.t known'
	head -c 2000000 /dev/zero >p
	refused 'read it: File too large'
}

test_too_much() {
	# shellcheck disable=SC2046 # rows
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(1000) | {names: ["read"], action: "SCMP_ACT_LOG",
		args: [{index: 0, value: ., op: "SCMP_CMP_EQ"}]}]}' >p
	refused 'makes more than 4096 instructions'
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(800) | {names: ["kcmp"], action: "SCMP_ACT_ERRNO",
		args: [{index: 0, value: (. + 1000), op: "SCMP_CMP_EQ"}]}]}' >p
	run -- /probe kcmp,999 kcmp,1000 kcmp,1799 # leaps of more than 255 instructions
	assert_match 'kcmp,1000 EPERM' "$out"
	assert_match 'kcmp,1799 EPERM' "$out"
	assert_rc 0
}

test_as_libseccomp_does() {
	filter=$(compiled $REAL)
	# shellcheck disable=SC2086 # a list of capabilities
	oracle libseccomp $REAL "$filter" $DEFAULT
	assert_rc 0
	assert_out ''
	# shellcheck disable=SC2086
	oracle libseccomp $REAL "$(compiled $REAL --cap-add SYS_ADMIN)" $DEFAULT SYS_ADMIN
	assert_rc 0
	# shellcheck disable=SC2086 # and it can tell the difference
	oracle libseccomp $REAL "$filter" $DEFAULT SYS_TIME
	assert_rc 1
}

test_as_it_is_meant() {
	for seed in 17 29 34 35 40 46 50 101 102 103; do
		oracle random $seed
		printf '%s\n' "$out" >p
		oracle meaning p "$(compiled p)"
		assert_rc 0
		assert_out ''
	done
}

# Where the default profile says something else than podman's, which lets what a namespace of its own makes harmless pass.
test_the_default_beside_podmans() {
	# shellcheck disable=SC2086
	oracle default $REAL "$BUILD/seccomp_default.h" $DEFAULT
	assertEquals 'fsconfig fsmount fsopen fspick get_mempolicy keyctl mbind mount mount_setattr move_mount open_tree pidfd_getfd pivot_root reboot set_mempolicy setns syslog umount2 unshare' \
		"$(printf '%s\n' "$out" | awk '$2 == "EPERM" && $3 == "passed" { print $1 }' | sort | xargs)"
	assertEquals clone3 "$(printf '%s\n' "$out" | awk '$2 == "ENOSYS" { print $1 }' | xargs)"
	assertEquals 'io_pgetevents vmsplice' "$(printf '%s\n' "$out" | awk '$2 == "passed" && $3 == "EPERM" { print $1 }' | sort | xargs)"
	assertNull 'newer than podman knows' "$(printf '%s\n' "$out" | awk '$2 == "passed" && $3 == "ENOSYS" { print $1 }' | grep -vxE '46[234568]|469|cachestat|fchmodat2|futex_(requeue|wait|waitv|wake)|map_shadow_stack|45[1-6]')"
}

# Neither forgotten nor mistyped: every call up to 469 that the headers have is in the profile.
test_every_call_is_judged() {
	assertNull "$(sed -n 's/^.* not named by the profile: \([a-z0-9_]*\) \([0-9]*\) .*/\2 \1/p' "$BUILD/seccomp_default.h" | awk '$1 < 470')"
	assert_match '"dread"' "$(cat "$BUILD/seccomp_default.h")"
}

. shunit2
