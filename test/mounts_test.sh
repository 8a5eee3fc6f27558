#!/bin/sh
# ctr-run's files: the root, what belongs below it, volumes, devices. Numbers: shared/seeds/CHECKLIST.md.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	make_rootfs rootfs
}

setUp() {
	cut -d' ' -f5- /proc/self/mountinfo | sort >"$WORK/before"
}

# 53: nothing that a container mounts is seen here, though this host's / is shared (3)
tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff "$WORK/before" - || fail 'mounts changed outside'
}

run() {
	run_cap ctr-run --rm busybox "$@"
}

# 2, 3
test_this_host_shares_its_mounts() {
	assertContains "$(grep -E '^[0-9]+ [0-9]+ [0-9:]+ / / ' /proc/self/mountinfo)" 'shared:'
}

# 51, 86, 169
test_types_and_flags() {
	run mount
	assert_out_match '^overlay on / type overlay \(rw,.*lowerdir=.*upperdir=.*workdir='
	assert_out_match '^proc on /proc type proc \(rw,nosuid,nodev,noexec'
	assert_out_match '^tmpfs on /dev type tmpfs \(rw,nosuid,.*mode=755'
	assert_out_match '^devpts on /dev/pts type devpts \(rw,nosuid,noexec,.*gid=5,mode=620,ptmxmode=666'
	assert_out_match '^tmpfs on /dev/shm type tmpfs \(rw,nosuid,nodev,noexec,.*size=65536k'
	assert_out_match '^mqueue on /dev/mqueue type mqueue \(rw,nosuid,nodev,noexec'
	assert_out_match '^sysfs on /sys type sysfs \(ro,nosuid,nodev,noexec'
	assert_out_match ' on /sys/fs/cgroup type (tmpfs|cgroup2) \(ro,nosuid,nodev,noexec'
	run df -T / /proc /sys /dev
	assert_out_match '^overlay +overlay .* /$'
	assert_out_match '^proc +proc .* /proc$'
}

# 4, 5, 47, 86: no way back to the host's tree
test_the_host_is_out_of_reach() {
	run sh -c 'cd ..; cd ../..; pwd; ls -d /../bin; cut -d" " -f5 /proc/self/mountinfo | grep -c "^/$"'
	assert_out '/
/../bin
1'
	find rootfs | sort >tree
	run_cap ctr-run --rm --rootfs rootfs ls -a /
	assertNull 'a directory for the old root' "$(printf '%s\n' "$out" | grep -i -E 'old|pivot')"
	find rootfs | sort | diff tree - | grep '^>' | grep -vE 'rootfs/(proc|sys|dev)$|rootfs/etc/(hosts|hostname|resolv.conf)$' >more
	assertNull "$(cat more)"
	ctr-run --name a busybox true
	assertNull 'in the upper directory' "$(find "$CTRBOX_ROOT"/containers/*/upper | grep -i -E 'old|pivot')"
	ctr-run -d --name b --pidfile pid busybox sleep 1000 >/dev/null
	assertNotEquals "$(ls /)" "$(nsenter -t "$(cat pid)" -m ls /)"
}

test_rootfs_directory_is_written_itself() {
	run_cap ctr-run --rm --rootfs rootfs sh -c 'echo here >/written; ls -d /etc'
	assert_ok
	assertEquals here "$(cat rootfs/written)"
	run_cap ctr-run --rm --rootfs rootfs --overlay sh -c 'cat /written; echo new >/written; echo new >/more'
	assert_out here
	assertEquals here "$(cat rootfs/written)"
	assertFalse '[ -e rootfs/more ]'
	run_cap ctr-run --rm --rootfs "$WORK/rootfs/../rootfs" cat /written
	assert_out here
}

# 165
test_rootfs_of_a_shell_and_its_libraries() {
	mkdir -p bare/bin
	for lib in $(ldd /bin/bash | grep -o '/[^ ]*'); do
		mkdir -p "bare${lib%/*}"
		cp -L "$lib" "bare$lib"
	done
	cp /bin/bash bare/bin/
	run_cap ctr-run --rm --rootfs bare /bin/bash -c 'echo $$; echo x >/dev/null; read a </proc/1/comm; echo $a'
	assert_ok
	assert_out '1
bash'
	assertFalse 'no /etc comes up' '[ -e bare/etc ]'
	run_cap ctr-run --rm -it --rootfs bare bash -c 'exit 3'
	assert_rc 3
}

