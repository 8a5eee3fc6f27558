#!/bin/sh
# Ways out of a container, one by one, each closed. `make test-escapes-bite` takes one defence after the other out of a copy of the
# source and wants the tests that are named for it to fail. At the end of each test nothing of the host's may have changed.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tar_lib.sh"

VICTIM=$WORK/host/victim

oneTimeSetUp() {
	musl-gcc -static -Os -Wall -Wextra -Werror -idirafter /usr/include -idirafter "/usr/include/$(gcc -print-multiarch)" \
		-o tool "$TOP/test/escape_tool.c" || exit 1
	need_busybox
	core=$(cat /proc/sys/kernel/core_pattern)
	make_rootfs r
	cp tool r/tool
	ln -s /proc/self/exe r/bin/x
	mkdir -p host/dir host/empty
	echo secret >host/secret
	ctr-run -d --name jail --net none --rootfs r sleep 1000 >/dev/null
}

# The program that these tests run is one that nobody else runs and so keeps from being written.
setUp() {
	cp "$CTRBOX" host/new
	mv host/new "$VICTIM"
	host_side >before
	return 0
}

oneTimeTearDown() {
	ctr-rm -f jail >/dev/null 2>&1
	return 0
}

# A setting that got out (without a defence it does) would otherwise stay the machine's.
tearDown() {
	ctr-rm -f guest >/dev/null 2>&1
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$core" ] || echo "$core" >/proc/sys/kernel/core_pattern
	return 0
}

# What a container must never change: files, settings, mounts.
host_side() {
	(
		cd "$WORK/host" && find . -printf '%P %y %m %U %G %s %l %n\n' | sort && find . -type f -exec sha256sum {} + | sort
		stat -c '%n %a %u %g' /* | grep -v '^/proc '
		cat /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hostname /proc/sys/kernel/msgmax
		cut -d' ' -f4- /proc/self/mountinfo | sort
		head -n 1 /sys/fs/cgroup/*/release_agent
	) 2>&1
}

host_unchanged() {
	host_side >after
	diff before after >changed
	assertEquals "the host was changed: $(cat changed)" 0 $?
}

# One after the other of "$@" is given to `try`, which has to be refused with 125.
each_refused() {
	for _bad; do
		try "$_bad"
		assert_rc 125
		assertNull "$_bad: $out" "$out"
	done
}

# CVE-2019-5736. Whoever finds our program under /proc can't write it, nor change its mode, not even once it doesn't run any more.

# Opens the program of the process called x, and changes it as soon as that can be done.
OVERWRITE='
find_x() { for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != x ] || return 0; done 2>/dev/null; return 1; }
end=$(($(date +%s) + 30))
until find_x; do [ $(date +%s) -lt $end ] || exit; done
exec 9<$p/exe || exit
chmod 4777 /proc/self/fd/9 && echo mode
while [ -d $p ]; do :; done
for i in 1 2 3 4 5; do (echo owned >/proc/self/fd/9) && echo written && break; sleep 0.1; done'

test_program_cannot_be_overwritten_from_exec() {
	ctr-exec jail sh -c "$OVERWRITE; echo tried" >tried 2>&1 &
	run_cap "$VICTIM" ctr-exec jail /bin/x ctr-init sleep 1
	assert_ok
	wait $!
	assert_match '^tried$' "$(cat tried)"
	assertNull "$(grep -E '^(mode|written)$' tried)"
	host_unchanged
}

# The image's command is the link: then ctr-run's own program is the container's first.
test_program_cannot_be_overwritten_from_run() {
	run_cap "$VICTIM" ctr-run --name guest --net none --rootfs r /bin/x ctr-init sh -c '
		chmod 4777 /proc/1/exe && echo mode
		(echo owned >/proc/1/exe) && echo written
		echo tried'
	assert_rc 0
	assert_out tried
	host_unchanged
}

# PID 1 is our own program there; with CAP_SYS_PTRACE it can be looked at, and is none the worse for it.
test_init_cannot_be_overwritten() {
	run_cap "$VICTIM" ctr-run --init --cap-add SYS_PTRACE --name guest --net none --rootfs r sh -c '
		chmod 4777 /proc/1/exe && echo mode
		(echo owned >/proc/1/exe) && echo written
		ls -l /proc/1/exe >/dev/null && echo tried'
	assert_rc 0
	assert_out tried
	assert_err_match 'Read-only file system'
	run_cap ctr-run --init --rm --net none --rootfs r ls -l /proc/1/exe
	assert_err_match 'cannot read link: Permission denied'
	host_unchanged
}

