#!/bin/sh
# The system calls that a container may make: the default profile (lib/sys/seccomp.profile), profiles in docker's format, none. What is asked
# from inside is asked by seccomp_probe.c.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	musl-gcc -static -Os -Wall -Wextra -Werror -o "$WORK/probe" "$TOP/test/seccomp_probe.c" || exit 1
}

tearDown() {
	ctr-rm -f a >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
}

# run [OPT].. -- CMD..: in a container with the probe in it.
run() {
	_opts=
	while [ "$1" != -- ]; do
		_opts="$_opts $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # a list of options
	run_cap ctr-run --rm --net none $_opts -v "$WORK/probe:/probe:ro" busybox "$@"
}

# probe VERDICT [OPT].. -- CALL..: each CALL comes to VERDICT.
probe() {
	verdict=$1
	shift
	_opts=
	while [ "$1" != -- ]; do
		_opts="$_opts $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	run $_opts -- /probe "$@"
	assert_rc 0
	assertEquals "$_opts" "$(printf "%s $verdict\n" "$@")" "$out"
}

# Calls that the kernel itself refuses for other reasons than a lack of privilege, so that EPERM is the profile's word.
namespaces='clone,0x00020011 clone,0x02000011 clone,0x04000011 clone,0x08000011 clone,0x10000011 clone,0x20000011 clone,0x40000011 unshare,0x10000000 setns,-1'
admin="$namespaces mount,1,1,1 umount2,1 pivot_root,1,1 fsopen,1 open_tree,-1,1,-1 bpf,-1 perf_event_open,1 fanotify_init,-1 sethostname,1,-1"
ptracer='kcmp,1,1,99 pidfd_getfd,-1,-1,-1'
never='keyctl,9999 add_key,1 request_key,1 io_uring_setup,1,1 userfaultfd,-1 move_pages,1,1 swapon,1'
sockets='socket,38,5 socket,40,1 socket,0x2800000026,5 socket,0x100000028,1'
personalities='personality,0x40000 personality,0x100040000 personality,0x400000'
typing='ioctl,-1,0x5412 ioctl,-1,0x500005412 ioctl,-1,0xffffffff00005412 ioctl,-1,0x541c ioctl,-1,0x10000541c'

test_barred() {
	# shellcheck disable=SC2086
	probe EPERM -- $admin $ptracer $never $sockets $personalities $typing acct,1 open_by_handle_at,-1,1 reboot,1 settimeofday,1 clock_settime,999
}

# The same calls without a profile: it was the profile that said no.
test_unconfined() {
	for how in '--cap-add ALL --security-opt seccomp=unconfined' --privileged; do
		# shellcheck disable=SC2086
		probe passed $how -- $admin $ptracer $never $sockets $personalities $typing acct,1 open_by_handle_at,-1,1 reboot,1 settimeofday,1 \
			clock_settime,999 clone3
		# shellcheck disable=SC2086
		run $how -- grep Seccomp: /proc/self/status
		assert_out 'Seccomp:	0'
	done
}

test_allowed() {
	probe passed -- getpid clone,0x11 socket,1,1 socket,2,2 socket,16,3 socket,39,99 socket,44,99 personality,0 personality,8 personality,0x20000 \
		personality,0x20008 personality,0xffffffff ioctl,-1,0x5413 ioctl,-1,0x541200005413 ptrace,-1 chroot,1 prctl,9999 seccomp,9999
	run -- grep Seccomp /proc/self/status
	assert_out 'Seccomp:	2
Seccomp_filters:	1'
}

# Newer than the profile, or without a number here: as an older kernel would say.
test_unknown() {
	probe ENOSYS -- clone3 600 4000 0x3fffffff 0x7fffffff -1
	run_cap uname -m
	if [ "$out" = x86_64 ]; then
		probe ENOSYS -- 0x40000000 0x40000027 0x400000a5
		probe 'killed 31' -- int80
	fi
}

