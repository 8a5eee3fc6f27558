#!/bin/sh
# Networks beside others: firewalls that drop what is forwarded, somebody's flush, a second store, a host that wasn't a router
# before; and what is left of rules and settings afterwards. Numbers: shared/seeds/CHECKLIST.md.
. "$(dirname "$0")/lib.sh"
FAMILY=4
# shellcheck source=test/net_lib.sh
. "$TOP/test/net_lib.sh"

oneTimeSetUp() {
	need_busybox
	make_world
	ip -n world route add 192.0.2.0/24 via 198.51.100.1
	ip -n world -6 route add 2001:db8:2::/64 via 2001:db8:51::1
	serve world world 7000 "$WORLD"
	serve world world6 7000 2001:db8:51::2
	serve out out 7000 "$OUT"
	# As if it came from elsewhere, so that what isn't masqueraded has no answer.
	ip -n world route add blackhole 10.0.0.0/8
	READY=1
}

oneTimeTearDown() {
	end_world_once
}

setUp() {
	[ -n "$READY" ] || return 0
	nft flush ruleset
	br_netfilter 0
	setting ipv4/ip_forward 0
	setting ipv6/conf/all/forwarding 0
}

tearDown() {
	[ -n "$READY" ] || return 0
	end_networks
	ctr-rm -fa >/dev/null 2>&1
	ctr-net prune >/dev/null
	assertNull 'nothing is left' "$(leftovers)"
}

forwards() {
	cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr -d '\n'
}

# Of the table, the bridges, and the note on lo.
remains() {
	nft list tables | grep ctrbox
	ip -o link show type bridge
	ip link show lo | grep ctrbox
}

# foreign FAMILY CHAIN: the rules of another tool's table `filter`.
foreign() {
	nft -s list chain "$1" filter "$2" | grep -E 'accept|drop|jump' | grep -v policy
}

# 128: a firewall of nft's own words was there before, and has rules of its own.
test_forward_policy_drop() {
	for family in ip ip6; do
		nft "add table $family filter; add chain $family filter forward { type filter hook forward priority 0; policy drop; }
			add rule $family filter forward tcp dport 7 counter drop"
	done
	make_networks
	serve host host 7000 "$GATE"
	serve host host 7000 "$HOST"
	reachability
	barriers
	br_netfilter 1 && few_ways
	misses out "$WORLD" 7000
	for family in ip ip6; do
		run_cap foreign $family forward
		assert_out_match '^\s+iifname "one" accept comment "ctrbox one"$'
		assert_out_match '^\s+oifname "one" accept comment "ctrbox one"$'
		assertEquals 'two for each network and the other one' 9 "$(printf '%s\n' "$out" | wc -l)"
	done
	end_networks
	for family in ip ip6; do
		assertEquals 'theirs alone is left' 'tcp dport 7 counter drop' "$(foreign $family forward | xargs)"
	done
	nft delete table ip filter
	assertEquals 'their tables are theirs' 'table ip6 filter' "$(nft list tables | grep -v ctrbox)"
}

# 128: iptables, docker's and ufw's way, that comes after us: the next command lets containers through.
test_iptables_policy_drop() {
	one_pair
	iptables -P FORWARD DROP
	iptables -A FORWARD -p tcp --dport 7 -j DROP
	misses out "$HOST" 8080
	run_cap ctr-run --rm --net one busybox true
	assert_ok
	few_ways
	br_netfilter 1 && few_ways
	run_cap iptables -S FORWARD
	assert_rc 0
	assert_out_match '^-A FORWARD -i one .*-j ACCEPT$'
	assert_out_match '^-A FORWARD -o one .*-j ACCEPT$'
	ctr-net reload
	assertEquals 'once each' 2 "$(iptables -S FORWARD | grep -c ACCEPT)"
	end_networks
	run_cap iptables -S FORWARD
	assert_out "$(printf '%s\n%s' '-P FORWARD DROP' '-A FORWARD -p tcp -m tcp --dport 7 -j DROP')"
}

# 124: `nft list ruleset` is readable, and nft takes it back.
test_listing() {
	one_pair
	nft list ruleset >"$WORK/rules"
	assertTrue 'the published port can be read' "grep -q 'tcp \. 8080 : 10\.9\.1\.2 \. 80' $WORK/rules"
	assertTrue 'the bridge can be read' "grep -q 'elements = { \"one\" }' $WORK/rules"
	run_cap nft -c -f "$WORK/rules"
	assert_rc 0
}

# After somebody's flush: reload, or the next container, puts everything back.
test_flush() {
	one_pair
	web_server far --net one -p 8083:80 -p 8083:80/udp
	nft list ruleset >"$WORK/before"
	nft flush ruleset
	misses out "$HOST" 8080
	run_cap ctr-net reload
	assert_ok
	few_ways
	assertEquals "$(sort "$WORK/before")" "$(nft list ruleset | sort)"
	run_cap ctr-net reload
	assert_ok
	nft flush ruleset
	web_server no1 -p 8084:80 -p 8084:80/udp
	few_ways
	reaches out "$HOST" 8083 far "$OUT"
	reaches out "$HOST" 8084 no1 "$OUT"
	misses out "$WORLD" 7000
}

