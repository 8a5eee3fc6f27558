#!/bin/sh
# ctr-ps, ctr-inspect, ctr-wait, ctr-top, ctr-rename. [N]: the behaviour's number in the seeds' checklist.
# shellcheck disable=SC2046,SC2086,SC2016 # lists of ids; what jq and sh -c expand
. "$(dirname "$0")/lib.sh"

oneTimeSetUp() { make_rootfs "$WORK/fs"; }

tearDown() { no_containers; }

# start NAME CMD..: detached.
start() {
	_name=$1
	shift
	ctr-run -d --name "$_name" --rootfs "$WORK/fs" "$@" >/dev/null
}

# [101]
test_ps_of_nothing() {
	run_cap ctr-ps
	assert_ok
	assert_out_match '^ID +NAME +STATUS +PID +COMMAND +CREATED$'
	assertEquals 1 "$(printf '%s\n' "$out" | wc -l)"
	run_cap ctr-ps -n
	assert_out ''
	run_cap ctr-ps -q
	assert_out ''
	run_cap ctr-inspect
	assert_ok
	assert_out '[]'
}

# [100]
test_ps_of_one() {
	id=$(ctr-run -d --name bird --rootfs "$WORK/fs" top -d 9)
	pid=$(ctr-ps -n -r -o pid)
	assertEquals "$(cat "/proc/$pid/comm")" top
	run_cap ctr-ps
	assert_ok
	assert_out_match "^$id  bird  running +$pid  top -d 9  [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
	run_cap ctr-ps -q
	assert_out "$id"
	run_cap ctr-ps -J -o id,name,pid,created,exit,ip
	assert_match "^\{\"id\":\"$id\",\"name\":\"bird\",\"pid\":$pid,\"created\":[0-9]+,\"exit\":null,\"ip\":\"[0-9.]+\"\}$" "$out"
	created=$(ctr-ps -J -o created | tr -dc 0-9)
	now=$(date +%s)
	assertTrue "created $created, now $now" "[ $created -le $now ] && [ $created -gt $((now - 60)) ]"
	run_cap ctr-ps -q -0
	assertEquals 13 "$(wc -c <"$WORK/.out")"
}

# [110] those that ended, or never began, are listed with -a and have no pid
test_ps_all() {
	ctr-create --name made --rootfs "$WORK/fs" sh -c 'exit 3' >/dev/null
	start gone sh -c 'exit 7'
	start here sleep 100
	ctr-wait gone >/dev/null
	run_cap ctr-ps -n -r -o name
	assert_out here
	run_cap ctr-ps -a -n -r -o name,status,exit,restarts
	assert_out "$(printf 'here\trunning\t-\t0\ngone\texited\t7\t0\nmade\tcreated\t-\t0')"
	assertEquals - "$(ctr-ps -a -n -r -o pid -f name=gone)"
	kill -9 "$(ctr-ps -n -r -o pid -f name=here)"
	ctr-wait here >/dev/null
	assertEquals "exited 137" "$(ctr-ps -a -n -r -o status,exit -f name=here | tr '\t' ' ')"
}

# Newest first, also within one second.
test_ps_order() {
	for i in 1 2 3 4 5; do
		ctr-create --name "c$i" --rootfs "$WORK/fs" true >/dev/null
	done
	assertEquals 'c5 c4 c3 c2 c1 ' "$(ctr-ps -a -n -r -o name | tr '\n' ' ')"
}

test_ps_fits_80() {
	id=$(ctr-run -d --rootfs "$WORK/fs" sleep 100 20000000000000000000000000000000000000000000000000000000000000000)
	run_cap ctr-ps -a
	assert_out_match '  sleep 100.*\.\.  '
	assertEquals 0 "$(printf '%s\n' "$out" | awk 'length > 80' | wc -l)"
	assertEquals 76 "$(ctr-ps -a -n -r -o command | wc -m)"
	assertEquals "$id" "$(ctr-ps -aq)"
}

test_ps_filters() {
	ctr-create --name a --label tier=web --label x --rootfs "$WORK/fs" true >/dev/null
	ctr-create --name b --label tier=db --rootfs "$WORK/fs" true >/dev/null
	start c sleep 100
	for f in name=a label=tier=web label=x; do
		assertEquals "$f" a "$(ctr-ps -a -n -r -o name -f $f)"
	done
	assertEquals 'b a' "$(ctr-ps -a -n -r -o name -f label=tier | xargs)"
	assertEquals '' "$(ctr-ps -a -n -r -o name -f label=tie -f label=x)"
	assertEquals 'b' "$(ctr-ps -n -r -o name -f status=created -f label=tier=db)"
	assertEquals 'c' "$(ctr-ps -a -n -r -o name -f status=running)"
	assert_fails_usage ctr-ps -f color=red
	assert_fails_usage ctr-ps -f color
	assert_fails_usage ctr-ps -o color
	assert_fails_usage ctr-ps bird
	assert_fails_usage ctr-ps --frobnicate
}