# A kernel that can't clone mounts, or may not: the copy in memory. Its mode is its own.
test_program_is_sealed_in_memory_where_mounts_cannot_be_cloned() {
	ctr-exec jail sh -c "readlink /proc/1/exe; $OVERWRITE; echo tried" >tried 2>&1 &
	run_cap strace -qq -o trace -e trace=open_tree,memfd_create -e inject=open_tree:error=EPERM:when=1 \
		"$VICTIM" ctr-exec jail /bin/x ctr-init sh -c 'echo here; sleep 1'
	assert_rc 0
	assert_out here
	assert_match 'memfd_create.*= [0-9]' "$(cat trace)"
	wait $!
	assert_match '^tried$' "$(cat tried)"
	assertNull "$(grep '^written$' tried)"
	assert_match 'Operation not permitted' "$(cat tried)"
	host_unchanged
}

# A host that is made writable later, as for an upgrade.
test_program_on_a_read_only_mount_stays_out_of_reach() {
	mkdir ro
	mount --bind host ro
	mount -o remount,bind,ro ro
	"$WORK/ro/victim" ctr-run -d --init --cap-add SYS_PTRACE --name guest --net none --rootfs r sleep 1000 >/dev/null
	mount -o remount,bind,rw ro
	run_cap ctr-exec guest sh -c 'chmod 4777 /proc/1/exe || echo refused'
	assert_out refused
	ctr-rm -f guest >/dev/null
	umount ro
	host_unchanged
}

# A health check is an exec that the supervisor does. Only an image's can do without the container's shell.
test_health_checks_are_sealed() {
	ctr-create --name guest --net none --health-interval 1 --health-cmd x --rootfs r sh -c "$OVERWRITE; echo tried; sleep 1000" >/dev/null
	spec=$CTRBOX_ROOT/containers/$(ctr-inspect guest | jq -r '.[0].id')/spec.json
	jq '.health_cmd = ["/bin/x", "ctr-init", "sleep", "2"]' "$spec" >edited
	cp edited "$spec"
	"$VICTIM" ctr-start guest >/dev/null
	wait_for 60 sh -c 'ctr-logs guest 2>&1 | grep -qx tried'
	assertEquals 'a check was seen' 0 $?
	assertNull "$(ctr-logs guest 2>/dev/null | grep -E '^(mode|written)$')"
	ctr-rm -f guest >/dev/null
	host_unchanged
}

# CVE-2016-9962: who joins can't be looked into before it is the command. Our last moment, the one in which it has the container's
# rights already, is made a second long.
test_joining_process_cannot_be_looked_into() {
	ctr-exec jail /tool spy ctr-exec >seen 2>&1 &
	wait_for 10 grep -q watching seen
	run_cap strace -f -qq -o /dev/null -e inject=execve:delay_enter=1000000 ctr-exec jail true
	assert_rc 0
	wait $!
	assertEquals 'watching
seen' "$(cat seen)"
	host_unchanged
}

# The same for a container's first process in another's pid namespace.
test_first_process_cannot_be_looked_into() {
	ctr-exec jail /tool spy ctr-run >seen 2>&1 &
	wait_for 10 grep -q watching seen
	run_cap strace -f -qq -o /dev/null -e inject=execve:delay_enter=1000000 ctr-run --rm --net none --pid container:jail --rootfs r true
	assert_rc 0
	wait $!
	assertEquals 'watching
seen' "$(cat seen)"
	host_unchanged
}

# CVE-2019-14271: nothing of the container's is loaded as code. We are one static program without name service modules.
test_nothing_of_the_container_is_loaded() {
	assertNull "$(readelf -lW "$CTRBOX" | grep -E 'INTERP|DYNAMIC')"
	run_cap strace -f -qq -o trace -e trace=open,openat,openat2,setns,execve,mmap ctr-exec -u root jail true
	assert_rc 0
	assertNull "$(sed -n '/setns/,/execve("/p' trace | grep -E '\.so|/lib|nsswitch|gconv|locale|PROT_EXEC')"
	run_cap strace -f -qq -o trace -e trace=open,openat,openat2,setns,mmap ctr-cp host/secret jail:/tmp/secret
	assert_rc 0
	assert_match setns "$(cat trace)"
	assertNull "$(sed -n '/setns/,$p' trace | grep -E '\.so|/lib|nsswitch|gconv|locale|PROT_EXEC')"
	host_unchanged
}

