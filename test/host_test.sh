#!/bin/sh
# What may happen to a host under running containers: its run directory is emptied or hidden, its disk becomes read-only, its clock is set,
# pids come again, it was rebooted.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
}

tearDown() {
	no_containers
	ctr-gc >/dev/null
	assertNull "$(ls "$CTRBOX_RUN/containers" 2>/dev/null)"
}

id_of() {
	readlink "$CTRBOX_ROOT/names/$1"
}

runs() {
	[ "$(ctr-ps -r -n -o status -f "name=$1")" = running ]
}

# Two that run; a tells how it was stopped.
two() {
	ctr-net inspect n >/dev/null 2>&1 || ctr-net create --subnet 10.99.0.0/24 n >/dev/null
	ctr-run -d --name a --net n -p 8080:80 busybox sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' >/dev/null
	ctr-run -d --name b --rm busybox sleep 1000 >/dev/null
	pid=$(ctr-ps -r -n -o pid -f name=a)
}

# As if nothing had been.
assert_found() {
	run_cap ctr-ps -r -n -o pid -f name=a
	assert_out "$pid"
	assertTrue 'the other too' 'runs b'
	run_cap ctr-exec a echo works
	assert_out works
	run_cap ctr-port a
	assert_out_match '^80/tcp -> 0.0.0.0:8080$'
	run_cap ctr-start a
	assert_ok
	run_cap ctr-run --rm --net n busybox ip -o -4 addr show eth0
	assert_out_match '10\.99\.0\.[3-9]/24'
	run_cap ctr-gc
	assert_ok
	assertTrue 'gc leaves them' 'runs a && runs b'
	run_cap ctr-rm a
	assert_fails 1 'a: is running'
	run_cap ctr-stop a b
	assert_ok
	assertEquals 'what it answered' 3 "$(ctr-ps -a -r -n -o exit -f name=a)"
	assertEquals 'b removed itself' '' "$(ctr-ps -aq -f name=b)"
	ctr-rm a >/dev/null
	ctr-net rm n >/dev/null
}

test_the_run_directory_is_emptied() {
	two
	rm -rf "${CTRBOX_RUN:?}"/*
	assert_found
}

test_the_run_directory_is_gone() {
	two
	rm -rf "$CTRBOX_RUN"
	assert_found
}

test_something_is_mounted_over_the_run_directory() {
	two
	mount -t tmpfs tmpfs "$CTRBOX_RUN"
	assert_found
	umount "$CTRBOX_RUN"
	rm -rf "${CTRBOX_RUN:?}"/* # what it was before
}

# One of them alone: whoever asks for it by name mends it, at the latest ctr-gc.
test_one_run_directory_is_gone() {
	two
	rm -r "$CTRBOX_RUN/containers/$(id_of a)"
	run_cap ctr-start a
	assert_fails 1 'a: is running'
	run_cap ctr-rm a
	assert_fails 1 'a: is running'
	run_cap ctr-gc
	assert_ok
	assert_out "lost run directory $(id_of a)"
	assert_found
}

# An exec'ed process isn't taken for the container's own.
test_lost_beside_an_exec() {
	two
	ctr-exec a sleep 1000 &
	exec=$!
	wait_for 10 sh -c 'ctr-top a | grep -q "sleep 1000"'
	rm -rf "${CTRBOX_RUN:?}"/*
	runs a
	assertTrue 'it is found' $?
	run_cap ctr-stop a
	assert_ok
	wait $exec 2>/dev/null
	assertEquals 3 "$(ctr-ps -a -r -n -o exit -f name=a)"
	ctr-rm a >/dev/null
}

test_lost_while_it_restarts() {
	ctr-run -d --name a --restart always busybox sh -c 'sleep 0.2; exit 1' >/dev/null
	rm -rf "${CTRBOX_RUN:?}"/*
	wait_for 10 sh -c "[ -e '$CTRBOX_RUN/containers/$(id_of a)/state.json' ]"
	assertTrue 'it is known again' $?
	run_cap ctr-stop a
	assert_ok
	assertEquals exited "$(ctr-ps -a -r -n -o status -f name=a)"
	ctr-rm a >/dev/null
}

# With the supervisor gone too there is nobody to ask.
test_lost_with_its_supervisor() {
	two
	supervisor=$(sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN/containers/$(id_of a)/state.json")
	kill -9 "$supervisor"
	rm -rf "${CTRBOX_RUN:?}"/*
	assertTrue 'the other runs' 'runs b'
	run_cap ctr-gc
	assert_ok
	assertFalse 'nothing of it does' "[ -d '/proc/$pid/root/proc' ]"
	assertEquals exited "$(ctr-ps -a -r -n -o status -f name=a)"
	run_cap ctr-start a
	assert_ok
	ctr-stop a b >/dev/null
	ctr-rm a >/dev/null
	ctr-net rm n >/dev/null
}

# become PID: $! is a process of that pid.
become() {
	for _ in $(seq 50); do
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 1000 &
		[ $! != "$1" ] || return 0
		kill $!
		wait $! 2>/dev/null
	done
	return 1
}

forget() {
	kill "$@"
	wait "$@" 2>/dev/null || :
}

state_of() {
	echo "$CTRBOX_RUN/containers/$(id_of "$1")/state.json"
}

number() {
	sed "s/.*\"$2\":\([0-9]*\).*/\1/" "$(state_of "$1")"
}

