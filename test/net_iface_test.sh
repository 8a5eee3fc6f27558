#!/bin/sh
# --net iface:DEV[:NAME]: an interface of the host's is the container's alone, and comes back whatever ended it.
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
}

setUp() {
	ip link add left type veth peer name right
	ip addr add 10.7.0.1/24 dev left
	mac=$(cat /sys/class/net/right/address)
}

tearDown() {
	ctr-ps -a -q | ctr-rm -f - >/dev/null 2>&1
	ctr-gc >/dev/null
	ip link del left 2>/dev/null
	assertNull 'nothing is left' "$(leftovers)"
	assertNull 'no network namespace is kept' "$(grep "$CTRBOX_RUN" /proc/self/mountinfo)"
	return 0 # else one failure ends all
}

# The one that left the host, under its old name.
is_home() {
	[ "$(cat /sys/class/net/right/address 2>/dev/null)" = "$mac" ]
}

supervisor_of() {
	sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN/containers/$(readlink "$CTRBOX_ROOT/names/$1")/state.json"
}

error_of() {
	ctr-inspect "$1" | sed -n 's/^    "error": \(.*\),$/\1/p'
}

# 33, shown with one end of a veth pair.
test_it_moves_in_under_its_name_down_and_bare() {
	run_cap ctr-run --rm --net iface:right busybox ip addr show dev right
	assert_ok
	assert_out_match "link/ether $mac"
	assertNull 'it is down and has no address' "$(printf '%s' "$out" | grep -E 'UP|inet')"
	assertTrue 'it is home' is_home
}

test_it_has_another_name_inside() {
	run_cap ctr-run --rm --net iface:right:wan0 busybox ls /sys/class/net
	assert_ok
	assert_out 'lo
wan0'
	assertTrue 'it is home' is_home
}

test_the_host_has_it_not_meanwhile() {
	ctr-run -d --name box --net iface:right busybox sleep 60 >/dev/null
	assertFalse 'it is away' 'ip link show right'
	run_cap ctr-run --rm --net iface:right busybox true
	assert_fails 125 'iface:right.*No such device'
	ctr-rm -f box >/dev/null
	assertTrue 'it is home' is_home
}

test_it_carries_packets() {
	ip link set left up
	ctr-run -d --name box --cap-add NET_ADMIN --net iface:right:wan0 busybox \
		sh -c 'ip addr add 10.7.0.2/24 dev wan0; ip link set wan0 up; sleep 60' >/dev/null
	assertTrue 'the host reaches it' 'wait_for 5 ping -c 1 -W 1 10.7.0.2'
}

# Two namespaces joined by one pair, made by ip(8): 12.
test_both_ends_go_to_two_containers() {
	ip addr flush dev left
	ctr-run -d --name a --cap-add NET_ADMIN --net iface:left:eth0 busybox \
		sh -c 'ip addr add 10.8.0.1/24 dev eth0; ip link set eth0 up; sleep 60' >/dev/null
	ctr-run -d --name b --cap-add NET_ADMIN --net iface:right:eth0 busybox \
		sh -c 'ip addr add 10.8.0.2/24 dev eth0; ip link set eth0 up; sleep 60' >/dev/null
	assertTrue 'one reaches the other' 'wait_for 5 ctr-exec a ping -c 1 -W 1 10.8.0.2'
	ctr-rm -f a b >/dev/null
	assertTrue 'one is home' is_home
	assertTrue 'the other too' 'ip link show left'
}

test_beside_a_network() {
	run_cap ctr-run --rm --net bridge --net iface:right:wan0 busybox sh -c 'ls /sys/class/net; ip route'
	assert_ok
	assert_out_match '^eth0$'
	assert_out_match '^wan0$'
	assert_out_match '^default via .* dev eth0'
}

test_its_name_goes_before_that_of_a_network() {
	ctr-run -d --name box --net bridge --net iface:right:eth0 busybox sleep 60 >/dev/null
	run_cap ctr-exec box cat /sys/class/net/eth0/address
	assert_out "$mac"
	run_cap ctr-exec box ip route
	assert_out_match '^default via .* dev eth1'
	run_cap ctr-inspect box
	assert_out_match '"network": "iface:right:eth0"'
	assert_out_match '"device": "right"'
}

test_it_comes_home_after_kill() {
	ctr-run -d --name box --net iface:right busybox sleep 60 >/dev/null
	ctr-kill box >/dev/null
	ctr-wait box >/dev/null
	assertTrue 'it is home' 'wait_for 3 is_home'
}

test_it_comes_home_after_stop() {
	ctr-run -d --name box --net iface:right busybox sleep 60 >/dev/null
	ctr-stop -t 1 box >/dev/null
	assertTrue 'it is home' is_home
	ctr-start box >/dev/null
	assertTrue 'and away again' '! is_home'
	run_cap ctr-exec box cat /sys/class/net/right/address
	assert_out "$mac"
}