assert_fails_usage() {
	run_cap "$@"
	assert_fails 2 '\(see "ctr-[a-z]+ --help"\)$'
}

test_ps_paused() {
	start bird sleep 100
	group=$(ctr-inspect bird | sed -n 's/^    "cgroup": "\(.*\)",$/\1/p')
	ctr-cgroup freeze "$group"
	assertEquals paused "$(ctr-ps -n -r -o status)"
	ctr-cgroup thaw "$group"
	assertEquals running "$(ctr-ps -n -r -o status)"
}

# Truncated, garbled, emptied or missing: such a container is dead, and hides no other.
test_ps_garbled() {
	start bird sleep 100
	for how in 'head -c 100' 'tr {} xx' 'head -c 0' 'tr a-z \001'; do
		id=$(ctr-create --rootfs "$WORK/fs" true)
		$how <"$CTRBOX_ROOT/containers/$id/spec.json" >spec
		cp spec "$CTRBOX_ROOT/containers/$id/spec.json"
		run_cap ctr-ps -a -n -r -o name,status
		assert_ok
		assert_out "$(printf 'bird\trunning\n%s\tdead' "$id")"
		run_cap ctr-inspect "$id"
		assert_ok
		assert_out_match '"status": "dead"'
		run_cap ctr-rename "$id" other
		assert_fails 1 damaged
		ctr-rm "$id" >/dev/null
	done
	id=$(ctr-create --rootfs "$WORK/fs" true)
	rm "$CTRBOX_ROOT/containers/$id/spec.json"
	assertEquals dead "$(ctr-ps -a -n -r -o status -f id="$id")"
	assertEquals bird "$(ctr-ps -n -r -o name)"
}

test_inspect_what_holds_it() {
	ctr-create --name bird --read-only --userns 300000:0:1000 --device-cgroup-rule 'c 10:200 r' --cap-drop ALL --cap-add KILL \
		--security-opt no-new-privileges --security-opt seccomp=unconfined --rootfs "$WORK/fs" true >/dev/null
	ctr-inspect bird >doc
	run_cap jq -c '.[0] | [.capabilities, .seccomp, .no_new_privileges, .read_only, .spec.idmaps, .device_rules]' doc
	assert_out '[["CAP_KILL"],"unconfined",true,true,["300000:0:1000"],["c 10:200 r"]]'
	ctr-rm bird >/dev/null
}

test_inspect() {
	id=$(ctr-run -d --name bird --label k=v -m 64m --hostname nest -e COLOR=blue -v "$WORK:/w:ro" --rootfs "$WORK/fs" sleep 100)
	run_cap ctr-inspect bird
	assert_ok
	cp "$WORK/.out" doc
	run_cap jq -r '.[0] | .id, .name, .status, .hostname, .labels.k, (.args | join(" ")), .limits.memory, .restart, .privileged,
		.exit_code, (.env | index("COLOR=blue") != null), (.capabilities | index("CAP_CHOWN") != null),
		(.mounts[] | select(.target == "/w") | .options), .spec.name' doc
	assert_ok
	assert_out "$(printf '%s\n' "$id" bird running nest v 'sleep 100' 67108864 no false null true true ro bird)"
	run_cap jq -c '.[0] | [.seccomp, .no_new_privileges, .apparmor, .read_only, .spec.idmaps, .device_rules]' doc
	assert_out '["default",false,null,false,null,[]]'
	pid=$(jq '.[0].pid' doc)
	for kind in mnt uts ipc pid net cgroup; do
		assertEquals "$kind" "$(stat -L -c %i "/proc/$pid/ns/$kind")" "$(jq ".[0].namespaces.$kind" doc)"
	done
	jq -r '.[0].cgroup_directories[]' doc | while read -r dir; do
		[ "${dir%"$(jq -r '.[0].cgroup' doc)"}" != "$dir" ] && grep -qx "$pid" "$dir/cgroup.procs" || echo "$dir"
	done >wrong
	assertEquals '' "$(cat wrong)"
	assertEquals "$CTRBOX_ROOT/containers/$id/log" "$(jq -r '.[0].log_path' doc)"
}

test_inspect_of_ended() {
	start a sh -c 'exit 4'
	ctr-wait a >/dev/null
	run_cap ctr-inspect a
	assertEquals 'exited 0 4 false {}' "$(jq -r '.[0] | [.status, .pid, .exit_code, .oom, (.namespaces | tostring)] | join(" ")' "$WORK/.out")"
	assertTrue 'times' "jq -e '.[0] | .started >= .created and .finished >= .started' '$WORK/.out'"
}

