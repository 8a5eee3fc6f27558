#!/bin/sh
# Networks on a host with a firewall of somebody else's that drops what is forwarded: in tables where ours can't outvote it, it is told
# with the cure; where iptables keeps its rules, containers are let through. Numbers: shared/seeds/CHECKLIST.md.
. "$(dirname "$0")/lib.sh"
FAMILY=4
# shellcheck source=test/net_lib.sh
. "$TOP/test/net_lib.sh"

oneTimeSetUp() {
	need_busybox
	make_world
	ip -n world route add 192.0.2.0/24 via 198.51.100.1
	ip -n world route add blackhole 10.0.0.0/8
	serve world world 7000 "$WORLD"
	serve out out 7000 "$OUT"
	READY=1
}

oneTimeTearDown() {
	if [ -n "$READY" ]; then
		READY=
		end_world
	fi
}

setUp() {
	[ -n "$READY" ] || return 0
	nft flush ruleset
	br_netfilter 0
	setting ipv4/ip_forward 0
}

tearDown() {
	[ -n "$READY" ] || return 0
	ctr-ps -aq | xargs -r ctr-rm -f >/dev/null
	ctr-net prune >/dev/null
	assertNull 'nothing is left' "$(leftovers)"
	assertNull 'no table of ours' "$(nft list tables | grep ctrbox)"
}

# The shape of what firewalld 1.3 writes: a policy of accept, a chain by zones, and all the rest rejected.
firewalld() {
	nft -f - <<-EOF
		table inet firewalld {
			chain filter_FORWARD {
				type filter hook forward priority filter + 10; policy accept;
				ct state { established, related } accept
				ct status dnat accept
				iifname "lo" accept
				ct state invalid drop
				jump filter_FORWARD_ZONES
				reject with icmpx admin-prohibited
			}
			chain filter_FORWARD_ZONES {
				$1
				iifname "up0" goto filter_FWD_public
			}
			chain filter_FWD_public {
				meta l4proto { icmp, ipv6-icmp } accept
			}
		}
	EOF
}

# Of OpenWrt's fw4: a policy of drop, and chains by zone, whose devices are a set.
fw4() {
	nft -f - <<-EOF
		table inet fw4 {
			chain forward {
				type filter hook forward priority filter; policy drop;
				ct state vmap { established : accept, related : accept }
				iifname { $1 } jump forward_lan comment "!fw4: Handle lan IPv4/IPv6 forward traffic"
				oifname { $1 } ct status dnat accept
				jump handle_reject
			}
			chain forward_lan {
				accept
			}
			chain handle_reject {
				meta l4proto tcp reject with tcp reset
				reject
			}
		}
	EOF
}

pair() {
	web_server web --net one -p 8080:80 -p 8080:80/udp
	web_server cli --net one
}

blocked_by() {
	ctr-net inspect one | python3 -c 'import json, sys; print(len(json.load(sys.stdin)[0]["blocked_by"]))'
}

test_firewalld() {
	firewalld ''
	run_cap ctr-net create --subnet 10.9.1.0/24 one
	assert_rc 0
	assert_out one
	told='network one: firewalld drops what is forwarded (firewall-cmd --permanent --zone=trusted --add-interface=one && firewall-cmd --reload)'
	assertEquals "ctr-net: $told" "$err"
	pair
	misses cli "$WORLD" 7000
	run_cap ctr-net reload
	assertEquals "ctr-net: $told" "$err"
	assertEquals 1 "$(blocked_by)"
	run_cap ctr-run --rm --net one busybox true
	assert_ok
	nft delete table inet firewalld
	firewalld 'iifname "one" accept'
	run_cap ctr-net reload
	assert_ok
	assertEquals 0 "$(blocked_by)"
	reaches cli "$WORLD" 7000 world "$UP1"
	reaches out "$HOST" 8080 web "$OUT"
}

test_fw4() {
	fw4 '"br-lan", "up9"'
	told='network one: fw4 drops what is forwarded (uci add_list firewall.@zone[0].device=one && uci commit firewall && fw4 reload)'
	run_cap ctr-net create --subnet 10.9.1.0/24 one
	assert_rc 0
	assertEquals "ctr-net: $told" "$err"
	ctr-net rm one >/dev/null
	ctr-create --name up --net one busybox true >/dev/null 2>&1
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null 2>&1
	nft flush ruleset # as a reboot leaves it
	fw4 '"br-lan", "up9"'
	run_cap ctr-run --rm --net one busybox true
	assert_rc 0
	assertEquals "the first one that needs it" "ctr-run: $told" "$err"
	nft delete table inet fw4
	fw4 '"br-lan", "one"'
	run_cap ctr-net reload
	assert_ok
	pair
	reaches cli "$WORLD" 7000 world "$UP1"
	reaches out "$HOST" 8080 web "$OUT"
}

# A user's own: the cure that is told is one.
test_own_table() {
	nft 'add table inet mine; add chain inet mine pass { type filter hook forward priority 5; policy drop; }; add rule inet mine pass tcp dport 7 accept'
	run_cap ctr-net create --subnet 10.9.1.0/24 one
	assert_rc 0
	assert_err_match '^ctr-net: network one: chain pass of table inet mine drops what is forwarded \(nft .*\)$'
	cure=$(printf '%s' "$err" | sed 's/[^(]*(\(.*\))/\1/')
	pair
	misses out "$HOST" 8080
	eval "$cure"
	run_cap ctr-net reload
	assert_ok
	reaches out "$HOST" 8080 web "$OUT"
	reaches cli "$WORLD" 7000 world "$UP1"
}

# A network without a bridge: its devices by the beginning of their names.
test_ptp() {
	nft 'add table inet mine; add chain inet mine pass { type filter hook forward priority 5; }; add rule inet mine pass counter drop'
	run_cap ctr-net create --driver ptp --subnet 10.9.1.0/24 one
	assert_err_match 'chain pass of table inet mine'
	eval "$(printf '%s' "$err" | sed 's/[^(]*(\(.*\))/\1/')"
	run_cap ctr-net reload
	assert_ok
	pair
	reaches cli 10.9.1.2 80 web 10.9.1.3
}

# Chains that let through, that see no forwarding, or that are another family's.
test_harmless() {
	nft -f - <<-EOF
		table inet mine {
			chain in { type filter hook input priority 0; policy accept; tcp dport 7 drop; }
			chain pass { type filter hook forward priority 0; policy accept; ct state invalid drop; tcp dport 7 reject; }
			chain rest { type filter hook forward priority 1; policy accept; tcp dport 7 drop; counter; }
		}
		table ip6 mine {
			chain pass { type filter hook forward priority 0; policy drop; }
		}
	EOF
	run_cap ctr-net create --subnet 10.9.1.0/24 one
	assert_ok
	run_cap ctr-net create --subnet 10.9.2.0/24 --ipv6 two
	assert_err_match 'network two: chain pass of table ip6 mine'
}

. shunit2
