#!/bin/sh
# ctr-diff, ctr-commit: what a container changed, and an image of it. [N]: the number in the seeds' checklist.
# shellcheck disable=SC2016 # what stands in single quotes is for the container's shell
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
}

setUp() {
	find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 -maxdepth 1 | sort >before
	cut -d' ' -f5- /proc/self/mountinfo | sort >mounts.before
}

tearDown() {
	[ -e before ] || return 0
	for c in $(ctr-ps -aqn 2>/dev/null); do ctr-rm -f "$c" >/dev/null; done
	cut -d' ' -f5- /proc/self/mountinfo | sort | diff mounts.before - || fail 'mounts have changed'
	pidof ctr-commit ctr-diff && fail 'a process is left'
	assertNull 'a cgroup is left' "$(leftovers)"
}

# Nothing has come into the store since setUp.
assert_nothing_new() {
	assertEquals "$(cat before)" "$(find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 -maxdepth 1 | sort)"
}

# ran NAME COMMANDS: a container that has run them.
ran() {
	ctr-run --name "$1" busybox sh -c "$2" || fail "$2"
}

# status NAME
status() {
	ctr-ps -anr -o status -f name="$1"
}

test_diff_tells_what_was_added_changed_and_deleted() {
	ran d 'echo x >/new; mkdir -p /a/b; touch /a/b/c; echo root >>/etc/passwd; rm /etc/group; rm -r /var/spool
		chmod 711 /srv; touch /tmp/x; rm /tmp/x; ln -s x /etc/link'
	run_cap ctr-diff d
	assert_ok
	assert_out 'A /a
A /a/b
A /a/b/c
C /etc
D /etc/group
A /etc/link
C /etc/passwd
A /new
C /srv
C /var
D /var/spool'
}

test_diff_of_directories_made_anew_and_of_other_kinds() {
	ran d 'rm -r /etc; mkdir /etc; echo x >/etc/passwd; echo y >/etc/other; rm /bin/ls; mkdir /bin/ls; rm -r /srv; echo f >/srv' 2>/dev/null
	run_cap ctr-diff d
	assert_ok
	assert_out_match '^C /bin/ls$'
	assert_out_match '^C /srv$'
	# /etc/hosts and its like are mounted: /etc itself can't be removed
	assert_out_match '^C /etc/passwd$'
	assert_out_match '^A /etc/other$'
	assert_out_match '^D /etc/group$'
}

test_diff_of_an_opaque_directory() {
	ran d 'rm -r /var; mkdir -p /var/lib; echo x >/var/new'
	run_cap ctr-diff d
	assert_ok
	assert_out 'C /var
D /var/cache
D /var/log
A /var/new
D /var/spool
D /var/tmp'
}

# Mount points that were made for -v and the like are nothing that the container did.
test_diff_of_nothing() {
	ctr-create --name never busybox true >/dev/null
	run_cap ctr-diff never
	assert_ok
	assert_out ''
	ctr-run --name quiet -v vol:/made/for/it --tmpfs /t busybox true
	run_cap ctr-diff quiet
	assert_ok
	assert_out_match '^A /made$'
	assert_rc 0
	printf '%s\n' "$out" | grep -E 'etc|for/it|/t$|proc|dev' && fail 'a mount point is told'
	ctr-rm quiet >/dev/null && ctr-volume rm vol >/dev/null
}

test_diff_while_it_runs_and_in_a_user_namespace() {
	ctr-run -d --name up busybox sh -c 'echo x >/x; exec sleep 1000' >/dev/null
	wait_for 5 sh -c '[ "$(ctr-diff up)" = "A /x" ]'
	assertEquals 0 $?
	own_root=$CTRBOX_ROOT own_run=$CTRBOX_RUN
	CTRBOX_ROOT=/run/mapped/root CTRBOX_RUN=/run/mapped/run
	ctr-run --name mapped --userns 100000:0:65536 busybox sh -c 'echo x >/etc/x; chown 5:5 /srv'
	run_cap ctr-diff mapped
	assert_ok
	assert_out 'C /etc
A /etc/x
C /srv'
	ctr-commit mapped image >/dev/null || fail 'commit'
	run_cap ctr-run --rm image stat -c %u:%g /etc/x /srv /
	assert_out "$(printf '0:0\n5:5\n0:0')"
	ctr-rm mapped >/dev/null
	CTRBOX_ROOT=$own_root CTRBOX_RUN=$own_run
	rm -rf /run/mapped
}

test_diff_refuses() {
	make_rootfs rootfs
	ctr-run --name plain --rootfs "$WORK/rootfs" true
	run_cap ctr-diff plain
	assert_fails 1 "ctr-diff: plain: its root is $WORK/rootfs itself: what was there before isn't known"
	ctr-run --name over --rootfs "$WORK/rootfs" --overlay sh -c 'echo x >/x'
	run_cap ctr-diff over
	assert_ok
	assert_out_match '^A /x$'
	run_cap ctr-diff nobody
	assert_fails 1 'ctr-diff: nobody: no such container'
	run_cap ctr-diff
	assert_fails 2 'one container is expected'
	rm -rf rootfs
}

