#!/bin/sh
# Networks and who is on them: what ctr-net does, what ctr-run's network options do, what is left afterwards.
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/net_host.sh
. "$TOP/test/net_host.sh"

# 120, 139, 140, 141; the bridge has its name, the record is JSON, the gateway is the bridge's: 145, 146, 181.
test_create_as_the_notes_do() {
	run_cap ctr-net create --driver bridge --subnet 192.168.101.0/24 --gateway 192.168.101.1 testbridge
	assert_ok
	assert_out testbridge
	run_cap ip -o -4 addr show dev testbridge
	assert_out_match 'inet 192\.168\.101\.1/24 '
	assertTrue 'it is a JSON file' "python3 -m json.tool '$CTRBOX_ROOT/networks/testbridge.json' >/dev/null"
	run_cap ctr-net list -r -n
	assert_out "$(printf 'testbridge\tbridge\t192.168.101.0/24\t192.168.101.1\ttestbridge\t0')"
	run_cap ctr-net remove testbridge
	assert_ok
	assert_out testbridge
	assertFalse 'the bridge is gone' 'ip link show testbridge'
	assertFalse 'the record is gone' "[ -e '$CTRBOX_ROOT/networks/testbridge.json' ]"
}

# 142, 150; its network is there before the command: 35.
test_run_as_the_notes_do() {
	ctr-net create --driver bridge --subnet 192.168.101.0/24 --gateway 192.168.101.1 testbridge >/dev/null
	echo 'ip addr; ip route; exit' >in
	tty_cap 'ctr-run -it -p 8080:8080 -p 8081:8081 -net testbridge busybox sh' <in
	assert_rc 0
	assert_out_match 'inet 192\.168\.101\.2/24 '
	assert_out_match 'default via 192\.168\.101\.1 dev eth0'
}

# 182, 186
test_the_default_network_is_made_at_first_use() {
	assertNull 'there is none' "$(ctr-net ls -q)"
	run_cap ctr-run --rm busybox ip -o -4 addr show dev eth0
	assert_ok
	assert_out_match 'inet 10\.[0-9]+\.0\.2/16 '
	run_cap ctr-net ls -q
	assert_out bridge
}

# 183: not at random, and never twice.
test_addresses_go_upward_and_come_again_late() {
	ctr-net create --subnet 10.9.0.0/29 n >/dev/null
	sleeper a --net n
	sleeper b --net n
	assertEquals 'first' 10.9.0.2 "$(ip_of a)"
	assertEquals 'second' 10.9.0.3 "$(ip_of b)"
	ctr-rm -f a >/dev/null
	sleeper a --net n
	assertEquals 'not the one that came back last' 10.9.0.4 "$(ip_of a)"
	sleeper c --net n
	sleeper d --net n
	sleeper e --net n
	assertEquals 'but in the end' 10.9.0.2 "$(ip_of e)"
	run_cap ctr-run --rm --net n busybox true
	assert_fails 125 'network n: no address is free'
}

# 184
test_names() {
	make_net n
	sleeper a --net n
	sleeper b --net n --net-alias bee --net-alias beta
	assertEquals 'a knows both' '10.9.0.2 a
10.9.0.3 b' "$(names_in a)"
	assertEquals 'b too' '10.9.0.2 a
10.9.0.3 b' "$(names_in b)"
	run_cap ctr-exec a ping -c 1 -W 2 beta
	assert_rc 0
	run_cap ctr-exec b ping -c 1 -W 2 a
	assert_rc 0
	ctr-stop -t 0 b >/dev/null
	assertEquals 'b left' '10.9.0.2 a' "$(names_in a)"
	ctr-start b >/dev/null
	assertEquals 'b came' '10.9.0.2 a
10.9.0.4 b' "$(names_in a)"
	ctr-rename b c
	assertEquals 'b is c' '10.9.0.2 a
10.9.0.4 c' "$(names_in a)"
	assertEquals 'c knows' '10.9.0.2 a
10.9.0.4 c' "$(names_in c)"
	kill -9 "$(supervisor_of c)"
	sleep 0.2
	ctr-gc >/dev/null
	assertEquals 'c was killed' '10.9.0.2 a' "$(names_in a)"
}

