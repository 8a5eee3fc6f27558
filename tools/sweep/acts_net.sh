# shellcheck shell=sh
# shellcheck disable=SC2317 # called by name
# Acts on networks. See acts.sh.

undo_nets() {
	undo
	# shellcheck disable=SC2046 # a list
	ctr-net rm $(ctr-net ls -q | grep -vx n) >/dev/null 2>&1
}

# Network m isn't there, or works.
m_works() {
	! ctr-net ls -q | grep -qx m || ctr-run --rm --net m -p 8081:80 busybox true
}

act_net_create() {
	"$@" ctr-net create m
}
undo_net_create() {
	undo_nets
}
check_net_create() {
	m_works
}

act_net_rm() {
	"$@" ctr-net rm m
}
prepare_net_rm() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-run --rm --net m -p 8080:80 busybox true
}
undo_net_rm() {
	undo_nets
}
check_net_rm() {
	m_works
}

act_net_prune() {
	"$@" ctr-net prune
}
prepare_net_prune() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-create --net n busybox true >/dev/null
}
undo_net_prune() {
	undo_nets
}
check_net_prune() {
	m_works
}

act_net_reload() {
	"$@" ctr-net reload
}
prepare_net_reload() {
	a_runs
}

act_net_connect() {
	"$@" ctr-net connect m a
}
prepare_net_connect() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-run --rm --net m busybox true
	becomes no_veth
	a_runs
}
undo_net_connect() {
	undo_nets
}
check_net_connect() {
	m_works
}

act_net_disconnect() {
	"$@" ctr-net disconnect m a
}
prepare_net_disconnect() {
	ctr-net create --subnet 10.8.0.0/24 m >/dev/null
	ctr-run -d --name a --net n --net m -p 8080:80 busybox sleep 1000 >/dev/null
}
undo_net_disconnect() {
	undo_nets
}
check_net_disconnect() {
	m_works
}

act_net_run() {
	"$@" ctr-net run n true
}

# Kinds of network.

act_run_kinds() {
	"$@" ctr-run --rm --net ptp --net vlan --net iface:right -p 8080:80 busybox true
}
prepare_run_kinds() {
	ip link add left type veth peer name right
	ctr-net create --driver ptp --subnet 10.7.0.0/24 ptp >/dev/null
	ctr-net create --driver macvlan --parent left --subnet 10.6.0.0/24 vlan >/dev/null
	ctr-run --rm --net ptp --net vlan busybox true
	becomes no_veth
}
undo_run_kinds() {
	undo_nets
	ip link del left 2>/dev/null
}
