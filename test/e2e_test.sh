#!/bin/sh
# The course notes' closing exercises with the real programs (note 003): nginx for everyone, and a page of flask's that
# counts its visits in redis. Debian's packages are installed inside running containers. [N]: the number in the seeds'
# checklist. The tests build on one another: the first ones make the images.
. "$(dirname "$0")/lib.sh"

debian=$BUILD/debian
[ -e "$debian/root.tar" ] || {
	echo "no $debian/root.tar: make debian, which needs a mirror of Debian"
	exit 1
}

oneTimeSetUp() {
	unshare --net sleep 1000 &
	client=$!
	wait_for 5 in_a_namespace_of_its_own "$client"
	ip link add uplink type veth peer name eth0 netns "$client"
	ip addr add 10.211.55.9/24 dev uplink
	ip link set uplink up
	nsenter -t "$client" -n sh -c 'ip addr add 10.211.55.2/24 dev eth0; ip link set eth0 up'
	forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
}

oneTimeTearDown() {
	[ -n "$client" ] || return 0
	kill "$client"
	wait "$client"
	client=
} 2>/dev/null

tearDown() {
	ctrbox ps -aq | xargs -r timeout 60 ctrbox rm -f >/dev/null
	ctrbox network ls -n -r -o name | grep -v '^bridge$' | xargs -r timeout 10 ctrbox network rm >/dev/null
	assertNull 'groups are left' "$(leftovers)"
}

in_a_namespace_of_its_own() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

get() {
	timeout 10 busybox wget -q -O - "http://$1/"
}

answers() {
	timeout 10 sh -c "until busybox wget -q -O - http://$1/; do sleep 0.1; done"
}

# from_client URL: what another machine gets
from_client() {
	timeout 10 nsenter -t "$client" -n busybox wget -q -O - "http://$1/"
}

# workshop NAME PACKAGE..: a running Debian container in which the packages have been installed
workshop() {
	workshop=$1
	shift
	ctrbox image inspect debian >/dev/null 2>&1 || timeout 60 ctrbox image import debian <"$debian/root.tar" >/dev/null
	run_cap timeout 20 ctrbox run -d --name "$workshop" --net none -v "$debian/packages:/packages:ro" debian sleep infinity
	assert_rc 0
	run_cap timeout 10 ctrbox exec "$workshop" sh -c 'echo "deb [trusted=yes] file:/packages ./" >/etc/apt/sources.list'
	assert_ok
	run_cap timeout 200 ctrbox exec -e DEBIAN_FRONTEND=noninteractive "$workshop" \
		sh -c 'apt-get update && apt-get install -y --no-install-recommends "$@"' sh "$@"
	assert_rc 0
}

# A running nginx container is edited and exported; its tar is the image [148]
test_nginx_image() {
	workshop nest nginx
	run_cap timeout 10 ctrbox exec nest sh -c \
		'echo "daemon off;" >>/etc/nginx/nginx.conf; echo "here is bird" >/var/www/html/index.html; nginx -t'
	assert_rc 0
	assert_err_match 'test is successful'
	run_cap timeout 60 ctrbox export nest -o "$WORK/mynginx.tar"
	assert_ok
	run_cap timeout 60 ctrbox image import mynginx <"$WORK/mynginx.tar"
	assert_rc 0
	rm -f "$WORK/mynginx.tar"
	run_cap ctrbox images -n -r -o name
	assert_out_match '^mynginx:latest$'
}

# [154], but that it is committed
test_redis_image() {
	workshop larder redis-server
	run_cap timeout 60 ctrbox commit larder myredis
	assert_rc 0
}

# Installed, written, exported, imported; then changed once more and committed [155] [156]
test_flask_image() {
	workshop slate python3-flask python3-redis
	run_cap timeout 10 ctrbox exec -i slate sh -c 'cat >/root/app.py' <<'EOF'
import os
import flask, redis

os.system('test -c /tmp/urandom || mknod -m 644 /tmp/urandom c 1 9')
app = flask.Flask(__name__)

@app.route('/')
def page():
    store = redis.Redis(host=os.environ.get('STORE', 'nowhere'), decode_responses=True)
    return 'seen %d times\n' % store.incr('visits')

app.run(host='0.0.0.0')
EOF
	assert_ok
	run_cap timeout 60 sh -c 'ctrbox export slate | ctrbox image import slate'
	assert_rc 0
	run_cap timeout 20 ctrbox run --name once --net none slate sed -i 's/nowhere/redis/' /root/app.py
	assert_ok
	run_cap timeout 20 ctrbox commit -c 'CMD ["python3", "/root/app.py"]' once myflask
	assert_rc 0
	run_cap ctrbox images -n -r -o name,layers
	assert_out_match '^myflask:latest	2$'
}