test_a_rename_outlives_a_restart_by_policy() {
	make_net n
	sleeper a --net n
	sleeper b --net n --restart always
	ctr-rename b c
	kill -9 "$(ctr-ps -r -n -o pid -f name=c)"
	wait_for 5 eval 'names_in a | grep -q "10.9.0.4 c"'
	assertEquals 'it comes again as c' '10.9.0.2 a
10.9.0.4 c' "$(names_in a)"
}

test_names_on_several_networks() {
	make_net n
	ctr-net create --subnet 10.10.0.0/24 m >/dev/null
	sleeper both --net n --net m
	sleeper one --net n
	sleeper other --net m
	assertEquals 'knows everybody' '10.10.0.2 both
10.10.0.3 other
10.9.0.2 both
10.9.0.3 one' "$(names_in both)"
	assertEquals 'only its own network' '10.9.0.2 both
10.9.0.3 one' "$(names_in one)"
	run_cap ctr-exec both ip route
	assert_out_match '^default via 10\.9\.0\.1 dev eth0'
	assertEquals 'both addresses' 10.9.0.2,10.10.0.2 "$(ip_of both)"
}

test_twenty_at_once() {
	make_net n
	i=0
	while [ $i -lt 20 ]; do
		(ctr-run -d --name "c$i" --net n busybox sleep 600 >/dev/null || echo "c$i failed" >>failed) &
		i=$((i + 1))
	done
	wait
	assertFalse 'all start' '[ -e failed ]'
	ctr-ps -r -n -o ip,name -f status=running | tr '\t' ' ' | sort >expected
	assertEquals 'all have one' 20 "$(cut -d' ' -f1 expected | uniq | wc -l)"
	for c in $(ctr-ps -q); do
		assertEquals "all names in $c" "$(cat expected)" "$(names_in "$c")"
	done
	i=0
	while [ $i -lt 20 ]; do # half of them leave, the other half leaves and comes back
		if [ $((i % 4)) -eq 0 ]; then
			ctr-rm -f "c$i" >/dev/null &
		elif [ $((i % 4)) -eq 1 ]; then
			ctr-restart -t 0 "c$i" >/dev/null &
		elif [ $((i % 4)) -eq 2 ]; then
			ctr-rename "c$i" "d$i" &
		fi
		i=$((i + 1))
	done
	wait
	ctr-ps -r -n -o ip,name -f status=running | tr '\t' ' ' | sort >expected
	assertEquals 'fifteen are left' 15 "$(wc -l <expected)"
	for c in $(ctr-ps -q); do
		assertEquals "all names in $c" "$(cat expected)" "$(names_in "$c")"
	done
}

# Half of them end while others start: no address is given twice, none is lost.
test_two_hundred_starts_and_stops() {
	make_net n
	i=0
	while [ $i -lt 200 ]; do
		{
			ctr-run -d --name "c$i" --net n busybox sleep 600 >/dev/null || echo "c$i failed" >>failed
			[ $((i % 2)) -eq 0 ] || ctr-rm -f "c$i" >/dev/null || echo "c$i stays" >>failed
		} &
		i=$((i + 1))
	done
	wait
	assertNull "$(cat failed 2>/dev/null)"
	ctr-ps -r -n -o ip | sort >addresses
	assertEquals 'addresses of those that run' 100 "$(uniq addresses | wc -l)"
	find "$CTRBOX_RUN/net/n" -name '10.9.0.*' -printf '%f\n' | sort >leases
	assertEquals 'addresses and leases' '' "$(diff addresses leases)"
	# shellcheck disable=SC2016 # what the inner shell expands
	wait_for 20 sh -c '[ "$(ip -o link show type veth | wc -l)" -le 100 ]' # the kernel removes them some time after their namespace
	assertEquals 'interfaces' 100 "$(ip -o link show type veth | wc -l)"
}

