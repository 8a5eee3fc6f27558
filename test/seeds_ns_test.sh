#!/bin/sh
# The course notes' transcripts about namespaces and root directories, typed on terminals as they were there.
. "$(dirname "$0")/lib.sh"
. "$TOP/test/seeds_lib.sh"

R=$WORK/busybox

oneTimeSetUp() {
	make_rootfs "$R"
	find "$R" | sort >"$WORK/tree"
	cut -d' ' -f5- /proc/self/mountinfo | sort >"$WORK/before"
}

# Whatever was mounted inside: nothing of it is outside ([5] [53]).
tearDown() {
	[ -e "$WORK/before" ] || return 0
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff "$WORK/before" - || fail 'mounts have changed outside'
	find "$R" | sort | diff "$WORK/tree" - || fail 'the root file system has changed'
}

# Note 003, 'UTS Namespace' [17] [18] [37] [56]
test_uts() {
	before=$(hostname)
	# shellcheck disable=SC2016
	session 'ctr-ns -u sh' <<'END'
hostname
readlink /proc/$PPID/ns/uts
readlink /proc/$$/ns/uts
hostname -b bird
hostname
exit
END
	assert_rc 0
	assert_out_match "^$before\$"
	assert_out_match '^bird$'
	assertEquals 'another terminal' "$before" "$(hostname)"
	ids=$(printf '%s\n' "$out" | grep '^uts:')
	assertEquals 'its runner' "$(readlink /proc/self/ns/uts)" "$(printf '%s\n' "$ids" | sed -n 1p)"
	assertNotEquals 'itself' "$(readlink /proc/self/ns/uts)" "$(printf '%s\n' "$ids" | sed -n 2p)"
	assert_match '^uts:.[0-9]+.$' "$(printf '%s\n' "$ids" | sed -n 2p)"
}

# Note 004, 'UTS': a shell's child shares the name, its grandparent doesn't [58]
test_uts_nested() {
	session 'hostname shanke; sh; hostname' <<'END'
ctr-ns -u bash --norc
hostname hehehehe
bash --norc
echo child $(hostname)
hostname HAHAHAHA
exit
echo parent $(hostname)
ctr-ns -u hostname deeper
echo still $(hostname)
exit
echo outermost $(hostname)
exit
END
	assert_out_match '^child hehehehe$'
	assert_out_match '^parent HAHAHAHA$'
	assert_out_match '^still HAHAHAHA$'
	assert_out_match '^outermost shanke$'
	assertEquals shanke "$(hostname)"
}

# Note 004, a container's; its exit code [18] [36]
test_uts_of_a_container() {
	hostname shanke
	session "ctr-ns -upmni ctr-root --proc $R /bin/sh" <<'END'
hostname hehehehe
hostname
exit 3
END
	assert_rc 3
	assert_out_match '^hehehehe$'
	assertEquals shanke "$(hostname)"
}

# Notes 001 and 003, 'IPC Namespace' [17] [21]
test_ipc() {
	ipcmk -Q >/dev/null
	ipcmk -S 1 >/dev/null
	ipcmk -M 4096 >/dev/null
	ipcs | grep '^0x' >"$WORK/ours"
	assertEquals 'before' 3 "$(wc -l <"$WORK/ours")"
	session 'ctr-ns -iu sh' <<'END'
ipcs -q
ipcs -s
ipcs -m
echo foreign $(ipcs | grep -c '^0x')
ipcmk -Q
echo own $(ipcs -q | grep -c '^0x')
exit
END
	assert_out_match 'Message Queues'
	assert_out_match '^foreign 0$'
	assert_out_match '^own 1$'
	ipcs | grep '^0x' | cmp "$WORK/ours" -
	assertEquals 'after' 0 $?
	ipcrm --all
}

# Notes 001 and 003, 'PID Namespace': 1 inside, another number for the host [20] [23]
test_pid() {
	# shellcheck disable=SC2016
	open_terminal 7 'ctr-ns -piu sh'
	# shellcheck disable=SC2016
	type_in 7 'echo I am $$'
	assert_screen 7 '^I am 1$'
	pid=$(ps -e -o pid=,ppid=,args= | awk '$3 == "sh" && $4 == "" { print $1 }')
	assertNotEquals 1 "$pid"
	assert_match '^ctr-ns -piu sh$' "$(ps -o args= -p "$(ps -o ppid= -p "$pid" | tr -d ' ')")"
	close_terminal 7
}

