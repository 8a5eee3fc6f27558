#!/bin/sh
# An ordinary user's containers: one id, no helper programs. rootless_ids_test.sh has those with ranges of ids.
# shellcheck disable=SC2016,SC2086 # what is in single quotes is expanded inside; $none is two words or none
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/rootless_lib.sh"

export WILLIS_PATH=/run/tools # no newuidmap, pasta or slirp4netns there

oneTimeSetUp() {
	make_willi
	mkdir /run/tools
	for t in sh env cat id ls timeout script tar find mkdir chmod rm sleep; do ln -s "$(command -v $t)" /run/tools/; done
}

oneTimeTearDown() {
	unmake_willi
}

tearDown() {
	willi ctr-rm -f a b >/dev/null 2>&1
	wait_for 20 none_left || fail "left behind: $(ps -o pid=,args= -u $WILLI)"
}

pid_of() {
	willi ctr-ps -r -n -o pid -f "name=$1"
}

test_run() {
	run_cap willi ctr-run --net none --rm busybox sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups | tr -s " "; exit 7'
	assert_rc 7
	assert_out "0
0
 0 $WILLI 1
 0 $GROUP 1
deny"
	assertNull "$err"
}

# Nothing is put elsewhere than in the user's own places, closed to others.
test_places() {
	run_cap willi ctr-run --net none --name a busybox true
	assert_ok
	assertEquals "700 $WILLI" "$(stat -c '%a %u' $HOME_OF_WILLI/.local/share/ctrbox)"
	assertEquals "700 $WILLI" "$(stat -c '%a %u' /run/user/$WILLI/ctrbox)"
	assertEquals 'nothing with root' '' "$(find $HOME_OF_WILLI /run/user/$WILLI ! -user $WILLI)"
	assertEquals '' "$(find /var/lib /run/ctrbox -newer /run/etc/passwd -user $WILLI 2>/dev/null)"
	run_cap willi env XDG_DATA_HOME=$HOME_OF_WILLI/data CTRBOX_RUN=$HOME_OF_WILLI/run ctr-run --net none --rm busybox true
	assert_ok
	assertTrue "[ -d $HOME_OF_WILLI/data/ctrbox/layers -a -d $HOME_OF_WILLI/run/containers ]"
}

# in_tmp COMMANDLINE: what ctr-ps says after it, in a /tmp of its own.
in_tmp() {
	run_cap unshare -m sh -c '. "$TOP/test/rootless_lib.sh"; mount -t tmpfs -o mode=1777 tmpfs /tmp; eval "$1"
		willi env -u XDG_RUNTIME_DIR ctr-ps -qa; r=$?; stat -c "%a %u" /tmp/ctrbox-*; exit $r' - "$1"
}

test_tmp_is_nobody_elses() {
	in_tmp :
	assert_ok
	assert_out "700 $WILLI"
	in_tmp "mkdir -m 700 /tmp/ctrbox-$WILLI"
	assert_rc 1
	assert_err_match "/tmp/ctrbox-$WILLI: "
	in_tmp "mkdir -m 777 /tmp/ctrbox-$WILLI"
	assert_rc 1
	assert_err_match "/tmp/ctrbox-$WILLI: belongs to user 0 \(set CTRBOX_ROOT and CTRBOX_RUN"
	in_tmp "mkdir -m 755 /tmp/ctrbox-$WILLI; chown $WILLI /tmp/ctrbox-$WILLI"
	assert_rc 1
	assert_err_match "/tmp/ctrbox-$WILLI: is open to other users \(chmod 700"
	in_tmp "ln -s $HOME_OF_WILLI /tmp/ctrbox-$WILLI"
	assert_rc 1
	assert_err_match "open /tmp/ctrbox-$WILLI: "
	run_cap willi env XDG_RUNTIME_DIR=/root ctr-ps
	assert_fails 1 'open /root/ctrbox: .*\(set CTRBOX_RUN, or XDG_RUNTIME_DIR'
	run_cap willi env -u HOME ctr-ps
	assert_fails 1 'neither HOME nor XDG_DATA_HOME nor CTRBOX_ROOT'
}