test_it_comes_home_after_a_failed_start() {
	run_cap ctr-run --rm --net iface:right busybox /no/such/command
	assert_rc 127
	assertTrue 'it is home' is_home
}

test_it_comes_home_after_a_killed_supervisor_and_gc() {
	ctr-run -d --name box --net iface:right:wan0 busybox sleep 60 >/dev/null
	kill -9 "$(supervisor_of box)"
	sleep 0.3
	ctr-gc >/dev/null
	assertTrue 'it is home' is_home
}

test_it_comes_home_after_a_killed_supervisor_and_rm() {
	ctr-run -d --name box --net iface:right:wan0 busybox sleep 60 >/dev/null
	kill -9 "$(supervisor_of box)"
	ctr-rm -f box >/dev/null
	assertTrue 'it is home' is_home
}

# As a reboot leaves it, or a kill between the namespace's end and its file's: the file keeps nothing, and the interface isn't there.
test_a_keeper_that_keeps_nothing() {
	for act in 'ctr-rm -f' ctr-gc; do
		ctr-run -d --name box --net iface:right:wan0 busybox sleep 60 >/dev/null
		supervisor=$(supervisor_of box)
		kill -9 "$supervisor"
		wait_for 10 test ! -d "/proc/$supervisor"
		umount "$CTRBOX_RUN"/containers/*/netns
		wait_for 10 test ! -e /sys/class/net/left
		if [ "$act" = ctr-gc ]; then run_cap ctr-gc; else run_cap ctr-rm -f box; fi
		assert_ok
		assertEquals "$act" '' "$(find "$CTRBOX_RUN"/containers -name netns)"
		ctr-rm -f box >/dev/null 2>&1
		ip link add left type veth peer name right
	done
}

test_a_killed_supervisor_and_a_new_start() {
	ctr-run -d --name box --net iface:right:wan0 busybox sleep 60 >/dev/null
	kill -9 "$(supervisor_of box)"
	sleep 0.3
	run_cap ctr-start box
	assert_ok
	run_cap ctr-exec box cat /sys/class/net/wan0/address
	assert_out "$mac"
}

test_it_follows_a_restart() {
	ctr-run -d --name box --restart on-failure:2 --net iface:right busybox \
		sh -c 'cat /sys/class/net/right/address; sleep 0.2; exit 1' >/dev/null
	ctr-wait box >/dev/null
	assertTrue 'it is home' 'wait_for 3 is_home'
	run_cap ctr-logs box
	assert_out "$mac
$mac
$mac"
}

test_renamed_inside_it_comes_home() {
	run_cap ctr-run --rm --cap-add NET_ADMIN --net iface:right busybox ip link set right name other
	assert_ok
	assertTrue 'it is home' is_home
}

test_destroyed_inside_it_is_reported() {
	run_cap ctr-run --name box --cap-add NET_ADMIN --net iface:right busybox ip link del right
	assert_rc 0
	assertFalse 'it is no more' 'ip link show right'
	assert_match '"interface right: is lost.*"' "$(error_of box)"
}

test_another_has_its_name_meanwhile() {
	ctr-run -d --name box --net iface:right busybox sleep 60 >/dev/null
	ip link add right type veth peer name right2
	ctr-stop -t 1 box >/dev/null
	assert_match '"interface right: came back as ctr[0-9]+: .*"' "$(error_of box)"
	home=$(error_of box | sed 's/.*came back as \(ctr[0-9]*\).*/\1/')
	assertEquals 'under another name' "$mac" "$(cat "/sys/class/net/$home/address")"
	ip link del right
}

test_bad_names() {
	for bad in iface: iface::x iface:right: iface:right:a/b iface:right:lo iface:lo iface:sixteencharacter iface:a:b:c; do
		run_cap ctr-run --rm --net "$bad" busybox true
		assert_fails 125 'not iface:DEV'
	done
	run_cap ctr-run --rm --net iface:nosuch busybox true
	assert_fails 125 'iface:nosuch.*No such device'
	run_cap ctr-run --rm --net iface:right:x --net iface:left:x busybox true
	assert_fails 125 'is called x inside already'
	run_cap ctr-run --rm --net iface:right -p 80:80 busybox true
	assert_fails 125 'need a network'
	run_cap ctr-run --rm --net iface:right --ip 10.0.0.2 busybox true
	assert_fails 125 'need a network'
	assertTrue 'it never left' is_home
}

test_it_cannot_be_disconnected() {
	ctr-run -d --name box --net iface:right busybox sleep 60 >/dev/null
	run_cap ctr-net disconnect iface:right box
	assert_fails 1 'stays until the container ends'
	run_cap ctr-exec box cat /sys/class/net/right/address
	assert_out "$mac"
}

test_a_bridge_cannot_move() {
	ip link add br9 type bridge
	run_cap ctr-run --rm --net iface:br9 busybox true
	assert_fails 125 'move interface br9: '
	assertTrue 'it is there' 'ip link show br9'
	ip link del br9
}

# shellcheck disable=SC1091
. shunit2
