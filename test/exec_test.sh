#!/bin/sh
# ctr-exec: a further command in a running container. Numbers: shared/seeds/CHECKLIST.md.
# shellcheck disable=SC2016,SC2238 # what is in single quotes is expanded inside; `run env` runs env
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() {
	need_busybox
	mkfifo quiet
	exec 8<>quiet
	ctr-run -d --name a -e GIVEN=here -m 64m --pids-limit 50 --hostname bird busybox sh -c 'echo mark >/mark; exec sleep 1000' >/dev/null
	wait_for 5 ctr-exec a test -s /mark
}

oneTimeTearDown() {
	ctr-rm -f a >/dev/null 2>&1
	return 0
}

tearDown() {
	ctr-rm -f b >/dev/null 2>&1
	return 0
}

exec_in() {
	run_cap ctr-exec a "$@"
}

# 107: the same tree, the container goes on; 52: its first process is 1
test_the_same_world() {
	exec_in sh -c 'cat /mark; hostname; cat /proc/1/comm; ps -o pid,args'
	assert_ok
	assert_out_match '^mark$'
	assert_out_match '^bird$'
	assert_out_match '^sleep$'
	assert_out_match '^ +1 sleep 1000$'
	exec_in true
	assert_ok
}

# 108
test_all_its_namespaces() {
	for kind in mnt pid ipc uts net cgroup user; do
		exec_in sh -c "readlink /proc/1/ns/$kind /proc/self/ns/$kind 2>/dev/null || { readlink /proc/1/ns/$kind; readlink /proc/self/ns/$kind; }"
		assertEquals "$kind" 1 "$(printf '%s\n' "$out" | sort -u | wc -l)"
	done
}

test_exit_codes() {
	exec_in sh -c 'exit 3'
	assert_rc 3
	exec_in sh -c 'kill -TERM $$'
	assert_rc 143
	exec_in nothing
	assert_fails 127 'a: nothing: command not found in PATH'
	exec_in /etc/passwd
	assert_fails 126 'a: /etc/passwd: is not executable'
	run_cap ctr-exec nobody true
	assert_fails 125 'nobody: no such container'
	run_cap ctr-exec a
	assert_fails 125 'a command is missing'
	run_cap ctr-exec
	assert_fails 125 'a container is missing'
}

# 119
test_environment() {
	LEAK=1 http_proxy=x exec_in env
	assert_out_match '^GIVEN=here$'
	assert_out_match '^HOSTNAME=bird$'
	assert_out_match '^HOME=/root$'
	assertNull "$(printf '%s\n' "$out" | grep -E 'LEAK|proxy|TERM|CTRBOX')"
	run_cap env OURS=o ctr-exec -e GIVEN=new -e OURS -e MORE=m a env
	assert_out_match '^GIVEN=new$'
	assert_out_match '^OURS=o$'
	assert_out_match '^MORE=m$'
	printf 'F=file\n' >env
	run_cap ctr-exec --env-file env a env
	assert_out_match '^F=file$'
}

test_user_and_directory() {
	run_cap ctr-exec -u 1000:100 -w /tmp a sh -c 'id -u; id -g; pwd; sed -n "s/^CapEff:.//p" /proc/self/status'
	assert_out '1000
100
/tmp
0000000000000000'
	run_cap ctr-exec -w relative a pwd
	assert_fails 125 'must begin with /'
	run_cap ctr-exec -u nobody-here a id
	assert_fails 125 'user "nobody-here"'
	for fd in 3 4 5 6 7 8 9 10 12 14; do
		run_cap ctr-exec -w /proc/self/fd/$fd a pwd 9</
		[ "$rc" = 125 ]
		expect $? "-w /proc/self/fd/$fd refused"
	done
}

test_the_container_user_is_the_default() {
	ctr-run -d --name b -u 1000 -w /tmp busybox sleep 1000 >/dev/null
	assertEquals '1000 /tmp' "$(ctr-exec b sh -c 'echo "$(id -u) $(pwd)"')"
	assertEquals 0 "$(ctr-exec -u 0 b id -u)"
	assertEquals out "$(ctr-exec b sh -c 'echo out >/dev/stdout')"
}

test_same_confinement() {
	exec_in sh -c 'grep -E "^Cap(Inh|Eff|Bnd|Amb)" /proc/self/status; cat /proc/kcore /proc/keys; echo x >/proc/sys/kernel/hostname'
	assert_out 'CapInh:	0000000000000000
CapEff:	00000000a80425fb
CapBnd:	00000000a80425fb
CapAmb:	0000000000000000'
	ctr-run -d --name b --cap-drop ALL --security-opt no-new-privileges --ulimit nofile=99 --oom-score-adj 77 busybox sleep 1000 >/dev/null
	run_cap ctr-exec b sh -c 'grep -E "^(CapBnd|NoNew)" /proc/self/status; ulimit -n; cat /proc/self/oom_score_adj'
	assert_out 'CapBnd:	0000000000000000
NoNewPrivs:	1
99
77'
	run_cap ctr-exec --privileged a sed -n 's/^CapBnd:\t//p' /proc/self/status
	assert_out "$(sed -n 's/^CapBnd:\t//p' /proc/self/status)"
}

# 73: in the container's group
test_the_same_group() {
	exec_in sh -c 'cat /proc/1/cgroup >/tmp/1; cat /proc/self/cgroup | diff /tmp/1 - && echo same'
	assert_out same
	exec_in sh -c 'head -c 90m /dev/zero | tail -c 90m | wc -c'
	assertNotEquals 94371840 "$out"
	exec_in true
	assert_ok
}