test_life() {
	run_cap willi ctr-run --net none -d --name a busybox sh -c 'trap "echo bye; exit 3" TERM; echo hello; touch /up; while :; do sleep 0.1; done'
	assert_ok
	assertEquals "$out" "$(willi ctr-ps -q --no-trunc 2>/dev/null || willi ctr-ps -q)"
	wait_for 20 willi ctr-exec a test -e /up
	run_cap willi ctr-exec a sh -c 'id -u; echo $$; cat /proc/1/cmdline | tr "\0" " "'
	assert_ok
	assert_out_match '^0$'
	assert_out_match '^sh -c trap'
	run_cap willi ctr-exec -d a sh -c 'echo x >/made; sleep 1000'
	assert_ok
	wait_for 20 willi ctr-exec a test -e /made || fail 'exec -d'
	assertEquals hello "$(willi ctr-logs a)"
	assert_match 'running' "$(willi ctr-ps -r -n -o status)"
	run_cap willi ctr-top -n -o cmd a
	assert_ok
	assert_out_match '^sh -c trap'
	assert_out_match '^sleep 1000'
	run_cap willi ctr-stop a
	assert_ok
	assertEquals 'exited	3' "$(willi ctr-ps -a -r -n -o status,exit)"
	assertEquals 'hello
bye' "$(willi ctr-logs a)"
	run_cap willi ctr-start a
	assert_ok
	run_cap willi ctr-kill a
	assert_ok
	assertEquals 137 "$(willi ctr-wait a)"
	run_cap willi ctr-restart a
	assert_ok
	run_cap willi ctr-rm -f a
	assert_ok
	assertEquals '' "$(willi ctr-ps -a -q)"
	assertEquals "" "$(find $HOME_OF_WILLI/.local/share/ctrbox/containers /run/user/$WILLI/ctrbox/containers -mindepth 1)"
}

test_terminal() {
	run_cap willi script -qec 'ctr-run --net none -it --rm busybox sh -c "tty; test -t 0 && echo in"; echo rc $?' /dev/null
	assert_match '/dev/pts/0' "$out"
	assert_match 'in' "$out"
	assert_match 'rc 0' "$out"
	willi ctr-run --net none -d --name a busybox sleep 1000 >/dev/null
	run_cap willi script -qec 'ctr-exec -it a sh -c "test -t 1 && echo out"' /dev/null
	assert_match 'out' "$out"
}

# Our own init can be joined, and so can a container that others are just joining.
test_init() {
	run_cap willi ctr-run -d --name a --net none --init busybox sleep 1000
	assert_ok
	willi ctr-exec a sleep 1000 &
	wait_for 20 willi ctr-exec a pgrep -f 'sleep 1000'
	for _ in 1 2 3 4 5; do
		run_cap willi ctr-exec a id -u
		assert_ok
		assert_out 0
	done
	echo new >$HOME_OF_WILLI/new
	run_cap willi ctr-cp $HOME_OF_WILLI/new a:/new
	assert_ok
	run_cap willi ctr-run --rm --net container:a --pid container:a busybox sh -c 'ps | grep -c "sleep 1000"'
	assert_rc 0
	run_cap willi ctr-stop -t 1 a
	assert_ok
	wait
}

# Whoever comes finds the namespace that is there; all that were started by two at once are in one.
test_one_user_namespace() {
	willi ctr-run --net none -d --name a busybox sleep 1000 >/run/a &
	willi ctr-run --net none -d --name b busybox sleep 1000 >/run/b
	wait $!
	of_a=$(readlink "/proc/$(pid_of a)/ns/user")
	assertEquals "$of_a" "$(readlink "/proc/$(pid_of b)/ns/user")"
	assertNotEquals "$of_a" "$(readlink /proc/self/ns/user)"
	willi ctr-rm -f a >/dev/null
	run_cap willi ctr-exec b true
	assert_ok
	willi ctr-run --net none -d --name a busybox sleep 1000 >/dev/null
	assertEquals "$of_a" "$(readlink "/proc/$(pid_of a)/ns/user")"
}