# CVE-2020-15257: no socket that only a network namespace guards.
test_no_abstract_socket() {
	ctr-run -d --name guest --net host --rootfs r sleep 1000 >/dev/null
	run_cap ctr-exec guest cat /proc/net/unix
	assert_rc 0
	assert_out_match '/attach$'
	assertNull "$(printf '%s\n' "$out" | grep ' @')"
	ctr-rm -f guest >/dev/null
	host_unchanged
}

# CVE-2022-0811: one setting can't carry another, nor name one that is the host's.
test_sysctl_injection() {
	try() { run_cap ctr-run --rm --net none --sysctl "$1" --rootfs r true; }
	each_refused 'net.ipv4.ip_forward=1+kernel.core_pattern=|/bin/sh' 'kernel.core_pattern=|/bin/sh' 'net.ipv4.ip_forward=1
kernel.core_pattern=x' 'net/../kernel/core_pattern=x' 'net..kernel.core_pattern=x' 'kernel.hostname=x' 'net.a b=1'
	run_cap ctr-run --rm --net host --sysctl net.ipv4.ip_forward=1 --rootfs r true
	assert_rc 125
	run_cap ctr-run --rm --net none --ipc host --sysctl kernel.msgmax=1234 --rootfs r true
	assert_rc 125
	host_unchanged
}

# CVE-2022-24769
test_nothing_is_inheritable() {
	run_cap setpriv --inh-caps +chown,+sys_admin --ambient-caps +chown ctr-run --rm --net none --rootfs r \
		grep -E 'Cap(Inh|Amb)' /proc/self/status
	assert_out 'CapInh:	0000000000000000
CapAmb:	0000000000000000'
	run_cap setpriv --inh-caps +chown,+sys_admin --ambient-caps +chown ctr-exec jail grep -E 'Cap(Inh|Amb)' /proc/self/status
	assert_out 'CapInh:	0000000000000000
CapAmb:	0000000000000000'
	host_unchanged
}

# CVE-2024-21626: a descriptor of ours, or of who called us, can't become the working directory.
test_working_directory_outside() {
	exec 9<host
	n=3
	while [ $n -le 30 ]; do
		run_cap ctr-run --rm --net none -w /proc/self/fd/$n --rootfs r pwd
		[ "$rc" = 125 ] || break
		run_cap ctr-exec -w /proc/self/fd/$n jail pwd
		[ "$rc" = 125 ] || break
		n=$((n + 1))
	done
	exec 9<&-
	assertEquals "$(captured "-w /proc/self/fd/$n")" 31 $n
	ln -sf /proc/self/fd/9 r/tmp/link
	run_cap ctr-exec -w /tmp/link jail pwd 9<host
	assert_rc 125
	run_cap ctr-exec -w /proc/1/root/../../.. jail pwd
	assertNotEquals 0 "$rc"
	host_unchanged
}

# CVE-2026-30892: what is no id or name is none, rather than root's.
test_odd_users() {
	try() { run_cap ctr-run --rm --net none -u "$1" --rootfs r id -u; }
	each_refused 0x1 1: :1 99999999999 -1 +1 ' 1' '1 ' 4294967295 1:4294967295 1:2:3 1.0 1e3 '1
' "$(printf '1\t')"
	try() { run_cap ctr-exec -u "$1" jail id -u; }
	each_refused 0x1 1: :1 99999999999 -1 +1 4294967295
	host_unchanged
}

# No descriptor of the caller's, and none of ours.
test_descriptors_do_not_leak() {
	exec 9<host 8<host/secret
	run_cap ctr-run --rm --net none --rootfs r sh -c 'cd /proc/self/fd && echo *'
	assert_match '^0 1 2( 3)?$' "$out" # the shell's own
	run_cap ctr-exec jail sh -c 'cd /proc/self/fd && echo *'
	assert_match '^0 1 2( 3)?$' "$out"
	run_cap ctr-exec jail sh -c 'cat /proc/self/fd/8; ls /proc/self/fd/9/'
	assertNull "$(printf '%s\n' "$out" | grep -E 'secret|victim')"
	exec 9<&- 8<&-
	host_unchanged
}

# A key of who called us. seccomp would deny the question: it is left out here.
test_keyring_of_its_own() {
	run_cap "$WORK/tool" with-key "$WORK/tool" find-key
	assert_out 'key found, read'
	run_cap "$WORK/tool" with-key ctr-run --rm --security-opt seccomp=unconfined --net none --rootfs r /tool find-key
	assert_out 'no key'
	ctr-run -d --name guest --security-opt seccomp=unconfined --net none --rootfs r sleep 1000 >/dev/null
	run_cap "$WORK/tool" with-key ctr-exec guest /tool find-key
	assert_out 'no key'
	ctr-rm -f guest >/dev/null
	host_unchanged
}

