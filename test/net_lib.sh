# shellcheck shell=sh
# A small world for the tests of networks, made in the network namespace of the test file, which is the host:
#
#	out ($OUT) ----- up0 ($HOST)  host  up1 ($UP1) ----- world ($WORLD)
#
# `out` sends everything through the host; `world` knows no way back to anything but $UP1, so what it answers was
# masqueraded. Servers and questions are net_peer's (net_peer.c): an answer names the server and the address that it saw.
# FAMILY (4 or 6) says which addresses these variables hold.

PEER=$WORK/net_peer
SERVERS=

make_world() {
	musl-gcc -static -Os -Wall -Wextra -Werror -o "$PEER" "$TOP/test/net_peer.c" || exit 1
	mount --make-rshared /run
	leg out up0 192.0.2 2001:db8:2:
	leg world up1 198.51.100 2001:db8:51:
	ip -n out route add default via 192.0.2.1
	ip -n out -6 route add default via 2001:db8:2::1
	ip route add default via 198.51.100.2
	ip -6 route add default via 2001:db8:51::2
	family "${FAMILY:-4}"
}

# family 4|6: which addresses the variables hold from now on.
family() {
	FAMILY=$1
	if [ "$FAMILY" = 4 ]; then
		OUT=192.0.2.2 HOST=192.0.2.1 UP1=198.51.100.1 WORLD=198.51.100.2
	else
		OUT=2001:db8:2::2 HOST=2001:db8:2::1 UP1=2001:db8:51::1 WORLD=2001:db8:51::2
	fi
}

# leg NAMESPACE DEVICE NET4 NET6: a namespace joined to the host, which is .1 and :1 of those networks.
leg() {
	ip netns add "$1"
	ip -n "$1" link set lo up
	ip link add "$2" type veth peer name eth0 netns "$1"
	ip addr add "$3.1/24" dev "$2"
	ip -n "$1" addr add "$3.2/24" dev eth0
	ip addr add "$4:1/64" dev "$2" nodad
	ip -n "$1" addr add "$4:2/64" dev eth0 nodad
	ip link set "$2" up
	ip -n "$1" link set eth0 up
}

end_world() {
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$SERVERS" ] || kill $SERVERS
	ip netns del out
	ip netns del world
	umount /run/netns
}

# at WHERE CMD..: on the host, in `out` or `world`, or in a container.
at() {
	_where=$1
	shift
	case $_where in
	host) "$@" ;;
	out | world) nsenter --net="/run/netns/$_where" "$@" ;;
	*) ctr-exec -e FAMILY="$FAMILY" "$_where" "$@" ;;
	esac
}

# serve WHERE NAME PORT ADDRESS: a server of the host, `out` or `world`, until the end of the world.
serve() {
	if [ "$1" = host ]; then # no function in the background: that would be a shell around it
		"$PEER" serve "$2" "$3" "$4" &
	else
		nsenter --net="/run/netns/$1" "$PEER" serve "$2" "$3" "$4" &
	fi
	SERVERS="$SERVERS $!"
	wait_for 3 at "$1" "$PEER" ask tcp "$4" "$3"
	assertTrue "$2 serves $4 port $3" $?
}

# web_server NAME OPTION..: a container that answers on port 80.
web_server() {
	_name=$1
	shift
	run_cap ctr-run -d --name "$_name" -v "$PEER:/peer:ro" "$@" busybox /peer serve "$_name" 80
	assert_rc 0
	wait_for 3 ctr-exec "$_name" /peer ask tcp 127.0.0.1 80
	assertTrue "$_name serves" $?
}

# asks WHERE PROTOCOL ADDRESS PORT [MS]: the answer, or why there is none.
asks() {
	case $1 in
	host | out | world) at "$1" "$PEER" ask "$2" "$3" "$4" "${5:-2000}" ;;
	*) at "$1" /peer ask "$2" "$3" "$4" "${5:-2000}" ;;
	esac
}

# reaches WHERE ADDRESS PORT SERVER SEEN-AS, by TCP and UDP. A first packet may wait for the neighbour's address.
reaches() {
	for _protocol in tcp udp; do
		assertEquals "$1 to $2 port $3/$_protocol" "$4 from $5" "$(asks "$1" "$_protocol" "$2" "$3")"
	done
}

# misses WHERE ADDRESS PORT: neither by TCP nor by UDP. What ought to be there is shown to answer by a reaches nearby.
misses() {
	for _protocol in tcp udp; do
		_answer=$(asks "$1" "$_protocol" "$2" "$3" 250)
		case $_answer in
		*' from '*) fail "$1 reached $2 port $3/$_protocol: $_answer" ;;
		*) assertNotNull "$1 doesn't reach $2 port $3/$_protocol" "$_answer" ;;
		esac
	done
}

# refused WHERE ADDRESS PORT: told so at once, instead of waiting in vain.
refused() {
	assertEquals "$1 to $2 port $3/tcp" 'connect: Connection refused' "$(asks "$1" tcp "$2" "$3" 250)"
}