# 164
test_missing_interpreter_is_named() {
	mkdir -p bare2/bin
	cp /bin/bash bare2/bin/
	run_cap ctr-run --rm --rootfs bare2 /bin/bash
	assert_fails 126 '/bin/bash: its interpreter /lib.* is missing'
	printf '#!/no/such\n' >bare2/bin/script
	chmod 755 bare2/bin/script
	run_cap ctr-run --rm --rootfs bare2 script
	assert_fails 126 '/bin/script: its interpreter /no/such is missing'
	# an ELF file for another machine
	printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000\363\000\001\000\000\000' >bare2/bin/foreign
	head -c 100 /dev/zero >>bare2/bin/foreign
	chmod 755 bare2/bin/foreign
	[ "$(uname -m)" = riscv64 ] || run_cap ctr-run --rm --rootfs bare2 foreign
	assert_fails 126 '/bin/foreign: is for riscv, this is'
	printf 'text\n' >bare2/bin/text
	chmod 755 bare2/bin/text
	run_cap ctr-run --rm --rootfs bare2 text
	assert_fails 126 '/bin/text: is no program and has no #! line'
}

# 7
test_from_inside_a_chroot() {
	make_rootfs jail
	make_rootfs jail/inner
	cp "$CTRBOX" jail/bin/ctrbox
	mkdir -p jail/proc
	mount --bind /proc jail/proc
	run_cap env CTRBOX_ROOT=/r CTRBOX_RUN=/q chroot jail /bin/ctrbox ctr-run --rm --rootfs /inner /bin/true
	umount jail/proc
	assert_fails 125 '(pivot_root|make mounts below / private): Invalid argument \(.*chroot'
}

# 79, 87, 88
test_bind_both_ways() {
	mkdir -p host
	echo one >host/file
	run_cap ctr-run --rm -v "$WORK/host:/deep/er/target" busybox sh -c 'cat /deep/er/target/file; echo two >/deep/er/target/back'
	assert_ok
	assert_out one
	assertEquals two "$(cat host/back)"
	echo three >host/file
	run_cap ctr-run --rm -v ./host:/t busybox cat /t/file
	assert_out three
	run_cap ctr-run --rm -v "$WORK/host/file:/just/a/file" busybox cat /just/a/file
	assert_out three
	run_cap ctr-run --rm -v "$WORK/host/file:/etc/passwd" busybox cat /etc/passwd
	assert_out three
	run_cap ctr-run --rm --mount "type=bind,source=$WORK/host,target=/t" busybox cat /t/file
	assert_out three
}

test_bind_read_only() {
	mkdir -p host
	for option in "-v $WORK/host:/t:ro" "--mount type=bind,src=$WORK/host,dst=/t,readonly" "--mount type=bind,src=$WORK/host,dst=/t,ro"; do
		# shellcheck disable=SC2086
		run_cap ctr-run --rm $option busybox touch /t/x
		assert_rc 1
		assert_err_match 'Read-only file system'
	done
	mkdir -p host/below
	mount -t tmpfs tmpfs host/below
	run_cap ctr-run --rm -v "$WORK/host:/t:ro" busybox touch /t/below/x
	assert_rc 1
	run_cap ctr-run --rm -v "$WORK/host:/t" busybox touch /t/below/x
	assert_rc 0
	umount host/below
	run_cap ctr-run --rm --mount "type=bind,src=$WORK/host,dst=/t,readonly=false" busybox touch /t/x
	assert_rc 0
	run_cap ctr-run --rm -v "$WORK/host:/t:nosuid,nodev,noexec" busybox grep ' /t ' /proc/mounts
	assert_out_match 'nosuid,nodev,noexec'
}

# 89
test_a_missing_source() {
	run_cap ctr-run --rm -v "$WORK/made/of/nothing:/t" busybox ls -d /t
	assert_ok
	assertTrue '[ -d made/of/nothing ]'
	run_cap ctr-run --rm --mount "type=bind,source=$WORK/absent,target=/t" busybox true
	assert_fails 125 "mount source $WORK/absent: No such file"
	assertFalse '[ -e absent ]'
}

