# shellcheck shell=sh
# shellcheck disable=SC2317,SC2034 # called by name; for who reads this
# What changes something, each an act X of the sweeps:
#
#	act_X CMD..     does it, by way of CMD
#	prepare_X       what there has to be before
#	undo_X          makes the world what it was, by ordinary commands, however far it came (else: undo)
#	check_X         whether what it left is whole (else: nothing to look at)
#	with_X          inject's options (else -d)

ACTS=$(sed -n 's/^act_\([a-z_0-9]*\)() {$/\1/p' "$TOP/tools/sweep/acts.sh")

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

# Files.

act_cp_in() {
	"$@" ctr-cp one a:/tmp/one
}
prepare_cp_in() {
	a_has_files
}

act_cp_in_running() {
	"$@" ctr-cp - a:/tmp <one.tar
}
prepare_cp_in_running() {
	a_runs
}

act_cp_out() {
	"$@" ctr-cp a:/etc out
}
prepare_cp_out() {
	a_has_files
}
undo_cp_out() {
	undo
	rm -rf out
}

act_volume_create() {
	"$@" ctr-volume create one two
}
undo_volume_create() {
	undo_volumes
}

act_volume_rm() {
	"$@" ctr-volume rm one two
}
prepare_volume_rm() {
	ctr-volume create one two >/dev/null
}
undo_volume_rm() {
	undo_volumes
}

act_volume_prune() {
	"$@" ctr-volume prune
}
prepare_volume_prune() {
	ctr-volume create one two >/dev/null
}
undo_volume_prune() {
	undo_volumes
}

# Images.

# What each image of acts holds, and that what is listed is whole.
images_are_whole() {
	for name in $(ctr-image ls -r -n -o name); do
		case $name in
		*busybox:latest | -) continue ;;
		*one:latest) want=one ;;
		*) want=two ;;
		esac
		rm -rf tree.out
		mkdir tree.out
		ctr-image export "$name" | tar -x -C tree.out || return
		[ "$(cat tree.out/file)" = 1 ] || return
		[ "$want" = one ] || [ "$(cat tree.out/second)" = 2 ] || return
		rm -r tree.out
	done
}

# Not by ctr-image prune: layers that an image came to nothing for are ctr-gc's.
undo_images() {
	undo
	# shellcheck disable=SC2046 # a list
	ctr-image rm -f $(ctr-image ls -r -n -o name,id | sed -n '/busybox:latest/!s/.*\t//p' | sort -u) >/dev/null 2>&1
}

act_import() {
	"$@" ctr-image import -c 'CMD ["a"]' one <one.tar.gz
}
undo_import() {
	undo_images
}
check_import() {
	images_are_whole
}

act_load() {
	"$@" ctr-image load -i images.tar
}
undo_load() {
	undo_images
}
check_load() {
	images_are_whole
}

act_pull() {
	"$@" ctr-image pull "127.0.0.1:$(cat port)/two"
}
undo_pull() {
	undo_images
}
check_pull() {
	images_are_whole
}

act_push() {
	"$@" ctr-image push "127.0.0.1:$(cat port)/two"
}
prepare_push() {
	ctr-image load -q -i images.tar >/dev/null
	ctr-image tag two "127.0.0.1:$(cat port)/two"
	ctr-image rm two one
	rm -f taken/blobs/sha256/* taken/sent
	mv layout given
	mv taken layout
}
undo_push() {
	[ ! -d given ] || { mv layout taken && mv given layout; }
	undo_images
}

act_commit() {
	"$@" ctr-commit -m text a two
}
prepare_commit() {
	ctr-image load -q -i images.tar >/dev/null
	ctr-create --name a one /none >/dev/null
	ctr-cp two/file a:/second
	ctr-image rm two
}
undo_commit() {
	undo_images
}
check_commit() {
	images_are_whole
}

act_commit_running() {
	"$@" ctr-commit a busybox:new
}
prepare_commit_running() {
	a_runs
}
undo_commit_running() {
	undo_images
}

act_save() {
	"$@" ctr-image save -o out one two
}
prepare_save() {
	ctr-image load -q -i images.tar >/dev/null
}
undo_save() {
	rm -f out
	undo_images
}
check_save() {
	[ ! -e out ] || cmp out images.tar
}

act_tag() {
	"$@" ctr-image tag two other
}
prepare_tag() {
	ctr-image load -q -i images.tar >/dev/null
}
undo_tag() {
	undo_images
}
check_tag() {
	images_are_whole
}

act_image_rm() {
	"$@" ctr-image rm one two
}
prepare_image_rm() {
	ctr-image load -q -i images.tar >/dev/null
}
undo_image_rm() {
	undo_images
}
check_image_rm() {
	images_are_whole
}

act_image_prune() {
	"$@" ctr-image prune
}
prepare_image_prune() {
	ctr-image load -q -i images.tar >/dev/null
	ctr-image tag one two
}
undo_image_prune() {
	undo_images
}

act_image_mount() {
	"$@" ctr-image mount busybox mnt
}
undo_image_mount() {
	ctr-image umount mnt 2>/dev/null
}

# Networks.

undo_nets() {
	undo
	# shellcheck disable=SC2046 # a list
	ctr-net rm $(ctr-net ls -q | grep -vx n) >/dev/null 2>&1
}

# Network m isn't there, or works.
m_works() {
	! ctr-net ls -q | grep -qx m || ctr-run --rm --net m -p 8081:80 busybox true
}

act_net_create() {
	"$@" ctr-net create m
}
undo_net_create() {
	undo_nets
}
check_net_create() {
	m_works
}

act_net_rm() {
	"$@" ctr-net rm m
}
prepare_net_rm() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-run --rm --net m -p 8080:80 busybox true
}
undo_net_rm() {
	undo_nets
}
check_net_rm() {
	m_works
}

act_net_prune() {
	"$@" ctr-net prune
}
prepare_net_prune() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-create --net n busybox true >/dev/null
}
undo_net_prune() {
	undo_nets
}
check_net_prune() {
	m_works
}

act_net_reload() {
	"$@" ctr-net reload
}
prepare_net_reload() {
	a_runs
}

act_net_connect() {
	"$@" ctr-net connect m a
}
prepare_net_connect() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-run --rm --net m busybox true
	becomes no_veth
	a_runs
}
undo_net_connect() {
	undo_nets
}
check_net_connect() {
	m_works
}

act_net_disconnect() {
	"$@" ctr-net disconnect m a
}
prepare_net_disconnect() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-run -d --name a --net n --net m -p 8080:80 busybox sleep 1000 >/dev/null
}
undo_net_disconnect() {
	undo_nets
}
check_net_disconnect() {
	m_works
}

act_net_run() {
	"$@" ctr-net run n true
}

# Kinds of network.

act_run_kinds() {
	"$@" ctr-run --rm --net ptp --net vlan --net iface:right -p 8080:80 busybox true
}
prepare_run_kinds() {
	ip link add left type veth peer name right
	ctr-net create --driver ptp --subnet 10.7.0.0/24 ptp >/dev/null
	ctr-net create --driver macvlan --parent left --subnet 10.6.0.0/24 vlan >/dev/null
	ctr-run --rm --net ptp --net vlan busybox true
	becomes no_veth
}
undo_run_kinds() {
	undo_nets
	ip link del left 2>/dev/null
}
