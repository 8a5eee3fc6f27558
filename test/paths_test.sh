#!/bin/sh
# /proc, /sys and /dev of a container are the kernel's own, whatever its image, its volumes or its neighbours put in their places.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	make_rootfs rootfs
	mkdir -p host
	echo host >host/file
}

setUp() {
	rm -rf victim
	mkdir victim
	echo mine >victim/file
	core=$(cat /proc/sys/kernel/core_pattern)
	cut -d' ' -f5- /proc/self/mountinfo | sort >"$WORK/before"
}

tearDown() {
	ctr-rm -f a b >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
	now=$(cat /proc/sys/kernel/core_pattern)
	[ "$core" = "$now" ] || echo "$core" >/proc/sys/kernel/core_pattern
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff "$WORK/before" - || fail 'mounts changed outside'
}

# The host's side is as it was.
untouched() {
	assertEquals 'core_pattern' "$core" "$(cat /proc/sys/kernel/core_pattern)"
	assertEquals 'the victim' 'file mine' "$(ls victim) $(cat victim/file)"
}

run() {
	run_cap timeout 60 ctr-run --rm --net none "$@"
}

masked='/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list'
masked="$masked /proc/timer_stats /sys/firmware /sys/devices/virtual/powercap"
readonly='/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger'

# Says of each that is there, whether it tells something, or may be written.
look="for f in $masked; do [ -e \$f ] || continue
		[ -d \$f ] && n=\$(ls -A \$f | wc -l) || n=\$(head -c 1 \$f | wc -c); [ \$n = 0 ] || echo \$f tells; done
	for f in $readonly; do [ -e \$f ] || continue
		grep -q \" \$f [a-z]* ro,\" /proc/mounts || echo \$f is written; done"

test_every_masked_and_read_only_path() {
	run busybox sh -c "$look"
	assert_ok
	assert_out ''
	run --cap-add ALL -u 0 busybox sh -c "$look; echo x >/proc/sys/kernel/core_pattern"
	assert_out ''
	assert_err_match 'core_pattern: Read-only file system'
	run --rootfs "$WORK/rootfs" sh -c "$look"
	assert_ok
	assert_out ''
	run --userns 100000:0:65536 busybox sh -c "$look"
	assert_out ''
	ctr-run -d --net none --name a busybox sleep 1000 >/dev/null
	run_cap ctr-exec --privileged a sh -c "$look"
	assert_out ''
	ctr-restart -t 0 a >/dev/null
	run_cap ctr-exec a sh -c "$look"
	assert_out ''
	untouched
}

test_they_are_the_kernels_own() {
	run busybox stat -f -c '%n %t' /proc /sys /dev /dev/pts /proc/interrupts /proc/sys
	assert_out '/proc 9fa0
/sys 62656572
/dev 1021994
/dev/pts 1cd1
/proc/interrupts 1021994
/proc/sys 9fa0'
}

test_unmasked_on_request() {
	run --security-opt systempaths=unconfined --cap-add SYS_ADMIN busybox sh -c 'wc -l </proc/interrupts; echo free >/proc/sys/kernel/hostname; hostname'
	assert_ok
	assert_out_match '^[1-9]'
	assert_out_match '^free$'
	run --security-opt systempaths=unconfined busybox sh -c 'grep -c " /proc/" /proc/mounts; grep " /sys " /proc/mounts'
	assert_out_match '^0$'
	assert_out_match '^sysfs /sys sysfs ro,'
	run --security-opt systempaths=nonsense busybox true
	assert_fails 125 'security-opt systempaths=nonsense: unknown'
}

test_groups_are_read_only_and_its_own() {
	run busybox sh -c 'cut -d: -f3 /proc/self/cgroup | sort -u; mkdir /sys/fs/cgroup/x; mount -o remount,rw /sys/fs/cgroup; for d in /sys/fs/cgroup/*; do [ ! -d $d ] || mkdir $d/x; done'
	assert_out_match '^/$'
	assertEquals 'none could be made' 0 "$(printf '%s\n' "$err" | grep -vcE 'Read-only|[Pp]ermission denied|[Nn]ot permitted')"
}

