#!/bin/sh
# ctr-gc: what it takes back, what it leaves alone, and that doing it again does nothing.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	ctr-run --rm busybox true
	ctr-gc >/dev/null
}

tearDown() {
	ctr-ps -a -q | ctr-rm -f - >/dev/null 2>&1
	ctr-gc >/dev/null
	assertNull 'nothing is left' "$(leftovers)"
}

id_of() {
	readlink "$CTRBOX_ROOT/names/$1"
}

tag() {
	cat "$CTRBOX_ROOT/tag"
}

# kill_supervisor NAME: as a crash does, so that all it held is left.
kill_supervisor() {
	_pid=$(sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN/containers/$(id_of "$1")/state.json")
	kill -9 "$_pid"
	wait_for 5 dead "$_pid"
}

# Gone, or only waiting for its parent to look.
dead() {
	! grep -qE '\) [^ZX] ' "/proc/$1/stat"
}

# freed LINE..: exactly that (sorted), and then nothing any more.
freed() {
	run_cap ctr-gc
	assert_ok
	out=$(printf '%s\n' "$out" | sort)
	assert_out "$(printf '%s\n' "$@" | sort)"
	run_cap ctr-gc
	assert_ok
	assert_out ''
}

test_nothing_to_do() {
	run_cap ctr-gc
	assert_ok
	assert_out ''
	run_cap ctr-gc x
	assert_fails 2 'takes no argument'
}

test_what_lives_is_left_alone() {
	ctr-run -d --name a -v /data busybox sleep 1000 >/dev/null
	ctr-create --name b -v /data busybox true >/dev/null
	ctr-create --rm --name c busybox true >/dev/null
	ctr-run --name d busybox true
	ctr-run -d --rm --name e busybox sleep 1000 >/dev/null
	ctr-run -d --restart always --name f busybox false >/dev/null
	ctr-create busybox true >/dev/null
	before=$(ctr-ps -a -r -o id,name,pid)
	run_cap ctr-gc
	assert_ok
	assert_out ''
	assertEquals "$(echo "$before" | wc -l)" 7
	assertEquals "$(ctr-ps -a -q | sort)" "$(ls "$CTRBOX_ROOT/containers")"
	ctr-exec a true
	assertTrue 'a runs' $?
	ctr-exec e true
	assertTrue 'e runs' $?
	assertEquals 'both volumes' 2 "$(ctr-volume ls -q | wc -l)"
}

test_lost_supervisor() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	pid=$(ctr-ps -r -n -o pid)
	kill_supervisor a
	wait_for 5 dead "$pid"
	assertTrue 'its container died with it' $?
	run_cap ctr-ps -a -r -n -o status,exit
	assert_out "$(printf 'exited\t137')"
	freed 'remains of container a'
	run_cap ctr-ps -a -r -n -o status,exit
	assert_out "$(printf 'exited\t137')"
	run_cap ctr-inspect a
	assert_out_match 'supervisor lost'
	assertNull "$(leftovers)"
	assertNull "$(ls "$CTRBOX_RUN/containers")"
	run_cap ctr-start -a a echo again
	assert_ok
	assert_out again
}

# Even when its processes outlive the supervisor, and when it was paused.
test_lost_supervisor_of_a_paused_one() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	ctr-pause a >/dev/null
	kill_supervisor a
	freed 'remains of container a'
	assertNull "$(leftovers)"
}

test_rm_container_of_a_lost_supervisor() {
	ctr-run -d --rm --name a -v /data busybox sleep 1000 >/dev/null
	kill_supervisor a
	freed 'container a'
	assertNull "$(find /sys/fs/cgroup -name "ctrbox-$(tag)")"
	assertNull "$(ls "$CTRBOX_ROOT/containers")"
	assertNull "$(ctr-volume ls -q)"
}

# After a reboot only the root store tells.
test_rm_container_after_a_reboot() {
	ctr-run -d --rm --name a busybox sleep 1000 >/dev/null
	kill_supervisor a
	rm -r "$CTRBOX_RUN/containers/$(id_of a)"
	run_cap ctr-gc
	assert_ok
	assert_out_match '^container a$'
	assertNull "$(ls "$CTRBOX_ROOT/containers")"
}

