#!/bin/sh
# ctr-root. [N]: the behaviour's number in the seeds' checklist.
. "$(dirname "$0")/lib.sh"

R=/run/rootfs # below $WORK a mapped root couldn't go

oneTimeSetUp() {
	make_rootfs "$R"
	echo inner >"$R/etc/mark"
}

mounts() {
	cut -d' ' -f5- /proc/self/mountinfo | sort
}

setUp() {
	mounts >"$WORK/before"
	find "$R" | sort >"$WORK/tree"
}

# Nothing is mounted outside, and no directory for an old root has come into the rootfs ([4] [5] [53]).
tearDown() {
	[ -e "$WORK/before" ] || return 0
	mounts | diff "$WORK/before" - || fail 'mounts have changed outside'
	find "$R" | sort | diff "$WORK/tree" - || fail 'the rootfs has changed'
}

# [1] [10]
test_pivot_is_the_default() {
	run_cap ctr-root "$R" sh -c 'pwd; cat /etc/mark; ls -d /../bin; cd ..; pwd'
	assert_ok
	assert_out "$(printf '/\ninner\n/../bin\n/')"
	run_cap ctr-root --pivot --proc "$R" sh -c 'grep -c " / " /proc/mounts'
	assert_out 1
}

# [4]: the host's tree isn't there, not even by the trick that leaves a chroot.
test_pivot_leaves_nothing_of_the_host() {
	run_cap ctr-root --proc "$R" cut -d' ' -f2 /proc/mounts
	assert_out "$(printf '/\n/proc')"
	cp "$CTRBOX" "$R/bin/ctr-root"
	mkdir "$R/d"
	run_cap ctr-root "$R" ctr-root --chroot /d /bin/sh
	assert_rc 127
	rm -r "$R/bin/ctr-root" "$R/d"
}

# [2] [3]: a host whose / is shared, as systemd has it.
test_pivot_on_a_shared_host() {
	cat >"$WORK/shared" <<'END'
mount --make-rshared /
cut -d' ' -f5- /proc/self/mountinfo | sort >$WORK/m1
ctr-root --proc --dev --sys --tmpfs /tmp $1 sh -c 'cat /etc/mark; mount -t tmpfs x /mnt && echo mounted'
cut -d' ' -f5- /proc/self/mountinfo | sort >$WORK/m2
cmp $WORK/m1 $WORK/m2 && echo unharmed
END
	run_cap ctr-ns -m sh "$WORK/shared" "$R"
	assert_ok
	assert_out "$(printf 'inner\nmounted\nunharmed')"
}

# [7]: in a chroot pivot_root answers EINVAL, and it is told why; chroot works there.
test_inside_a_chroot() {
	cp "$CTRBOX" "$R/bin/ctr-root"
	mkdir -p "$R/inner/bin"
	cp "$R/bin/busybox" "$R/inner/bin/sh"
	for more in '' --proc; do
		# shellcheck disable=SC2086
		run_cap ctr-root --chroot $more "$R" ctr-root /inner sh -c 'echo in'
		assert_fails 125 'Invalid argument.*chroot'
	done
	run_cap ctr-root --chroot "$R" ctr-root --chroot /inner sh -c 'echo in'
	assert_ok
	assert_out in
	run_cap ctr-root --proc "$R" ctr-root /inner sh -c 'echo in; echo /*'
	assert_out "$(printf 'in\n/bin')"
	rm -r "$R/bin/ctr-root" "$R/inner"
}

# [8] [9]
test_bad_directories() {
	run_cap ctr-root "$WORK/missing" sh
	assert_fails 125 "^ctr-root: $WORK/missing: No such file or directory$"
	run_cap ctr-root /etc/passwd sh
	assert_fails 125 '/etc/passwd: Not a directory$'
	for root in / /tmp/.. //; do
		run_cap ctr-root "$root" true
		assert_fails 125 'is the root already'
	done
	run_cap ctr-root
	assert_fails 125 'a directory is missing'
}

