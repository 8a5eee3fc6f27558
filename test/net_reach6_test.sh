#!/bin/sh
# Who reaches whom over IPv6: what net_reach_test.sh shows for IPv4, on networks with both.
# Numbers: shared/seeds/CHECKLIST.md.
. "$(dirname "$0")/lib.sh"
FAMILY=6
# shellcheck source=test/net_lib.sh
. "$TOP/test/net_lib.sh"

oneTimeSetUp() {
	setting ipv4/ip_forward 0
	setting ipv6/conf/all/forwarding 0
	need_busybox
	make_world
	make_networks
	serve host host 7000 "$GATE"
	serve host host 7000 "$HOST"
	serve host secret 7001 ::1
	serve world world 7000 "$WORLD"
}

oneTimeTearDown() {
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

test_ptp() {
	ptp_reachability
	end_ptp
}

# ::1 can't be sent anywhere else by the kernel: refused at once, where waiting would be worse. The host's own programs stay there.
test_loopback() {
	reaches host ::1 7001 secret ::1
	refused host ::1 8080
	misses web "$GATE" 7001
	misses out "$HOST" 7001
}

# 123: its routes; and IPv4 goes on beside it.
test_inside() {
	run_cap ctr-exec web ip -6 route
	assert_out_match "^default via $GATE dev eth0"
	assert_out_match '^fd09:1::/64 dev eth0'
	run_cap ctr-exec in1 ip -6 route
	assertEquals 'no default route on an internal network' 0 "$(printf '%s\n' "$out" | grep -c ^default)"
	reaches host 10.9.1.2 80 web 10.9.1.1
	reaches out 192.0.2.1 8080 web 192.0.2.2
}

# The first packet isn't kept waiting: by duplicate address detection, by a carrier that nobody has acted upon yet, by an answer that the
# container doesn't take for its own. Whoever loses one sends it again after a second.
test_no_waiting() {
	for _ in $(seq 15); do
		ctr-net create --ipv6 fresh >/dev/null
		run_cap ctr-run --rm --net fresh -v "$PEER:/peer:ro" busybox /peer ask tcp "$WORLD" 7000 900
		assert_out "world from $UP1"
		ctr-net rm fresh >/dev/null
	done
}

# A host that forwards still takes its default route from a router's advertisements.
test_advertisements() {
	assertEquals 1 "$(cat /proc/sys/net/ipv6/conf/all/forwarding)"
	assertEquals 2 "$(cat /proc/sys/net/ipv6/conf/up0/accept_ra)"
}

. shunit2