test_half_made_containers() {
	mkdir "$CTRBOX_ROOT/containers/0123456789ab" "$CTRBOX_ROOT/containers/0123456789ac"
	echo '{' >"$CTRBOX_ROOT/containers/0123456789ac/spec.json.tmp-01234567"
	freed 'half-made container 0123456789ab' 'half-made container 0123456789ac'
	assertNull "$(ls "$CTRBOX_ROOT/containers")"
}

# A power cut may empty the record that isn't synced: that of a container made with --rm. Another one's files may be wanted.
test_empty_record() {
	ctr-run -d --rm --net none --name a busybox sleep 1000 >/dev/null
	id=$(id_of a)
	kill_supervisor a
	rm -r "$CTRBOX_RUN/containers/$id"
	: >"$CTRBOX_ROOT/containers/$id/spec.json"
	ctr-create --name b busybox true >/dev/null
	other=$(id_of b)
	: >"$CTRBOX_ROOT/containers/$other/spec.json"
	freed "half-made container $id" 'name a'
	assertEquals "$other" "$(ls "$CTRBOX_ROOT/containers")"
	ctr-rm "$other" >/dev/null
	ctr-gc >/dev/null
}

test_temporary_files() {
	ctr-create --name a busybox true >/dev/null
	: >"$CTRBOX_ROOT/containers/$(id_of a)/last.json.tmp-01234567"
	freed 'file last.json.tmp-01234567'
	assertEquals spec.json "$(ls "$CTRBOX_ROOT/containers/$(id_of a)")"
}

test_names() {
	ctr-create --name a busybox true >/dev/null
	ctr-create --name b busybox true >/dev/null
	ln -s 0123456789ab "$CTRBOX_ROOT/names/nobody"
	ln -s "$(id_of b)" "$CTRBOX_ROOT/names/other"
	rm "$CTRBOX_ROOT/names/a"
	freed 'lost name a' 'name nobody' 'name other'
	assertEquals 'a b' "$(cd "$CTRBOX_ROOT/names" && echo *)"
	run_cap ctr-rm a b
	assert_ok
}

test_cgroups() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	ctr-cgroup create "/ctrbox-$(tag)/0123456789ab" >/dev/null
	sleep 100 &
	ctr-cgroup attach "/ctrbox-$(tag)/0123456789ab" $!
	ctr-cgroup create "/ctrbox-0badcafe/0123456789ab" >/dev/null
	freed "cgroup /ctrbox-$(tag)/0123456789ab"
	ctr-cgroup get /ctrbox-0badcafe/0123456789ab >/dev/null
	assertTrue "another store's group stays" $?
	wait $! 2>/dev/null
	assertEquals 'what was in it is killed' 137 $?
	ctr-exec a true
	assertTrue 'a runs' $?
	ctr-cgroup rm /ctrbox-0badcafe
	ctr-rm -f a >/dev/null
	ctr-cgroup create "/ctrbox-$(tag)" >/dev/null # as a kill between the two leaves it
	freed "cgroup /ctrbox-$(tag)"
}

groups_of_the_store() {
	find /sys/fs/cgroup -type d -path "*/ctrbox-$(tag)*"
}

# The group of them all goes with the last that runs, and not while another comes.
test_the_stores_group() {
	ctr-run -d --name a --net none busybox sleep 1000 >/dev/null
	ctr-run --rm --net none busybox true
	assertNotNull 'one runs' "$(groups_of_the_store)"
	ctr-stop -t 0 a >/dev/null
	assertNull 'none runs' "$(groups_of_the_store)"
	for _ in $(seq 15); do
		for _ in 1 2 3 4 5 6; do
			ctr-run --rm --net none busybox true 2>>errors || echo failed >>errors &
		done
		wait
	done
	assertEquals 'none failed' '' "$(cat errors)"
	assertNull 'none runs any more' "$(groups_of_the_store)"
}

test_run_directories() {
	mkdir -p "$CTRBOX_RUN/containers/0123456789ab"
	: >"$CTRBOX_RUN/containers/0123456789ab/state.json"
	freed 'run directory 0123456789ab'
}