# [44]
test_chroot_relative_paths_stay_inside() {
	: >"$WORK/outside"
	cp "$R/bin/busybox" "$WORK/busybox"
	(
		cd "$WORK" || exit
		run_cap ctr-root --chroot "$R" sh -c 'pwd; ls ./outside; cd ../../..; ls outside; ls -d ./bin'
		echo "$out"
	) >"$WORK/said" 2>&1
	assertEquals "$(printf '/\n./bin')" "$(cat "$WORK/said")"
	rm "$WORK/outside" "$WORK/busybox"
}

# [50] [51] [169]
test_standard_mounts() {
	run_cap ctr-root --overlay "$(fresh)" --proc --sys --dev --tmpfs /tmp:size=1m,mode=700 "$R" sh -c 'cat /proc/mounts; stat -c %a /tmp; echo x >/dev/null; readlink /dev/fd'
	assert_ok
	assert_out_match '^overlay / overlay rw,'
	assert_out_match '^proc /proc proc rw,nosuid,nodev,noexec'
	assert_out_match '^sysfs /sys sysfs ro,nosuid,nodev,noexec'
	assert_out_match '^tmpfs /dev tmpfs rw,nosuid,.*mode=755'
	assert_out_match '^devpts /dev/pts devpts rw,nosuid,noexec'
	assert_out_match '^tmpfs /tmp tmpfs rw,nosuid,nodev,.*size=1024k,mode=700'
	assert_out_match '^700$'
	assert_out_match '^/proc/self/fd$'
	run_cap ctr-root --overlay "$(fresh)" --proc --sys "$R" df -hT / /proc /sys
	assert_out_match '^overlay +overlay '
	assert_out_match '^proc +proc '
	assert_out_match '^sysfs +sysfs '
}

# UPPER:WORK, both new.
fresh() {
	rm -rf "$WORK/upper" "$WORK/ovl"
	mkdir "$WORK/upper" "$WORK/ovl"
	echo "$WORK/upper:$WORK/ovl"
}

# [75]
test_overlay() {
	run_cap ctr-root --overlay "$(fresh)" "$R" sh -c 'echo changed >/etc/mark; rm /etc/hosts; echo new >/new; cat /etc/mark /new'
	assert_ok
	assert_out "$(printf 'changed\nnew')"
	assertEquals inner "$(cat "$R/etc/mark")"
	assertEquals changed "$(cat "$WORK/upper/etc/mark")"
	assertEquals 'character special file' "$(stat -c %F "$WORK/upper/etc/hosts")"
	run_cap ctr-root --overlay "$WORK/upper:$WORK/ovl" "$R" cat /new
	assert_out new
	for bad in nonsense :x x: ''; do
		run_cap ctr-root --overlay "$bad" "$R" true
		assert_fails 125 'not UPPER:WORK'
	done
	run_cap ctr-root --overlay "$WORK/none:$WORK/ovl" "$R" true
	assert_fails 125 "open $WORK/none: No such file"
}

# [79]: one content, two places, both ways.
test_bind() {
	mkdir -p "$WORK/data" "$R/data" "$R/ro"
	find "$R" | sort >"$WORK/tree"
	echo out >"$WORK/data/a"
	run_cap ctr-root --bind "$WORK/data:/data" --bind "$WORK/data:/ro:ro" --bind "$WORK/data/a:/etc/mark" "$R" \
		sh -c 'cat /data/a /etc/mark; echo in >/data/b; touch /ro/c; cat /ro/b'
	assert_out "$(printf 'out\nout\nin')"
	assert_err_match 'Read-only'
	assertEquals in "$(cat "$WORK/data/b")"
	assertFalse 'read-only' "[ -e $WORK/data/c ]"
	run_cap ctr-root --bind "$WORK/none:/data" "$R" true
	assert_fails 125 "bind $WORK/none: No such file"
	for bad in x "$WORK/data" "$WORK/data:rel" :/x "$WORK/data:"; do
		run_cap ctr-root --bind "$bad" "$R" true
		assert_fails 125 'see "ctr-root --help"'
	done
	run_cap ctr-root --bind "$WORK/data:/data:nonsense" "$R" true
	assert_fails 125 'unknown option nonsense'
}