test_descriptors() {
	run_cap ctr-exec a sh -c 'for f in /proc/self/fd/*; do echo ${f##*/}; done' 9</
	assert_out '0
1
2
3' # 3 is the directory that it lists
}

# 38
test_stdin() {
	assertEquals typed "$(echo typed | ctr-exec -i a cat)"
	assertNull 'without -i it is not read' "$(echo typed | ctr-exec a cat)"
	head -c 3000000 /dev/zero >big
	assertEquals 3000000 "$(ctr-exec -i a sh -c 'sleep 0.3; wc -c' <big)"
	assertEquals 3000000 "$(ctr-exec -i a cat <big | wc -c)"
	# shellcheck disable=SC2002
	assertEquals 3000000 "$(cat big | ctr-exec -i a cat | wc -c)"
	ctr-exec -i a head -c 5 <big >five
	assertEquals 5 "$(wc -c <five)"
	ctr-exec a sh -c 'echo out; echo err >&2' >out 2>err
	assertEquals out "$(cat out)"
	assertEquals err "$(cat err)"
}

test_tty() {
	tty_cap 'stty rows 31 cols 71; stty -g >before; ctr-exec -it a sh -c "tty; stty size; echo \$TERM; exit 4"; echo $?; stty -g >after' <&8
	assert_out_match '^/dev/pts/[0-9]+$'
	assert_out_match '^31 71$'
	assert_out_match '^4$'
	assertEquals "$(cat before)" "$(cat after)"
	(sleep 0.4; printf 'echo $((6 * 7))\n'; sleep 0.2; printf 'sleep 100\n'; sleep 0.3; printf '\003'; sleep 0.2; printf 'exit 9\n'; sleep 0.3) |
		script -qec 'ctr-exec -it a sh' /dev/null >out
	assertEquals 9 $?
	assert_match '^42' "$(tr -d '\r' <out)"
	(sleep 0.4; printf '\004'; sleep 0.3) | script -qec 'ctr-exec -it a cat' /dev/null >out
	assertEquals 'end of file' 0 $?
}

# More than a terminal takes at once.
test_much_typed() {
	yes 0123456789abcde | head -c 100000 >much
	script -qec 'ctr-exec -it a sh -c "stty raw -echo; echo ready; sleep 0.5; head -c 100000 | wc -c"' /dev/null <much >out
	assert_match 100000 "$(tr -d '\r' <out)"
}

test_signals_are_forwarded() {
	ctr-exec a sh -c 'trap "exit 21" TERM; echo ready; while :; do sleep 0.1; done' >ready &
	wait_for 5 grep -q ready ready
	kill -TERM $!
	wait $!
	assertEquals 21 $?
}

# -d: it goes on when ctr-exec has ended
test_detached() {
	run_cap ctr-exec -d a sh -c 'sleep 0.5; echo done >/done'
	assert_ok
	assert_out ''
	assertTrue "wait_for 5 ctr-exec a test -s /done"
	run_cap ctr-exec -d a no-such
	assert_fails 127 'no-such: command not found'
	run_cap ctr-exec -dt a sh -c 'sleep 0.5; echo done >/done2'
	assert_ok
	assertTrue "wait_for 5 ctr-exec a test -s /done2"
}

test_only_into_a_running_one() {
	ctr-create --name b busybox sleep 1000 >/dev/null
	run_cap ctr-exec b true
	assert_fails 125 "b: container isn't running \(it is created\)"
	ctr-start b >/dev/null
	ctr-pause b >/dev/null
	run_cap ctr-exec b true
	assert_fails 125 'b: container is paused \(see ctr-unpause\)'
	ctr-unpause b >/dev/null
	run_cap ctr-exec b true
	assert_ok
	ctr-stop -t 1 b >/dev/null
	run_cap ctr-exec b true
	assert_fails 125 "container isn't running \(it is exited\)"
}

test_it_ends_with_the_container() {
	ctr-run -d --name b busybox sleep 1000 >/dev/null
	timeout 20 ctr-exec b sleep 1000 &
	sleep 0.5
	ctr-kill -s KILL b >/dev/null
	wait $!
	assertEquals 137 $?
}

# CVE-2016-9962, CVE-2019-5736: what is inside sees nothing of who joins
test_nobody_looks_into_a_joining_process() {
	ctr-run -d --name b busybox sh -c 'while :; do for p in /proc/[0-9]*; do readlink $p/exe $p/cwd 2>/dev/null; ls -l $p/fd 2>/dev/null; done; done | grep -E "ctrbox|'"$WORK"'|cgroup"' >/dev/null
	sum=$(cksum <"$CTRBOX")
	for i in $(seq 60); do
		ctr-exec b true
	done
	assertNull "$(ctr-logs b)"
	assertEquals "$sum" "$(cksum <"$CTRBOX")"
}

test_into_other_namespaces() {
	ctr-run -d --name b --pid host --net host --ipc host --uts host busybox sleep 1000 >/dev/null
	assertEquals "$(readlink /proc/self/ns/net) $(hostname)" "$(ctr-exec b sh -c 'echo $(readlink /proc/self/ns/net) $(hostname)')"
}

test_many_at_once() {
	for i in $(seq 30); do
		ctr-exec a echo "$i" &
	done >many 2>errors
	wait
	assertNull "$(cat errors)"
	assertEquals 30 "$(sort -un many | wc -l)"
}

. shunit2