test_supervisor_lost() {
	willi ctr-run --net none -d --name a busybox sleep 1000 >/dev/null
	supervisor=$(ps -o ppid= -p "$(pid_of a)")
	[ "$supervisor" -gt 1 ] && kill -9 "$supervisor"
	assertEquals 137 "$(willi ctr-wait a)"
	run_cap willi ctr-gc
	assert_rc 0
	run_cap willi ctr-start a
	assert_ok
	run_cap willi ctr-exec a true
	assert_ok
}

test_images() {
	willi ctr-run --net none --name a busybox sh -c 'rm /usr/bin/wc; rm -rf /srv; mkdir /srv; echo x >/srv/n; rm -rf /usr/share; mkdir /usr/share' >/dev/null
	assertEquals 'D /usr/bin/wc' "$(willi ctr-diff a | grep bin/)"
	run_cap willi ctr-commit a changed
	assert_ok
	run_cap willi ctr-run --net none --rm changed sh -c 'cat /srv/n; ls /usr/share; ls /usr/bin/wc'
	assert_out x
	assert_match 'wc: No such file' "$err"
	willi ctr-export a >exported.tar
	assertEquals 'root/root' "$(tar -tvf exported.tar | awk '$6 == "./srv/n" || $6 == "srv/n" { print $2 }' | sed 's,0/0,root/root,')"
	willi ctr-image export changed >changed.tar
	assertEquals '' "$(tar -tf changed.tar | grep -E 'bin/wc$|\.wh\.')"
	assertEquals 'busybox:latest
changed:latest' "$(willi ctr-image ls -r -n -o name)"
	run_cap willi ctr-image rm changed
	assert_ok
}

# Owners that have no id here are root's, devices are left out, and both are said once.
test_image_of_many_owners() {
	mkdir -p many/etc many/dev many/bin
	make_rootfs many
	echo x >many/etc/mine
	chown 33:44 many/etc/mine
	mknod many/dev/null c 1 3
	ln -s nowhere many/etc/link
	chown -h 33:33 many/etc/link
	tar -C many -cf many.tar .
	run_cap willi ctr-image import many <many.tar
	assert_rc 0
	assertEquals 'two lines' 2 "$(printf '%s\n' "$err" | wc -l)"
	assert_err_match '2 files are of users without an id in this user namespace: they are root.s'
	assert_err_match '1 device'
	run_cap willi ctr-run --net none --rm many ls -ln /etc/mine
	assert_match ' 0 +0 ' "$out"
}

test_files() {
	echo new >$HOME_OF_WILLI/new
	chown $WILLI $HOME_OF_WILLI/new
	willi mkdir -p $HOME_OF_WILLI/shared
	run_cap willi ctr-run --net none -d --name a -v data:/data -v $HOME_OF_WILLI/shared:/shared --tmpfs /t busybox sh -c 'echo x >/data/f; echo y >/shared/f; sleep 1000'
	assert_ok
	run_cap willi ctr-cp $HOME_OF_WILLI/new a:/etc/new
	assert_ok
	assertEquals new "$(willi ctr-exec a cat /etc/new)"
	run_cap willi ctr-cp a:/etc/new $HOME_OF_WILLI/back
	assert_ok
	assertEquals "$WILLI:$GROUP" "$(stat -c %u:%g $HOME_OF_WILLI/back)"
	wait_for 20 test -s $HOME_OF_WILLI/shared/f
	assertEquals "$WILLI:$GROUP" "$(stat -c %u:%g $HOME_OF_WILLI/shared/f)"
	willi ctr-rm -f a >/dev/null
	assertEquals x "$(willi ctr-run --net none --rm -v data:/data busybox cat /data/f)"
	assertEquals data "$(willi ctr-volume ls -q)"
	run_cap willi ctr-volume rm data
	assert_ok
	run_cap willi ctr-run --net none --rm --read-only --tmpfs /t busybox sh -c 'touch /t/x && ! touch /x 2>/dev/null'
	assert_ok
	run_cap willi ctr-run --net none --rm -v /root:/r busybox ls /r
	assert_rc 1
	assert_err_match 'denied'
}

