#!/bin/sh
# Who reaches whom over IPv4, by TCP, UDP and ping: containers, the host, a client outside, the world beyond.
# Numbers: shared/seeds/CHECKLIST.md. IPv6 is in net_reach6_test.sh, other firewalls and stores in net_filter_test.sh.
. "$(dirname "$0")/lib.sh"
FAMILY=4
# shellcheck source=test/net_lib.sh
. "$TOP/test/net_lib.sh"

oneTimeSetUp() {
	setting ipv4/ip_forward 0
	need_busybox
	make_world
	make_networks
	serve host host 7000 "$GATE"
	serve host host 7000 "$HOST"
	serve host secret 7001 127.0.0.1
	serve world world 7000 "$WORLD"
}

oneTimeTearDown() {
	# shellcheck disable=SC2154 # shunit2 calls this once more when the file ends
	if [ -n "$WEB" ]; then
		WEB=
		end_networks
		end_world
	fi
}

test_without_br_netfilter() {
	br_netfilter 0
	reachability
	echoes
	barriers
}

test_with_br_netfilter() {
	br_netfilter 1 || {
		skip 'no br_netfilter'
		return
	}
	reachability
	echoes
	barriers
	br_netfilter 0
}

# --no-icc on a kernel without br_netfilter: the bridge itself keeps them apart, and what one publishes is reached through the host.
test_apart_by_the_bridge() {
	br_netfilter 0 && mount -t tmpfs none /proc/sys/net/bridge
	ctr-net create --subnet 10.9.6.0/24 --no-icc lone >/dev/null
	web_server l1 --net lone
	web_server l2 --net lone -p 8096:80 -p 8096:80/udp
	misses l1 10.9.6.3 80
	misses l2 10.9.6.2 80
	reaches l1 "$HOST" 8096 l2 10.9.6.1
	reaches l2 "$HOST" 8096 l2 10.9.6.1
	assertEquals 'both are isolated' 11 "$(cat /sys/class/net/lone/brif/*/isolated | tr -d '\n')"
	ctr-rm -f l1 l2 >/dev/null
	ctr-net rm lone >/dev/null
	assertTrue 'the network goes' $?
	umount /proc/sys/net/bridge
}

# A port that is published on 127.0.0.1 alone, and what the host itself listens on there: row 136's `nc` included.
test_loopback() {
	reaches host 127.0.0.1 8081 web "$GATE"
	reaches host 127.0.0.1 8080 web "$GATE"
	reaches host 127.0.0.1 7001 secret 127.0.0.1
	misses web "$GATE" 7001
	misses web "$HOST" 7001
	misses web "$GATE" 8081
	misses out "$HOST" 7001
	misses out "$HOST" 8081
	refused out "$HOST" 8081
}

# A neighbour that sends packets for 127.0.0.1 to us (kubernetes#90259): the price of route_localnet, if it weren't guarded.
test_forged_loopback() {
	pid=$(ctr-inspect cli | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
	inside="nsenter --net=/proc/$pid/ns/net"
	$inside sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet'
	$inside ip addr del 127.0.0.1/8 dev lo
	$inside ip route add 127.0.0.1 via "$GATE" dev eth0 src "$CLI"
	assertEquals nothing "$($inside "$PEER" ask udp 127.0.0.1 7001 300)"
	assertEquals 'connect: Operation timed out' "$($inside "$PEER" ask tcp 127.0.0.1 7001 300)"
	assertEquals nothing "$($inside "$PEER" ask udp 127.0.0.1 8081 300)"
	$inside ip route del 127.0.0.1
	$inside ip addr add 127.0.0.1/8 dev lo
}

# 11, 32, 34, 123, 185: what a container sees of it all.
test_inside() {
	run_cap ctr-exec web ip route
	assert_out_match "^default via $GATE dev eth0"
	assert_out_match '^10\.9\.1\.0/24 dev eth0'
	run_cap ctr-exec in1 ip route
	assertEquals 'no default route on an internal network' 0 "$(printf '%s\n' "$out" | grep -c default)"
	run_cap ctr-exec web ls /sys/class/net
	assert_out "$(printf 'eth0\nlo')"
	run_cap ctr-exec web cat /proc/net/dev
	assertEquals 'no interface of the host' 0 "$(printf '%s\n' "$out" | grep -cE 'up0|up1|one|vc')"
}

# 31, 143: every container has its port 80; one port of the host is published once.
test_same_port_twice() {
	run_cap ctr-run --rm --net two -p 8080:80 busybox true
	assert_fails 125 'port 8080/tcp of the host is published already'
	reaches out "$HOST" 8080 web "$OUT"
	run_cap ctr-run --rm --net two -p 7001:80 busybox true
	assert_fails 125 'port 7001/tcp of the host is used by a program'
}

# 142, 136: the notes' own words; busybox's nc inside, a connection from outside.
test_nc_inside() {
	ctr-run -d --name nc --net two -p 8088:8088 busybox nc -l -p 8088 -e echo hello >/dev/null
	sleep 0.2
	assertEquals hello "$(asks out tcp "$HOST" 8088)"
	ctr-rm -f nc >/dev/null
}

# 179: --net none reaches nothing, not even a name; 130: nor do the host's proxies get in.
test_none() {
	run_cap ctr-run --rm --net none -v "$PEER:/peer:ro" busybox /peer ask tcp "$WORLD" 7000 500
	assert_rc 1
	assert_out_match 'Network (is )?unreachable'
	run_cap ctr-run --rm --net none -v "$PEER:/peer:ro" busybox /peer ask tcp web 80 500
	assert_out 'web: no such name'
	http_proxy=http://192.0.2.9:3128 run_cap ctr-run --rm busybox env
	assertEquals 'no proxy of the host' 0 "$(printf '%s\n' "$out" | grep -ci proxy)"
}

# 186, 182, 185: the default network, made at first use, reaches the world too.
test_default_network() {
	run_cap ctr-run --rm -v "$PEER:/peer:ro" busybox /peer ask udp "$WORLD" 7000
	assert_out "world from $UP1"
	run_cap ctr-run --rm --network=bridge -v "$PEER:/peer:ro" busybox /peer ask tcp "$HOST" 8080
	assert_out_match '^web from 10\.'
	run_cap ctr-run --rm --network=host -v "$PEER:/peer:ro" busybox /peer ask tcp 127.0.0.1 7001
	assert_out 'secret from 127.0.0.1'
	ctr-net rm bridge >/dev/null
	assertTrue $?
}

# 12, 126: one veth pair a container and no bridge, to the host, to each other, to the world and from outside.
test_ptp() {
	ptp_reachability
	reaches host 127.0.0.1 8095 p1 "$(address 5 1)"
	misses far "$P1" 80
	end_ptp
}

. shunit2
