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
	end_world_once
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

# 159: the rules of docker beside ours, as docker 20 to 28 writes them by iptables, with a container of its own that is published, made after ours and
# then before; by iptables-nft and by iptables-legacy.
docker_rules() {
	for _rule in '-P FORWARD DROP' '-N DOCKER' '-N DOCKER-ISOLATION-STAGE-1' '-N DOCKER-ISOLATION-STAGE-2' '-N DOCKER-USER' \
		'-A DOCKER-USER -j RETURN' \
		'-A FORWARD -j DOCKER-USER' '-A FORWARD -j DOCKER-ISOLATION-STAGE-1' \
		'-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' '-A FORWARD -o docker0 -j DOCKER' \
		'-A FORWARD -i docker0 ! -o docker0 -j ACCEPT' '-A FORWARD -i docker0 -o docker0 -j ACCEPT' \
		'-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT' \
		'-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2' '-A DOCKER-ISOLATION-STAGE-1 -j RETURN' \
		'-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP' '-A DOCKER-ISOLATION-STAGE-2 -j RETURN' '-t nat -N DOCKER' \
		'-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER' \
		'-t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER' \
		'-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE' '-t nat -A DOCKER -i docker0 -j RETURN' \
		'-t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8070 -j DNAT --to-destination 172.17.0.2:80'; do
		# shellcheck disable=SC2086 # a list of words
		$1 $_rule || fail "$1 $_rule"
	done
}

# docker's bridge, and a namespace on it that stands for its container.
docker_container() {
	ip link add docker0 type bridge
	ip addr add 172.17.0.1/16 dev docker0
	ip link set docker0 up
	ip netns add inside
	ip link add vdocker type veth peer name eth0 netns inside
	ip link set vdocker master docker0 up
	ip -n inside addr add 172.17.0.2/16 dev eth0
	ip -n inside link set lo up
	ip -n inside link set eth0 up
	ip -n inside route add default via 172.17.0.1
	setting ipv4/ip_forward 1
	nsenter --net=/run/netns/inside "$PEER" serve theirs 80 172.17.0.2 &
	THEIRS=$!
	wait_for 3 nsenter --net=/run/netns/inside "$PEER" ask tcp 172.17.0.2 80
	assertTrue 'it serves' $?
}

end_docker() {
	kill "$THEIRS"
	ip netns del inside
	ip link del docker0
}

inside_asks() {
	nsenter --net=/run/netns/inside "$PEER" ask "$1" "$2" "$3" "${4:-2000}"
}

# Ours works, docker's works, and neither gets into the other's but by what is published.
both_work() {
	reaches out "$HOST" 8080 web "$OUT"
	reaches cli "$WORLD" 7000 world "$UP1"
	reaches cli web 80 web 10.9.1.3
	reaches cli "$HOST" 8080 web 10.9.1.1
	assertEquals 'docker'"'"'s port' "theirs from $OUT" "$(asks out tcp "$HOST" 8070)"
	assertEquals 'docker'"'"'s way out' "world from $UP1" "$(inside_asks tcp "$WORLD" 7000)"
	assertEquals 'from ours to docker'"'"'s port' 'theirs from 172.17.0.1' "$(asks cli tcp "$HOST" 8070)"
	assertEquals 'from docker'"'"'s to our port' 'web from 10.9.1.1' "$(inside_asks tcp "$HOST" 8080)"
	assertEquals 'from docker'"'"'s into ours' 'connect: Operation timed out' "$(inside_asks tcp 10.9.1.2 80 300)"
}

# beside_docker IPTABLES: which must list its own rules as they were when we have gone.
beside_docker() {
	docker_container
	docker_rules "$1"
	"$1"-save | grep '^[-:]' | sed 's/ \[.*//' >"$WORK/before"
	ctr-net create --subnet 10.9.1.0/24 one >"$WORK/out" 2>&1
	assertEquals one "$(cat "$WORK/out")"
	pair
	both_work
	br_netfilter 1 && both_work
	ctr-rm -f web cli >/dev/null
	ctr-net rm one >/dev/null
	assertEquals "$(cat "$WORK/before")" "$("$1"-save | grep '^[-:]' | sed 's/ \[.*//')"
	for table in filter nat; do
		"$1" -t $table -F
		"$1" -t $table -X
	done
	"$1" -P FORWARD ACCEPT
	ctr-net create --subnet 10.9.1.0/24 one >/dev/null
	pair
	docker_rules "$1" # comes up later: the next command lets ours through
	run_cap ctr-net reload
	assert_ok
	both_work
	ctr-rm -f web cli >/dev/null
	ctr-net rm one >/dev/null
	end_docker
}

test_docker() {
	beside_docker iptables
}

test_docker_by_legacy() {
	beside_docker iptables-legacy
	for table in filter nat; do
		iptables-legacy -t $table -F
		iptables-legacy -t $table -X
	done
	iptables-legacy -P FORWARD ACCEPT
}

# iptables-legacy's own policy, of both families; each start looks whether it is seen to.
test_legacy_policy() {
	ip6tables-legacy -P FORWARD DROP
	iptables-legacy -P FORWARD DROP
	iptables-legacy -A FORWARD -p tcp --dport 7 -j DROP
	ctr-net create --subnet 10.9.1.0/24 --subnet fd09:1::/64 one >/dev/null
	ctr-net create --driver ptp --subnet 10.9.2.0/24 two >/dev/null
	web_server web --net one -p 8080:80 -p 8080:80/udp
	web_server cli --net one
	web_server far --net two
	reaches out "$HOST" 8080 web "$OUT"
	reaches out 2001:db8:2::1 8080 web 2001:db8:2::2
	reaches cli "$WORLD" 7000 world "$UP1"
	reaches far "$WORLD" 7000 world "$UP1"
	misses out "$WORLD" 7000
	run_cap iptables-legacy -S CTRBOX-OURS
	assert_out_match '^-A CTRBOX-OURS -i one -j ACCEPT$'
	assert_out_match '^-A CTRBOX-OURS -o one -j ACCEPT$'
	assert_out_match '^-A CTRBOX-OURS -i vc[0-9a-f]+ -j ACCEPT$'
	ctr-rm -f far >/dev/null
	assertEquals 'its device is gone' 0 "$(iptables-legacy -S | grep -c ' vc')"
	iptables-legacy -F FORWARD
	misses out "$HOST" 8080
	run_cap ctr-run --rm --net one busybox true
	assert_ok
	reaches out "$HOST" 8080 web "$OUT"
	ctr-net reload
	assertEquals 'once each' 2 "$(iptables-legacy -S CTRBOX-OURS | grep -c ACCEPT)"
	ctr-rm -f web cli >/dev/null
	ctr-net rm one two >/dev/null
	assertEquals '-P FORWARD DROP' "$(iptables-legacy -S | grep -v 'PUT')"
	assertEquals '-P FORWARD DROP' "$(ip6tables-legacy -S | grep -v 'PUT')"
	iptables-legacy -P FORWARD ACCEPT
	ip6tables-legacy -P FORWARD ACCEPT
}

# A table that nobody asked for isn't made by looking.
test_legacy_unused() {
	run_cap unshare -n sh -c 'ip link set lo up; ctr-net create --subnet 10.9.1.0/24 one && cat /proc/net/ip_tables_names && ctr-net rm one'
	assert_rc 0
	assert_out "$(printf 'one\none')"
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