# Notes 001 and 003, 'Mount Namespace' [24] [25] [39] [53]
test_mount() {
	session 'ctr-ns -mpiu sh' <<'END'
readlink /proc/self | sed s/^/before:/
ls /proc/sys/kernel/hostname
mount -t proc proc /proc
ls -d /proc/[0-9]* | wc -l | sed s/^/entries:/
ps -ef
umount /proc
exit
END
	assert_out_match '^before:[0-9]{2,}$'
	assert_out_match '^entries:[2-4]$'
	assert_out_match '^root +1 +0 .* sh$'
	assert_out_match ' ps -ef$'
	run_cap ps -o pid= -p $$
	assert_match "^ *$$\$" "$out"
}

# Note 003, 'User Namespace' [28]; note 001's 'invalid argument' [29], and ids that are others outside [27]
test_user() {
	session 'id; ctr-ns -Umpiu sh' <<'END'
id
exit
END
	assert_out_match '^uid=0\(root\) gid=0\(root\)'
	assert_out_match '^uid=65534\(nobody\) gid=65534\(nogroup\)'
	run_cap ctr-ns -Umpiu --map 0:0:1 -S 1 id
	assert_fails 125 'Invalid argument'
	session 'ctr-ns -Umpiu --map 100000:0:1000 sh' <<'END'
id
exit
END
	assert_out_match '^uid=0\(root\) gid=0\(root\)'
}

# Notes 001 and 003, 'Network Namespace' [17] [30] [32]; note 004: lo is down; `ip link set lo up` cures it [174] [179]
test_net() {
	session 'ctr-ns -nUmpiu sh' <<'END'
ip -o link | wc -l | sed s/^/interfaces:/
exit
END
	assert_out_match '^interfaces:1$'
	session "ctr-ns -upmni ctr-root --proc --sys $R /bin/sh" <<'END'
ip addr
ls /sys/class/net
ping -c 1 -W 1 www.baidu.com
ping -c 1 -W 1 110.242.68.3
ping -c 1 -W 1 127.0.0.1
ip link set lo up
ping -c 1 -W 1 127.0.0.1
exit
END
	assert_out_match '^1: lo: <LOOPBACK>'
	assertFalse 'no other interface' "$(printf '%s\n' "$out" | grep -E '^[2-9]: ' >/dev/null; echo $?)"
	assert_out_match '^lo$'
	assert_out_match "^ping: bad address 'www.baidu.com'"
	assert_out_match 'sendto: Network is unreachable'
	assert_out_match '1 packets transmitted, 1 packets received'
	assertEquals 'before it is up' 2 "$(printf '%s\n' "$out" | grep -c 'sendto: Network is unreachable')"
}

# Note 004, 'all namespaces': ps, ipcs -q, mount, ip addr [17] [25] [173]
test_all() {
	ipcmk -Q >/dev/null
	session "ctr-ns -upmni ctr-root --proc $R /bin/sh" <<'END'
ps -ef
wc -l </proc/sysvipc/msg
mount
ip addr
exit
END
	assertEquals 'processes' 2 "$(printf '%s\n' "$out" | grep -cE '^ +[0-9]+ root ')"
	assert_out_match '^ +1 root .* /bin/sh$'
	assert_out_match '^1$' # no queue, only its header: busybox has no ipcs here
	assert_out_match '^proc on /proc type proc '
	assertEquals 'mounts' 2 "$(printf '%s\n' "$out" | grep -c '^[^ ]* on /[^ ]* type ')"
	assert_out_match '^1: lo: '
	ipcrm --all=msg
}

