#!/bin/sh
# What a container gets for /etc/resolv.conf.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	make_rootfs "$WORK/rootfs"
	mkdir -p "$WORK/rootfs/etc"
	: >"$WORK/resolv.conf"
	mount --bind "$WORK/resolv.conf" /etc/resolv.conf
}

oneTimeTearDown() {
	umount /etc/resolv.conf 2>/dev/null || : # it runs again at exit
	rm -rf /run/systemd
}

# resolv OPT..: the container's resolv.conf in $out
resolv() {
	run_cap timeout 20 ctr-run --rm "$@" --rootfs "$WORK/rootfs" cat /etc/resolv.conf
}

test_the_hosts_servers() {
	printf 'search lan\nnameserver 192.0.2.1\n' >"$WORK/resolv.conf"
	resolv --net none
	assert_out "search lan
nameserver 192.0.2.1"
}

test_a_resolver_on_loopback_gives_way_to_its_upstreams() {
	mkdir -p /run/systemd/resolve
	echo 'nameserver 127.0.0.53' >"$WORK/resolv.conf"
	echo 'nameserver 192.0.2.2' >/run/systemd/resolve/resolv.conf
	resolv
	assert_rc 0
	assert_out 'nameserver 192.0.2.2'
	assertNull "$err"
	rm -r /run/systemd
}

test_blanks_before_the_address() {
	printf 'nameserver\t127.0.0.53\nnameserver  ::1\nnameserver\t192.0.2.3\n' >"$WORK/resolv.conf"
	resolv
	assert_out 'nameserver	192.0.2.3'
}

test_loopback_serves_with_the_hosts_network() {
	echo 'nameserver 127.0.0.53' >"$WORK/resolv.conf"
	resolv --net host
	assert_out 'nameserver 127.0.0.53'
}

test_none_is_told_once() {
	echo 'nameserver 127.0.0.53' >"$WORK/resolv.conf"
	resolv
	assert_rc 0
	assert_err_match 'no name server .*--dns'
	assertEquals 1 "$(printf '%s\n' "$err" | wc -l)"
	resolv --dns 192.0.2.3 --dns-search example.org
	assert_out "search example.org
nameserver 192.0.2.3"
	assertNull "$err"
}

# shellcheck disable=SC1091
. shunit2