test_connect_and_disconnect() {
	make_net n
	ctr-net create --subnet 10.10.0.0/24 m >/dev/null
	sleeper a --net n
	sleeper b --net m
	run_cap ctr-net connect --ip 10.10.0.9 m a
	assert_ok
	run_cap ctr-exec a ping -c 1 -W 2 b
	assert_rc 0
	assertEquals 'b knows a' '10.10.0.2 b
10.10.0.9 a' "$(names_in b)"
	run_cap ctr-net connect m a
	assert_fails 1 'is on network m already'
	run_cap ctr-net disconnect n a
	assert_ok
	run_cap ctr-exec a ip route
	assert_out_match '^default via 10\.10\.0\.1 dev eth1'
	assertEquals 'n is forgotten' '10.10.0.2 b
10.10.0.9 a' "$(names_in a)"
	run_cap ctr-net disconnect n a
	assert_fails 1 "isn't on network n"
	ctr-restart -t 0 a >/dev/null
	assert_match '^10\.10\.0\.' "$(ip_of a)"
	run_cap ctr-net connect nosuch a
	assert_fails 1 'network nosuch: no such network'
	run_cap ctr-net connect n nosuch
	assert_fails 1 'nosuch: no such container'
}

# Who may rename his interface, or has removed it, is taken off a network all the same.
test_disconnect_although_the_interface_has_another_name() {
	make_net n
	sleeper a --net n --cap-add NET_ADMIN
	for hide in 'ip link set eth0 down; ip link set eth0 name x' 'ip link del eth0'; do
		ctr-exec a sh -c "$hide"
		run_cap ctr-net disconnect n a
		assert_ok
		assertEquals "after $hide" lo "$(ctr-exec a ls /sys/class/net)"
		assertNull "$(ip -o link show type veth)"
		assertEquals - "$(ip_of a)"
		run_cap ctr-net connect n a
		assert_ok
	done
}

test_connect_one_that_is_down_or_has_none() {
	make_net n
	ctr-create --name a busybox sleep 600 >/dev/null
	run_cap ctr-net connect n a
	assert_ok
	ctr-start a >/dev/null
	assert_match '^10\.[0-9]+\.0\.2,10\.9\.0\.2$' "$(ip_of a)"
	sleeper b --net none
	run_cap ctr-net connect n b
	assert_ok
	assertEquals 10.9.0.3 "$(ip_of b)"
	sleeper c --net host
	run_cap ctr-net connect n c
	assert_fails 1 'no network namespace of its own'
}

test_connected_it_stays_through_a_restart_by_policy() {
	make_net n
	sleeper a --restart always
	ctr-net connect n a
	kill -9 "$(ctr-ps -r -n -o pid)"
	wait_for 5 eval 'ip_of a | grep -q ,10.9.0.3'
	assert_match ',10\.9\.0\.3$' "$(ip_of a)"
}

# What an interface would ask and tell about an IPv6 address of its own making, a bridge hands to each of its ports.
test_no_ipv6_unasked() {
	make_net n
	ctr-net create --subnet 10.9.2.0/24 --subnet fd00:9::/64 six >/dev/null
	sleeper a --net n
	sleeper b --net six
	ctr-net create --subnet 10.9.3.0/24 later >/dev/null
	ctr-net connect later a
	addresses='ip -6 -o addr show scope link'
	run_cap ctr-exec a sh -c "sleep 2; $addresses"
	assert_out ''
	wait_for 5 eval "ctr-exec b $addresses | grep -q fe80"
	assertEquals 'it has one where there is IPv6' 0 $?
	assertNull 'none on the ends of the host' "$($addresses | grep ' vc')"
	ctr-rm -f a b >/dev/null
	ctr-net rm six later
}

test_run_in_a_namespace() {
	make_net n
	sleeper a --net n
	run_cap ctr-net run n sh -c 'ip -o -4 addr show dev eth0; ping -c 1 -W 2 10.9.0.2; exit 7'
	assert_rc 7
	assert_out_match 'inet 10\.9\.0\.3/24 '
	assert_out_match ' 0% packet loss'
	assertEquals 'its lease is gone' 10.9.0.2 "$(ls "$CTRBOX_RUN/net/n")"
	assertEquals 'its name is gone' '10.9.0.2 a' "$(names_in a)"
	run_cap ctr-net run n /no/such/command
	assert_rc 127
	run_cap ctr-net run nosuch true
	assert_fails 125 'network nosuch: no such network'
	run_cap ctr-net run n
	assert_fails 125 'a command is missing'
}