# Neither stop, kill, rm nor gc takes who has the pids now for those that are noted.
test_pids_that_come_again() {
	for with in 'stop a' 'kill a' 'rm -f a' gc 'start a' 'exec a true' 'restart a'; do
		ctr-run -d --name a busybox sleep 1000 >/dev/null
		pid=$(number a pid) supervisor=$(number a supervisor)
		kill -9 "$supervisor"
		wait_for 10 sh -c "! [ -d /proc/$pid ] && ! [ -d /proc/$supervisor ]"
		become "$pid"
		assertEquals "$with: a stranger has its pid" 0 $?
		stranger=$!
		become "$supervisor"
		assertEquals "$with: a stranger has its supervisor's pid" 0 $?
		stranger2=$!
		assertEquals "$with: it isn't taken for running" exited "$(ctr-ps -a -r -n -o status -f name=a)"
		# shellcheck disable=SC2086
		timeout 30 "$CTRBOX" $with >/dev/null 2>&1
		assertTrue "$with: the strangers live" "kill -0 $stranger && kill -0 $stranger2"
		forget $stranger $stranger2
		ctr-rm -f a >/dev/null
	done
}

# After a reboot, on a run directory that survives it: what was noted of processes is nobody's, even if pid and start time are right.
test_pids_of_another_boot() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	pid=$(number a pid) supervisor=$(number a supervisor)
	kill -9 "$supervisor"
	wait_for 10 sh -c "! [ -d /proc/$pid ] && ! [ -d /proc/$supervisor ]"
	sleep 1000 &
	stranger=$!
	start=$(cut -d' ' -f22 /proc/$stranger/stat)
	sed -i "s/\"pid\":[0-9]*,\"pid_start\":[0-9]*,\"supervisor\":[0-9]*,\"supervisor_start\":[0-9]*/\"pid\":$stranger,\"pid_start\":$start,\"supervisor\":$stranger,\"supervisor_start\":$start/" \
		"$(state_of a)"
	assertEquals 'in this boot it would be its supervisor' "$stranger" "$(number a supervisor)"
	echo 01234567-89ab-cdef-0123-456789abcdef >boot_id
	mount --bind boot_id /proc/sys/kernel/random/boot_id
	assertEquals exited "$(ctr-ps -a -r -n -o status -f name=a)"
	for with in 'stop a' 'kill a' gc 'rm -f a'; do
		# shellcheck disable=SC2086
		timeout 30 "$CTRBOX" $with >/dev/null 2>&1
		assertTrue "$with: the stranger lives" "kill -0 $stranger"
	done
	umount /proc/sys/kernel/random/boot_id
	forget $stranger
}

# A host that was rebooted with containers running, whose groups and processes are gone and whose state isn't.
test_a_reboot() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	ctr-run -d --rm --name b busybox sleep 1000 >/dev/null
	kill -9 "$(number a supervisor)" "$(number b supervisor)"
	# shellcheck disable=SC2016
	wait_for 10 sh -c '[ -z "$(ctr-ps -q)" ]'
	echo 01234567-89ab-cdef-0123-456789abcdef >boot_id
	mount --bind boot_id /proc/sys/kernel/random/boot_id
	run_cap ctr-start a
	assert_ok
	assertTrue 'it runs again' 'runs a'
	run_cap ctr-gc
	assert_out_match '^container b$'
	assertTrue 'still' 'runs a'
	ctr-stop a >/dev/null
	umount /proc/sys/kernel/random/boot_id
}

# A disk with errors is made read-only by the kernel: what runs can be stopped, its exit code is told to who waits.
test_the_store_becomes_read_only() {
	own=$CTRBOX_ROOT
	truncate -s 64m disk.img
	mkfs.ext4 -q disk.img
	mkdir disk
	mount -o loop,errors=remount-ro disk.img disk
	CTRBOX_ROOT=$WORK/disk/store
	need_busybox
	two
	sync -f disk # what the journal hasn't got is lost
	timeout 120 ctr-wait a >waited &
	waiter=$!
	echo 1 >"/sys/fs/ext4/$(basename "$(findmnt -n -o SOURCE disk)")/trigger_fs_error"
	touch disk/x 2>/dev/null
	assertFalse 'it is read-only' $?
	run_cap ctr-ps -r -n -o pid -f name=a
	assert_out "$pid"
	run_cap ctr-exec a echo works
	assert_out works
	run_cap ctr-run -d --name c busybox true
	assert_fails 125 'Read-only file system'
	run_cap ctr-logs a
	assert_ok
	run_cap timeout 30 ctr-stop a
	assert_ok
	wait $waiter
	assertEquals 'who waits hears how it ended' 3 "$(cat waited)"
	assertFalse 'its process is gone' "[ -d '/proc/$pid/root/proc' ]"
	run_cap ctr-rm a
	assert_fails 1 'Read-only file system'
	run_cap timeout 30 ctr-stop b
	assert_ok
	assertNull 'no group' "$(leftovers)"
	umount disk
	e2fsck -fy disk.img >/dev/null 2>&1
	mount -o loop disk.img disk
	run_cap ctr-gc
	assert_ok
	run_cap ctr-rm a
	assert_ok
	assertNull "$(ctr-ps -aq)"
	ctr-net rm n >/dev/null
	umount disk
	CTRBOX_ROOT=$own
}

. shunit2