# Note 002: `run /bin/ls` in new namespaces alone shows the caller's directory [36] [39]; sh is interactive [37] [38]
test_namespaces_without_a_root() {
	mkdir "$WORK/project"
	: >"$WORK/project/ReadMe.md"
	cd "$WORK/project" || fail cd
	run_cap ctr-ns -muipn /bin/ls
	assert_ok
	assert_out ReadMe.md
	session 'ctr-ns -muipn /bin/sh' <<'END'
ls
exit
END
	assert_out_match '^ReadMe.md$'
	cd "$WORK" || fail cd
	rm -r "$WORK/project"
}

# enter HOW: a shell with $R as its root; $pid is its number on the host
enter() {
	open_terminal 7 "ctr-root $1 $R /bin/sh"
	# shellcheck disable=SC2016
	type_in 7 'echo pid=$$'
	assert_screen 7 '^pid=[0-9]+'
	pid=$(screen 7 | sed -n 's/^pid=\([0-9]*\)$/\1/p')
}

# Note 002: who enters a chroot's mount namespace sees the host's root [46], after pivot_root the container's [47] [48]
test_chroot_and_pivot_root_by_nsenter() {
	: >"$R/in_the_container"
	enter --chroot
	type_in 7 'ls -d /in_*'
	assert_screen 7 '^/in_the_container$'
	for word in nsenter ctr-ns; do
		run_cap $word -t "$pid" -m ls /
		assert_ok
		assert_out "$(ls /)"
	done
	close_terminal 7
	enter --pivot
	for word in nsenter ctr-ns; do
		run_cap $word -t "$pid" -m /bin/ls /
		assert_ok
		assert_out_match '^in_the_container$'
		assertEquals "$(find "$R" -mindepth 1 -maxdepth 1 | wc -l)" "$(printf '%s\n' "$out" | wc -w)"
	done
	close_terminal 7
	rm "$R/in_the_container"
}

# Notes 002 and 004: a chroot is followed by chdir("/"), or ./go.mod would still be there [44]
test_chroots_relative_paths_stay() {
	echo secret >"$WORK/go.mod"
	cd "$WORK" || fail cd
	for how in --chroot --pivot; do
		run_cap ctr-root $how "$R" sh -c 'pwd; cat ./go.mod ../go.mod ../../../../go.mod; cd ..; pwd; ls'
		assert_match '^/ / bin dev' "$(printf '%s' "$out" | tr '\n' ' ')"
		assertEquals "$how" 3 "$(printf '%s\n' "$err" | grep -c 'No such file')"
	done
}

# Notes 002 and 004: top and ps without a /proc [50], which is mounted by hand [25] [170] and by the tool [51] [52]
test_proc() {
	session "ctr-root $R /bin/sh" <<'END'
ps -ef
top -b -n 1
mount -t proc proc /proc
ps -ef
exit
END
	assert_out_match '^top: no process info in /proc'
	assert_out_match ' /bin/sh$'
	assertTrue "the host's" "[ $(printf '%s\n' "$out" | grep -cE '^ +[0-9]+ root ') -gt 3 ]"
	session "ctr-ns -p ctr-root --proc --dev $R sh" <<'END'
mount
top -b -n 1
exit
END
	assert_out_match '^proc on /proc type proc \(rw,nosuid,nodev,noexec,relatime\)$'
	assert_out_match '^tmpfs on /dev type tmpfs \(rw,nosuid,.*mode=755'
	assert_out_match '^ +1 +0 root .* sh$'
	assertEquals 'tasks' 2 "$(printf '%s\n' "$out" | grep -cE '^ +[0-9]+ +[01] root ')"
}

# Note 004: df -hT [169]; /hehe is a proc, then something else, then nothing [170]
test_mount_anywhere() {
	session "ctr-ns -m sh" <<'END'
df -hT /proc
df -hT /sys
mkdir $WORK/hehe
mount -t proc proc $WORK/hehe
cat $WORK/hehe/1/comm | sed s/^/one:/
umount $WORK/hehe
mount -t tmpfs disk $WORK/hehe
df -hT $WORK/hehe
umount $WORK/hehe
rmdir $WORK/hehe
exit
END
	assert_out_match '^proc +proc +0 +0 +0 +- /proc$'
	assert_out_match '^sysfs +sysfs +0 +0 +0 +- /sys$'
	assert_out_match '^one:[a-z]'
	assert_out_match '^disk +tmpfs .*/hehe$'
	assertFalse 'gone' "[ -e $WORK/hehe ]"
}