# The rules know each container's device of a network without a bridge: they come back too, and go with it.
test_flush_ptp() {
	ctr-net create --driver ptp --subnet 10.9.1.0/24 one >/dev/null
	web_server web --net one
	web_server cli --net one
	nft flush ruleset
	run_cap ctr-net reload
	assert_ok
	reaches cli 10.9.1.2 80 web 10.9.1.3
	reaches cli "$WORLD" 7000 world "$UP1"
	misses out 10.9.1.2 80
	assertEquals 'both devices, of all and to be masqueraded' 4 "$(nft list ruleset | grep -o '"vc[0-9a-f]*"' | wc -l)"
	run_cap ctr-net disconnect one cli
	assert_ok
	assertEquals 2 "$(nft list ruleset | grep -o '"vc[0-9a-f]*"' | wc -l)"
	run_cap nft -c -f - <<-EOF
		$(nft list ruleset)
	EOF
	assert_rc 0
}

# 131, 132: switched on for us, for IPv6 where that is asked for; and no router for others: put back at the end.
test_forwarding_was_off() {
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null
	assertEquals 10 "$(forwards)"
	misses out "$WORLD" 7000
	misses world "$OUT" 7000
	ctr-net create --ipv6 two >/dev/null
	assertEquals 11 "$(forwards)"
	misses out "$WORLD" 7000
	misses out 2001:db8:51::2 7000
	run_cap ctr-run --rm --net one -v "$PEER:/peer:ro" busybox /peer ask tcp "$WORLD" 7000
	assert_out "world from $UP1"
	ctr-net rm one >/dev/null
	assertEquals 'the other needs it' 11 "$(forwards)"
	ctr-net rm two >/dev/null
	assertEquals 00 "$(forwards)"
	assertNull "$(remains)"
}

# A host that was a router stays one.
test_forwarding_was_on() {
	setting ipv4/ip_forward 1
	reaches out "$WORLD" 7000 world "$OUT"
	ctr-net create --ipv6 two >/dev/null
	assertEquals 11 "$(forwards)"
	reaches out "$WORLD" 7000 world "$OUT"
	misses out 2001:db8:51::2 7000 # that was off
	ctr-net rm two >/dev/null
	assertEquals 10 "$(forwards)"
	reaches out "$WORLD" 7000 world "$OUT"
	setting ipv6/conf/all/forwarding 1
	reaches out 2001:db8:51::2 7000 world6 2001:db8:2::2
	ctr-net create --ipv6 two >/dev/null
	reaches out 2001:db8:51::2 7000 world6 2001:db8:2::2
	ctr-net rm two >/dev/null
	assertEquals 11 "$(forwards)"
	assertNull "$(remains)"
}

# 159: two stores that know nothing of each other; the first switched forwarding on, the second stays when it has gone.
test_two_stores() {
	two_stores
	few_ways
	misses out "$WORLD" 7000
	end_networks
	assertEquals 10 "$(forwards)"
	reaches out "$HOST" 8085 far "$OUT"
	other reaches far "$WORLD" 7000 world "$UP1"
	misses out "$WORLD" 7000
	other ctr-rm -f far >/dev/null
	other ctr-net rm two >/dev/null
	assertEquals 00 "$(forwards)"
	assertNull "$(remains)"
}

# A peer that goes on sending by the same socket finds what is published now (moby#8795), and nothing that isn't any more.
test_udp_flows() {
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null
	mkfifo "$WORK/line"
	nsenter --net=/run/netns/out "$PEER" talk "$HOST" 9000 <"$WORK/line" >"$WORK/said" &
	talker=$!
	exec 8>"$WORK/line"
	says 1 'read: Connection refused'
	web_server web --net one -p 9000:80/udp
	says 2 "web from $OUT"
	web_server cli --net one
	ctr-rm -f web >/dev/null
	says 3 'read: Connection refused'
	web_server far --net one --ip 10.9.1.77 -p 9000:80/udp
	says 4 "far from $OUT"
	exec 8>&-
	kill $talker
	rm "$WORK/line"
}

# says N ANSWER: what the Nth packet of the talker is answered.
says() {
	echo >&8
	wait_for 2 sh -c "[ \$(wc -l <$WORK/said) -eq $1 ]"
	assertEquals "packet $1" "$2" "$(tail -n 1 "$WORK/said")"
}

# 137, 153: nothing of rules, bridges, veths when the last network goes.
test_nothing_remains() {
	one_pair
	ctr-rm -f web cli >/dev/null
	assertEquals 'no port without its container' 0 "$(nft list ruleset | grep -c '8080')"
	ctr-net rm one >/dev/null
	assertNull "$(remains)"
	assertNull "$(nft list ruleset)"
	assertTrue 'no veth' "wait_for 2 sh -c '! ip -o link show type veth | grep -q vc'"
}

. shunit2
