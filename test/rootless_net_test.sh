#!/bin/sh
# The way out of an ordinary user's containers, and the ports published on them: in the world of net_lib.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/net_lib.sh"
. "$(dirname "$0")/rootless_lib.sh"

oneTimeSetUp() {
	make_willi
	make_world
	cp "$PEER" /run/box/peer
	serve world world 7000 "$WORLD"
	mknod -m 666 /run/tun c 10 200 # open to users, as udev has it
	mount --bind /run/tun /dev/net/tun
}

oneTimeTearDown() {
	! mountpoint -q /dev/net/tun || umount /dev/net/tun
	[ ! -d /run/netns ] || end_world
	rmdir /run/netns 2>/dev/null
	unmake_willi
}

tearDown() {
	willi ctr-rm -f a b >/dev/null 2>&1
	wait_for 20 none_left || fail "left behind: $(ps -o pid=,args= -u $WILLI)"
}

# only PROGRAM: of the two, the box finds that alone.
only() {
	rm -rf /run/tools
	mkdir /run/tools
	for t in sh env cat "$1"; do ln -s "$(command -v "$t")" /run/tools/; done
	WILLIS_PATH=/run/tools
}

# fetch WHERE ADDRESS PORT: a page of container a's. The asker speaks first: Debian 12's pasta forgets to answer a server that would.
fetch() {
	printf 'GET /index.html HTTP/1.0\r\n\r\n' | at "$1" timeout 10 busybox nc "$2" "$3" 2>/dev/null | tail -n 1
}

fetched() {
	[ "$(fetch "$@")" = inside ]
}

# answers PORT: the container's server does, to those outside and on the host.
answers() {
	wait_for 20 fetched host 127.0.0.1 "$1" || fail "nobody answers at port $1"
	assertEquals inside "$(fetch out "$HOST" "$1")"
	assertEquals inside "$(fetch host "$UP1" "$1")"
}

# web OPTION..: container a, which answers on port 80.
web() {
	run_cap willi ctr-run -d --name a "$@" busybox sh -c 'echo inside >/index.html; exec httpd -f -p 80 -h /'
	assert_ok
}

the_way_out() {
	run_cap willi ctr-run --rm -v /run/box/peer:/peer:ro busybox /peer ask tcp "$WORLD" 7000
	assert_ok
	assert_out "world from $UP1"
	run_cap willi ctr-run --rm -v /run/box/peer:/peer:ro busybox /peer ask udp "$WORLD" 7000
	assert_out "world from $UP1"
}

ports() {
	web -p 8080:80 -p 127.0.0.1:9090:80 -p 80
	answers 8080
	assertEquals inside "$(fetch host 127.0.0.1 9090)"
	refused out "$HOST" 9090
	run_cap willi ctr-port a
	assert_out_match '^80/tcp -> 0.0.0.0:8080$'
	assert_out_match '^80/tcp -> 127.0.0.1:9090$'
	answers "$(printf '%s\n' "$out" | sed -n 's/.*0.0.0.0:\([0-9]*\)$/\1/p' | grep -v 8080)"
	run_cap willi ctr-run --rm -p 8080:80 busybox true
	assert_fails 125 'port 8080/tcp of the host is used'
	run_cap willi ctr-restart -t 0 a
	assert_ok
	answers 8080
	run_cap willi ctr-stop -t 0 a
	assert_ok
	refused host 127.0.0.1 8080
	run_cap willi ctr-rm a
	willi ctr-run -d --name a -v /run/box/peer:/peer:ro -p 5353:80/udp busybox /peer serve a 80 >/dev/null
	wait_for 20 willi ctr-exec a /peer ask udp 127.0.0.1 80
	wait_for 20 asked '^a from' out udp "$HOST" 5353 || fail 'nobody answers at UDP port 5353'
}

# asked ERE ARGUMENTS-OF-ASKS: a packet may be lost.
asked() {
	_like=$1
	shift
	asks "$@" | grep -qE "$_like"
}

no_server() {
	! pgrep -u $WILLI httpd
}

# Killed with its supervisor: whoever comes next takes back what there is.
lost_supervisor() {
	web -p 8080:80
	answers 8080
	assertNotNull "$(pgrep -u $WILLI -f "tools/$1 ")"
	kill -9 "$(ps -o ppid= -p "$(willi ctr-ps -r -n -o pid)")"
	wait_for 20 no_server || fail 'the container outlives its supervisor'
	run_cap willi ctr-gc
	assert_rc 0
	wait_for 20 none_left || fail "left behind: $(ps -o pid=,args= -u $WILLI)"
	run_cap willi ctr-start a
	assert_ok
	answers 8080
}

test_pasta() {
	only pasta
	the_way_out
	ports
}

test_pasta_after_a_crash() {
	only pasta
	lost_supervisor pasta
}

test_slirp4netns() {
	only slirp4netns
	the_way_out
	ports
}

test_slirp4netns_after_a_crash() {
	only slirp4netns
	lost_supervisor slirp4netns
}

# A name server on the host's own loopback is asked by way of the program.
test_name_server_on_loopback() {
	echo 'nameserver 127.0.0.1' >/run/etc/resolv.conf
	mount --bind /run/etc/resolv.conf /etc/resolv.conf
	serve host dns 53 127.0.0.1
	for program in pasta slirp4netns; do
		only $program
		run_cap willi ctr-run --rm -v /run/box/peer:/peer:ro busybox sh -c 'cat /etc/resolv.conf; /peer ask udp 10.0.2.3 53'
		assert_out_match '^nameserver 10.0.2.3$'
		assert_out_match '^dns from 127'
	done
	umount /etc/resolv.conf
}

test_another_containers_network() {
	only pasta
	web
	run_cap willi ctr-run --rm --net container:a -v /run/box/peer:/peer:ro busybox /peer ask tcp "$WORLD" 7000
	assert_ok
	assert_out "world from $UP1"
	run_cap willi ctr-run --rm --net container:a busybox sh -c 'printf "GET /index.html HTTP/1.0\r\n\r\n" | nc 127.0.0.1 80 | tail -n 1'
	assert_ok
	assert_out inside
}

# What can't be had: said, and fatal only where it was asked for.
test_no_way_out() {
	only pasta
	umount /dev/net/tun
	run_cap willi ctr-run --rm busybox echo ran
	assert_rc 0
	assert_out ran
	assert_err_match 'has no way out: /.*/pasta: .* \(/dev/net/tun must be there and open to users\)'
	run_cap willi ctr-run --rm --net pasta busybox echo never
	assert_fails 125 'pasta: '
	run_cap willi ctr-run --rm -p 8080:80 busybox echo never
	assert_fails 125 'pasta: '
	mount --bind /run/tun /dev/net/tun
	run_cap willi ctr-run --rm -p 80:80 busybox echo never
	assert_fails 125 'port 80/tcp of the host: Permission denied \(users have those from sysctl'
	run_cap willi ctr-run --rm --net pasta --ip 10.0.0.1 busybox echo never
	assert_fails 125 "networks are root's"
	run_cap willi ctr-run --rm --net pasta --net none busybox echo never
	assert_fails 125 "networks are root's"
}

. shunit2
