#!/bin/sh
# The kinds of firewall beside the usual one: a table ip and a table ip6 (nft-ip), and legacy xtables for IPv6 (for IPv4 see xt_test.sh); which
# of them is taken, and that nothing of one is left when another follows.
. "$(dirname "$0")/lib.sh"
FAMILY=4
# shellcheck source=test/net_lib.sh
. "$TOP/test/net_lib.sh"

SERVED=

oneTimeSetUp() {
	ip6tables-legacy -t nat -S >/dev/null || exit 1
	iptables-legacy -t nat -S >/dev/null || exit 1
	need_busybox
	make_world
	ip -n world route add 192.0.2.0/24 via 198.51.100.1
	ip -n world -6 route add 2001:db8:2::/64 via 2001:db8:51::1
	serve world world 7000 198.51.100.2
	serve world world 7000 2001:db8:51::2
	READY=1
}

oneTimeTearDown() {
	end_world_once
}

setUp() {
	[ -n "$READY" ] || return
	flush
	iptables-legacy -P FORWARD ACCEPT
	ip6tables-legacy -P FORWARD ACCEPT
	br_netfilter 0
	setting ipv4/ip_forward 0
	setting ipv6/conf/all/forwarding 0
	unset CTRBOX_FIREWALL
	family 4
}

tearDown() {
	[ -n "$READY" ] || return 0
	end_networks
	ctr-ps -aq | xargs -r ctr-rm -f >/dev/null
	ctr-net prune >/dev/null
	assertNull 'no rules of ours are left' "$(rules)"
	assertNull 'nothing is left' "$(leftovers)"
}

flush() {
	nft flush ruleset
	for command in iptables-legacy ip6tables-legacy; do
		for table in filter nat; do
			$command -w -t $table -F
			$command -w -t $table -X
		done
	done
}

by() {
	CTRBOX_FIREWALL=$1
	export CTRBOX_FIREWALL
}

# The tables and chains of ours.
rules() {
	nft list tables | sed -n 's/ctrbox_.*/nft/p'
	iptables-legacy-save | sed -n 's/^:CTR-[0-9a-f]*-/xt /p'
	ip6tables-legacy-save | sed -n 's/^:CTR-[0-9a-f]*-/xt6 /p'
}

# Which kinds there are rules of, on one line.
kinds() {
	rules | sed 's/^\(xt6*\) .*/\1/' | sort -u | xargs
}

everything() {
	make_networks
	case $SERVED in # they outlive a network, as servers do
	*$FAMILY*) ;;
	*)
		serve host host 7000 "$GATE"
		serve host host 7000 "$HOST"
		SERVED=$SERVED$FAMILY
		;;
	esac
	for on in 0 1; do
		br_netfilter $on || continue
		reachability
		echoes
		barriers
	done
}

# Another's firewall drops what is forwarded, of both families.
others_rules() {
	for command in iptables-legacy ip6tables-legacy; do
		$command -P FORWARD DROP
		$command -A FORWARD -p tcp --dport 7 -j REJECT
		$command -t nat -A POSTROUTING -o docker0 -j MASQUERADE
	done
}

test_tables_ip() {
	by nft-ip
	everything
	assertEquals 'table ip nft' "$(kinds)"
}

test_tables_ip6() {
	by nft-ip
	family 6
	everything
	refused host ::1 8080
	reaches out 192.0.2.1 8080 web 192.0.2.2
	assertEquals 'table ip nft table ip6 nft' "$(kinds)"
}