# pings WHERE ADDRESS.., silent WHERE ADDRESS..
pings() {
	_from=$1
	shift
	for _address; do
		at "$_from" ping "-$FAMILY" -c 1 -W 2 "$_address" >/dev/null
		assertTrue "$_from pings $_address" $?
	done
}

silent() {
	_from=$1
	shift
	for _address; do
		at "$_from" ping "-$FAMILY" -c 1 -W 1 "$_address" >/dev/null
		assertFalse "$_from can't ping $_address" $?
	done
}

# setting NAME VALUE: a sysctl of the host, by its path below /proc/sys/net.
setting() {
	echo "$2" >"/proc/sys/net/$1"
}

# br_netfilter 0|1: whether bridged packets pass the rules of ip and ip6; 1 where the kernel hasn't got it.
br_netfilter() {
	[ -e /proc/sys/net/bridge ] || return
	setting bridge/bridge-nf-call-iptables "$1"
	setting bridge/bridge-nf-call-ip6tables "$1"
}

# subnets N: the options for network number N. address N HOST: a host of it.
subnets() {
	echo --subnet "10.9.$1.0/24"
	[ "$FAMILY" = 4 ] || echo --subnet "fd09:$1::/64"
}

address() {
	if [ "$FAMILY" = 4 ]; then echo "10.9.$1.$2"; else echo "fd09:$1::$2"; fi
}

# Two networks; web and cli on one, far on the other; web is published on every address of the host and on one.
make_networks() {
	# shellcheck disable=SC2046 # lists of options
	{
		ctr-net create $(subnets 1) one && ctr-net create $(subnets 2) two &&
			ctr-net create $(subnets 3) --internal shut && ctr-net create $(subnets 4) --no-icc apart
	} >/dev/null
	assertTrue 'networks are made' $?
	_host=$HOST
	[ "$FAMILY" = 4 ] || _host="[$HOST]"
	web_server web --net one -p 8080:80 -p 8080:80/udp -p 127.0.0.1:8081:80 -p 127.0.0.1:8081:80/udp \
		-p "$_host:8082:80" -p "$_host:8082:80/udp"
	web_server cli --net one --net-alias client
	web_server far --net two
	web_server in1 --net shut -p 8090:80 -p 8090:80/udp
	web_server in2 --net shut
	web_server no1 --net apart
	web_server no2 --net apart -p 8091:80 -p 8091:80/udp
	WEB=$(address 1 2) CLI=$(address 1 3) FAR=$(address 2 2) GATE=$(address 1 1) GATE2=$(address 2 1)
}

end_networks() {
	ctr-rm -f web cli far in1 in2 no1 no2 >/dev/null 2>&1
	ctr-net rm one two shut apart >/dev/null 2>&1
}

# A network, web (published) and cli.
one_pair() {
	# shellcheck disable=SC2046 # a list of options
	ctr-net create $(subnets 1) one >/dev/null
	web_server web --net one -p 8080:80 -p 8080:80/udp
	web_server cli --net one
	WEB=$(address 1 2) CLI=$(address 1 3) GATE=$(address 1 1)
}

# One way of each kind.
few_ways() {
	reaches cli "$WEB" 80 web "$CLI"
	reaches out "$HOST" 8080 web "$OUT"
	reaches cli "$HOST" 8080 web "$GATE"
	reaches web "$HOST" 8080 web "$GATE"
	reaches cli "$WORLD" 7000 world "$UP1"
	[ "$FAMILY" = 6 ] || reaches host 127.0.0.1 8080 web "$GATE"
}

# 15, 16, 31, 127, 129, 133-136, 138, 152, 180: who reaches whom, and as whom. Rows that need several networks stand in net_reach_test.
reachability() {
	reaches cli "$WEB" 80 web "$CLI"
	reaches cli web 80 web "$CLI"
	reaches web client 80 cli "$WEB"
	reaches web "$WEB" 80 web "$WEB"
	reaches host "$WEB" 80 web "$GATE"
	reaches web "$GATE" 7000 host "$WEB"
	reaches web "$HOST" 7000 host "$WEB"
	reaches out "$HOST" 8080 web "$OUT"
	reaches world "$UP1" 8080 web "$WORLD"
	reaches host "$HOST" 8080 web "$GATE"
	reaches host "$GATE" 8080 web "$GATE"
	reaches web "$HOST" 8080 web "$GATE"
	reaches web "$GATE" 8080 web "$GATE"
	reaches cli "$HOST" 8080 web "$GATE"
	reaches far "$HOST" 8080 web "$FAR"
	reaches far "$GATE2" 8080 web "$FAR"
	misses far "$WEB" 80
	reaches web "$WORLD" 7000 world "$UP1"
	reaches far "$WORLD" 7000 world "$UP1"
	misses out "$WEB" 80
	misses out "$HOST" 80
	reaches out "$HOST" 8082 web "$OUT"
	reaches host "$HOST" 8082 web "$GATE"
	misses out "$UP1" 8082
	misses out "$HOST" 8081
}

