#!/bin/sh
# An ordinary user's containers with the ids that /etc/subuid gives: newuidmap(1).
# shellcheck disable=SC2016,SC2031 # what is in single quotes is expanded inside; PATH is changed for the user alone
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/rootless_lib.sh"

oneTimeSetUp() {
	make_willi
	echo "willi:200000:65536" >/run/etc/subuid
	printf '%s\n' 'somebody:300000:65536' 'willi:400000:1000' "$WILLI:500000:64536" >/run/etc/subgid
	for f in subuid subgid; do
		[ -e /etc/$f ] || { : >/etc/$f && echo /etc/$f >>/run/made; }
		mount --bind /run/etc/$f /etc/$f
	done
}

oneTimeTearDown() {
	for f in subuid subgid; do
		mountpoint -q /etc/$f && umount /etc/$f
	done
	[ ! -e /run/made ] || xargs rm -f </run/made
	unmake_willi
}

tearDown() {
	willi ctr-rm -f a b >/dev/null 2>&1
	wait_for 20 none_left || fail "left behind: $(ps -o pid=,args= -u $WILLI)"
}

run() {
	run_cap willi ctr-run --rm --net none busybox "$@"
}

test_maps() {
	run sh -c 'id -u; for f in uid_map gid_map setgroups; do tr -s " " </proc/self/$f; done'
	assert_ok
	assert_out "0
 0 $WILLI 1
 1 200000 65536
 0 $GROUP 1
 1 400000 1000
 1001 500000 64536
allow"
}

test_users() {
	run_cap willi ctr-run --rm --net none -u 1000:100 --group-add 10 busybox id
	assert_ok
	assert_match 'uid=1000.*gid=100.*groups=.*10' "$out"
	run_cap willi ctr-run -d --name a --net none -u 33:2000 --tmpfs /t busybox sleep 1000
	assert_ok
	pid=$(willi ctr-ps -r -n -o pid)
	assertEquals 200032 "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")"
	assertEquals 500999 "$(sed -n 's/^Gid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")"
	assertEquals '33 2000' "$(willi ctr-exec a sh -c 'echo $(id -u) $(id -g)')"
	run_cap willi ctr-kill a
	assert_ok
	assertEquals 137 "$(willi ctr-wait a)"
}

# An image keeps its owners, and gives them back.
test_owners_of_an_image() {
	mkdir -p many/etc
	make_rootfs many
	echo x >many/etc/mine
	chown 33:44 many/etc/mine
	tar -C many -cf many.tar .
	run_cap willi ctr-image import many <many.tar
	assert_ok
	run_cap willi ctr-run --name a --net none many sh -c 'ls -ln /etc/mine; echo y >/new; chown 5:6 /new; rm -rf /srv; mkdir /srv'
	assert_match ' 33 +44 ' "$out"
	assertEquals '200004:400005' "$(stat -c %u:%g $HOME_OF_WILLI/.local/share/ctrbox/containers/*/upper/new)"
	run_cap willi ctr-commit a more
	assert_ok
	willi ctr-image export more >more.tar
	assertEquals '5/6 33/44' "$(tar --numeric-owner -tvf more.tar | awk '$6 ~ /etc\/mine$/ { m = $2 } $6 ~ /^(\.\/)?new$/ { n = $2 } END { print n, m }')"
	run_cap willi ctr-rm a
	assert_ok
	run_cap willi ctr-image rm more many
	assert_ok
	assertEquals '' "$(find $HOME_OF_WILLI -uid +199999)"
}

test_a_volume_of_another_user() {
	run_cap willi ctr-run --rm --net none -v data:/data busybox sh -c 'chown 7 /data; touch /data/f; chown 7 /data/f'
	assert_ok
	run_cap willi ctr-run --rm --net none -u 7 -v data:/data busybox touch /data/g
	assert_ok
	run_cap willi ctr-volume rm data
	assert_ok
}

# What newuidmap refuses is told with its own words.
test_refused_by_newuidmap() {
	mkdir -p /run/bad
	printf '#!/bin/sh\necho "newuidmap: something is wrong" >&2\nexit 1\n' >/run/bad/newuidmap
	chmod 755 /run/bad/newuidmap
	WILLIS_PATH=/run/bad:$PATH
	run_cap willi ctr-ps
	assert_fails 1 '^ctr-ps: /run/bad/newuidmap: newuidmap: something is wrong$'
	unset WILLIS_PATH
}

. shunit2