# [115]: the change is in the image; [191]: a layer on the layers, as many as one likes
test_commit_is_one_layer_more() {
	ran one 'echo 1 >/one; echo 1 >/both'
	run_cap ctr-commit -m 'the first' one first
	assert_ok
	assertEquals "$out" "$(ctr-image ls -nr -o id -f name=first:latest)"
	ctr-run --name two first sh -c '[ -s /one ]; echo 2 >/both; rm /one; echo 2 >/two'
	ctr-commit two second >/dev/null || fail 'second'
	ctr-rm one two >/dev/null
	run_cap ctr-image ls -nr -o name,layers
	assert_out_match '^busybox:latest.1$'
	assert_out_match '^first:latest.2$'
	assert_out_match '^second:latest.3$'
	run_cap ctr-run --rm first cat /one /both
	assert_out "$(printf '1\n1')"
	run_cap ctr-run --rm second sh -c 'cat /both /two; ls /one'
	assert_out "$(printf '2\n2')"
	run_cap ctr-image history first
	assert_out_match 'the first'
	assert_out_match 'sh -c echo 1 >/one'
	ctr-image rm second first >/dev/null
	assert_nothing_new
}

# Overlay's own marks become the archive's, and those the next container's.
test_commit_keeps_what_was_deleted() {
	ran del 'rm /etc/passwd; rm -r /var; mkdir /var; echo x >/var/only; rm -r /usr/lib; echo f >/usr/lib; rm /bin/vi; mkdir /bin/vi'
	ctr-commit del deleted >/dev/null || fail 'commit'
	ctr-rm del >/dev/null
	run_cap ctr-run --rm deleted sh -c 'ls /etc/passwd; ls -A /var; cat /usr/lib; ls -A /bin/vi; ls /bin | wc -l'
	assert_out "$(printf 'only\nf\n%s' "$(ctr-run --rm busybox sh -c 'ls /bin | wc -l')")"
	run_cap sh -c 'ctr-run --rm -d --name again deleted sleep 100 >/dev/null; ctr-diff again; ctr-export again | tar -tf - | grep -c "wh\."'
	assert_out 0
	ctr-rm -f again >/dev/null
	ctr-image rm deleted >/dev/null
}

test_commit_keeps_owners_modes_times_links_and_xattrs() {
	ran meta 'cd /srv; echo x >f; chmod 4711 f; chown 12:34 f; ln f g; ln -s f l; mkfifo p; mknod d c 1 3; mkdir -m 1777 t; touch -d "2001-02-03 04:05:06" f t'
	file=$CTRBOX_ROOT/containers/$(ctr-ps -aqn -f name=meta)/upper/srv/f
	setfattr -n user.note -v kept "$file" 2>/dev/null || setfattr -n trusted.note -v kept "$file"
	ctr-commit meta meta >/dev/null || fail 'commit'
	run_cap ctr-run --rm meta sh -c 'cd /srv; stat -c "%n %F %a %u:%g %Y %h" f g l p d t; readlink l'
	assert_ok
	assert_out "$(ctr-start -a meta sh -c 'cd /srv; stat -c "%n %F %a %u:%g %Y %h" f g l p d t; readlink l')"
	assert_match kept "$(getfattr -m - -d "$CTRBOX_ROOT"/layers/*/tree/srv/f 2>/dev/null)"
	ctr-rm meta >/dev/null
	ctr-image rm meta >/dev/null
}

test_commit_takes_the_containers_command_and_settings() {
	ctr-run --name set -e A=1 -e B='two words' -w /srv -u 7:8 -l k=v busybox sh -c 'echo $A $B; pwd; id -u' >/dev/null
	ctr-commit set set >/dev/null || fail 'commit'
	run_cap ctr-run --rm set
	assert_out "$(printf '1 two words\n/srv\n7')"
	run_cap ctr-image inspect set
	printf '%s' "$out" | grep -q 'HOSTNAME' && fail "a container's own name is in the image"
	assert_out_match '"k": *"v"'
	run_cap ctr-commit -c 'CMD ["echo","changed"]' -c 'ENV A=2' -c 'USER 0' -c 'ENTRYPOINT ["env"]' set changed
	assert_ok
	run_cap ctr-run --rm changed
	assert_out changed
	run_cap ctr-run --rm changed sh -c 'echo $A; id -u'
	assert_out "$(printf '2\n0')"
	# an entrypoint isn't doubled
	ctr-run --name entry changed echo through >/dev/null
	ctr-commit entry entry >/dev/null
	run_cap ctr-run --rm entry
	assert_out through
	ctr-rm set entry >/dev/null
	ctr-image rm set changed entry >/dev/null
}

