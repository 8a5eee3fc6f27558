#!/bin/sh
# Images from Containerfiles (test/build) by ctr-image build, run as a user would: busybox; Debian with nginx for everyone;
# the course notes' page of flask's that counts its visits in redis. The tests build on one another.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; quoted is what another shell expands
. "$(dirname "$0")/lib.sh"
. "$TOP/test/net_lib.sh"
. "$TOP/test/build_lib.sh"
need_debian

oneTimeSetUp() {
	mount --make-rshared /run
	leg out up0 192.0.2 2001:db8:2:
}

oneTimeTearDown() {
	[ -e /run/netns/out ] || return 0
	ip netns del out
	umount /run/netns
}

tearDown() {
	ctr-ps -aq | xargs -r timeout 60 ctr-rm -f >/dev/null
	ctr-net ls -n -r -o name | grep -v '^bridge$' | xargs -r timeout 10 ctr-net rm >/dev/null
	assertNull 'groups are left' "$(leftovers)"
}

# build NAME -f FILE [OPTION..] CONTEXT: its id is all that is on stdout.
build() {
	run_cap timeout 200 ctr-image build -t "$@"
	assert_rc 0
	assert_out_match '^[0-9a-f]{12,64}$'
	assertEquals 'lines on stdout' 1 "$(printf '%s\n' "$out" | wc -l)"
	assertEquals 'the id' "$out" "$(ctr-image inspect "$1" | jq -r '.[0].id' | cut -c "1-${#out}")"
}

get() {
	timeout 10 busybox wget -q -O - "http://$1/"
}

# from_out URL: what another machine gets
from_out() {
	timeout 10 ip netns exec out busybox wget -q -O - "http://$1/"
}

layers() {
	ctr-image inspect "$1" | jq -r '.[0].layers[].diff_id'
}

test_busybox_image() {
	build bb -f "$FILES/busybox/Containerfile" "$(of_busybox)"
	run_cap timeout 20 ctr-run --rm --net none bb sh -c 'pwd; echo $PATH; ls /bin | wc -l'
	assert_ok
	assert_out "$(printf '/root\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n%s' \
		"$(tar -tf "$BUILD/busybox.tar" | grep -c '^\(\./\)\?bin/.')")"
	run_cap eval 'echo "echo from the shell" | timeout 20 ctr-run --rm -i --net none bb'
	assert_out 'from the shell'
}

test_debian_image() {
	build packages -f "$FILES/debian/Containerfile" --target packages "$debian"
	build debian -f "$FILES/debian/Containerfile" "$debian"
	run_cap timeout 20 ctr-run --rm --net none debian bash -c '. /etc/os-release; echo $ID'
	assert_out debian
}

test_nginx_image() {
	build bird -f "$FILES/nginx/Containerfile" "$FILES/nginx"
	assert_err_match '^Setting up nginx '
	assertEquals 'the packages were there for one step' '' "$(ctr-run --rm --net none bird ls / | grep packages)"
}

test_redis_and_flask_images() {
	build larder -f "$FILES/redis/Containerfile" "$FILES/redis"
	build slate -f "$FILES/flask/Containerfile" "$FILES/flask"
}

# As they were: nothing is run.
test_again_from_the_cache() {
	for name in nginx redis flask; do
		run_cap timeout 60 ctr-image build -t again -f "$FILES/$name/Containerfile" "$FILES/$name"
		assert_rc 0
		case $name in nginx) first=bird ;; redis) first=larder ;; flask) first=slate ;; esac
		assertEquals "$name" "$(layers "$first")" "$(layers again)"
		printf '%s\n' "$err" | grep -q 'Reading package lists'
		assertEquals "apt isn't run for $name" 1 $?
	done
	run_cap ctr-image rm again
	assert_rc 0
}

test_nginx_serves() {
	run_cap timeout 10 ctr-net create --driver bridge --subnet 192.168.99.0/24 --gateway 192.168.99.1 mynginxbridge
	assert_rc 0
	run_cap timeout 20 ctr-run -d --name bird --net mynginxbridge -p 8888:80 bird
	assert_ok
	wait_for 10 get 192.168.99.2:80
	for where in 192.168.99.2:80 192.168.99.1:8888 192.0.2.1:8888 127.0.0.1:8888; do
		run_cap get $where
		assertEquals "$where" 'here is bird' "$out"
	done
	run_cap from_out 192.0.2.1:8888
	assert_out 'here is bird'
	run_cap ctr-exec bird cat /var/log/nginx/access.log
	assert_out_match '^192\.0\.2\.2 '
	run_cap timeout 20 ctr-stop bird
	assert_ok
	run_cap from_out 192.0.2.1:8888
	assert_rc 1
}

redis_answers() {
	[ "$(timeout 5 ctr-exec redis redis-cli ping)" = PONG ]
}

healthy() {
	[ "$(ctr-ps -n -r -o name,health | sed -n "s/^$1	//p")" = healthy ]
}

# assert_visit N WHERE: its page, asked from the other machine, is the Nth
assert_visit() {
	run_cap from_out "$2"
	assert_out "seen $1 times"
}

# redis by its name, of who runs it and of the image's own command; the health check is the image's.
test_flask_counts_in_redis() {
	run_cap timeout 10 ctr-net create --driver bridge --subnet 192.168.99.0/24 --gateway 192.168.99.1 myflask
	assert_rc 0
	run_cap timeout 20 ctr-run -d --name redis --net myflask -v visits:/data larder
	assert_ok
	wait_for 10 redis_answers
	run_cap timeout 20 ctr-run -d --name flask --net myflask -p 5000:5000 slate
	assert_ok
	run_cap timeout 20 ctr-run -d --name other --net myflask -p 5001:5001 -e STORE=192.168.99.2 -e PORT=5001 slate
	assert_ok
	wait_for 60 healthy flask
	wait_for 60 healthy other
	run_cap ctr-exec flask sh -c 'id -un; pwd; stat -c "%U:%G %a" app.py'
	assert_out "$(printf 'nobody\n/srv/page\nnobody:nogroup 644')"
	run_cap ctr-exec redis sh -c 'id -un; stat -c %U /data'
	assert_out "$(printf 'redis\nredis')"
	assert_visit 1 192.0.2.1:5000
	assert_visit 2 192.0.2.1:5001
	run_cap get 127.0.0.1:5000
	assert_out 'seen 3 times'
	run_cap timeout 20 ctr-restart redis
	assert_rc 0
	wait_for 10 redis_answers
	assert_visit 4 192.0.2.1:5000
	run_cap timeout 30 ctr-stop redis flask other
	assert_ok
}

. shunit2