test_with_capabilities() {
	# shellcheck disable=SC2086
	{
		probe passed --cap-add SYS_ADMIN -- $admin clone3
		probe passed --cap-add SYS_PTRACE -- $ptracer
		probe passed --cap-add PERFMON -- perf_event_open,1
		probe EPERM --cap-add PERFMON -- bpf,-1 syslog,10
		probe passed --cap-add BPF -- bpf,-1
		probe passed --cap-add SYSLOG -- syslog,10
		probe passed --cap-add SYS_TIME -- settimeofday,1 clock_settime,999
		probe passed --cap-add SYS_BOOT -- reboot,1
		probe passed --cap-add SYS_PACCT -- acct,1
		probe passed --cap-add DAC_READ_SEARCH -- open_by_handle_at,-1,1
		probe EPERM --cap-drop SYS_CHROOT -- chroot,1
		probe EPERM --cap-add ALL -- $never $sockets $personalities $typing
	}
	probe EPERM --cap-add ALL --cap-drop SYS_ADMIN -- unshare,0x10000000 mount,1,1,1
	probe ENOSYS --cap-add ALL --cap-drop SYS_ADMIN -- clone3
}

# However the process became what it is: as a user, with no_new_privs, below --init, in a user namespace.
test_every_way_in() {
	for how in '' '-u 1000' '--init' '--security-opt no-new-privileges' '-u 1000 --init --security-opt no-new-privileges' '--cap-drop ALL' \
		'--userns 100000:0:65536' '--userns 100000:0:65536 -u 1000' '--pid host'; do
		# shellcheck disable=SC2086
		probe EPERM $how -- unshare,0x10000000 keyctl,9999
	done
	run --init -- grep Seccomp: /proc/1/status
	assert_out 'Seccomp:	2'
}

test_exec_and_health() {
	ctr-run -d --name a --net none -v "$WORK/probe:/probe:ro" --health-cmd '{ grep Seccomp: /proc/self/status; /probe keyctl,9999; } >/new; mv /new /health' \
		--health-interval 100ms busybox sleep 1000 >/dev/null
	for how in '' '-u 1000' -t; do
		# shellcheck disable=SC2086
		run_cap ctr-exec $how a /probe keyctl,9999
		assert_match 'keyctl,9999 EPERM' "$out"
	done
	run_cap ctr-exec --privileged a /probe keyctl,9999 unshare,0x10000000
	assert_out 'keyctl,9999 passed
unshare,0x10000000 passed'
	wait_for 20 ctr-exec a grep -q EPERM /health
	assertEquals 'Seccomp:	2
keyctl,9999 EPERM' "$(ctr-exec a head -n 2 /health)"
	assertEquals default "$(ctr-inspect a | jq -r '.[].seccomp')"
}

# Somebody who shares our terminal types for us.
test_typing_for_others() {
	tty_cap 'ctr-run --rm --net none -t -v "$WORK/probe:/probe:ro" busybox /probe ioctl,0,0x5412,0x7fff00000000 ioctl,0,0x500005412' </dev/null
	assert_out_match '^ioctl,0,0x5412,0x7fff00000000 EPERM$'
	assert_out_match '^ioctl,0,0x500005412 EPERM$'
}

# A kernel without filters still runs containers, but not with less than what was asked for.
test_a_kernel_without() {
	for code in ENOSYS EINVAL; do
		run_cap strace -f -o /dev/null -e trace=seccomp -e inject=seccomp:error=$code ctr-run --rm --net none busybox grep Seccomp: /proc/self/status
		assert_rc 0
		assert_out 'Seccomp:	0'
		echo '{"defaultAction": "SCMP_ACT_ALLOW"}' >p
		run_cap strace -f -o /dev/null -e trace=seccomp -e inject=seccomp:error=$code \
			ctr-run --rm --net none --security-opt seccomp=p busybox true
		assert_fails 125 "load the seccomp profile $WORK/p: .* \(CONFIG_SECCOMP_FILTER\?\)"
	done
	run_cap strace -f -o /dev/null -e trace=seccomp -e inject=seccomp:error=EACCES ctr-run --rm --net none busybox true
	assert_fails 125 'load the seccomp profile: Permission denied'
}

# ctr-ns and its kin are for whoever is root here already.
test_plumbing_is_not_confined() {
	run_cap ctr-ns -m grep Seccomp: /proc/self/status
	assert_out 'Seccomp:	0'
}

. shunit2