test_namespaces() {
	for n in pid ipc uts cgroupns net; do
		none="--net none"
		[ $n != net ] || none=
		run_cap willi ctr-run --rm $none "--$n" host busybox readlink /proc/self/ns/${n%ns}
		assert_ok
		assert_out "$(readlink /proc/self/ns/${n%ns})"
	done
	willi ctr-run --net none -d --name a busybox sleep 1000 >/dev/null
	for n in pid ipc uts net; do
		none="--net none"
		[ $n != net ] || none=
		run_cap willi ctr-run --rm $none "--$n" container:a busybox readlink /proc/self/ns/$n
		assert_ok
		assert_out "$(willi ctr-exec a readlink /proc/self/ns/$n)"
	done
	run_cap willi ctr-exec a sh -c 'ls -A /dev; echo x >/dev/null; head -c 3 /dev/zero | wc -c'
	assert_ok
	assert_out_match '^3$'
	run_cap willi ctr-run --rm --net none busybox ip -o -4 addr
	assert_match ' lo .* 127.0.0.1' "$out"
}

# What can't be done is said in one line, before anything is made.
test_refused() {
	run_cap willi ctr-run --net none --rm -m 100m busybox true
	assert_fails 125 '--memory: no cgroup hierarchy has the controller memory \(an ordinary user'
	run_cap willi ctr-run --rm --net bridge busybox true
	assert_fails 125 '--net bridge: networks are root'
	run_cap willi ctr-run --net none --rm --userns 1:0:10 busybox true
	assert_fails 125 '--userns 1:0:10: an ordinary user'
	run_cap willi ctr-run --net none --rm -u 1000 busybox true
	assert_fails 125 'become user 1000:0: Invalid argument \(an id outside the user'
	run_cap willi ctr-run --rm --net pasta busybox true
	assert_fails 125 '--net pasta: needs the program pasta, which isn.t installed'
	run_cap willi ctr-run --rm -p 8080:80 busybox true
	assert_fails 125 '-p: needs the program pasta'
	run_cap willi ctr-run --rm busybox ip -o link
	assert_rc 0
	assert_match '^1: lo' "$out"
	assert_match 'neither pasta nor slirp4netns is installed: the container has no way out' "$err"
	run_cap willi ctr-net create x
	assert_fails 1 'networks are root'
	run_cap willi ctr-image mount busybox $HOME_OF_WILLI
	assert_fails 1 'what an ordinary user mounts is seen by that command alone'
	run_cap willi ctr-net ls
	assert_rc 0
	willi ctr-run --net none -d --name a busybox sleep 1000 >/dev/null
	run_cap willi ctr-pause a
	assert_fails 1 'freezer.*an ordinary user'
}

test_info() {
	run_cap willi ctr-info -r -n -o feature,state,use
	assert_rc 0
	assert_out_match '^rootless	yes	'
	assert_out_match '^ids	1	'
	assert_out_match '^way out	no	'
	assert_out_match '^cgroups	not delegated	'
	assert_out_match "^overlay upper	yes	.*$HOME_OF_WILLI/.local/share/ctrbox"
	run_cap ctr-info -r -n -q
	assertEquals 'root is told nothing of it' '' "$(printf '%s\n' "$out" | grep -E '^(rootless|ids|way out)$')"
}

# Another user's containers aren't there, and a root's neither.
test_others() {
	need_busybox
	ctr-run -d --name a --net none busybox sleep 1000 >/dev/null
	assertEquals '' "$(willi ctr-ps -aq)"
	run_cap willi env "CTRBOX_ROOT=$CTRBOX_ROOT" "CTRBOX_RUN=$CTRBOX_RUN" ctr-ps
	assert_rc 1
	ctr-rm -f a >/dev/null
	willi ctr-run --net none -d --name b busybox sleep 1000 >/dev/null
	run_cap willi ctr-exec b cat /etc/shadow
	assert_match 'root' "$out$err"
}

. shunit2