test_inspect_several() {
	ctr-create --name a --rootfs "$WORK/fs" true >/dev/null
	ctr-create --name b --rootfs "$WORK/fs" true >/dev/null
	run_cap ctr-inspect a nobody b
	assert_rc 1
	assertEquals 'ctr-inspect: nobody: no such container' "$err"
	assertEquals 'a b' "$(jq -r '[.[].name] | join(" ")' "$WORK/.out")"
	assertEquals 2 "$(ctr-inspect | jq length)"
	assertEquals 1 "$(echo b | ctr-inspect - | jq length)"
}

test_wait() {
	start a sh -c 'sleep 0.3; exit 5'
	start b sh -c 'exit 6'
	run_cap ctr-wait a b
	assert_ok
	assert_out "$(printf '5\n6')"
	run_cap ctr-wait a
	assert_out 5
	start c sh -c 'kill -TERM $$'
	run_cap ctr-wait c nobody
	assert_rc 1
	assertEquals 'ctr-wait: nobody: no such container' "$err"
}

# The record of an --rm container is gone when its exit code is told.
test_wait_rm() {
	start a --rm sh -c 'sleep 0.4; exit 8'
	start b --rm sh -c 'sleep 0.2; exit 9'
	run_cap ctr-wait a b
	assert_ok
	assert_out "$(printf '8\n9')"
	assertEquals '' "$(ctr-ps -aq)"
}

# More than a supervisor serves at a time.
test_wait_many() {
	start a --rm sh -c 'sleep 1; exit 4'
	for i in $(seq 24); do
		ctr-wait a >"code.$i" 2>&1 &
	done
	wait
	assertEquals 24 "$(cat code.* | grep -cx 4)"
}

test_wait_never_started() {
	ctr-create --name a --rootfs "$WORK/fs" true >/dev/null
	run_cap timeout 5 ctr-wait a
	assert_fails 1 'a: was never started'
	run_cap ctr-wait
	assert_fails 2 'a container is missing'
}

# Restarts aren't ends.
test_wait_restarts() {
	start a --restart on-failure:2 sh -c 'sleep 0.1; exit 3'
	run_cap ctr-wait a
	assert_ok
	assert_out 3
	assertEquals 2 "$(ctr-ps -a -n -r -o restarts)"
}

test_wait_supervisor_killed() {
	start a sleep 100
	supervisor=$(jq .supervisor "$CTRBOX_RUN"/containers/*/state.json)
	ctr-wait a >code &
	waiting=$!
	sleep 0.2
	kill -9 "$supervisor"
	wait $waiting
	assertEquals 137 "$(cat code)"
	assertEquals 'exited' "$(ctr-ps -a -n -r -o status)"
}

test_top() {
	start bird sh -c 'sleep 101 & exec sleep 102'
	wait_for 5 sh -c 'ctr-top bird | grep -q "  sleep 101$"'
	run_cap ctr-top bird
	assert_ok
	assert_out_match '^ *PID +PPID +USER +TIME +CMD$'
	pid=$(ctr-ps -n -r -o pid)
	assert_out_match "^ *$pid +[0-9]+ +0 +00:00:00  sleep 102$"
	assert_out_match "^ *[0-9]+ +$pid +0 +00:00:00  sleep 101$"
	assertEquals 3 "$(printf '%s\n' "$out" | wc -l)"
	assertEquals "$pid" "$(ctr-top bird -n -r -o pid | sort -n | head -1)"
	ctr-create --name made --rootfs "$WORK/fs" true >/dev/null
	run_cap ctr-top made
	assert_fails 1 "made: isn't running"
	run_cap ctr-top nobody
	assert_fails 1 'nobody: no such container'
	assert_fails_usage ctr-top
	assert_fails_usage ctr-top a b
}

test_rename() {
	id=$(ctr-run -d --name old --rootfs "$WORK/fs" sleep 100)
	ctr-create --name taken --rootfs "$WORK/fs" true >/dev/null
	run_cap ctr-rename old new
	assert_ok
	assert_out ''
	assertEquals "$id" "$(ctr-ps -q -f name=new)"
	run_cap ctr-inspect old
	assert_rc 1
	assertEquals "$id" "$(ctr-inspect new | jq -r '.[0].id')"
	run_cap ctr-rename new taken
	assert_fails 1 'the name "taken" is taken'
	assertEquals "$id" "$(ctr-ps -q -f name=new)"
	for bad in 123 -- '' 'a b' ../x; do
		run_cap ctr-rename new "$bad"
		assertFalse "$bad" "[ $rc = 0 ]"
	done
	run_cap ctr-rename nobody x
	assert_fails 1 'nobody: no such container'
	assert_fails_usage ctr-rename new
	assertEquals "$(printf 'new\ntaken')" "$(ls "$CTRBOX_ROOT/names")"
}

# Its supervisor knew the old name.
test_rename_of_rm() {
	start old --rm sleep 100
	ctr-rename old new
	ctr-kill new >/dev/null
	wait_for 5 sh -c '[ -z "$(ctr-ps -aq)" ]'
	assertEquals '' "$(ls "$CTRBOX_ROOT/names")"
}

. shunit2
