#!/bin/sh
# The firewall of kernels without nf_tables: legacy xtables, in chains of our own among others' rules. IPv6 is in net_kinds_test.sh.
. "$(dirname "$0")/lib.sh"
FAMILY=4
# shellcheck source=test/net_lib.sh
. "$TOP/test/net_lib.sh"
CTRBOX_FIREWALL=xt
export CTRBOX_FIREWALL

oneTimeSetUp() {
	iptables-legacy -t nat -S >/dev/null || exit 1
	need_busybox
	make_world
	ip -n world route add 192.0.2.0/24 via 198.51.100.1
	ip -n world route add blackhole 10.0.0.0/8
	serve world world 7000 "$WORLD"
	serve out out 7000 "$OUT"
	READY=1
}

oneTimeTearDown() {
	end_world_once
}

setUp() {
	[ -n "$READY" ] || return
	flush
	iptables-legacy -P FORWARD ACCEPT
	br_netfilter 0
	setting ipv4/ip_forward 0
}

tearDown() {
	[ -n "$READY" ] || return 0
	end_networks
	ctr-ps -aq | xargs -r ctr-rm -f >/dev/null
	ctr-net prune >/dev/null
	assertNull 'no chain of ours is left' "$(iptables-legacy-save | grep CTR-)"
	assertNull 'nothing is left' "$(leftovers)"
}

flush() {
	for table in filter nat; do
		iptables-legacy -w -t $table -F
		iptables-legacy -w -t $table -X
	done
}

# Everything but comments, which hold the time; ours as if there were one store.
saved() {
	iptables-legacy-save | sed '/^#/d; s/CTR-[0-9a-f]*-/CTR-/g'
}

# Rules as other tools have them: docker's, ufw's and a user's, with a jump, a goto, a rule without a target, and targets with data.
others_rules() {
	iptables-legacy -P FORWARD DROP
	iptables-legacy -A INPUT -i lo -m comment --comment 'a host of its own' -j ACCEPT
	iptables-legacy -N DOCKER
	iptables-legacy -N EMPTY
	iptables-legacy -N UFW
	iptables-legacy -A DOCKER -p tcp --dport 7
	iptables-legacy -A DOCKER -p tcp -m multiport --dports 7,9 -j REJECT --reject-with tcp-reset
	iptables-legacy -A FORWARD -o docker0 -j DOCKER
	iptables-legacy -A FORWARD -g UFW
	iptables-legacy -A UFW -j EMPTY
	iptables-legacy -A OUTPUT -o lo -j ACCEPT
	iptables-legacy -t nat -N DOCKER
	iptables-legacy -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	iptables-legacy -t nat -A DOCKER -p tcp --dport 7 -j DNAT --to-destination 172.17.0.2:7
	iptables-legacy -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
	ping -c 3 -i 0.2 127.0.0.1 >/dev/null
}

# Who reaches whom, all of it, with another's policy DROP.
test_reachability() {
	others_rules
	make_networks
	serve host host 7000 "$GATE"
	serve host host 7000 "$HOST"
	for on in 0 1; do
		br_netfilter $on || continue
		reachability
		echoes
		barriers
	done
	assertEquals 'by xtables' 0 "$(nft list tables | grep -c ctrbox)"
}

test_ptp() {
	ptp_reachability
	end_ptp
}

