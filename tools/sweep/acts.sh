# shellcheck shell=sh
# shellcheck disable=SC2317,SC2034 # called by name; for who reads this
# What changes something, each an act X of the sweeps; here what is about containers, acts_*.sh have the others:
#
#	act_X CMD..     does it, by way of CMD
#	prepare_X       what there has to be before
#	undo_X          makes the world what it was, by ordinary commands, however far it came (else: undo)
#	check_X         whether what it left is whole (else: nothing to look at)
#	with_X          inject's options (else -d)

ACTS=$(sed -n 's/^act_\([a-z_0-9]*\)() {$/\1/p' "$TOP"/tools/sweep/acts*.sh)
# shellcheck source=tools/sweep/acts_store.sh
. "$TOP/tools/sweep/acts_store.sh"
# shellcheck source=tools/sweep/acts_net.sh
. "$TOP/tools/sweep/acts_net.sh"

undo() {
	ids=$(ctr-ps -aq)
	# shellcheck disable=SC2086 # a list
	[ -z "$ids" ] || ctr-rm -f $ids >/dev/null
}

undo_volumes() {
	undo
	# shellcheck disable=SC2046 # a list
	ctr-volume rm $(ctr-volume ls -q) >/dev/null 2>&1
}

supervisor_of() {
	sed 's/.*"supervisor":\([0-9]*\).*/\1/' run/containers/"$(readlink "root/names/$1")"/state.json
}

a_is_there() {
	ctr-create --name a --net n -p 8080:80 -m 64m -v /data --init busybox sleep 1000 >/dev/null
}

a_runs() {
	a_is_there
	ctr-start a >/dev/null
}

# It runs, or can be started.
a_starts() {
	[ -n "$(ctr-ps -q -f name=a)" ] || ctr-start a
}

# It was running: it is stopped, or can be.
a_stops() {
	ctr-stop a && [ "$(ctr-ps -a -r -n -o status -f name=a)" = exited ]
}

# No container's range of ids is free, and no other is taken.
ranges_fit() {
	[ "$(find root/idranges -type l -printf '%l\n' | sort)" = "$(ctr-ps -aq | sort)" ]
}

a_has_files() {
	ctr-run --name a --net none busybox touch /a /b /c
}

# Starting, from nothing to the end.

act_run_rm() {
	"$@" ctr-run --rm --net none busybox true
}

act_run() {
	"$@" ctr-run --name a --net n -p 8080:80 -m 64m --cpus 1 --pids-limit 50 --cpuset-cpus 0 -v /data -v kept:/kept busybox true
}
undo_run() {
	undo_volumes
}

act_run_userns() {
	"$@" ctr-run --name a --net none --userns auto busybox true
}
check_run_userns() {
	ranges_fit
}

act_run_rm_d() {
	"$@" ctr-run --rm -d --net n -p 8080:80 --userns auto -v /data busybox true
}
with_run_rm_d() {
	:
}

act_run_d() {
	"$@" ctr-run -d --name a --net n -p 8080:80 -p 127.0.0.1:8081:80/udp -m 64m --cpus 1 --init -v /data busybox sleep 1000
}

act_run_terminal() {
	"$@" ctr-run -d -t -i --name a --net none busybox true
}
with_run_terminal() {
	:
}

act_run_restart() {
	"$@" ctr-run -d --restart on-failure:1 --name a --net n -p 8080:80 busybox sh -c 'exit 1'
}
with_run_restart() {
	:
}

act_create() {
	"$@" ctr-create --name a --userns auto --net n -v /data -v kept:/kept busybox true
}
undo_create() {
	undo_run
}
check_create() {
	ranges_fit
}

act_start() {
	"$@" ctr-start a
}
prepare_start() {
	a_is_there
}
check_start() {
	a_starts
}

act_start_boot() {
	"$@" ctr-start --boot
}
prepare_start_boot() {
	ctr-create --name a --restart always --net n busybox sleep 1000 >/dev/null
	ctr-create --name b --restart always --net none busybox sleep 1000 >/dev/null
}
check_start_boot() {
	a_starts
}

# A root file system in a file: loop devices.

act_run_file() {
	"$@" ctr-run --rm --net none --rootfs disk.squashfs true
}
prepare_run_file() {
	[ -e disk.squashfs ] || mksquashfs tree disk.squashfs -quiet -no-progress -comp gzip >/dev/null
}

act_mount_file() {
	"$@" ctr-image mount ./disk.squashfs mnt
}
prepare_mount_file() {
	prepare_run_file
}
undo_mount_file() {
	ctr-image umount mnt 2>/dev/null
}

# Ending.

with_supervisor() {
	echo "-d -p $(supervisor_of a)"
}

act_stop() {
	"$@" ctr-stop a
}
prepare_stop() {
	a_runs
}
with_stop() {
	with_supervisor
}
check_stop() {
	a_stops
}

act_kill() {
	"$@" ctr-kill a
}
prepare_kill() {
	a_runs
}
with_kill() {
	with_supervisor
}
check_kill() {
	a_stops
}

act_restart() {
	"$@" ctr-restart a
}
prepare_restart() {
	a_runs
}
with_restart() {
	with_supervisor
}
check_restart() {
	a_starts
}

act_rm() {
	"$@" ctr-rm a b
}
prepare_rm() {
	a_has_files
	ctr-create --name b --userns auto -v /data --net n busybox true >/dev/null
}

act_rm_f() {
	"$@" ctr-rm -f -v a
}
prepare_rm_f() {
	a_runs
}
with_rm_f() {
	with_supervisor
}

act_gc() {
	"$@" ctr-gc
}
prepare_gc() {
	ctr-run --rm -d --name a --net n -p 8080:80 -v /data --userns auto busybox sleep 1000 >/dev/null
	ctr-run -d --name b --net n -p 8081:80 busybox sleep 1000 >/dev/null
	kill -9 "$(supervisor_of a)" "$(supervisor_of b)"
	mkdir root/containers/0123456789ab
	ln -s 0123456789ac root/names/nobody
	mkdir root/layers/.tmp-0123456789abcdef root/volumes/.tmp-0123456789abcdef
	becomes nobody_is_left
}
nobody_is_left() {
	look now
	! grep -qE '^process .*\((ctr-|sleep)' now.host
}

# With one that runs.

act_exec() {
	"$@" ctr-exec a true
}
prepare_exec() {
	a_runs
}

act_exec_d() {
	"$@" ctr-exec -d a true
}
prepare_exec_d() {
	a_runs
}

act_pause() {
	"$@" ctr-pause a
}
prepare_pause() {
	a_runs
}

act_unpause() {
	"$@" ctr-unpause a
}
prepare_unpause() {
	a_runs
	ctr-pause a >/dev/null
}

act_update() {
	"$@" ctr-update -m 32m --cpus 0.5 a
}
prepare_update() {
	a_runs
}
check_update() {
	ctr-inspect a | grep -q '"id"'
}

act_stats() {
	"$@" ctr-stats --once
}
prepare_stats() {
	a_runs
}

act_rename() {
	"$@" ctr-rename a b
}
prepare_rename() {
	ctr-create --name a --net n busybox true >/dev/null
}
check_rename() {
	ctr-inspect a >/dev/null 2>&1 || ctr-inspect b >/dev/null
}

act_rename_running() {
	"$@" ctr-rename a b
}
prepare_rename_running() {
	a_runs
}
check_rename_running() {
	check_rename
}