# What is published on 127.0.0.1 alone, and forged packets for it (kubernetes#90259).
test_tables_loopback() {
	by nft-ip
	serve host secret 7001 127.0.0.1
	one_pair
	ctr-rm -f web >/dev/null
	web_server web --net one -p 127.0.0.1:8081:80 -p 127.0.0.1:8081:80/udp
	reaches host 127.0.0.1 8081 web "$GATE"
	misses out "$HOST" 8081
	pid=$(ctr-inspect cli | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
	inside="nsenter --net=/proc/$pid/ns/net"
	$inside sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet'
	$inside ip addr del 127.0.0.1/8 dev lo
	$inside ip route add 127.0.0.1 via "$GATE" dev eth0 src "$CLI"
	assertEquals nothing "$($inside "$PEER" ask udp 127.0.0.1 7001 300)"
	assertEquals nothing "$($inside "$PEER" ask udp 127.0.0.1 8081 300)"
}

# nft shows both tables readably and takes them back.
test_tables_listing() {
	by nft-ip
	family 6
	one_pair
	nft list ruleset >"$WORK/rules"
	assertTrue 'IPv4' "grep -q 'tcp \. 8080 : 10\.9\.1\.2 \. 80' $WORK/rules"
	assertTrue 'IPv6' "grep -q 'tcp \. 8080 : fd09:1::2 \. 80' $WORK/rules"
	run_cap nft -c -f "$WORK/rules"
	assert_ok
	assertEquals 'no family in the other one'"'"'s table' 0 "$(nft list tables | grep -c inet)"
	assertEquals 0 "$(nft list table ip "ctrbox_$(cat "$CTRBOX_ROOT/tag")" | grep -c 'ip6\|pub6')"
}

# After somebody's flush of all, and of one of the two.
test_tables_flush() {
	by nft-ip
	family 6
	one_pair
	nft list ruleset >"$WORK/before"
	nft flush ruleset
	misses out "$HOST" 8080
	run_cap ctr-net reload
	assert_ok
	assertEquals "$(sort "$WORK/before")" "$(nft list ruleset | sort)"
	for one in ip ip6; do
		nft delete table $one "ctrbox_$(cat "$CTRBOX_ROOT/tag")"
		run_cap ctr-run --rm --net one busybox true
		assert_ok
		assertEquals "$(sort "$WORK/before")" "$(nft list ruleset | sort)"
	done
	few_ways
	family 4
	WEB=10.9.1.2 CLI=10.9.1.3 GATE=10.9.1.1
	few_ways
}

# gc PROTOCOL: takes away the published port 5353 that leads to nobody.
gc_finds() {
	run_cap ctr-gc
	assert_out_match '^port 5353/udp$'
	assertEquals 0 "$({ nft list ruleset; iptables-legacy-save; ip6tables-legacy-save; } | grep -c 5353)"
}

test_gc() {
	family 6
	by nft-ip
	one_pair
	tag=$(cat "$CTRBOX_ROOT/tag")
	nft add element ip6 "ctrbox_$tag" pub6 '{ udp . 5353 : fd09:1::77 . 53 }'
	gc_finds
	nft add element ip "ctrbox_$tag" pub4 '{ udp . 5353 : 10.9.1.77 . 53 }'
	gc_finds
	by xt
	run_cap ctr-net reload
	assert_ok
	ip6tables-legacy -t nat -A "CTR-$tag-DNAT" -p udp --dport 5353 -j DNAT --to-destination '[fd09:1::77]:53'
	gc_finds
	few_ways
}

test_xt_ip6() {
	by xt
	family 6
	others_rules
	ip6tables-legacy-save | sed '/^#/d; s/\[.*//' >"$WORK/before"
	everything
	refused host ::1 8080
	reaches out 192.0.2.1 8080 web 192.0.2.2
	assertEquals 'xt xt6' "$(kinds)"
	end_networks
	assertEquals "$(cat "$WORK/before")" "$(ip6tables-legacy-save | sed '/^#/d; s/\[.*//')"
	assertEquals 0 "$(cat /proc/sys/net/ipv6/conf/all/forwarding)"
}

# Networks without IPv6 leave its tables alone.
test_xt_without_ip6() {
	by xt
	one_pair
	assertEquals xt "$(kinds)"
	family 6
	ctr-net create --subnet fd09:2::/64 --subnet 10.9.2.0/24 two >/dev/null
	assertEquals 'xt xt6' "$(kinds)"
	misses out 2001:db8:51::2 7000
}

# ip6tables-legacy shows our rules as if it had made them, and takes them back.
test_xt_listing() {
	by xt
	family 6
	one_pair
	ctr-rm -f web >/dev/null
	web_server web --net one --ip 10.9.1.2 --ip6 "$WEB" -p 8080:80 -p 8080:80/udp -p "[$HOST]:8082:80"
	run_cap ip6tables-legacy-save
	assert_rc 0
	assert_out_match '^-A CTR-[0-9a-f]{8}-DNAT -p tcp -m tcp --dport 8080 -j DNAT --to-destination \[fd09:1::2\]:80$'
	assert_out_match '^-A CTR-[0-9a-f]{8}-DNAT -p udp -m udp --dport 8080 -j DNAT --to-destination \[fd09:1::2\]:80$'
	assert_out_match '^-A CTR-[0-9a-f]{8}-DNAT -d 2001:db8:2::1/128 -p tcp -m tcp --dport 8082 -j DNAT --to-destination \[fd09:1::2\]:80$'
	assert_out_match '^-A CTR-[0-9a-f]{8}-MASQ -s fd09:1::/64 ! -o one -j MASQUERADE$'
	printf '%s\n' "$out" >"$WORK/rules"
	run_cap ip6tables-legacy-restore "$WORK/rules"
	assert_ok
	few_ways
	run_cap ctr-run --rm --net one -p 8080:80 busybox true
	assert_fails 125 'port 8080/tcp of the host is published already'
	ctr-rm -f web >/dev/null
	assertEquals 0 "$({ iptables-legacy-save; ip6tables-legacy-save; } | grep -c '808[02]')"
}

test_xt_flush() {
	by xt
	family 6
	one_pair
	{ iptables-legacy-save; ip6tables-legacy-save; } | sed '/^#/d; s/\[.*//' | sort >"$WORK/before"
	for table in filter nat; do
		ip6tables-legacy -t $table -F
		ip6tables-legacy -t $table -X
		run_cap ctr-run --rm --net one busybox true
		assert_ok
		assertEquals "$(cat "$WORK/before")" "$({ iptables-legacy-save; ip6tables-legacy-save; } | sed '/^#/d; s/\[.*//' | sort)"
	done
	few_ways
}

# From each kind to each other: nothing of the old one stays, what ran goes on, and takes its port back in the end.
test_switch() {
	family 6
	by nft
	one_pair
	for to in 'xt xt xt6' 'nft-ip table ip nft table ip6 nft' 'nft table inet nft' 'nft-ip table ip nft table ip6 nft' 'xt xt xt6' \
		'nft table inet nft'; do
		by "${to%% *}"
		run_cap ctr-net reload
		assert_ok
		assertEquals "${to#* }" "$(kinds)"
		few_ways
	done
	by none
	run_cap ctr-net reload
	assertNull "$(kinds)"
}

# The next container does it, too; and without a word the kind stays that is there, for all commands.
test_switch_by_container() {
	by nft
	one_pair
	by xt
	web_server far --net one -p 8083:80 -p 8083:80/udp
	assertEquals xt "$(kinds)"
	few_ways
	reaches out "$HOST" 8083 far "$OUT"
	unset CTRBOX_FIREWALL
	web_server no1 --net one -p 8084:80 -p 8084:80/udp
	reaches out "$HOST" 8084 no1 "$OUT"
	run_cap ctr-net reload
	assert_ok
	assertEquals xt "$(kinds)"
	ctr-rm -f web far no1 >/dev/null
	assertEquals 'also the port of one whose supervisor grew up with nft' 0 "$(iptables-legacy-save | grep -c '808[0-9]')"
	by nft
	ctr-rm -f cli >/dev/null
	run_cap ctr-net rm one
	assert_rc 0
	assertNull "$(kinds)"
}

# What let a network through another's firewall by nf_tables goes when it isn't nf_tables any more.
test_switch_admission() {
	nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
	by nft
	one_pair
	few_ways
	assertEquals 2 "$(nft list chain ip filter FORWARD | grep -c 'comment "ctrbox one"')"
	by xt
	run_cap ctr-net reload
	assertEquals 0 "$(nft list ruleset | grep -c ctrbox)"
}

# What a crash between two kinds left, ctr-gc takes.
test_remains() {
	by nft
	one_pair
	nft list ruleset >"$WORK/rules"
	by xt
	run_cap ctr-net reload
	nft -f "$WORK/rules"
	assertEquals 'table inet nft xt' "$(kinds)"
	run_cap ctr-gc
	assert_out 'rules of another firewall'
	assertEquals xt "$(kinds)"
}

# Its record is damaged while a container is on it: the container can be stopped and removed all the same.
test_a_ptp_network_whose_record_is_damaged() {
	ctr-net create --driver ptp --subnet 10.9.5.0/24 p >/dev/null
	ctr-run -d --name box --net p busybox sleep 1000 >/dev/null
	cp "$CTRBOX_ROOT/networks/p.json" record
	echo '{' >"$CTRBOX_ROOT/networks/p.json"
	run_cap ctr-rm -f box
	assert_ok
	cp record "$CTRBOX_ROOT/networks/p.json"
	ctr-net rm p >/dev/null
}

# nth_table N: which sendto is the Nth that makes a table, of all that `ctr-net create` makes.
nth_table() {
	strace -f -s 9999 -e trace=sendto ctr-net create --subnet 10.9.1.0/24 one 2>&1 >/dev/null | grep sendto | grep -n NFT_MSG_NEWTABLE |
		sed -n "$1s/:.*//p"
}

# A kernel that can't do NAT in inet tables has two tables; one that can't do that either has xtables.
test_fallback() {
	n=$(nth_table 1)
	ctr-net rm one >/dev/null
	assertTrue "the table's message is number $n" "[ '$n' -gt 0 ]"
	for word in EOPNOTSUPP ENOENT EINVAL; do
		run_cap strace -o "$WORK/trace" -f -e trace=sendto -e "inject=sendto:error=$word:when=$n" ctr-net create --subnet 10.9.1.0/24 one
		assert_rc 0
		assertEquals 'table ip nft' "$(kinds)"
		assertEquals 1 "$(grep -c INJECTED "$WORK/trace")"
		ctr-net rm one >/dev/null
	done
	run_cap strace -o "$WORK/trace" -f -e trace=sendto -e "inject=sendto:error=EOPNOTSUPP:when=$n..$((n + 1))" ctr-net create --subnet 10.9.1.0/24 one
	assert_rc 0
	assertEquals xt "$(kinds)"
	web_server web --net one -p 8080:80 -p 8080:80/udp
	reaches out "$HOST" 8080 web "$OUT"
	assertEquals 'and stays so' xt "$(kinds)"
	ctr-rm -f web >/dev/null
	ctr-net rm one >/dev/null
	run_cap strace -o "$WORK/trace" -f -e trace=sendto -e "inject=sendto:error=EPERM:when=$n" ctr-net create --subnet 10.9.1.0/24 one
	assert_fails 1 'nf_tables table: Operation not permitted'
}

. shunit2
