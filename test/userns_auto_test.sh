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