# CVE-2023-27561, CVE-2026-41579: a link of the image's in their place, to the host or to its own files
test_links_of_the_image() {
	for place in proc sys dev; do
		for target in "$WORK/victim" ../../../../../../../../../..$WORK/victim /etc; do
			make_rootfs evil
			rm -rf "evil/${place:?}"
			ln -s "$target" "evil/$place"
			run --rootfs "$WORK/evil" /bin/true
			assert_fails 125 "/$place: is a symbolic link in the root file system"
			tar -C evil -c . | ctr-image import evil >/dev/null
			run evil /bin/true
			assert_fails 125 "/$place: is a symbolic link in the root file system"
			run_cap timeout 60 ctr-root --dev --chroot "$WORK/evil" /bin/true
			[ $place != dev ] || assert_fails 125 '/dev: is a symbolic link'
			rm -rf evil
		done
	done
	echo x >evil
	make_rootfs evil2
	rm -rf evil2/proc
	mv evil evil2/proc
	run --rootfs "$WORK/evil2" /bin/true
	assert_fails 125 '/proc: Not a directory'
	rm -rf evil2
	untouched
}

# CVE-2025-31133: the image's /dev/null, which masks are made of elsewhere
test_a_null_device_of_the_images() {
	make_rootfs evil
	mkdir -p evil/dev
	rm -f evil/dev/null
	ln -s /proc/sys/kernel/core_pattern evil/dev/null
	run --rootfs "$WORK/evil" sh -c "$look; stat -c %t:%T /dev/null /proc/interrupts"
	assert_ok
	assert_out '1:3
1:3'
	rm -rf evil
	untouched
}

# CVE-2025-52565: what is there as the console is covered by the terminal, unopened: a pipe without a reader would hold us up for ever.
test_a_console_of_somebody_elses() {
	mkfifo pipe
	echo kept >file
	for console in pipe file; do
		tty_cap "timeout 30 ctr-run --rm -t --net none -v $WORK/$console:/dev/console busybox sh -c 'tty; stat -c %t:%T /dev/console; echo x >/dev/console'"
		assert_rc 0
		assert_out '/dev/pts/0
88:0
x'
	done
	assertEquals kept "$(cat file)"
	rm pipe file
}

# What is called /dev/null in a container that runs isn't opened with more rights than its own.
test_a_null_device_that_was_swapped() {
	ctr-run -d --net none --name a busybox sh -c 'rm /dev/null; echo kept >/caught; ln -s /caught /dev/null; exec sleep 1000' >/dev/null
	assertTrue 'it is a link' "wait_for 20 sh -c 'ctr-exec -i a test -L /dev/null </dev/null'"
	run_cap ctr-exec -d a sh -c 'echo x; cat'
	assert_fails 125 'open /dev/null: (Symbolic link loop|Too many)'
	run_cap ctr-exec -i a cat /caught </dev/null
	assert_out kept
}

# CVE-2019-16884: an image's volume, or a bind, over /proc
test_nothing_covers_proc() {
	tar -C rootfs -c . | ctr-image import -c 'VOLUME /proc' evil >/dev/null
	run evil stat -f -c %t /proc
	assert_out 9fa0
	for place in /proc/ /proc/tty /./proc //proc; do
		tar -C rootfs -c . | ctr-image import -c "VOLUME $place" evil >/dev/null
		run evil /bin/true
		assert_fails 125 'is in /proc, which stays'
	done
	ln -s proc/sys rootfs/link
	for options in "-v $WORK/host:/proc" "-v $WORK/host:/proc/sys" "-v $WORK/host/file:/proc/self/attr/exec" "--tmpfs /proc" "--tmpfs /proc/sys" \
		"-v $WORK/host:/link" "--tmpfs /link" "-v $WORK/host://proc/./sys/" "--mount type=bind,source=$WORK/host,target=/proc/tty"; do
		# shellcheck disable=SC2086
		run $options --rootfs "$WORK/rootfs" /bin/true
		assert_fails 125 'is in /proc, which stays'
	done
	rm rootfs/link
	# what lxcfs does, and procfs itself
	run -v "$WORK/host/file:/proc/meminfo" -v "$WORK/host/file:/proc/uptime:ro" busybox cat /proc/meminfo /proc/uptime
	assert_out 'host
host'
	run -v /proc:/host/proc:ro busybox cat /host/proc/sys/kernel/core_pattern
	assert_out "$core"
	untouched
}