# A container that has used up its ids' keys would keep the next command's keyring from being made.
test_keyring_although_the_quota_is_used_up() {
	ctr-run -d --name guest --security-opt seccomp=unconfined --userns 300000:0:1000 --net none --rootfs r sleep 1000 >/dev/null
	run_cap ctr-exec guest /tool fill-keys
	assert_out full
	run_cap "$WORK/tool" with-key ctr-exec guest /tool find-key
	assert_out 'no key'
	run_cap strace -f -qq -o /dev/null -e inject=keyctl:error=EDQUOT ctr-exec guest true
	assert_fails 125 'guest: make a session keyring: .*[Qq]uota exceeded'
	run_cap strace -f -qq -o /dev/null -e inject=keyctl:error=ENOSYS ctr-exec guest true
	assert_ok
	ctr-rm -f guest >/dev/null
	host_unchanged
}

# CVE-2019-16884, CVE-2023-27561, CVE-2025-31133, CVE-2025-52881: /proc, /sys or /dev/null of the image's making.
test_false_proc_and_sys() {
	for dir in proc sys; do
		make_rootfs false
		rmdir false/$dir
		mkdir false/tmp/$dir
		ln -s tmp/$dir false/$dir
		run_cap ctr-run --rm --net none --rootfs false true
		assert_fails 125 "/$dir: is a symbolic link"
		rm -r false
	done
	make_rootfs false
	ln -s /proc/sys/kernel/core_pattern false/dev/null
	run_cap ctr-run --rm --net none --rootfs false sh -c 'stat -c %t:%T /dev/null /proc/kcore /proc/timer_list 2>/dev/null'
	assert_out_match '^1:3$'
	assertNull "$(printf '%s\n' "$out" | grep -v '^1:3$')"
	run_cap ctr-run --rm --net none --rootfs r sh -c 'was=$(cat /proc/sys/kernel/core_pattern); echo "$was" >/proc/sys/kernel/core_pattern || echo refused'
	assert_out refused
	rm -r false
	host_unchanged
}

# CVE-2026-41579, CVE-2026-47766: what is made in /dev would be made on the host.
test_dev_is_a_link() {
	make_rootfs false
	rmdir false/dev
	ln -s "$WORK/host/dir" false/dev
	run_cap ctr-run --rm --net none --rootfs false true
	assert_fails 125 '/dev: is a symbolic link'
	run_cap ctr-run --rm --net none --rootfs false --device /dev/null:/dev/x true
	assert_fails 125 '/dev: is a symbolic link'
	rm -r false
	host_unchanged
}

# CVE-2021-30465: mount points below a volume whose owner exchanges a directory for a link while they are made.
test_link_swapped_during_set_up() {
	mkdir -p vol/d
	ln -s "$WORK/host" vol/l
	ctr-run -d --name guest --net none -v "$WORK/vol:/vol" --rootfs r /tool swap /vol/d /vol/l >/dev/null
	end=$(($(date +%s) + 6))
	starts=0
	while [ "$(date +%s)" -lt $end ]; do
		ctr-run --rm --net none -v "$WORK/vol:/vol" -v "$WORK/r/etc:/vol/d/inside/etc" --tmpfs /vol/d/tmp --rootfs r true >/dev/null 2>&1
		starts=$((starts + 1))
	done
	assertTrue "$starts starts" "[ $starts -gt 5 ]"
	assertEquals running "$(ctr-inspect guest | jq -r '.[0].status')"
	ctr-rm -f guest >/dev/null
	rm -r vol
	host_unchanged
}

# The same without a race: a link out, or upwards, stays in the container's root.
test_links_in_a_volume_lead_nowhere() {
	mkdir vol
	ln -s "$WORK/host/dir" vol/absolute
	ln -s "../../../../../../../../..$WORK/host/dir" vol/up
	for link in absolute up; do
		run_cap ctr-run --rm --net none -v "$WORK/vol:/vol" -v "$WORK/r/etc:/vol/$link/etc" --rootfs r true
		assert_fails 125 "make mount point /vol/$link/etc: No such file or directory"
		run_cap ctr-run --rm --net none -v "$WORK/vol:/vol" -w "/vol/$link/new" --rootfs r true
		assert_fails 125 "working directory /vol/$link/new: No such file or directory"
	done
	rm -r vol
	host_unchanged
}