# A container whose directory was removed by hand while it runs: nobody can name it any more.
test_container_removed_by_hand() {
	ctr-run -d --name a busybox sleep 1000 >/dev/null
	id=$(id_of a) pid=$(ctr-ps -r -n -o pid)
	rm -r "${CTRBOX_ROOT:?}/containers/$id"
	run_cap ctr-stop a
	assert_fails 1 'a: no such container'
	run_cap ctr-run --name a busybox true
	assert_ok
	ctr-rm a >/dev/null
	run_cap ctr-gc
	assert_ok
	assert_out_match "^run directory $id$"
	wait_for 5 dead "$pid"
	assertTrue 'it is ended' $?
	assertNull "$(ls "$CTRBOX_RUN/containers")"
	assertNull "$(leftovers)"
}

test_volumes() {
	ctr-volume create named >/dev/null
	ctr-run --name a -v /data busybox true
	ctr-run --name b -v /data busybox true
	ctr-rm b >/dev/null
	run_cap ctr-gc
	assert_ok
	assert_out_match '^volume [0-9a-f]{32}$'
	assertEquals "a's and the named one" 2 "$(ctr-volume ls -q | wc -l)"
	ctr-volume rm named >/dev/null
}

# Killed while it was filled: its name stands for nothing yet, so that the next container fills it.
test_half_made_volume() {
	mkdir -p "$CTRBOX_ROOT/volumes/.tmp-0123456789abcdef/data"
	: >"$CTRBOX_ROOT/.tmp-01234567"
	assertEquals '' "$(ctr-volume ls -q)"
	freed 'half-made volume .tmp-0123456789abcdef' 'file .tmp-01234567'
	assertFalse "[ -e '$CTRBOX_ROOT/volumes/.tmp-0123456789abcdef' ]"
	assertFalse "[ -e '$CTRBOX_ROOT/.tmp-01234567' ]"
}

test_half_made_layers() {
	mkdir "$CTRBOX_ROOT/layers/.tmp-0123456789abcdef"
	: >"$CTRBOX_ROOT/layers/.tmp-0123456789abcdef/file"
	run_cap ctr-gc
	assert_ok
	assert_out_match '^half-made layer'
	assertFalse "[ -e '$CTRBOX_ROOT/layers/.tmp-0123456789abcdef' ]"
	ctr-run --rm busybox true
	assertTrue 'the image is whole' $?
}

# A load that was killed before its image was there, or a removal after it had gone; a container's own stay.
test_layers_of_no_image() {
	mkdir one
	echo 1 >one/file
	tar -C one -c . | ctr-image import one >/dev/null
	layer=$(ctr-image inspect one | jq -r '.[].layers[].diff_id') id=$(ctr-image inspect one | jq -r '.[].id')
	ctr-create --name a one /none >/dev/null
	rm -r "$CTRBOX_ROOT/images/$id" "$CTRBOX_ROOT/images/names/one:latest"
	run_cap ctr-gc
	assert_ok
	assertTrue 'the container has it' "[ -d '$CTRBOX_ROOT/layers/$layer' ]"
	ctr-rm a >/dev/null
	freed "layer $layer"
	assertFalse "[ -e '$CTRBOX_ROOT/layers/$layer' ]"
	ctr-run --rm busybox true
	assertTrue 'the other image is whole' $?
}

# Whatever somebody holds the lock of is none of its business.
test_locked_containers() {
	ctr-create --name a busybox true >/dev/null
	dir=$CTRBOX_ROOT/containers/$(id_of a)
	: >"$dir/last.json.tmp-01234567"
	flock "$dir" ctr-gc >locked
	assertNull "$(cat locked)"
	freed 'file last.json.tmp-01234567'
}

# While others start and remove containers.
test_beside_others() {
	for round in 1 2 3 4 5 6; do
		ctr-run --rm --name a busybox true &
		ctr-gc >/dev/null 2>gc.err
		assertEquals '' "$(cat gc.err)"
		wait $!
		assertEquals "round $round" 0 $?
	done
}

. shunit2