# A /proc that pretends: what ctr-exec writes there goes to the kernel or nowhere (CVE-2025-52881).
test_a_pretended_proc() {
	ctr-run -d --net none --name a --oom-score-adj 7 --cap-add SYS_ADMIN busybox sh -c 'exec sleep 1000' >/dev/null
	run_cap ctr-exec a cat /proc/self/oom_score_adj
	assert_out 7
	ctr-exec a sh -c 'mount -t tmpfs t /proc && mkdir /proc/thread-self /proc/self && echo kept >/caught &&
		ln -s /caught /proc/self/oom_score_adj && ln -s /caught /proc/thread-self/oom_score_adj'
	run_cap ctr-exec a true
	assert_fails 125 'set oom_score_adj to 7'
	nsenter -m -t "$(ctr-inspect a | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -1)" cat /caught >caught
	assertEquals kept "$(cat caught)"
	untouched
}

# swap DIR NAME..: until there is a file `stop`, NAME, NAME.link and NAME.dir change places in DIR, as fast as can be: a shell's mv is too slow
# to find a hole.
swap() {
	perl -e 'chdir shift or die; until (-e "../stop") { for $p (@ARGV) { for $o (".link", ".dir") {
		rename $p, "$p.x"; rename "$p$o", $p; rename $p, "$p$o"; rename "$p.x", $p } } }' "$@"
}

# CVE-2021-30465, CVE-2024-45310: in a volume, where mount points are made, by a container that has it too. Nothing is mounted or made
# outside, and somebody's own files in the volume are all that is hit.
test_a_volume_that_is_swapped_meanwhile() {
	mkdir -p vol/d vol/d.dir
	ln -s "$WORK/victim" vol/d.link
	swap vol d &
	swapper=$!
	for i in $(seq 60); do
		timeout 60 ctr-run --rm --net none -v "$WORK/vol:/vol" -v "$WORK/host:/vol/d/in$i" -v "$WORK/host/file:/vol/d/made/deep$i" --tmpfs "/vol/d/t$i" \
			-w "/vol/d/work$i" busybox echo ran 2>/dev/null
	done >seen
	touch stop
	wait $swapper
	assertContains 'some of them ran' "$(cat seen)" ran
	rm -rf vol stop
	untouched
}

# CVE-2021-30465 and its kin: whoever shares the root directory swaps what is in it while a container starts. Whatever the
# container then sees as /proc, if it is procfs it is the restricted one.
test_places_that_are_swapped_meanwhile() {
	make_rootfs race
	rm -rf race/proc race/sys race/dev race/v
	mkdir race/v
	for place in proc sys dev v; do
		mkdir -p race/$place "race/$place.dir"
		ln -s "$WORK/victim" "race/$place.link"
	done
	swap race proc sys dev v &
	swapper=$!
	for _ in $(seq 60); do
		timeout 60 ctr-run --rm --net none --rootfs "$WORK/race" -v "$WORK/host:/v/in" --tmpfs /v/t /bin/sh -c "echo ran
			for d in /proc*; do if [ -e \$d/sys/kernel/core_pattern ]; then
				(echo owned >\$d/sys/kernel/core_pattern) 2>/dev/null && echo owned; cat \$d/interrupts \$d/timer_list; fi; done" 2>/dev/null
	done >seen
	touch stop
	wait $swapper
	assertEquals ran "$(sort -u seen)"
	rm -rf race stop
	untouched
}

# CVE-2024-21626: also for a further command
test_working_directory_of_exec_is_no_descriptor() {
	ctr-run -d --net none --name a busybox sleep 1000 >/dev/null
	for fd in 3 4 5 6 7 8 9 10 11 12 15 20 30; do
		run_cap ctr-exec -w /proc/self/fd/$fd a pwd 9</
		[ "$rc" = 125 ] && [ -z "$out" ]
		expect $? "-w /proc/self/fd/$fd refused"
	done
	ctr-exec a ln -s /proc/self/fd/9 /nine
	run_cap ctr-exec -w /nine a pwd 9</
	assert_fails 125 'working directory /nine'
}

. shunit2
