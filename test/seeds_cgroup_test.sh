#!/bin/sh
# The course notes' transcripts about control groups: by hand, and as a container's limits.
. "$(dirname "$0")/lib.sh"
. "$TOP/test/seeds_lib.sh"

oneTimeSetUp() {
	G=/seeds-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
}

tearDown() {
	ctr-rm -f first second >/dev/null 2>&1
	ctr-cgroup kill "$G" 2>/dev/null
	ctr-cgroup rm "$G" 2>/dev/null
	assertNull 'groups are left' "$(leftovers; find /sys/fs/cgroup -type d -path "*$G*")"
}

# get PATH FILE..: the first that this host has (v1's name, v2's)
get() {
	path=$1
	shift
	for f; do
		ctr-cgroup get "$path" "$f" 2>/dev/null && return
	done
}

# Where /proc/PID/cgroup says that a process is: v1's memory hierarchy, else v2.
group_of() {
	awk -F: '$2 ~ /(^|,)memory(,|$)/ { v1 = $3 } $1 == 0 { v2 = $3 } END { print v1 ? v1 : v2 }' "/proc/$1/cgroup"
}

# hog SIZE CMD..: CMD runs what the notes' `stress --vm-bytes SIZE --vm-keep -m 1` is for: a process with that much memory.
hog() {
	size=$1
	shift
	run_cap "$@" dd if=/dev/zero of=/dev/null "bs=$size" count=1
}

# ticks PID: 1/100 s of processor time it has used
ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# Note 003, 'lssubsys -a'; note 004, 'lssubsys -am' [59]
test_controllers() {
	run_cap ctr-cgroup ls --controllers
	assert_ok
	assert_out_match '^CONTROLLER +VERSION +MOUNT$'
	assert_out_match '^memory +[12] +/'
	assert_out_match '^cpuset +[12] +/'
	ctr-cgroup ls --controllers -r -n -o controller,mount | while read -r controller mount; do
		[ "$controller" = - ] || [ -d "$mount" ] || fail "$controller isn't at $mount"
	done
}