# A target that a link leads out with stays inside.
test_targets_stay_inside() {
	make_rootfs trap
	ln -s / trap/link
	ln -s ../../../../../../../../tmp trap/up
	mkdir -p trap/tmp
	run_cap ctr-run --rm --rootfs trap -v "$WORK/host:/link/ctrbox-in" -v "$WORK/host:/up/ctrbox-in" --tmpfs /up/ctrbox-t ls -d /ctrbox-in /tmp/ctrbox-in /tmp/ctrbox-t
	assert_ok
	assertFalse '[ -e /ctrbox-in ] || [ -e /tmp/ctrbox-in ] || [ -e /tmp/ctrbox-t ]'
}

# CVE-2021-30465 and its kin: a link swapped in while a container is set up
test_a_target_that_is_swapped_meanwhile() {
	mkdir -p race/d race/other host
	ln -s / race/link
	(while [ ! -e stop ]; do
		mv -T race/d race/x && mv -T race/link race/d && mv -T race/d race/link && mv -T race/x race/d
	done) 2>/dev/null &
	for _ in $(seq 40); do
		ctr-run --rm -v "$WORK/race:/v" -v "$WORK/host:/v/d/ctrbox-swap" --tmpfs /v/d/ctrbox-swapped busybox true 2>/dev/null
	done
	touch stop
	wait
	assertFalse '[ -e /ctrbox-swap ] || [ -e /ctrbox-swapped ]'
	rm -rf race stop
}

# CVE-2019-16884 and its kin: no mount over a link of the image's
test_links_where_file_systems_belong() {
	for place in proc sys dev; do
		make_rootfs "link-$place"
		rm -rf "link-$place/${place:?}"
		mkdir -p victim "link-$place/victim"
		ln -s /victim "link-$place/$place"
		run_cap ctr-run --rm --rootfs "link-$place" /bin/true
		assert_fails 125 "/$place: is a symbolic link in the root file system"
		assertNull "$(ls victim)"
	done
}

test_name_files_through_a_link_that_leads_nowhere() {
	make_rootfs resolved
	ln -sf ../run/systemd/resolve/stub-resolv.conf resolved/etc/resolv.conf
	run_cap ctr-run --rm --rootfs resolved --dns 192.0.2.7 cat /etc/resolv.conf
	assert_ok
	assert_out 'nameserver 192.0.2.7'
}

test_hosts_and_resolv_conf() {
	run_cap ctr-run --rm --name a --add-host two:192.0.2.2 --dns 192.0.2.53 --dns 192.0.2.54 --dns-search a.example --dns-search b.example \
		busybox cat /etc/hosts /etc/resolv.conf
	assert_out_match '^127.0.0.1	localhost$'
	assert_out_match '^192.0.2.2	two$'
	assert_out_match '^nameserver 192.0.2.53$'
	assert_out_match '^search a.example b.example$'
	run_cap ctr-run --rm --add-host nonsense busybox true
	assert_fails 125 'add-host nonsense: not NAME:IP'
	# written by the container, not seen by the host's
	sum=$(cksum </etc/hosts)
	run sh -c 'echo x >>/etc/hosts'
	assert_rc 0
	assertEquals "$sum" "$(cksum </etc/hosts)"
}

# 76
test_tmpfs() {
	run_cap ctr-run --rm --tmpfs /t:size=1m,mode=700 --tmpfs /u:exec --mount type=tmpfs,target=/m,tmpfs-size=2m,tmpfs-mode=1777 busybox \
		sh -c 'grep -E " /[tum] " /proc/mounts; stat -c %a /t /m'
	assert_out_match '^tmpfs /t tmpfs rw,nosuid,nodev,noexec,.*size=1024k,mode=700'
	assert_out_match '^tmpfs /u tmpfs rw,nosuid,nodev,relatime'
	assert_out_match '^tmpfs /m tmpfs rw,nosuid,nodev,noexec,.*size=2048k'
	assert_out_match '^1777$'
	run_cap ctr-run --rm --tmpfs /t:nonsense=1 busybox true
	assert_fails 125 'mount tmpfs on /t: Invalid argument'
}

