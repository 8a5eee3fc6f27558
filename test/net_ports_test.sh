#!/bin/sh
# Published ports: how they are named, shown, taken and given back.
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/net_host.sh
. "$TOP/test/net_host.sh"

test_the_same_ports_inside_twice() {
	make_net n
	sleeper a --net n -p 8080:80
	sleeper b --net n -p 8081:80
	run_cap ctr-port a
	assert_out '80/tcp -> 0.0.0.0:8080'
	run_cap ctr-port b
	assert_out '80/tcp -> 0.0.0.0:8081'
}

test_a_port_is_free_again_after_its_container() {
	make_net n
	sleeper a --net n -p 8080:80
	run_cap ctr-run --rm --net n -p 8080:80 busybox true
	assert_fails 125 'port 8080/tcp of the host is published already'
	ctr-rm -f a >/dev/null
	run_cap ctr-run --rm --net n -p 8080:80 busybox true
	assert_ok
}

test_restart_has_an_address_and_its_ports() {
	make_net n
	sleeper a --net n -p 8080:80
	ctr-restart -t 0 a >/dev/null
	assert_match '^10\.9\.0\.[0-9]+$' "$(ip_of a)"
	run_cap published 8080
	assert_out_match ": $(ip_of a | sed 's/\./\\./g') \. 80"
	ctr-stop -t 0 a >/dev/null
	assertNull 'no port while it is down' "$(published 8080)"
	assertNull 'no lease while it is down' "$(ls "$CTRBOX_RUN/net/n")"
	ctr-start a >/dev/null
	run_cap ctr-port a
	assert_out '80/tcp -> 0.0.0.0:8080'
}

# The port led to an address that is somebody else's next.
test_disconnect_takes_the_ports_along() {
	make_net n
	ctr-net create --subnet 10.10.0.0/24 m >/dev/null
	rules() { nft list table inet "ctrbox_$(cat "$CTRBOX_ROOT/tag")" | grep -o 'tcp \. 8080 : [0-9.]*'; }
	ports() { ctr-ps -r -n -o ports -f name=a; }
	sleeper a --net n --net m -p 8080:80
	assertEquals 'tcp . 8080 : 10.9.0.2' "$(rules)"
	run_cap ctr-net disconnect n a
	assert_ok
	assertEquals 'the next network' 'tcp . 8080 : 10.10.0.2' "$(rules)"
	run_cap ctr-net disconnect m a
	assert_ok
	assertNull "$(rules)"
	assertEquals - "$(ports)"
	sleeper b --net n -p 8080:80
	run_cap ctr-net connect n a
	assert_fails 1 'port 8080/tcp of the host is published already'
	ctr-rm -f b >/dev/null
	run_cap ctr-net connect n a
	assert_ok
	assertEquals "tcp . 8080 : $(ip_of a)" "$(rules)"
	assertEquals '0.0.0.0:8080->80/tcp' "$(ports)"
	ctr-rm -f a >/dev/null
	assertNull "$(rules)"
}

test_ps_and_port() {
	make_net n
	sleeper a --net n -p 8080:80 -p 127.0.0.1:53:53/udp
	run_cap ctr-ps -r -n -o name,ip,ports
	assert_out "$(printf 'a\t10.9.0.2\t0.0.0.0:8080->80/tcp,127.0.0.1:53->53/udp')"
	run_cap ctr-port a
	assert_out '80/tcp -> 0.0.0.0:8080
53/udp -> 127.0.0.1:53'
	run_cap ctr-port a 80
	assert_out 0.0.0.0:8080
	run_cap ctr-port a 53/udp
	assert_out 127.0.0.1:53
	run_cap ctr-port a 53
	assert_fails 1 "a: port 53/tcp isn't published"
	for bad in 0 65536 x 80/sctp ''; do
		run_cap ctr-port a "$bad"
		assert_fails 2 'not PORT'
	done
	ctr-stop -t 0 a >/dev/null
	run_cap ctr-port a
	assert_fails 1 "isn't running"
	run_cap ctr-ps -a -r -n -o name,ip,ports
	assert_out "$(printf 'a\t-\t-')"
	run_cap ctr-port
	assert_fails 2 'container is missing'
}

test_bad_ports() {
	make_net n
	for bad in x 70000 70000:80 80:70000 80:0 -1:80 80: 80:80/sctp 80:80/ 1.2.3:80:80 8080-8070:80-70 80:80:80:80 '' : '[::1]80:80' \
		0x50:80 80-:80 80:80/tcp/udp; do
		run_cap ctr-run --rm --net n -p "$bad" busybox true
		assert_fails 125 '-p .*: (not|the ranges)'
	done
	run_cap ctr-run --rm --net n -p 8000-8010:80-89 busybox true
	assert_fails 125 'the ranges differ in length'
	run_cap ctr-run --rm --net n -p 8080:80 -p 8080:81 busybox true
	assert_fails 125 'port 8080/tcp'
	run_cap ctr-run --rm --net n -p 192.0.2.1:8080:80 busybox true
	assert_fails 125 '192\.0\.2\.1.*no such address'
	assertNull 'nothing is published' "$(published 8080)"
}

test_port_forms() {
	make_net n
	sleeper a --net n -p 8000-8002:80-82 -p 127.0.0.1:9000:90/udp -p 9000:90/udp
	run_cap ctr-port a
	assert_out '80/tcp -> 0.0.0.0:8000
81/tcp -> 0.0.0.0:8001
82/tcp -> 0.0.0.0:8002
90/udp -> 127.0.0.1:9000
90/udp -> 0.0.0.0:9000'
	sleeper b --net n -p 80 -p 0:81 -p 127.0.0.1::82
	run_cap ctr-port b
	assert_out_match '^80/tcp -> 0\.0\.0\.0:[0-9]{5}$'
	assert_out_match '^81/tcp -> 0\.0\.0\.0:[0-9]{5}$'
	assert_out_match '^82/tcp -> 127\.0\.0\.1:[0-9]{5}$'
}

test_publish_all_that_is_exposed() {
	make_net n
	ctr-image import -c 'CMD ["sleep", "600"]' -c 'EXPOSE 80 53/udp' exposing <"$BUILD/busybox.tar" >/dev/null
	ctr-run -d --name a --net n -P exposing >/dev/null
	run_cap ctr-port a
	assert_out_match '^80/tcp -> 0\.0\.0\.0:[0-9]{5}$'
	assert_out_match '^53/udp -> 0\.0\.0\.0:[0-9]{5}$'
}

test_a_port_that_a_program_of_the_host_has() {
	make_net n
	python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 8080)); time.sleep(60)' &
	pid=$!
	wait_for 3 eval 'ss -Hltn | grep -q :8080 || grep -q ":1F90 .* 0A " /proc/net/tcp'
	run_cap ctr-run --rm --net n -p 8080:80 busybox true
	assert_fails 125 'port 8080/tcp of the host is used by a program of the host'
	run_cap ctr-run --rm --net n -p 8080:80/udp busybox true
	assert_ok
	kill $pid
	wait $pid
	run_cap ctr-run --rm --net n -p 8080:80 busybox true
	assert_ok
}

. shunit2
