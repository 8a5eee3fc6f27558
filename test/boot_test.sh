#!/bin/sh
# What `make initramfs` makes, booted in virtual machines (tools/vm/run): /init, the containers of boot.d, a root that can't be pivoted away
# from, the end; and how little memory is enough. One boot tells on its console what most tests look at (boot_job.sh).
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

LINUX=${LINUX:-$BUILD/vm/linux}

oneTimeSetUp() {
	[ -d "$LINUX" ] || {
		echo "no $LINUX (make $LINUX)"
		exit 1
	}
	musl-gcc -static -Os -Wall -Wextra -Werror -idirafter /usr/include -idirafter "/usr/include/$(gcc -print-multiarch)" \
		-o tool "$TOP/test/boot_tool.c" || exit 1
	make_rootfs tree
	cp tool tree/tool
	make_files
	make_store >/dev/null || exit 1
	tools_vm disk.cpio 'ctrbox.store=/dev/vda' "$TOP/test/boot_job.sh" -m 96 -d "$WORK/disk" >console 2>&1
	ended=$?
	[ $ended = 0 ] || cat console
}

# An image of 5 MB, and busybox's tree as files that are mounted.
make_files() {
	images=$WORK/files/usr/share/ctrbox/images
	mkdir -p "$images" files/etc/ctrbox/boot.d
	mksquashfs tree "$images/squashfs" -quiet -no-progress -comp gzip >/dev/null
	mkfs.erofs "$images/erofs" tree >/dev/null 2>&1
	head -c "$((5 * 1048576 - $(du -sb tree | cut -f1)))" /dev/urandom >tree/data
	tar -czf "$images/five.tar.gz" -C tree .
	boot_d 10-five "--net none five sh -c 'exec sleep 100000'"
	boot_d 20-unknown '--no-such-option five'
	boot_d 21-quote "five sh -c 'no end"
	boot_d 22-missing '--net none nowhere true'
	boot_d 23-empty ''
	boot_d 30-web '# of the machine itself
--restart always -p 8080:80

  five httpd   -f -h /etc'
	boot_d 40-erofs '--net none --rootfs /usr/share/ctrbox/images/erofs' "sh -c 'echo \"from  erofs\"; exec sleep 100000'"
	boot_d 41-squashfs "--net none --rootfs /usr/share/ctrbox/images/squashfs sh -c 'echo from squashfs; exec sleep 100000'"
	boot_d jail '--net none five sleep 100000'
}

# boot_d NAME LINE..
boot_d() {
	file=files/etc/ctrbox/boot.d/$1
	shift
	printf '%s\n' "$@" >"$file"
}

# A disk with a store that has been used: a container that promised to run again, and one that boot.d has too.
make_store() {
	(
		export CTRBOX_ROOT="$WORK/store" CTRBOX_RUN="$WORK/store-run" CTRBOX_IMAGES="$images"
		ctr-create --name old --restart always --net none five sh -c 'echo old; exec sleep 100000' &&
			ctr-create --name web five false && ctr-create --name idle five true
	) && truncate -s 64M disk && mkfs.ext4 -q -d store disk && rm -r store
}

# tools_vm INITRAMFS ARGS JOB OPTION..: boots the tree of `files`, whose init runs JOB once the containers are there, and tells the end.
tools_vm() {
	initramfs=$1 arguments=$2 job=$3
	shift 3
	sed '/umount/i ::once:/bin/sh /job\n::shutdown:/bin/sh /end' "$TOP/rootfs/boot/inittab" >files/etc/inittab
	echo 'exec >/dev/console; echo "== ended"; ctr-ps -a -rn -o name,status,exit; echo "== again"; ctr-start --boot >/dev/null
		ctr-ps -rn -o name; ctr-stop -t 0 --shutdown >/dev/null; echo "vm: exit 0"' >files/end
	"$TOP/tools/initramfs" "$initramfs" -k "$LINUX" files || return
	nice -n 10 "$TOP/tools/vm/run" -p 1 -t 120 -a "$arguments" "$@" "$LINUX" "$initramfs" "$job"
}

# told PART: what the guest said below it.
told() {
	sed -n "/^== $1\$/,/^== /p" console | grep -v '^== '
}