# Note 004, 'something is wrong': two users' shells, each with its own root and /proc, see each other [171]
test_two_shells_see_each_other() {
	cp -a "$R" "$WORK/busybox2"
	open_terminal 7 "ctr-root --proc $R /bin/sh"
	open_terminal 8 "ctr-root --proc $WORK/busybox2 /bin/sh"
	for n in 7 8; do
		# shellcheck disable=SC2016
		type_in $n 'echo pid=$$'
		assert_screen $n '^pid=[0-9]+$'
	done
	first=$(screen 7 | sed -n 's/^pid=//p' | tail -n 1)
	second=$(screen 8 | sed -n 's/^pid=//p' | tail -n 1)
	type_in 7 'ps -ef'
	type_in 8 'ps -ef'
	assert_screen 7 "^ *$second root .* /bin/sh$"
	assert_screen 8 "^ *$first root .* /bin/sh$"
	close_terminal 7
	close_terminal 8
	rm -r "$WORK/busybox2"
}

# Note 004: an empty directory, then bash, then what it needs; /bin/ls isn't there [41] [162] [163] [164] [165]
test_chroot_by_hand() {
	mkdir "$WORK/empty"
	SHELL=/bin/bash
	export SHELL
	run_cap ctr-root --chroot "$WORK/empty"
	assert_fails 127 'not found|No such file'
	run_cap ctr-root --chroot "$WORK/empty" /bin/bash
	assert_fails 127 '/bin/bash: .*(not found|No such file)'
	mkdir "$WORK/empty/bin"
	cp /bin/bash "$WORK/empty/bin"
	loader=$(readelf -l /bin/bash | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	run_cap ctr-root --chroot "$WORK/empty"
	assert_fails 126 "/bin/bash: .*$loader is missing"
	ldd /bin/bash | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$WORK/empty${lib%/*}"
		cp "$lib" "$WORK/empty$lib"
	done
	session "ctr-root --chroot $WORK/empty" <<'END'
/bin/ls
echo "$BASH" works
exit
END
	assert_out_match '/bin/ls: No such file or directory'
	assert_out_match '^/bin/bash works$'
	rm -r "$WORK/empty"
}

# Note 000: pivot_root answers EINVAL where / is the initial ramfs, and the root is moved instead [6]. Here strace answers.
test_pivot_root_on_an_initramfs() {
	make_rootfs "$WORK/ramfs"
	make_rootfs "$WORK/ramfs/new"
	cp "$CTRBOX" "$WORK/ramfs/bin/ctr-root"
	cat >"$WORK/ramfs/try" <<'END'
exec ctr-root --proc /new sh -c 'pwd; ls -d /try /new; cut -d" " -f2 /proc/mounts'
END
	run_cap strace -o "$WORK/trace" -e inject=pivot_root:error=EINVAL:when=2 ctr-root --proc "$WORK/ramfs" sh /try
	assertEquals 'answered' 1 "$(grep -c 'pivot_root.*EINVAL.*INJECTED' "$WORK/trace")"
	assert_rc 0
	assert_out "$(printf '/\n/\n/proc')"
	assertEquals 2 "$(printf '%s\n' "$err" | grep -c 'No such file')"
	rm -r "$WORK/ramfs"
}

# Note 004: without a UTS namespace the host's name is seen [168]; PATH is there without `PATH=/bin` [167]
test_first_steps_in_busybox() {
	hostname shanke
	session "ctr-root $R /bin/sh" <<'END'
ls
pwd
echo hello
hostname
exit
END
	assert_out_match '^bin +etc '
	assert_out_match '^/$'
	assert_out_match '^hello$'
	assert_out_match '^shanke$'
}

# Notes 002 and 004: a word that isn't one of ours [42] [78]
test_unknown_word() {
	run_cap ctrbox skdocker
	assert_fails 127 'skdocker: no such applet .*--list'
	run_cap ctr-cgroup skdocker
	assert_fails 2 'skdocker.*--help'
}

. shunit2