# A symlink of the rootfs doesn't lead a mount out of it.
test_mount_points_stay_inside() {
	ln -s /etc "$R/link"
	ln -s ../../../../etc "$R/dots"
	find "$R" | sort >"$WORK/tree"
	run_cap ctr-root --overlay "$(fresh)" --tmpfs /link/ctrbox-x --bind "$R:/dots/ctrbox-y" "$R" ls /etc/ctrbox-y/etc/mark
	assert_ok
	assertTrue 'made inside' "[ -d $WORK/upper/etc/ctrbox-x ] && [ -d $WORK/upper/etc/ctrbox-y ]"
	assertFalse 'made outside' "[ -e /etc/ctrbox-x ] || [ -e /etc/ctrbox-y ]"
	rm "$R/link" "$R/dots"
	find "$R" | sort >"$WORK/tree"
}

# [76]
test_tmpfs_vanishes() {
	run_cap ctr-root --tmpfs /tmp "$R" sh -c 'echo x >/tmp/f; cat /tmp/f'
	assert_out x
	assertFalse 'gone' "[ -e $R/tmp/f ]"
}

# [162] [164] [165]
test_bash_step_by_step() {
	mkdir "$WORK/empty"
	SHELL=/bin/bash run_cap ctr-root "$WORK/empty"
	assert_fails 127 '^ctr-root: /bin/bash: No such file or directory$'
	mkdir "$WORK/empty/bin"
	cp /bin/bash "$WORK/empty/bin/"
	loader=$(readelf -l /bin/bash | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	SHELL=/bin/bash run_cap ctr-root "$WORK/empty"
	assert_fails 126 "^ctr-root: /bin/bash: its interpreter $loader is missing$"
	ldd /bin/bash | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$WORK/empty/${lib%/*}" && cp "$lib" "$WORK/empty/$lib"
	done
	# shellcheck disable=SC2016
	SHELL=/bin/bash run_cap ctr-root "$WORK/empty" bash -c 'echo $BASH; cd /; echo *; ls'
	assert_rc 127
	assert_out_match '^/bin/bash$'
	assert_out_match '^bin lib'
	assert_err_match 'ls: command not found'
}

# [163]
test_shell_without_command() {
	out=$(echo 'cat /etc/mark' | SHELL=/bin/sh ctr-root "$R")
	assertEquals inner "$out"
	out=$(echo 'cat /etc/mark' | SHELL=/not/in/there ctr-root "$R")
	assertEquals 'sh where the own shell is not' inner "$out"
}

# program NAME FORMAT: makes it, executable, in an overlay's upper.
program() {
	# shellcheck disable=SC2059
	printf "$2" >"$WORK/upper/$1"
	chmod +x "$WORK/upper/$1"
}

# refused NAME CODE ERE
refused() {
	run_cap ctr-root --overlay "$WORK/upper:$WORK/ovl" "$R" "/$1"
	assert_fails "$2" "$3"
}

# [41] [164]
test_what_cannot_be_executed() {
	fresh >/dev/null
	zeros=$(printf '%060d' 0 | sed 's/0/\\0/g')
	program script '#!/no/such -x\n'
	program dos '#!/bin/sh\r\necho\n'
	program text 'echo\n'
	program empty ''
	program arm '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0'"$zeros"
	program sparc '\177ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\2'"$zeros"
	program cut '\177ELF'
	printf x >"$WORK/upper/plain"
	mkdir "$WORK/upper/folder"
	mkfifo "$WORK/upper/fifo"
	refused script 126 '/script: its interpreter /no/such is missing$'
	refused dos 126 '/dos: its interpreter /bin/sh\\r is missing \(.*carriage'
	refused text 126 '/text: is no program and has no #! line$'
	refused empty 126 '/empty: is an empty file$'
	if [ "$(uname -m)" = x86_64 ]; then
		refused arm 126 '/arm: is for aarch64, this is x86_64$'
		refused sparc 126 '/sparc: is for another machine, this is x86_64$'
	fi
	refused cut 126 '/cut: is no program|/cut: Exec format error'
	refused plain 126 '/plain: is not executable: Permission denied$'
	refused folder 126 '/folder: is a directory$'
	refused fifo 126 '/fifo: is no regular file$'
	refused none 127 '/none: No such file or directory$'
	refused plain/x 127 '/plain/x: Not a directory$'
	run_cap ctr-root "$R" ''
	assert_fails 127 'command not found'
}

# The search in PATH goes on past what can't be executed, and tells of that one in the end.
test_search_in_path() {
	fresh >/dev/null
	mkdir "$WORK/upper/a" "$WORK/upper/b"
	printf x >"$WORK/upper/a/tool"
	PATH_BEFORE=$PATH
	run_cap ctr-root --overlay "$WORK/upper:$WORK/ovl" "$R" env PATH=/a:/b:/bin sh -c 'echo ok'
	assert_out ok
	run_cap env PATH=/a:/b "$BUILD/bin/ctr-root" --overlay "$WORK/upper:$WORK/ovl" "$R" tool
	assert_fails 126 '/a/tool: is not executable'
	program b/tool '#!/bin/sh\necho second\n'
	run_cap env PATH=/a:/b "$BUILD/bin/ctr-root" --overlay "$WORK/upper:$WORK/ovl" "$R" tool
	assert_out second
	run_cap env -u PATH "$BUILD/bin/ctr-root" "$R" pwd
	assert_out /
	assertEquals "$PATH_BEFORE" "$PATH"
}

# A file system mounted noexec.
test_noexec() {
	mkdir "$WORK/noexec"
	mount -t tmpfs -o noexec tmpfs "$WORK/noexec"
	mkdir "$WORK/noexec/bin"
	cp "$R/bin/busybox" "$WORK/noexec/bin/sh"
	run_cap ctr-root "$WORK/noexec" /bin/sh
	assert_fails 126 '/bin/sh: is on a file system mounted noexec'
	umount "$WORK/noexec"
	rmdir "$WORK/noexec"
}

# [171]: without pid namespaces of their own two see each other's processes.
test_two_see_each_other() {
	ctr-root --proc "$R" sleep 77 &
	wait_for 5 grep -qx sleep "/proc/$!/comm"
	run_cap ctr-root --proc "$R" cat "/proc/$!/comm"
	assert_out sleep
	kill $!
	wait $! 2>/dev/null
	:
}

# A whole container, spelt in shell; an unprivileged one too ([26]).
test_with_ctr_ns() {
	# shellcheck disable=SC2016
	run_cap ctr-ns -muipn -- ctr-root --proc --dev --sys "$R" sh -c 'echo $$; cat /etc/mark; echo /proc/[0-9]*; ls /sys/class/net'
	assert_ok
	assert_out "$(printf '1\ninner\n/proc/1\nlo')"
	cp "$CTRBOX" /run/box # the repository may be where only root can go
	run_cap ctr-ns -mpn --map 100000:0:65536 -- /run/box ctr-root --dev --tmpfs /tmp "$R" sh -c 'echo x >/dev/null && id -u; touch /etc/x'
	assert_out 0
	assert_err_match 'Permission denied'
}

# [36]
test_exit_code() {
	run_cap ctr-root "$R" sh -c 'exit 9'
	assert_rc 9
	# shellcheck disable=SC2016
	run_cap ctr-root --chroot "$R" sh -c 'kill -9 $$'
	assert_rc 137
}

# [77] [78]
test_debug_and_usage() {
	run_cap ctr-root --debug --proc "$R" true
	assert_rc 0
	assert_err_match '^ctr-root: debug: mount proc on /proc$'
	assert_err_match '^ctr-root: debug: pivot_root to'
	run_cap ctr-root --chroot --pivot "$R" true
	assert_fails 125 'exclude each other'
	run_cap ctr-root --nonsense "$R" true
	assert_fails 125 'see "ctr-root --help"'
	run_cap ctr-root --help
	assert_ok
	assert_out_match '^usage: ctr-root'
}

. shunit2