test_rm_in_use_says_who() {
	make_net n
	ctr-create --name a --net n busybox true >/dev/null
	run_cap ctr-net rm n
	assert_fails 1 'network n: container a is on it'
	ctr-create --name b --net n busybox true >/dev/null
	run_cap ctr-net rm n
	assert_fails 1 'network n: container (a|b) and others are on it'
	run_cap ctr-net prune
	assert_ok
	assert_out ''
	ctr-rm a b >/dev/null
	run_cap ctr-net prune
	assert_out n
}

test_rm_several() {
	make_net n
	ctr-net create m >/dev/null
	run_cap ctr-net rm n nosuch m
	assert_rc 1
	assert_out 'n
m'
	assert_err_match 'network nosuch: no such network'
}

# Which veth is whose: 122.
test_inspect() {
	make_net n
	sleeper a --net n -p 8080:80
	run_cap ctr-net inspect n
	assert_ok
	printf '%s' "$out" | python3 -c '
import json, sys
n = json.load(sys.stdin)[0]
c = n["containers"][0]
assert n["subnets"] == ["10.9.0.0/24"] and n["gateways"] == ["10.9.0.1"] and n["bridge"] == "n"
assert c["name"] == "a" and c["ip"] == "10.9.0.2" and c["mac"] == "02:42:0a:09:00:02" and c["host_interface"].startswith("vc")
assert c["ports"] == [{"protocol": "tcp", "host_port": 8080, "port": 80}]
'
	assertEquals 'it says what is so' 0 $?
	run_cap ctr-net inspect nosuch
	assert_rc 1
	assert_err_match 'network nosuch: no such network'
	run_cap ctr-inspect a
	assert_ok
	printf '%s' "$out" | python3 -c '
import json, sys
c = json.load(sys.stdin)[0]
assert c["networks"][0]["ip"] == "10.9.0.2" and c["networks"][0]["network"] == "n"
assert c["ports"] == [{"protocol": "tcp", "host_port": 8080, "port": 80}]
'
	assertEquals 'so does ctr-inspect' 0 $?
}

test_bad_networks() {
	make_net n
	run_cap ctr-net create --subnet 10.20.0.0/24 n
	assert_fails 1 'n: there is a network of that name'
	run_cap ctr-net create --subnet 10.9.0.128/25 m
	assert_fails 1 'subnet 10\.9\.0\.128/25: network n has 10\.9\.0\.0/24'
	ip link add other type bridge
	ip addr add 10.30.0.1/24 dev other
	ip link set other up
	run_cap ctr-net create other
	assert_fails 1 'the host has an interface "other" already'
	run_cap ctr-net create --subnet 10.30.0.0/16 m
	assert_fails 1 'subnet 10\.30\.0\.0/16: overlaps a route of the host'
	assertTrue 'the other bridge stays' 'ip link show other'
	ip link del other
	run_cap ctr-net create --subnet 10.31.0.0/24 --gateway 10.32.0.1 m
	assert_fails 1 'gateway 10\.32\.0\.1: '
	run_cap ctr-net create --subnet 10.31.0.0/24 --gateway 10.31.0.0 m
	assert_fails 1 'gateway 10\.31\.0\.0: '
	run_cap ctr-net create --subnet 10.31.0.0/24 --gateway 10.31.0.255 m
	assert_fails 1 'gateway 10\.31\.0\.255: '
	run_cap ctr-net create --gateway 10.31.0.1 m
	assert_fails 1 'gateway 10\.31\.0\.1: '
	for bad in 10.31.0.0 10.31.0.0/33 10.31.0/24 10.31.0.0/x 10.31.0.0/ /24 '' fd00::/129 10.31.0.256/24 10.31.0.0/-1; do
		run_cap ctr-net create --subnet "$bad" m
		assert_fails 1 'not ADDRESS/PREFIX'
	done
	run_cap ctr-net create --subnet 10.31.0.0/32 m
	assert_fails 1 'subnet 10\.31\.0\.0/32: .*no room'
	run_cap ctr-net create --subnet 10.31.0.0/24 --subnet 10.32.0.0/24 m
	assert_fails 1 'one subnet a family'
	run_cap ctr-net create --driver overlay m
	assert_fails 1 'driver overlay: none of bridge, ptp, macvlan, ipvlan'
	run_cap ctr-net create --mtu 10 m
	assert_fails 1 'mtu'
	for bad in none host private ../x 'a b' -- . 12; do
		run_cap ctr-net create -- "$bad"
		assert_rc 1
		assert_err_match '^ctr-net: '
	done
	run_cap ctr-net create
	assert_fails 2 'a name is missing'
	run_cap ctr-net ls -q
	assert_out n
}