test_the_guest_came_to_its_end() {
	assertEquals 0 "$ended"
	assert_match 'reboot: Power down' "$(cat console)"
	assertNull 'nothing is wrong' "$(grep -E 'Kernel panic|Oops|not loaded|no control groups' console)"
}

test_containers_of_boot_d_run() {
	for name in five web erofs squashfs jail; do
		assert_match "^init: $name: started, [0-9]+ ms\$" "$(cat console)"
		assert_match "^$name	running\$" "$(told ps)"
	done
	assertEquals 'in the order of their names' 'five web erofs squashfs jail' \
		"$(sed -n 's/^init: \(.*\): started.*/\1/p' console | tr '\n' ' ' | sed 's/ $//')"
	assertEquals /bin/sh "$(told web)"
	assert_match '^from  erofs$' "$(told logs)"
	assert_match '^from squashfs$' "$(told logs)"
}

test_what_fails_is_told_and_the_others_start() {
	for name in 20-unknown 21-quote 22-missing 23-empty; do
		assert_match "^init: ${name#*-}: not started \(/etc/ctrbox/boot.d/$name\)\$" "$(cat console)"
	done
	assert_match '^ctr-run: unknown option --no-such-option' "$(cat console)"
	assert_match '^xargs: .*quote' "$(cat console)"
	assert_match '^ctr-run: .*nowhere' "$(cat console)"
}

# What was on the disk: web was made anew, old promised to run, idle didn't.
test_a_store_on_a_disk() {
	assert_match '^/dev/vda /var/lib/ctrbox ext4 ' "$(told mounts)"
	assert_match '^old	running$' "$(told ps)"
	assert_match '^old$' "$(told logs)"
	assertNull "$(told ps | grep '^idle')"
	assertEquals x "$(told memory-store)"
}

test_the_machine_is_made_ready() {
	for mount in 'proc /proc proc' 'sysfs /sys sysfs' 'devtmpfs /dev devtmpfs' 'devpts /dev/pts devpts' 'tmpfs /dev/shm tmpfs' \
		'tmpfs /run tmpfs' 'cgroup2 /sys/fs/cgroup cgroup2'; do
		assert_match "^$mount " "$(told mounts)"
	done
}

# There is no pivoting away from an initramfs: the root is moved onto it, and nothing leads back. With the right to unmount the climber gets
# out, as README says: so it looks where it should.
test_no_way_back() {
	assertEquals "$(yes '    "pivot_fallback": true,' | head -n 6)" "$(told moved)"
	for climb in climb climb-by-exec climb-unfiltered climb-in-user-namespace; do
		assertEquals "$climb" tried "$(told $climb)"
	done
	assert_match '^out by unmounting the root$' "$(told climb-given-away)"
}

test_nothing_is_left() {
	assert_match '^== left$' "$(cat console)"
	assertNull "$(told left)"
}

test_containers_are_stopped_at_the_end() {
	assert_match '^end	exited	3$' "$(told ended)"
	assertEquals 'at the next boot' end "$(told again | head -n 1)"
}

# An image of 5 MB is imported from a disk into memory and four containers run. Debian's kernel has 33 MB for itself and its modules; in 32 MB one that
# needs none (tools/vm/small) has room for them on a network too.
test_a_machine_with_little_memory() {
	memory=32 net=bridge modules=
	[ ! -s "$LINUX/modules/order" ] || memory=88 net=none modules='virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio virtio_pci virtio_blk overlay'
	rm files/etc/ctrbox/boot.d/*
	# shellcheck disable=SC2086 # words
	printf '%s\n' $modules >files/etc/ctrbox/modules
	rm "$images/erofs" "$images/squashfs"
	truncate -s 8M disk && mkfs.ext4 -q -d "$images" disk && rm "$images"/*
	echo 'exec >/dev/console 2>&1
		mount -o ro /dev/vda /usr/share/ctrbox/images
		for name in a b c d; do ctr-run -d --name $name --net '$net' five sleep 100000 >/dev/null; done
		echo "== ps"; ctr-ps -rn -o name,status | sort; echo "== free"; free -k; poweroff' >job
	tools_vm small.cpio 'rootfstype=ramfs percpu_alloc=page' job -m $memory -d disk >console 2>&1
	assertEquals "$(cat console)" 0 $?
	assertEquals 'a	running
b	running
c	running
d	running' "$(told ps)"
	assert_match '^Mem: ' "$(told free)"
}

. shunit2
