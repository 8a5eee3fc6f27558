#!/bin/sh
# Networks after a flush, a kill or a reboot: what comes back by itself, and what ctr-gc takes.
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/net_host.sh
. "$TOP/test/net_host.sh"

test_reload_after_a_flush() {
	make_net n
	sleeper a --net n -p 8080:80
	nft flush ruleset
	run_cap ctr-net reload
	assert_ok
	run_cap published 8080
	assert_out_match ': 10\.9\.0\.2 \. 80'
	nft flush ruleset
	sleeper b --net n -p 8081:80
	run_cap published 8081
	assert_out_match ': 10\.9\.0\.3 \. 80'
	run_cap published 8080
	assert_out_match ': 10\.9\.0\.2 \. 80'
}

# Nothing is cleared by hand: 147.
test_what_a_killed_supervisor_leaves_goes_with_gc() {
	make_net n
	sleeper a --net n -p 8080:80
	sleeper b --net n
	kill -9 "$(supervisor_of a)"
	sleep 0.2
	run_cap ctr-gc
	assert_ok
	assert_out_match '^remains of container a$'
	assertNull 'no port' "$(published 8080)"
	assertEquals 'no lease' 10.9.0.3 "$(ls "$CTRBOX_RUN/net/n")"
	assertEquals 'no name' '10.9.0.3 b' "$(names_in b)"
	wait_for 3 ports_of n 1
	assertEquals 'no veth' 0 $?
	run_cap ctr-gc
	assert_out ''
}

test_gc_takes_what_nobody_owns() {
	make_net n
	sleeper a --net n -p 8080:80
	sleeper b --net n
	kill -9 "$(supervisor_of a)"
	sleep 0.2
	rm -rf "$CTRBOX_ROOT/containers/$(id_of a)" "$CTRBOX_RUN/containers/$(id_of a)"
	ctr-net create --subnet 10.10.0.0/24 m >/dev/null
	mkdir -p "$CTRBOX_RUN/net/m"
	ln -s 'p00000999999 p00000999999' "$CTRBOX_RUN/net/m/10.10.0.7"
	table=$(nft list tables | sed -n 's/.* \(ctrbox_.*\)/\1/p')
	nft add element inet "$table" pub4 '{ udp . 5353 : 10.9.0.77 . 53 }'
	nft add element inet "$table" pub4 '{ udp . 5354 : 192.0.2.1 . 53 }'
	run_cap ctr-gc
	assert_ok
	assert_out_match '^address n/10\.9\.0\.2$'
	assert_out_match '^address m/10\.10\.0\.7$'
	assert_out_match '^port 8080/tcp$'
	assert_out_match '^port 5353/udp$'
	assertEquals 'the running one keeps its own' 10.9.0.3 "$(ls "$CTRBOX_RUN/net/n")"
	assertEquals 'and forgets the other' '10.9.0.3 b' "$(names_in b)"
	assertNotNull 'what leads elsewhere is not ours' "$(published 5354)"
	run_cap ctr-gc
	assert_out ''
}

test_gc_leaves_what_is_in_use() {
	make_net n
	sleeper a --net n -p 8080:80 -p 127.0.0.1:8081:81/udp
	ctr-net run n sleep 600 &
	pid=$!
	wait_for 3 [ -L "$CTRBOX_RUN/net/n/10.9.0.3" ]
	run_cap ctr-gc
	assert_ok
	assert_out ''
	assertEquals 'both leases' '10.9.0.2
10.9.0.3' "$(ls "$CTRBOX_RUN/net/n")"
	assertNotNull 'the port' "$(published 8080)"
	kill $pid
	wait $pid
	assertEquals 'it dies of the signal' 143 $?
}

test_a_killed_net_run() {
	make_net n
	ctr-net run n sleep 600 &
	pid=$!
	wait_for 3 [ -L "$CTRBOX_RUN/net/n/10.9.0.2" ]
	kill -9 $pid
	wait $pid
	run_cap ctr-gc
	assert_out_match '^address n/10\.9\.0\.2$'
}

# What is left once all of a killed container is dead: a child that was being set up may hold its lock for a moment.
all_clear() {
	ctr-gc >/dev/null 2>killed.err && [ ! -s killed.err ] && [ -e /sys/class/net/right ] && [ "$(ls "$CTRBOX_RUN/net/n")" = 10.9.0.2 ] &&
		[ "$(names_in witness)" = '10.9.0.2 witness' ] && [ -z "$(published 8080)" ]
}

test_killed_at_any_moment_gc_frees_all() {
	make_net n
	ip link add left type veth peer name right
	sleeper witness --net n
	i=0
	while [ $i -lt 40 ]; do
		ctr-run --name "k$i" --net n --net iface:right -p 8080:80 busybox sleep 600 >/dev/null 2>&1 &
		pid=$!
		sleep "0.0$((i / 10))$((i % 10))"
		kill -9 $pid
		wait $pid 2>/dev/null
		wait_for 3 all_clear || fail "killed at $i: $(cat killed.err; ls "$CTRBOX_RUN/net/n" /sys/class/net; names_in witness; published 8080)"
		i=$((i + 1))
	done
	assertNull 'no network namespace is kept' "$(grep "$CTRBOX_RUN" /proc/self/mountinfo)"
	ip link del dev left
}

# Connected while its supervisor writes its state for the health checks.
test_connect_beside_health_checks() {
	make_net n
	sleeper a --net none --health-cmd true --health-interval 1s
	ctr-net connect n a
	wait_for 5 eval 'ctr-ps -r -n -o health | grep -q ^healthy'
	assertEquals 'both are noted' 10.9.0.2 "$(ip_of a)"
	ctr-rm -f a >/dev/null
	assertNull 'no lease is left' "$(ls "$CTRBOX_RUN/net/n")"
}

# 125
test_after_a_reboot() {
	make_net n
	ctr-create --name a --net n -p 8080:80 busybox sleep 600 >/dev/null
	nft flush ruleset
	ip link del dev n
	echo 0 >/proc/sys/net/ipv4/ip_forward
	rm -rf "${CTRBOX_RUN:?}/net"
	run_cap ctr-start a
	assert_ok
	run_cap ip -o -4 addr show dev n
	assert_out_match 'inet 10\.9\.0\.1/24 '
	assertEquals 'forwarding' 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
	assertNotNull 'the port' "$(published 8080)"
}

test_gc_takes_a_record_that_was_being_written() {
	make_net n
	: >"$CTRBOX_ROOT/networks/.tmp-0badcafe"
	run_cap ctr-gc
	assert_ok
	assert_out_match '^file networks/\.tmp-0badcafe$'
	assertTrue 'the network stays' "[ -e '$CTRBOX_ROOT/networks/n.json' ]"
	assertFalse "[ -e '$CTRBOX_ROOT/networks/.tmp-0badcafe' ]"
}

. shunit2
