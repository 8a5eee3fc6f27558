#!/bin/sh
# ctr-run --userns auto: a range of ids of the container's own.
# shellcheck disable=SC2016 # what is in single quotes is expanded inside
. "$(dirname "$0")/lib.sh"

FIRST=1879048192 COUNT=268304384

oneTimeSetUp() {
	chmod 755 "$WORK"
	need_busybox
	mkdir etc-upper etc-work
	mount -t overlay -o "lowerdir=/etc,upperdir=$WORK/etc-upper,workdir=$WORK/etc-work" etc /etc || exit 1
}

setUp() {
	: >/etc/subuid
	: >/etc/subgid
}

tearDown() {
	for c in $(ctr-ps -aq); do ctr-rm -f "$c"; done >/dev/null 2>&1
	assertNull 'nothing is left' "$(leftovers)"
	assertNull 'no lease is left' "$(leases)"
}

oneTimeTearDown() {
	! mountpoint -q /etc || umount /etc
}

# Give `containers` these ids: span FIRST:COUNT..
span() {
	printf 'containers:%s\n' "$@" | tee /etc/subuid >/etc/subgid
}

leases() {
	[ ! -e "$CTRBOX_ROOT/idranges" ] || find "$CTRBOX_ROOT/idranges" -type l -printf '%f %l\n' | sort -n
}

# The map of container $1: FIRST:0:COUNT
map() {
	ctr-inspect "$1" | sed -n 's/^ *"\([0-9]*:0:[0-9]*\)".*/\1/p'
}

first() {
	map "$1" | cut -d: -f1
}

test_a_range_of_its_own() {
	ctr-run -d --name a --userns auto --net none busybox sleep 1000 >/dev/null
	ctr-run -d --name b --userns auto --net none busybox sleep 1000 >/dev/null
	for c in a b; do
		[ "$(first $c)" -ge $FIRST ] && [ "$(first $c)" -le $((FIRST + COUNT - 65536)) ]
		expect $? "$c in the span"
		assertEquals " 0 $(first $c) 65536" "$(ctr-exec $c cat /proc/self/uid_map | tr -s ' ')"
		assertEquals " 0 $(first $c) 65536" "$(ctr-exec $c cat /proc/self/gid_map | tr -s ' ')"
	done
	assertNotEquals "$(first a)" "$(first b)"
	assertEquals 'blocks are named by their first id' \
		"$(($(first a) / 65536)) $(ctr-ps -q -n -o id -f name=a)" "$(leases | grep "$(ctr-ps -q -f name=a)")"
	ctr-rm -f a >/dev/null
	assertEquals "$(($(first b) / 65536))" "$(leases | cut -d' ' -f1)"
	ctr-rm -f b >/dev/null
	assertNull "$(leases)"
}

test_private_is_auto() {
	run_cap ctr-run --rm --userns private --net none busybox sh -c 'tr -s " " </proc/self/uid_map'
	assert_ok
	assert_out_match '^ 0 [0-9]{10} 65536$'
}