# nginx's first page for the container's address, the host's, the host itself, and another machine [149] [150] [151] [152]
test_nginx() {
	run_cap timeout 10 ctrbox network create --driver bridge --subnet 192.168.99.0/24 --gateway 192.168.99.1 mynginxbridge
	assert_rc 0
	run_cap timeout 10 ctrbox network list
	assert_out_match '^mynginxbridge +bridge +192.168.99.0/24 +192.168.99.1 '
	run_cap timeout 20 ctrbox run -d --name bird -net mynginxbridge -p 8888:80 mynginx nginx
	assert_ok
	run_cap ctrbox ps -n -r -o name,status,ip
	assert_out 'bird	running	192.168.99.2'
	run_cap timeout 10 busybox ping -c 1 -W 5 192.168.99.2
	assert_rc 0
	answers 192.168.99.2:80 >/dev/null 2>&1
	for where in 192.168.99.2:80 192.168.99.1:8888 10.211.55.9:8888 127.0.0.1:8888; do
		run_cap get $where
		assertEquals "$where" 'here is bird' "$out"
	done
	run_cap from_client 10.211.55.9:8888
	assert_out 'here is bird'
	run_cap ctrbox exec bird cat /var/log/nginx/access.log
	assert_out_match '^10\.211\.55\.2 '
	put_back
}

# Stopped, removed, and its network removed: nothing answers, nothing is left [153]
put_back() {
	run_cap timeout 20 ctrbox stop bird
	assert_ok
	run_cap timeout 10 ctrbox rm bird
	assert_ok
	run_cap timeout 10 ctrbox network remove mynginxbridge
	assert_ok
	run_cap from_client 10.211.55.9:8888
	assert_rc 1
	run_cap ip -o link show
	assertEquals 'lo and the uplink' 2 "$(printf '%s\n' "$out" | grep -c .)"
	run_cap ctrbox ps -a -n
	assert_out ''
	run_cap ctrbox network ls -n -r -o name
	assert_out ''
	assertEquals 'ip_forward' "$forwarding" "$(cat /proc/sys/net/ipv4/ip_forward)"
}

redis_answers() {
	[ "$(timeout 5 ctrbox exec redis redis-cli ping)" = PONG ]
}

# redis by its absolute path, its data on a volume [154]
start_redis() {
	run_cap timeout 20 ctrbox run -d --name redis -net myflask -v visits:/data -w /data \
		myredis /usr/bin/redis-server --protected-mode no
	assert_ok
	wait_for 10 redis_answers
}

flask_serves() {
	timeout 5 ctrbox logs "$1" 2>&1 | grep -q 'Running on'
}

# assert_visit N URL: its page, asked from the other machine, is the Nth
assert_visit() {
	run_cap from_client "$2"
	assert_out "seen $1 times"
}

# The page that counts: redis by name and by address, and again after it [157] [158]
test_flask_and_redis() {
	run_cap timeout 10 ctrbox network create --driver bridge --subnet 192.168.99.0/24 --gateway 192.168.99.1 myflask
	assert_rc 0
	start_redis
	run_cap timeout 5 ctrbox exec redis sh -c 'redis-cli set egg blue; redis-cli get egg'
	assert_out "$(printf 'OK\nblue')"
	run_cap timeout 20 ctrbox run -d --name flask -net myflask -p 5000:5000 myflask
	assert_ok
	run_cap timeout 20 ctrbox run -d --name other -net myflask -p 5001:5000 -e STORE=192.168.99.2 myflask python3 /root/app.py
	assert_ok
	run_cap ctrbox ps -n -r -o name,ip
	assert_out "$(printf 'other\t192.168.99.4\nflask\t192.168.99.3\nredis\t192.168.99.2')"
	wait_for 20 flask_serves flask
	wait_for 20 flask_serves other
	assert_visit 1 10.211.55.9:5000
	assert_visit 2 10.211.55.9:5000
	assert_visit 3 10.211.55.9:5001
	run_cap get 127.0.0.1:5000
	assert_out 'seen 4 times'
	run_cap timeout 5 ctrbox exec flask sh -c 'test -c /tmp/urandom && head -c 8 /tmp/urandom | wc -c'
	assert_out 8

	run_cap timeout 20 ctrbox restart redis
	assert_rc 0
	wait_for 10 redis_answers
	assert_visit 5 10.211.55.9:5000
	run_cap timeout 20 ctrbox stop redis
	assert_ok
	run_cap timeout 10 ctrbox rm redis
	assert_ok
	start_redis
	assert_visit 6 10.211.55.9:5000
	run_cap timeout 5 ctrbox exec redis redis-cli get egg
	assert_out blue

	run_cap timeout 30 ctrbox stop redis flask other
	assert_ok
	run_cap timeout 10 ctrbox rm redis flask other
	assert_ok
	run_cap timeout 10 ctrbox network remove myflask
	assert_ok
	run_cap timeout 10 ctrbox volume rm visits
	assert_ok
}

. shunit2