# [92]: while it runs: frozen, one moment, and going on afterwards
test_commit_of_one_that_runs_is_one_moment() {
	ctr-run -d --name busy busybox sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/a; echo $i >/b; done' >/dev/null
	wait_for 5 sh -c 'ctr-diff busy | grep -q /b'
	for try in 1 2 3 4 5; do
		ctr-commit busy "busy$try" >/dev/null || fail "commit $try"
		run_cap ctr-run --rm "busy$try" sh -c 'read a </a; read b </b; [ "$a" -eq "$b" ] || [ "$a" -eq $((b + 1)) ] || [ -z "$a$b" ] || [ -z "$a" ] || [ -z "$b" ]'
		assert_rc 0
		ctr-image rm "busy$try" >/dev/null
	done
	assertEquals running "$(status busy)"
	was=$(ctr-exec busy cat /a)
	wait_for 5 sh -c "[ \"\$(ctr-exec busy cat /a)\" != \"$was\" ]"
	assertEquals 'it goes on' 0 $?
	ctr-pause busy >/dev/null
	ctr-commit busy paused >/dev/null || fail 'paused'
	assertEquals 'as it was found' paused "$(status busy)"
	ctr-unpause busy >/dev/null
	ctr-image rm paused >/dev/null
}

test_a_killed_commit_leaves_it_running_and_nothing_else() {
	ctr-run -d --name big busybox sh -c 'head -c 300000000 /dev/zero >/big; touch /done; exec sleep 1000' >/dev/null
	wait_for 20 sh -c 'ctr-diff big | grep -q /done'
	ctr-commit big big >/dev/null &
	commit=$!
	wait_for 10 sh -c '[ "$(ctr-ps -anr -o status -f name=big)" = paused ]'
	assertEquals 'it is frozen' 0 $?
	kill -KILL $commit
	wait $commit 2>/dev/null
	wait_for 10 sh -c '[ "$(ctr-ps -anr -o status -f name=big)" = running ]'
	assertEquals 'and thawed' 0 $?
	run_cap ctr-exec big echo alive
	assert_out alive
	run_cap ctr-image inspect big
	assert_rc 1
	ctr-gc >/dev/null 2>&1
	assert_nothing_new
}

test_commit_of_a_directory_makes_one_layer_of_all() {
	make_rootfs rootfs
	echo mine >rootfs/mine
	ctr-run --name plain --rootfs "$WORK/rootfs" sh -c 'echo changed >/changed'
	run_cap ctr-commit plain whole
	assert_ok
	assertEquals 1 "$(ctr-image ls -nr -o layers -f name=whole:latest)"
	run_cap ctr-run --rm whole
	assert_ok
	run_cap ctr-run --rm whole cat /mine /changed
	assert_out "$(printf 'mine\nchanged')"
	ctr-run --name over --rootfs "$WORK/rootfs" --overlay sh -c 'rm /mine; echo over >/over'
	ctr-commit over covered >/dev/null || fail 'overlay'
	run_cap ctr-run --rm covered sh -c 'cat /over; ls /mine'
	assert_out over
	assertEquals mine "$(cat rootfs/mine)"
	ctr-rm plain over >/dev/null
	ctr-image rm whole covered >/dev/null
	rm -rf rootfs
	assert_nothing_new
}

test_commit_of_nothing() {
	ctr-create --name never busybox true >/dev/null
	ctr-commit never never >/dev/null || fail 'commit'
	run_cap ctr-run --rm never echo works
	assert_out works
	ctr-rm never >/dev/null
	ctr-image rm never >/dev/null
}

# It moves a name from one image to another.
test_commit_over_a_name() {
	ran a 'echo a >/x'
	ctr-commit a name >/dev/null && ctr-start -a a sh -c 'echo b >/x' && ctr-commit a name >/dev/null
	run_cap ctr-run --rm name cat /x
	assert_out b
	ctr-rm a >/dev/null
	ctr-image rm name >/dev/null
	ctr-image prune >/dev/null
	assert_nothing_new
}

test_commit_refuses() {
	ran a 'echo a >/x'
	run_cap ctr-commit nobody image
	assert_fails 1 'ctr-commit: nobody: no such container'
	run_cap ctr-commit a
	assert_fails 2 'CTR and IMAGE are expected'
	run_cap ctr-commit a 'Bad Name'
	assert_fails 1 'ctr-commit: a: .*Bad Name'
	run_cap ctr-commit -c 'NONSENSE x' a image
	assert_fails 1 'NONSENSE'
	run_cap ctr-image inspect image
	assert_rc 1
	assert_nothing_new
}

# The store's disk fills while the layer is written.
test_commit_to_a_full_disk() {
	own=$CTRBOX_ROOT
	mkdir full
	mount -t tmpfs -o size=12m tmpfs full
	CTRBOX_ROOT=$WORK/full
	ctr-run -d --name a busybox sh -c 'head -c 6000000 /dev/urandom >/big; touch /done; exec sleep 100' >/dev/null
	wait_for 10 sh -c 'ctr-diff a | grep -q done'
	ls "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" >full.before
	run_cap ctr-commit a image
	assert_fails 1 'No space left on device'
	assertEquals "$(cat full.before)" "$(ls -A "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images")"
	assertEquals running "$(status a)"
	run_cap ctr-exec a wc -c /big
	assert_out '6000000 /big'
	ctr-rm -f a >/dev/null
	CTRBOX_ROOT=$own
	umount full
}
. shunit2