# The range is the record's: the files of the container belong to it.
test_it_stays_the_same() {
	ctr-run --name a --userns auto --net none busybox sh -c 'echo x >/kept' >/dev/null
	was=$(map a)
	upper=$(echo "$CTRBOX_ROOT"/containers/*/upper)
	assertEquals "$(first a)" "$(stat -c %u "$upper/kept")"
	rm -rf "$CTRBOX_RUN" # a reboot
	run_cap ctr-start -a a
	assert_ok
	assertEquals "$was" "$(map a)"
	assertEquals "$(first a)" "$(stat -c %u "$upper/kept")"
	ctr-rename a b
	assertEquals "$was" "$(map b)"
	assertEquals 1 "$(leases | wc -l)"
}

test_rm_and_failed_starts_give_it_back() {
	ctr-run --rm --userns auto --net none busybox true
	assertNull "$(leases)"
	run_cap ctr-run --rm --userns auto --net none busybox /nowhere
	assert_rc 127
	assertNull "$(leases)"
	ctr-create --name a busybox true >/dev/null
	run_cap ctr-create --name a --userns auto busybox true
	assert_rc 1
	assertNull "$(leases)"
	run_cap ctr-run --name b --userns auto --net none busybox /nowhere
	assert_rc 127
	assertEquals 'it is there still' 1 "$(leases | wc -l)"
}

test_size() {
	ctr-create --name a --userns auto:size=1000 busybox true >/dev/null
	ctr-create --name b --userns auto:size=200000 busybox true >/dev/null
	assert_match '^[0-9]+:0:1000$' "$(map a)"
	assert_match '^[0-9]+:0:200000$' "$(map b)"
	assertEquals 'a block of 65536 each at least' 5 "$(leases | wc -l)"
	for bad in auto:size=0 auto:size=4294967296 auto:size=x auto:size= auto:size=-1 auto: auto:sise=1 auto,size=1; do
		run_cap ctr-create --userns "$bad" busybox true
		assert_fails 1 "userns $bad"
	done
	run_cap ctr-create --userns auto:size=$((COUNT + 1)) busybox true
	assert_fails 1 "userns auto: no range of $((COUNT + 1)) ids is left"
	for bad in host 1000:0:10 container:a auto; do
		run_cap ctr-create --userns auto --userns "$bad" busybox true
		assert_fails 1 "userns (auto|$bad): can't be combined"
	done
}

# Everything that leaves the container has the ids that it has inside.
test_ids_as_seen_inside() {
	ctr-run -d --name a --userns auto --net none -v vol:/v busybox sh -c '
		mkdir /d && chown 5:6 /d && touch /d/root && echo >/d/user && chown 7:8 /d/user && touch /v/f && chown 9:9 /v/f && rm /etc/group &&
		chown 3 /srv && touch /done && exec sleep 1000' >/dev/null
	wait_for 20 ctr-exec a test -e /done
	for state in running stopped; do
		[ $state = running ] || ctr-stop -t 0 a >/dev/null
		ctr-cp a:/d - | tar -tv --numeric-owner | awk '{ print $2, $NF }' >out
		assertEquals "$state" '5/6 d/
0/0 d/root
7/8 d/user' "$(sort -k 2 out)"
		assertEquals "$state" 9/9 "$(ctr-cp a:/v/f - | tar -tv --numeric-owner | awk '{ print $2 }')"
		assertEquals "$state" '0/0 etc/passwd' "$(ctr-export a | tar -tv --numeric-owner | awk '$NF == "etc/passwd" { print $2, $NF }')"
		assertEquals "$state" '7/8 d/user' "$(ctr-export a | tar -tv --numeric-owner | awk '$NF == "d/user" { print $2, $NF }')"
		assertEquals "$state" 'A /d
A /d/root
A /d/user
A /done
D /etc/group
C /srv' "$(ctr-diff a | grep -v '^C /etc$')"
		tar -cf - --owner 11 --group 12 -C / etc/subuid | ctr-cp - a:/d
		assertEquals "$state" 11/12 "$(ctr-cp a:/d/etc/subuid - | tar -tv --numeric-owner | awk '{ print $2 }')"
		[ $state = running ] && ctr-exec a rm -r /d/etc
	done
	ctr-commit a later >/dev/null
	assertEquals '5 6
7 8
3 0' "$(ctr-run --rm --net none later stat -c '%u %g' /d /d/user /srv)"
	assertEquals '5 6
7 8
3 0' "$(ctr-run --rm --net none --userns auto later stat -c '%u %g' /d /d/user /srv)"
	ctr-image rm later >/dev/null
}

test_exec() {
	ctr-run -d --name a --userns auto --net none -u 5:6 busybox sleep 1000 >/dev/null
	assertEquals 'as it' '5 6 6' "$(ctr-exec a sh -c 'echo $(id -u) $(id -g) $(id -G)')"
	assertEquals 'groups too' '0 0 0 10' "$(ctr-exec -u root a sh -c 'echo $(id -u) $(id -g) $(id -G)')"
	assertEquals '65535 65535' "$(ctr-exec -u 65535:65535 a sh -c 'echo $(id -u) $(id -g)')"
	run_cap ctr-exec -u 65536 a true
	assert_fails 125 "become user 65536:0: Invalid argument \(an id outside the user namespace's map"
	assertEquals "$(ctr-exec a readlink /proc/1/ns/user)" "$(ctr-exec -u 0 a readlink /proc/self/ns/user)"
	run_cap ctr-exec -u 0 a sh -c 'touch /new && stat -c "%u %g" /new; grep CapInh /proc/self/status; kill 1 && echo rc 0'
	assert_ok
	assert_out '0 0
CapInh:	0000000000000000
rc 0'
}

says_hi() {
	[ "$("$@" </dev/null)" = hi ]
}

# Limits and the read-only view of them, networks and what root may set there.
test_limits_and_networks() {
	ip link set lo up
	ctr-net create --subnet 10.98.0.0/16 n >/dev/null
	ctr-run -d --name a --userns auto --net n -m 64m --pids-limit 50 -p 8080:80 busybox sh -c 'while :; do echo hi | nc -l -p 80; done' >/dev/null
	ctr-run -d --name b --net n busybox sleep 1000 >/dev/null
	ctr-run -d --name c --userns auto --net n -u 1000 busybox sleep 1000 >/dev/null
	for from in a b c; do
		run_cap ctr-exec -u 0 $from sh -c 'ping -c 1 -W 5 a >/dev/null && ping -c 1 -W 5 b >/dev/null && ping -c 1 -W 5 c >/dev/null && echo all'
		assert_ok
		assert_out all
	done
	# its server takes one at a time, and nobody in between
	assertTrue 'an ordinary user is answered' "wait_for 20 says_hi ctr-exec c nc -w 5 a 80"
	assertTrue 'the published port answers' "wait_for 20 says_hi busybox nc -w 5 127.0.0.1 8080"
	run_cap ctr-exec a sh -c 'for f in /sys/fs/cgroup /sys/fs/cgroup/*; do ! mkdir $f/x 2>/dev/null || echo $f; done; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'
	assert_out 67108864
	run_cap ctr-run --rm --userns auto --net n --privileged busybox sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding && cat /proc/sys/net/ipv4/conf/eth0/forwarding; echo 1 >/proc/sys/vm/drop_caches'
	assert_out 1
	assert_err_match 'drop_caches'
	run_cap ctr-run --rm --userns auto --net n --sysctl net.ipv4.ping_group_range='0 65535' busybox cat /proc/sys/net/ipv4/ping_group_range
	assert_out '0	65535'
	ctr-rm -f a b c >/dev/null
	ctr-net rm n >/dev/null
}

# Whoever comes at the same time gets another one: 50 at once, from a span that has room for just as many.
test_fifty_at_once() {
	span 300000:100000 1048576:$((49 * 65536))
	i=0 pids=
	while [ $i -lt 50 ]; do
		ctr-create --userns auto busybox true >/dev/null 2>>errors &
		pids="$pids $!"
		i=$((i + 1))
	done
	for p in $pids; do
		wait "$p" || fail "$(cat errors)"
	done
	assertEquals 50 "$(ctr-ps -aq | xargs ctr-inspect | grep -cE '^ *"[0-9]+:0:65536"')"
	ctr-ps -aq | xargs ctr-inspect | sed -nE 's/^ *"([0-9]+):0:65536".*/\1/p' | sort -n | awk '
		$1 < last + 65536 { print "overlap", $1 } { last = $1 } $1 < 1048576 { n++ } END { if (n > 1) print "outside" }' >overlaps
	assertNull "$(cat overlaps)"
	run_cap ctr-create --userns auto busybox true
	assert_fails 1 'no range of 65536 ids is left'
	ctr-rm "$(ctr-ps -aq | head -1)" >/dev/null
	run_cap ctr-create --userns auto busybox true
	assert_rc 0
}

# Ids that two pieces of a span, or two spans one after the other, would give twice are given once.
test_spans() {
	span 100000:65536
	ctr-create --name a --userns auto busybox true >/dev/null
	assertEquals 100000:0:65536 "$(map a)"
	span 110000:65536
	run_cap ctr-create --userns auto busybox true
	assert_fails 1 'no range'
	ctr-rm a >/dev/null
	span 100000:1000
	run_cap ctr-create --userns auto busybox true
	assert_fails 1 'no range of 65536'
	run_cap ctr-create --name a --userns auto:size=1000 busybox true
	assertEquals 100000:0:1000 "$(map a)"
	ctr-rm a >/dev/null
	# other people's lines, and such as make no sense, are none of ours
	printf '%s\n' containers: containers:x:1 containers:1:0 containers:4294967295:2 container:100:65536 \
		containers:1:2:3 '' root:5000:65536 containers:655360:65536 | tee /etc/subuid >/etc/subgid
	ctr-create --name a --userns auto busybox true >/dev/null
	assertEquals 655360:0:65536 "$(map a)"
	ctr-rm a >/dev/null
	echo containers:1000000:65536 >/etc/subgid
	run_cap ctr-create --userns auto busybox true
	assert_fails 1 'no range'
	: >/etc/subgid
	run_cap ctr-create --userns auto busybox true
	assert_fails 1 'no range'
}

# What a crash left is swept, and doesn't stop the next one.
test_leases_of_the_dead() {
	span 655360:65536
	ctr-create --name a --userns auto busybox true >/dev/null
	rm -r "$CTRBOX_ROOT"/containers/*
	assertEquals 1 "$(leases | wc -l)"
	run_cap ctr-gc
	assert_out_match '^id range 655360$'
	assertNull "$(leases)"
	ctr-create --name a --userns auto busybox true >/dev/null
	rm -r "$CTRBOX_ROOT"/containers/*
	run_cap ctr-create --name b --userns auto busybox true
	assert_rc 0
	assertEquals 655360:0:65536 "$(map b)"
	ctr-gc >/dev/null
	assertEquals 1 "$(leases | wc -l)"
}

. shunit2