# 13, 127, 144, 151: the same by ping, as root and as an ordinary user (busybox's ping doesn't know the socket for those).
echoes() {
	pings cli "$WEB" web "$GATE" "$HOST" "$WORLD"
	pings host "$WEB"
	silent far "$WEB"
	silent out "$WEB"
	for _address in "$WEB" web "$HOST" "$WORLD"; do
		ctr-exec -u 1000 -e FAMILY="$FAMILY" cli /peer ping "$_address"
		assertTrue "user 1000 of cli pings $_address" $?
	done
}

# The same on networks without a bridge, one veth pair a container; p4 is on two of them, and its way out is the other's.
ptp_reachability() {
	# shellcheck disable=SC2046 # lists of options
	{
		ctr-net create --driver ptp $(subnets 5) pair && ctr-net create --driver ptp --no-icc $(subnets 6) alone &&
			ctr-net create --driver ptp --internal $(subnets 7) hidden
	} >/dev/null
	assertTrue 'networks are made' $?
	web_server p1 --net pair -p 8095:80 -p 8095:80/udp
	web_server p2 --net pair
	web_server p3 --net alone
	web_server p4 --net alone --net pair
	web_server p5 --net hidden
	web_server p6 --net hidden
	P1=$(address 5 2) P2=$(address 5 3) P3=$(address 6 2) P5=$(address 7 2) P6=$(address 7 3)
	reaches host "$P1" 80 p1 "$(address 5 1)"
	reaches p1 "$P2" 80 p2 "$P1"
	reaches p2 p1 80 p1 "$P2"
	reaches p4 p1 80 p1 "$(address 5 4)"
	pings p1 "$P2" p2 p4
	reaches p1 "$WORLD" 7000 world "$UP1"
	reaches out "$HOST" 8095 p1 "$OUT"
	reaches host "$HOST" 8095 p1 "$(address 5 1)"
	reaches p1 "$HOST" 8095 p1 "$(address 5 1)"
	reaches p3 "$HOST" 8095 p1 "$P3"
	asks p2 tcp "$HOST" 8095 | grep -q '^p1 from'
	assertTrue 'a neighbour reaches what is published' $?
	misses out "$P1" 80
	misses p3 "$(address 6 3)" 80
	misses p3 "$P1" 80
	misses p1 "$P3" 80
	silent p3 "$(address 6 3)" "$P1"
	reaches p3 "$WORLD" 7000 world "$UP1"
	reaches p5 "$P6" 80 p6 "$P5"
	reaches p6 p5 80 p5 "$P6"
	pings p5 "$P6"
	misses p5 "$WORLD" 7000
	misses p5 "$P1" 80
	misses p1 "$P5" 80
}

end_ptp() {
	ctr-rm -f p1 p2 p3 p4 p5 p6 >/dev/null
	ctr-net rm pair alone hidden >/dev/null
	assertTrue 'the networks go' $?
}

# Networks without a way out, and without traffic between containers.
barriers() {
	reaches in1 in2 80 in2 "$(address 3 2)"
	reaches host "$(address 3 3)" 80 in2 "$(address 3 1)"
	misses in1 "$WORLD" 7000
	misses in1 "$HOST" 8080
	misses in1 "$WEB" 80
	misses out "$HOST" 8090
	misses out "$(address 3 2)" 80
	misses cli "$HOST" 8090
	misses no1 "$(address 4 3)" 80
	misses no2 "$(address 4 2)" 80
	silent no1 "$(address 4 3)"
	reaches no1 "$WORLD" 7000 world "$UP1"
	reaches no1 "$HOST" 8080 web "$(address 4 2)"
	reaches host "$(address 4 3)" 80 no2 "$(address 4 1)"
	reaches out "$HOST" 8091 no2 "$OUT"
	reaches no1 "$HOST" 8091 no2 "$(address 4 1)"
	reaches no2 "$HOST" 8091 no2 "$(address 4 1)"
}

# The world's end, if READY says that there is one: shunit2 calls oneTimeTearDown once more when the file ends.
end_world_once() {
	if [ -n "$READY" ]; then
		READY=
		end_world
	fi
}

# other CMD..: the same with a second store.
other() {
	CTRBOX_ROOT=$WORK/root2 CTRBOX_RUN=$WORK/run2 "$@"
}

# Two stores that know nothing of each other, each with a network: what is published is reached, by both, and can't be twice; nothing else is.
two_stores() {
	one_pair
	other need_busybox
	other ctr-net create --subnet 10.9.2.0/24 two >/dev/null
	other web_server far --net two -p 8085:80 -p 8085:80/udp
	for port in 8080:80 8080:80/udp 127.0.0.1:8080:80; do
		run_cap other ctr-run --rm --net two -p 8086:80 -p $port busybox true
		assert_fails 125 'port 8080/(tcp|udp) of the host is published already'
	done
	run_cap other ctr-run --rm --net two -p 8086:80 busybox true
	assert_ok
	reaches out "$HOST" 8085 far "$OUT"
	other reaches far "$WORLD" 7000 world "$UP1"
	other reaches far "$HOST" 8080 web 10.9.2.2
	reaches cli "$HOST" 8085 far "$CLI"
	misses cli 10.9.2.2 80
}
