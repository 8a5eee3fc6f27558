# shellcheck shell=sh
# For tests of networks on one host: set-up, what may be left after each test (nothing), and what they ask of the host.

oneTimeSetUp() {
	need_busybox
	mkdir -p "$CTRBOX_RUN/net"
	echo 0 >/proc/sys/net/ipv4/ip_forward
}

tearDown() {
	ctr-ps -a -q | ctr-rm -f - >/dev/null 2>&1
	ctr-net prune >/dev/null
	assertNull 'nothing is left' "$(leftovers)"
	assertNull 'no table is left' "$(nft list tables | grep ctrbox_)"
	assertNull 'no lease is left' "$(find "$CTRBOX_RUN/net" -mindepth 1)"
	assertNull 'no bridge is left' "$(ip -o link show type bridge)"
	assertTrue 'no veth is left' 'wait_for 3 no_veth'
	assertEquals 'forwarding is as it was' 0 "$(cat /proc/sys/net/ipv4/ip_forward)"
	return 0 # else one failure ends all
}

no_veth() {
	[ -z "$(ip -o link show type veth)" ]
}

# NETWORK: one with a small, known subnet.
make_net() {
	ctr-net create --subnet 10.9.0.0/24 "$1" >/dev/null
}

# NAME [OPT]..: one that sleeps.
sleeper() {
	_name=$1
	shift
	ctr-run -d --name "$_name" "$@" busybox sleep 600 >/dev/null
}

ip_of() {
	ctr-ps -r -n -o ip -f "name=$1"
}

id_of() {
	readlink "$CTRBOX_ROOT/names/$1"
}

# NETWORK N: its bridge has that many ports.
ports_of() {
	[ "$(ip -o link show master "$1" | wc -l)" -eq "$2" ]
}

supervisor_of() {
	sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$CTRBOX_RUN/containers/$(id_of "$1")/state.json"
}

# CTR: the addresses and names in its hosts file that aren't of the loopback, "ADDRESS NAME", sorted.
names_in() {
	ctr-exec "$1" cat /etc/hosts | sed -n '/^127\|^::1/!s/\t\([^ ]*\).*/ \1/p' | sort
}

# PORT: the map's elements that publish it.
published() {
	nft list ruleset | tr ',' '\n' | grep -E "(tcp|udp) \. $1 :"
}