# Note 003, 'create', 'move a process', 'delete' [60] [61] [62] [63] [66] [67]
test_a_hierarchy_of_ones_own() {
	cat >"$WORK/hierarchy" <<'END'
mkdir cgroup-test && ctr-cgroup mount name=$1 $PWD/cgroup-test || exit 1
cd cgroup-test && ls
mkdir cgroup-1 cgroup-2 && ls cgroup-1
cat cgroup-1/notify_on_release
sleep 1000 &
echo $! >>cgroup-1/tasks
[ $(cat cgroup-1/tasks) = $! ] && grep name=$1 /proc/$!/cgroup | cut -d: -f2-
rmdir cgroup-1 2>/dev/null || echo busy
ctr-cgroup rm -f /cgroup-1 && ls -d cgroup-*
grep name=$1 /proc/$!/cgroup | cut -d: -f2-
kill $!
wait $!
rmdir cgroup-2
cd .. && ctr-cgroup umount name=$1 && rmdir cgroup-test && echo unmounted
END
	name=${G#/}
	run_cap ctr-ns -m sh "$WORK/hierarchy" "$name"
	assert_rc 0
	assertEquals "$WORK/cgroup-test
cgroup.clone_children
cgroup.procs
cgroup.sane_behavior
notify_on_release
release_agent
tasks
cgroup.clone_children
cgroup.procs
notify_on_release
tasks
0
name=$name:/cgroup-1
busy
cgroup-2
name=$name:/
unmounted" "$out"
	wait_for 10 forgotten "$name"
	assertEquals 'the hierarchy is gone' 0 $?
}

# forgotten NAME: the kernel keeps a hierarchy that was unmounted before its last group was freed; the next umount ends it.
forgotten() {
	grep -q "name=$1:" /proc/self/cgroup || return 0
	ctr-ns -m sh -c "mkdir -p again && mount -t cgroup -o none,name=$1 cgroup again && umount again; rmdir again"
	! grep -q "name=$1:" /proc/self/cgroup
}

# Note 003, '200m of stress under 100m' is killed [64], 50m are not [65]: by hand and in a container
test_memory() {
	for run in 'ctr-cgroup run -m 100m --' 'ctr-run --rm -m 100m busybox'; do
		# shellcheck disable=SC2086
		{
			hog 50M $run
			assert_rc 0
			hog 200M $run
			assert_rc 137
			run_cap $run sh -c 'dd if=/dev/zero of=/dev/null bs=200M count=1; echo ended with $?'
			assert_rc 0
			assert_out 'ended with 137'
		}
	done
}

# Note 003: every descendant is in the group [73], which had its limits before the program started [72]
test_descendants() {
	run_cap ctr-cgroup run -m 100m "$G" -- sh -c 'sh -c "cat /proc/self/cgroup; true"; true'
	assert_ok
	assert_out_match ":$G\$"
	assertEquals 104857600 "$(get "$G" memory.limit_in_bytes memory.max)"
	ctr-run -d --name first --pidfile "$WORK/first" -m 100m busybox sh -c 'sh -c "sleep 1000; true"; true' >/dev/null
	group=$(group_of "$(cat "$WORK/first")")
	wait_for 5 sh -c "ctr-cgroup ls -r -n -o procs $group | grep -x 3"
	assertEquals 'three in the group' 0 $?
	run_cap ctr-run --rm -m 100m busybox \
		sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true'
	assert_out 104857600
}

# Note 004, 'by hand': a group, a process, half a processor, 2g [63] [176]
test_by_hand() {
	sh -c 'while :; do :; done' &
	pid=$!
	run_cap ctr-cgroup create "$G"
	assert_ok
	run_cap ctr-cgroup attach "$G" $pid
	assert_ok
	run_cap ctr-cgroup set --cpu-quota 50000 -m 2g "$G"
	assert_ok
	assertEquals "$G" "$(group_of $pid)"
	assert_match '^50000( 100000)?$' "$(get "$G" cpu.cfs_quota_us cpu.max)"
	assertEquals 2147483648 "$(get "$G" memory.limit_in_bytes memory.max)"
	kill $pid
	wait $pid 2>/dev/null
	:
}

# Note 003 v0.2, with its words [82] [83], read back inside and out; the group goes with the container [74]
test_limits_of_a_container() {
	cpu=$(($(nproc) - 1))
	open_terminal 7 "ctr-run -it --name first -m 100m -cpuset $cpu -cpushare 512 busybox /bin/sh"
	type_in 7 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'
	assert_screen 7 '^104857600$'
	type_in 7 'cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu.weight 2>/dev/null | sed s/^/share:/'
	assert_screen 7 '^share:(512|20)$'
	type_in 7 'grep Cpus_allowed_list /proc/self/status | tr -s "\t" :'
	assert_screen 7 "^Cpus_allowed_list:$cpu\$"
	id=$(basename "$CTRBOX_RUN"/containers/*)
	group=/ctrbox-$(cat "$CTRBOX_ROOT/tag")/$id
	assertEquals 104857600 "$(get "$group" memory.limit_in_bytes memory.max)"
	assertEquals "$cpu" "$(get "$group" cpuset.cpus)"
	assert_match '^(512|20)$' "$(get "$group" cpu.shares cpu.weight)"
	close_terminal 7
	assertEquals 'groups afterwards' '' "$(leftovers)"
	ctr-rm first >/dev/null
}

# Note 003, 'docker run -itd -m 128m' [69] [70] [71]: the group is found by the id that is printed; below one parent [178]
test_clustered_letters() {
	run_cap ctr-run -itd --name first -m 128m busybox sh
	assert_ok
	assert_match '^[0-9a-f]{12}$' "$out"
	assertEquals 134217728 "$(get "/ctrbox-$(cat "$CTRBOX_ROOT/tag")/$out" memory.limit_in_bytes memory.max)"
	first=$out
	run_cap ctr-run -itd --name second -m 128m busybox sh
	assertEquals 2 "$(ctr-cgroup ls "/ctrbox-$(cat "$CTRBOX_ROOT/tag")" -q | grep -cE "/($first|$out)\$")"
}

# Note 003, 'v2 is not v1' [68], and its host has v2 alone [160]: the same words where there is only one or the other.
# Where v1 has the controllers, as here, v2 alone has no limits to set, and says so.
test_v1_and_v2_alone() {
	[ "$(grep -oE ' - cgroup2? ' /proc/self/mountinfo | sort -u | wc -l)" -eq 2 ] || { skip 'no hybrid host' && return; }
	cat >"$WORK/alone" <<'END'
ctrbox run -d --name first $1 busybox sh -c 'sleep 1000; true' >/dev/null && ctrbox exec first cat /proc/self/cgroup >/dev/null &&
ctr-cgroup ls -r -n -o procs /ctrbox-$(cat $CTRBOX_ROOT/tag)/$(basename $CTRBOX_RUN/containers/*) &&
ctrbox pause first && ctrbox ps -n -r -o status && ctrbox unpause first &&
ctrbox stop -t 1 first && ctrbox rm first
END
	run_cap ctr-ns -m sh -c "umount -l /sys/fs/cgroup/unified && sh $WORK/alone '-m 100m'"
	assert_ok
	assert_out "$(printf '2\nfirst\npaused\nfirst\nfirst\nfirst')"
	alone='umount -R -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup'
	run_cap ctr-ns -m sh -c "$alone && sh $WORK/alone"
	assert_ok
	assert_out "$(printf '2\nfirst\npaused\nfirst\nfirst\nfirst')"
	run_cap ctr-ns -m sh -c "$alone && ctrbox run --rm -m 100m busybox true"
	assert_fails 125 '--memory: no cgroup hierarchy has the controller memory'
}

# burn NAME OPTION..: a container that takes all the time it gets; its number is in $WORK/NAME
burn() {
	name=$1
	shift
	ctr-run -d --name "$name" --pidfile "$WORK/$name" "$@" busybox sh -c 'while :; do :; done' >/dev/null || fail "run $name"
}

# used SECONDS: how many hundredths of a second `first` and `second` use in about that time, in $first and $second
used() {
	first_before=$(ticks "$(cat "$WORK/first")") second_before=$(ticks "$(cat "$WORK/second")")
	sleep "$1"
	first=$(($(ticks "$(cat "$WORK/first")") - first_before)) second=$(($(ticks "$(cat "$WORK/second")") - second_before))
}

# Note 004: a quota of 20000 is 20 % in the host's top [177]
test_quota() {
	burn first --cpu-quota 20000
	pid=$(cat "$WORK/first")
	before=$(ticks "$pid") began=$(date +%s%N)
	sleep 3
	percent=$((($(ticks "$pid") - before) * 1000000000 / ($(date +%s%N) - began)))
	assertTrue "$percent %" "[ $percent -ge 8 ] && [ $percent -le 26 ]"
	assertEquals "/ctrbox-$(cat "$CTRBOX_ROOT/tag")/$(basename "$CTRBOX_RUN"/containers/*)" "$(group_of "$pid")"
}

# Note 004: stress in two containers, each gets half of the processor that they share [175]
test_shares_are_equal() {
	burn first --cpuset-cpus 0
	burn second --cpuset-cpus 0
	used 3
	assertTrue "$first and $second ticks" "[ $((first * 10)) -ge $((second * 6)) ] && [ $((second * 10)) -ge $((first * 6)) ]"
	assertTrue "$first and $second ticks of 300" "[ $((first + second)) -le 360 ]"
}

# With 1024 and 512 one gets twice as much as the other [82] [175].
test_shares_two_to_one() {
	burn first --cpuset-cpus 0 --cpu-shares 1024
	burn second --cpuset-cpus 0 --cpu-shares 512
	used 3
	assertTrue "$first and $second ticks" "[ $((first * 10)) -ge $((second * 14)) ] && [ $((first * 10)) -le $((second * 28)) ]"
}

. shunit2