# CVE-2022-0492: release_agent is run by the host's kernel.
test_release_agent() {
	ctr-run --rm --net none --rootfs r sh -c 'for f in $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs); do
		(echo /tool >$f) 2>/dev/null && echo "written: $f"; done; for d in /sys/fs/cgroup /sys/fs/cgroup/*; do
		mkdir $d/new && echo made; done; echo tried' \
		>tried 2>/dev/null
	assertEquals tried "$(cat tried)"
	run_cap ctr-run --rm --net none --rootfs r mount -t cgroup -o memory cgroup /mnt
	assert_err_match '(Operation not permitted|permission denied)'
	host_unchanged
}

# A user namespace would give the rights back that such a mount takes.
test_no_cgroups_by_way_of_a_user_namespace() {
	run_cap ctr-run --rm --net none --rootfs r /tool new-cgroup /mnt
	assert_out 'no user namespace
nothing mounted'
	run_cap ctr-exec jail /tool new-cgroup /mnt
	assert_out 'no user namespace
nothing mounted'
	host_unchanged
}

# An archive of a stranger's: links out of the tree, and what is then written through them.
test_archive_of_a_stranger() {
	out=$WORK/host/dir
	{ symlink a "$out" && entry a/f evil; } >through.tar
	{ symlink a ../../../../../../../../../../.."$out" && entry a/f evil; } >up.tar
	{ entry ../../../../../../../../../../.."$out/f" evil; } >dots.tar
	{ entry "$out/f" evil; } >absolute.tar
	{ hardlink secret "$WORK/host/secret" && entry secret evil; } >hard.tar
	{ symlink s "$WORK/host/secret" && hardlink h s && entry h evil; } >hardsoft.tar
	{ symlink a "$WORK/host" && header 0 a/.wh.secret; } >whiteout.tar
	{ symlink a "$WORK/host" && header 0 a/.wh..wh..opq; } >opaque.tar
	{ symlink a "$WORK/host/secret" && entry a evil; } >over.tar
	{ symlink a "$out" && dir a/new && dir a 0777; } >dir.tar
	for archive in *.tar; do
		finish >>"$archive"
		run_cap ctr-image import -c 'CMD ["sh"]' stranger <"$archive"
		ctr-run --rm --net none stranger true >/dev/null 2>&1
		ctr-image rm stranger >/dev/null 2>&1
		run_cap ctr-cp - jail:/tmp <"$archive"
		host_side >after
		assertEquals "$archive changed the host: $(diff before after)" "$(cat before)" "$(cat after)"
	done
	rm ./*.tar
}

# TIOCSTI types on a terminal that a command has as its controlling one: it gets none of the caller's.
test_typing_on_the_callers_terminal() {
	tty_cap 'ctr-run --rm --net none --rootfs r /tool type' </dev/null
	assert_out ''
	tty_cap 'ctr-exec jail /tool type' </dev/null
	assert_out ''
	# with -t it has one of its own, on which seccomp keeps it from typing
	tty_cap 'ctr-run --rm -t --net none --rootfs r /tool type' </dev/null
	assert_out 'has a controlling terminal'
	host_unchanged
}

# An ordinary user's map of groups is a way to leave a group that denies.
test_setgroups_is_denied_to_ordinary_users() {
	run_cap setpriv --reuid 1234 --regid 1234 --clear-groups "$CTRBOX" ctr-ns -U --map-root cat /proc/self/setgroups
	assert_out deny
	host_unchanged
}

# CVE-2021-41091: a set-uid program that a container makes of a file that is kept for it is nobody's to execute on the host.
test_set_uid_files_are_out_of_reach() {
	(
		CTRBOX_ROOT=/run/open/root CTRBOX_RUN=/run/open/run # unlike $WORK anybody can walk there
		ctr-run -d --name guest --net none busybox sleep 1000
		ctr-exec guest sh -c 'for f in /etc/hosts /etc/hostname /etc/resolv.conf /bin/evil; do cat /bin/busybox >$f; chmod 4755 $f; done'
		find /run/open -type f -perm -4000 ! -path '*/layers/*' >found
		while read -r file; do
			setpriv --reuid 1234 --regid 1234 --clear-groups test ! -x "$file" || echo "$file"
		done <found >executable
		ctr-rm -f guest
	) >/dev/null
	rm -r /run/open
	assertEquals 4 "$(wc -l <found)"
	assertNull "$(cat executable)"
	host_unchanged
}

. shunit2