# 90, 114, 115
test_named_volumes() {
	run_cap ctr-run --rm -v data:/d busybox sh -c 'echo kept >/d/f'
	assert_ok
	run_cap ctr-run --rm -v data:/d:ro -v other:/o busybox sh -c 'cat /d/f; touch /o/x; touch /d/x'
	assert_rc 1
	assert_out kept
	assertTrue '[ -e "$CTRBOX_ROOT/volumes/other/data/x" ]'
	run_cap ctr-run --rm --mount type=volume,source=data,target=/d busybox cat /d/f
	assert_out kept
	for bad in .x a/b 'a b'; do
		case $bad in .*) continue ;; esac
		run_cap ctr-run --rm -v "$bad:/d" busybox true
		assert_fails 125 'volume'
	done
}

test_a_new_volume_is_filled_from_the_image() {
	run_cap ctr-run --rm -v filled:/etc busybox cat /etc/passwd
	assert_out_match '^root:'
	assertTrue '[ -s "$CTRBOX_ROOT/volumes/filled/data/passwd" ]'
	echo changed >"$CTRBOX_ROOT/volumes/filled/data/passwd"
	run_cap ctr-run --rm -v filled:/etc busybox cat /etc/passwd
	assert_out changed
	run_cap ctr-run --rm -v empty:/etc:nocopy busybox cat /etc/passwd
	assert_rc 1
	run_cap ctr-run --rm -v "$WORK/host:/etc" busybox cat /etc/passwd
	assert_rc 1
}

# How many volumes have no name of the user's.
anonymous() {
	find "$CTRBOX_ROOT/volumes" -mindepth 1 -maxdepth 1 -regex '.*/[0-9a-f]*' | wc -l
}

test_anonymous_volumes_and_volumes_from() {
	mkdir -p host
	echo bound >host/b
	run_cap ctr-run --name a -v /anon -v "$WORK/host:/h" busybox sh -c 'echo x >/anon/f'
	assert_ok
	assertEquals 1 "$(anonymous)"
	run_cap ctr-run --rm --volumes-from a busybox cat /anon/f /h/b
	assert_out 'x
bound'
	run_cap ctr-run --rm --volumes-from nobody busybox true
	assert_fails 125 'volumes-from nobody'
	ctr-rm -v a >/dev/null
	assertEquals 'gone with its container' 0 "$(anonymous)"
	run_cap ctr-run --rm -v /anon busybox true
	assert_ok
	assertEquals 'with --rm too' 0 "$(anonymous)"
}

test_volume_words_that_are_wrong() {
	for bad in /a:/b:bogus /a:/b:ro:x /a: :/b /a::ro relative:relative /a:b /a:/ /a:/b/../.. /a:/. /a:/b:shared /a:/b:rslave ''; do
		run_cap ctr-run --rm -v "$bad" busybox true
		assert_fails 125 .
	done
	for bad in target=/t,type=bind type=bind,source=/tmp type=nonsense,target=/t nonsense type=bind,source=/tmp,target=t \
		type=bind,source=/tmp,target=/t,bind-propagation=rshared type=bind,source=/tmp,target=/t,foo=bar; do
		run_cap ctr-run --rm --mount "$bad" busybox true
		assert_fails 125 .
	done
	assertFalse '[ -e /a ]'
}

test_read_only() {
	run_cap ctr-run --rm --read-only --tmpfs /tmp -v "$WORK/host:/h" busybox sh -c 'touch /x; touch /tmp/x /h/x /dev/shm/x && echo elsewhere'
	assert_out elsewhere
	assert_err_match '/x: Read-only file system'
	run_cap ctr-run --rm --read-only --rootfs rootfs touch /x
	assert_rc 1
	assertFalse '[ -e rootfs/x ]'
	run_cap ctr-run --rm --read-only -w /not/there busybox true
	assert_fails 125 'working directory /not/there: Read-only'
}

test_shm_size() {
	run_cap ctr-run --rm --shm-size 1m busybox sh -c 'df -k /dev/shm | tail -1'
	assert_out_match ' 1024 '
	for bad in x -5 1mm; do
		run_cap ctr-run --rm --shm-size $bad busybox true
		assert_fails 125 'shm-size'
	done
}