# What is published on 127.0.0.1 alone, and what the host listens on there, is the host's; a neighbour that forges (kubernetes#90259) included.
test_loopback() {
	serve host secret 7001 127.0.0.1
	one_pair
	ctr-rm -f web >/dev/null
	web_server web --net one -p 127.0.0.1:8081:80 -p 127.0.0.1:8081:80/udp
	reaches host 127.0.0.1 8081 web "$GATE"
	misses out "$HOST" 8081
	misses cli "$GATE" 8081
	pid=$(ctr-inspect cli | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
	inside="nsenter --net=/proc/$pid/ns/net"
	$inside sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet'
	$inside ip addr del 127.0.0.1/8 dev lo
	$inside ip route add 127.0.0.1 via "$GATE" dev eth0 src "$CLI"
	for port in 7001 8081; do
		assertEquals nothing "$($inside "$PEER" ask udp 127.0.0.1 $port 300)"
		assertEquals 'connect: Operation timed out' "$($inside "$PEER" ask tcp 127.0.0.1 $port 300)"
	done
}

# iptables-legacy shows our rules as if it had made them, and takes them back.
test_listing() {
	one_pair
	run_cap iptables-legacy-save
	assert_rc 0
	assert_out_match '^-A CTR-[0-9a-f]{8}-DNAT -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10\.9\.1\.2:80$'
	assert_out_match '^-A CTR-[0-9a-f]{8}-DNAT -p udp -m udp --dport 8080 -j DNAT --to-destination 10\.9\.1\.2:80$'
	assert_out_match '^-A CTR-[0-9a-f]{8}-MASQ -s 10\.9\.1\.0/24 ! -o one -j MASQUERADE$'
	assert_out_match '^-A CTR-[0-9a-f]{8}-NET -i one -o one -j ACCEPT$'
	printf '%s\n' "$out" >"$WORK/rules"
	run_cap iptables-legacy-restore "$WORK/rules"
	assert_ok
	assertEquals "$(grep -c . "$WORK/rules")" "$(iptables-legacy-save | grep -c .)"
	few_ways
	ctr-rm -f web >/dev/null
	assertEquals 'a rule of iptables-legacy'"'"'s own making goes as well' 0 "$(iptables-legacy-save | grep -c 8080)"
}

# Another's rules are the same afterwards, to the byte, and the counters of rules are kept while we come and go.
test_others_rules() {
	others_rules
	saved >"$WORK/before"
	count=$(iptables-legacy -L INPUT -v -x -n | awk '/a host of its own/ { print $1 }')
	assertTrue 'it counts' "[ '$count' -ge 6 ]"
	one_pair
	web_server far --net one -p 8083:80
	assertEquals 'the counter goes on' "$count" "$(iptables-legacy -L INPUT -v -x -n | awk '/a host of its own/ { print $1 }')"
	saved | grep -v CTR- | sed 's/\[.*//' >"$WORK/during"
	assertEquals 'theirs are there meanwhile' "$(sed 's/\[.*//' "$WORK/before")" "$(cat "$WORK/during")"
	ctr-rm -f web cli far >/dev/null
	ctr-net rm one >/dev/null
	assertEquals "$(sed 's/\[.*//' "$WORK/before")" "$(saved | sed 's/\[.*//')"
	assertEquals 0 "$(cat /proc/sys/net/ipv4/ip_forward)"
}

# A rule of a user's that leads into our chains goes with them: the kernel takes none to nowhere.
test_rule_into_ours() {
	ctr-net create one >/dev/null
	iptables-legacy -N MINE
	iptables-legacy -A MINE -i up0 -j "CTR-$(cat "$CTRBOX_ROOT/tag")-NET"
	iptables-legacy -A MINE -i up1 -j DROP
	run_cap ctr-net rm one
	assert_rc 0
	assertEquals '-N MINE -A MINE -i up1 -j DROP' "$(iptables-legacy -S MINE | xargs)"
}

# After somebody's flush: reload, or the next container, puts everything back.
test_flush() {
	one_pair
	web_server far --net one -p 8083:80 -p 8083:80/udp
	saved | sort >"$WORK/before"
	flush
	run_cap ctr-net reload
	assert_ok
	few_ways
	assertEquals "$(sed 's/\[.*//' "$WORK/before")" "$(saved | sort | sed 's/\[.*//')"
	iptables-legacy -t nat -F
	web_server no1 -p 8084:80 -p 8084:80/udp
	few_ways
	reaches out "$HOST" 8083 far "$OUT"
	reaches out "$HOST" 8084 no1 "$OUT"
	misses out "$WORLD" 7000
}

# No router for others where the host wasn't one; a router as before where it was.
test_forwarding() {
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null
	misses out "$WORLD" 7000
	misses world "$OUT" 7000
	run_cap ctr-run --rm --net one -v "$PEER:/peer:ro" busybox /peer ask tcp "$WORLD" 7000
	assert_out "world from $UP1"
	ctr-net rm one >/dev/null
	setting ipv4/ip_forward 1
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null
	reaches out "$WORLD" 7000 world "$OUT"
}

# Two stores: neither lets the other's networks be entered but by published ports.
test_two_stores() {
	two_stores
	other misses far "$WEB" 80
	few_ways
	misses out "$WORLD" 7000
	end_networks
	reaches out "$HOST" 8085 far "$OUT"
	other reaches far "$WORLD" 7000 world "$UP1"
	other ctr-rm -f far >/dev/null
	other ctr-net rm two >/dev/null
}

started() {
	[ "$(cat "$WORK"/c? | grep -cE '^[0-9a-f]{12}$')" = 6 ] && [ "$(cat "$WORK"/c? | wc -l)" = 6 ]
}

# Ports that come and go while another changes rules: no change of anybody's is lost.
test_concurrent_changes() {
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null
	for i in 1 2 3 4 5 6; do
		ctr-run -d --name "c$i" --net one -p "810$i:80" busybox sleep 60 >"$WORK/c$i" 2>&1 &
	done
	for i in $(seq 60); do
		iptables-legacy -w -t nat -A POSTROUTING -s "203.0.113.$i" -j ACCEPT || fail 'iptables-legacy failed'
	done
	wait_for 20 started
	assertTrue 'six ids and no word more' $?
	assertEquals 6 "$(iptables-legacy -w -t nat -S | grep -c -- '--dport 810[1-6]')"
	ctr-rm -f c1 c2 c3 >/dev/null &
	for i in $(seq 30); do
		iptables-legacy -w -t nat -D POSTROUTING -s "203.0.113.$i" -j ACCEPT || fail 'iptables-legacy failed'
	done
	wait $!
	assertEquals 30 "$(iptables-legacy -w -t nat -S POSTROUTING | grep -c 203.0.113)"
	assertEquals 3 "$(iptables-legacy -w -t nat -S | grep -c -- '--dport 810[1-6]')"
}

# A port is published once; what a crash left goes with ctr-gc.
test_ports() {
	one_pair
	run_cap ctr-run --rm --net one -p 8080:80 busybox true
	assert_fails 125 'port 8080/tcp of the host is published already'
	iptables-legacy -t nat -A "CTR-$(cat "$CTRBOX_ROOT/tag")-DNAT" -p udp --dport 5353 -j DNAT --to-destination 10.9.1.77:53
	run_cap ctr-gc
	assert_out_match '^port 5353/udp$'
	assertEquals 0 "$(iptables-legacy -t nat -S | grep -c 5353)"
	few_ways
}

# While iptables has its lock we wait.
test_lock() {
	ctr-net create one >/dev/null
	flock /run/xtables.lock sleep 1 &
	sleep 0.2
	began=$(date +%s%N)
	run_cap ctr-run --rm --net one -p 8080:80 busybox true
	assert_ok
	assertTrue 'it waited' "[ $((($(date +%s%N) - began) / 1000000)) -ge 600 ]"
	wait $!
}

test_unknown() {
	CTRBOX_FIREWALL=ipfw run_cap ctr-net create one
	assert_fails 1 'CTRBOX_FIREWALL=ipfw: none of nft, nft-ip, xt, none'
	assertNull "$(ctr-net ls -q)$(ip -o link show type bridge)"
}

# By none the host forwards, and no more.
test_no_firewall() {
	CTRBOX_FIREWALL=none
	ip -n world route del blackhole 10.0.0.0/8
	ip -n world route add 10.9.1.0/24 via 198.51.100.1
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null
	web_server web --net one
	reaches web "$WORLD" 7000 world 10.9.1.2
	reaches out 10.9.1.2 80 web "$OUT"
	assertEquals 0 "$(cat /proc/sys/net/ipv4/conf/one/route_localnet)"
	assertNull "$(iptables-legacy-save | grep CTR-; nft list tables | grep ctrbox)"
	run_cap ctr-run --rm --net one -p 8080:80 busybox true
	assert_fails 125 'CTRBOX_FIREWALL=none'
	ctr-rm -f web >/dev/null
	ctr-net rm one >/dev/null
	assertEquals 0 "$(cat /proc/sys/net/ipv4/ip_forward)"
	CTRBOX_FIREWALL=xt
}

. shunit2