test_without_the_right_to_networks() {
	unable() { run_cap setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"; }
	unable ctr-net create n
	assert_fails 1 'make bridge n: Operation not permitted \(CAP_NET_ADMIN is missing\)$'
	unable ctr-run --rm busybox true
	assert_fails 125 'make bridge ctr-[0-9a-f]*: Operation not permitted \(CAP_NET_ADMIN is missing\)$'
	make_net n
	unable ctr-run --rm --net n -p 8080:80 busybox true
	assert_fails 125 'Operation not permitted'
	run_cap ctr-ps -a -q
	assert_out ''
	run_cap ctr-net create default # the kernel's own word for something else
	assert_fails 1 'make bridge default: Invalid argument$'
}

test_a_long_name() {
	run_cap ctr-net create --subnet 10.9.0.0/24 a-name-longer-than-an-interfaces
	assert_ok
	run_cap ctr-run --rm --net a-name-longer-than-an-interfaces busybox ip -o -4 addr show dev eth0
	assert_out_match 'inet 10\.9\.0\.2/24'
}

test_bad_run_options() {
	make_net n
	run_cap ctr-run --rm --net nosuch busybox true
	assert_fails 125 'network nosuch: no such network'
	run_cap ctr-run --rm --net n --net n busybox true
	assert_fails 125 'net n: given twice'
	run_cap ctr-run --rm --net n --net host busybox true
	assert_fails 125 'net host: excludes other networks'
	run_cap ctr-run --rm --net n --ip 10.8.0.1 busybox true
	assert_fails 125 "address 10\.8\.0\.1: is no host's address of network n"
	run_cap ctr-run --rm --net n --ip 10.9.0.255 busybox true
	assert_fails 125 "address 10\.9\.0\.255: is no host's address of network n"
	run_cap ctr-run --rm --net n --ip 10.9.0.1 busybox true
	assert_fails 125 'address 10\.9\.0\.1 of network n is taken'
	run_cap ctr-run --rm --net n --ip6 fd00::1 busybox true
	assert_fails 125 'fd00::1: network n has no subnet'
	for bad in 10.9.0 10.9.0.256 fd00::1 ''; do
		run_cap ctr-run --rm --net n --ip "$bad" busybox true
		assert_fails 125 'no IPv4 address'
	done
	for bad in 01:00:00:00:00:01 02:42 02:42:00:00:00:0g 02:42:00:00:00:01:02 x ''; do
		run_cap ctr-run --rm --net n --mac "$bad" busybox true
		assert_fails 125 'mac'
	done
	run_cap ctr-run --rm --net n --net-alias 'a b' busybox true
	assert_fails 125 'no host name'
	run_cap ctr-run --rm --net none -p 80:80 busybox true
	assert_fails 125 'p needs a network'
	assertNull 'no lease is left of all that' "$(ls "$CTRBOX_RUN/net/n" 2>/dev/null)"
	assertNull 'nor a container' "$(ctr-ps -a -q)"
}

test_addresses_of_the_users_choice() {
	ctr-net create --subnet 10.9.0.0/24 --subnet fd09::/64 n >/dev/null
	run_cap ctr-run --rm --net n --ip 10.9.0.77 --ip6 fd09::77 --mac 02:00:00:00:00:77 busybox ip addr show dev eth0
	assert_ok
	assert_out_match 'inet 10\.9\.0\.77/24 '
	assert_out_match 'inet6 fd09::77/64 '
	assert_out_match 'link/ether 02:00:00:00:00:77 '
	sleeper a --net n --ip 10.9.0.77
	run_cap ctr-run --rm --net n --ip 10.9.0.77 busybox true
	assert_fails 125 'address 10\.9\.0\.77 of network n is taken'
	run_cap ctr-exec a cat /etc/hosts
	assert_out_match '^fd09::.*a '
	sleeper b --net n
	assertEquals 'told once of each address' 2 "$(ctr-exec a grep -c ' *b ' /etc/hosts)"
	ctr-rm -f b >/dev/null
	assertEquals 'and no more' 0 "$(ctr-exec a grep -c ' *b ' /etc/hosts)"
}

# 121: one that may adds addresses to its interface; a neighbour reaches it by each.
test_several_addresses() {
	make_net n
	sleeper a --net n --cap-add NET_ADMIN
	sleeper b --net n
	for address in 10.9.0.200 10.9.0.201; do
		run_cap ctr-exec a ip addr add $address/24 dev eth0
		assert_ok
	done
	for address in 10.9.0.2 10.9.0.200 10.9.0.201; do
		run_cap ctr-exec b ping -c 1 -W 5 $address
		assert_rc 0
	done
}

test_dns_and_hosts() {
	make_net n
	run_cap ctr-run --rm --net n --dns 192.0.2.53 --dns-search lan --add-host up:host-gateway --add-host db:192.0.2.9 busybox \
		cat /etc/resolv.conf /etc/hosts
	assert_ok
	assert_out_match '^nameserver 192\.0\.2\.53$'
	assert_out_match '^search lan$'
	assert_out_match '^10\.9\.0\.1.up$'
	assert_out_match '^192\.0\.2\.9.db$'
	sleeper a --net n --add-host up:host-gateway
	sleeper b --net n
	ctr-rm -f b >/dev/null
	run_cap ctr-exec a cat /etc/hosts
	assert_out_match '^10\.9\.0\.1.up$'
}

test_ptp() {
	ctr-net create --driver ptp --subnet 10.9.0.0/24 n >/dev/null
	sleeper a --net n
	sleeper b --net n
	run_cap ctr-exec a ip route
	assert_out_match '^default via 10\.9\.0\.1 dev eth0'
	run_cap ping -c 1 -W 2 10.9.0.2
	assert_rc 0
	run_cap ctr-exec b ping -c 1 -W 2 10.9.0.1
	assert_rc 0
	assertNull 'no bridge' "$(ip -o link show type bridge)"
	run_cap ip route get 10.9.0.3
	assert_out_match '10\.9\.0\.3 dev vc'
	ctr-rm -f a b >/dev/null
	table=$(nft list tables | sed -n 's/.* \(ctrbox_.*\)/\1/p')
	assertNull 'no element is left' "$(nft list table inet "$table" | grep '"vc')"
}

# DRIVER: whether this kernel has it.
kernel_has() {
	ip link add probe link up0 type "$1" 2>/dev/null && ip link del probe
}

# DRIVER CONFIG: containers on a network made of one of the host's interfaces, or the refusal where the kernel can't.
child_driver() {
	ip link add up0 type veth peer name up1
	ip link set up0 up
	ip link set up1 up
	run_cap ctr-net create --driver "$1" --subnet 10.9.0.0/24 n
	assert_fails 1 'needs --parent DEV'
	run_cap ctr-net create --driver "$1" --parent up0 --subnet 10.9.0.0/24 n
	if kernel_has "$1"; then
		assert_ok
		sleeper a --net n
		sleeper b --net n
		run_cap ctr-exec a ip -o -4 addr show dev eth0
		assert_out_match 'inet 10\.9\.0\.2/24 '
		run_cap ctr-exec a ping -c 1 -W 2 b
		assert_rc 0
		ctr-rm -f a b >/dev/null
		run_cap ctr-net create --driver "$1" --parent nosuch --subnet 10.10.0.0/24 m
		assert_fails 1 'interface nosuch: No such device'
	else
		assert_fails 1 "this kernel has no $1 \($2\)"
	fi
	ip link del up0
}

test_macvlan() {
	child_driver macvlan CONFIG_MACVLAN
}

test_ipvlan() {
	child_driver ipvlan CONFIG_IPVLAN
}

. shunit2