# 156
test_device_nodes() {
	run sh -c 'cd /dev; stat -c "%n %a %t:%T %U" null zero full random urandom tty; for l in fd stdin stdout stderr ptmx; do readlink $l; done'
	assert_out 'null 666 1:3 root
zero 666 1:5 root
full 666 1:7 root
random 666 1:8 root
urandom 666 1:9 root
tty 666 5:0 root
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx'
	run sh -c 'head -c 4 /dev/urandom | wc -c; echo x >/dev/full'
	assert_rc 1
	assert_out 4
	run sh -c 'mknod /tmp/u c 1 9 && head -c 3 /tmp/u | wc -c'
	assert_out 3
	run stat -c %a /dev /dev/shm /dev/pts/ptmx
	assert_out '755
1777
666'
}

test_devices() {
	run_cap ctr-run --rm --device /dev/zero:/dev/mine busybox stat -c '%t:%T' /dev/mine
	assert_out 1:5
	mknod mine c 1 5 && chmod 640 mine && chown 3:4 mine
	run_cap ctr-run --rm --device "$WORK/mine:/dev/mine" busybox stat -c '%a %u:%g' /dev/mine
	assert_out '640 3:4'
	run_cap ctr-run --rm --device /dev/zero:/deep/mine:r --device /dev/full:rw busybox sh -c 'head -c 2 /deep/mine | wc -c'
	assert_out 2
	run_cap ctr-run --rm --device /dev/null --device /dev/null:/dev/zero busybox true
	assert_fails 125 'make device /dev/zero: File exists'
	for bad in /dev/absent /etc/passwd /dev/null:relative /dev/null:/x:rz /dev/null:/x:r:w ''; do
		run_cap ctr-run --rm --device "$bad" busybox true
		assert_fails 125 .
	done
}

test_masked_and_read_only_paths() {
	run sh -c 'for f in interrupts kcore keys timer_list; do [ ! -e /proc/$f ] || cat /proc/$f; done; ls -A /sys/firmware /proc/acpi /proc/scsi 2>/dev/null | grep -v :'
	assertNull "$out"
	for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/irq/default_smp_affinity; do
		[ -e $f ] || continue
		run_cap ctr-run --rm --cap-add ALL busybox sh -c "echo x >$f"
		[ "$rc" != 0 ]
		expect $? "$f can't be written"
		assert_err_match 'Read-only file system'
	done
	run sh -c 'mkdir /sys/fs/cgroup/x /sys/fs/cgroup/*/x'
	assert_err_match 'Read-only file system'
}

test_privileged() {
	run_cap ctr-run --rm --privileged busybox sh -c 'cat /proc/interrupts | wc -l; hostname changed; hostname; mount -t tmpfs x /mnt && echo mounted; grep " /sys " /proc/mounts'
	assert_rc 0
	assertNotEquals 0 "$(echo "$out" | head -1)"
	assert_out_match '^changed$'
	assert_out_match '^mounted$'
	assert_out_match '^sysfs /sys sysfs rw'
	# the host's devices
	node=$(find /dev -xdev -type b | head -1)
	[ -n "$node" ] || node=/dev/kmsg
	run_cap ctr-run --rm --privileged busybox stat -c '%t:%T' "$node"
	assert_out "$(stat -c '%t:%T' "$node")"
	run stat "$node"
	assert_rc 1
}

# 170
test_mounting_inside_needs_the_capability() {
	run mount -t tmpfs x /mnt
	assert_rc 1
	run_cap ctr-run --rm --cap-add SYS_ADMIN busybox sh -c 'mount -t tmpfs x /mnt && umount /mnt && mount -t proc p /mnt && ls /mnt/1/comm'
	assert_ok
	assert_out /mnt/1/comm
}

test_a_later_mount_covers_an_earlier_one() {
	mkdir -p one two
	echo 1 >one/f
	echo 2 >two/f
	run_cap ctr-run --rm -v "$WORK/one:/d" -v "$WORK/two:/d" busybox cat /d/f
	assert_out 2
	run_cap ctr-run --rm --tmpfs /d -v "$WORK/one:/d/one" -v "$WORK/two/f:/d/two" busybox cat /d/one/f /d/two
	assert_out '1
2'
}

. shunit2
