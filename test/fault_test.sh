#!/bin/sh
# What can't be read for the moment (a bad disk, no more descriptors) isn't gone, and isn't empty: nobody removes or rewrites it. tools/faultsweep found these.
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/inject_lib.sh
. "$TOP/test/inject_lib.sh"

oneTimeSetUp() {
	make_inject "$WORK"
	need_busybox
	ctr-create --name a -v kept:/data busybox sleep 1000 >/dev/null
	ctr-image tag busybox other
	ctr-net create --driver bridge --subnet 10.77.0.0/24 m >/dev/null
}

# unharmed CMD..: with each of its reads, opens and listings refused once, and from then on, nothing is gone.
unharmed() {
	spec=$(cat "$CTRBOX_ROOT"/containers/*/spec.json)
	for fault in 'EIO read,readlinkat' 'EIO getdents64' 'EMFILE openat' '-a EMFILE openat'; do
		n=1
		while
			# shellcheck disable=SC2086 # options
			inject -o struck -e "$BUILD/ctrbox" ${fault%%[A-Z]*} -f "${fault##* }" "1:$n" "$(echo "$fault" | grep -o 'E[A-Z]*')" "$@" >out 2>err
			code=$?
			[ -s struck ]
		do
			assertTrue "$fault $n: $code, $(cat err)" "[ $code = 0 ] || grep -q '^ctr-[a-z]*: ' err"
			assertEquals "$fault $n: the record" "$spec" "$(cat "$CTRBOX_ROOT"/containers/*/spec.json)"
			assertTrue "$fault $n: what was there" "[ -L '$CTRBOX_ROOT/names/a' ] && [ -d '$CTRBOX_ROOT/volumes/kept' ] &&
				[ -e '$CTRBOX_ROOT/networks/m.json' ] && [ $(find "$CTRBOX_ROOT/layers" -maxdepth 1 -type d | wc -l) = $layers ]"
			[ "$spec" = "$(cat "$CTRBOX_ROOT"/containers/*/spec.json)" ] || return
			n=$((n + 1))
		done
		assertTrue "$fault: some" "[ $n -gt 1 ]"
	done
}

test_nothing_is_taken() {
	layers=$(find "$CTRBOX_ROOT/layers" -maxdepth 1 -type d | wc -l)
	ctr-net connect m a
	unharmed ctr-gc
	unharmed ctr-volume prune -a
	unharmed ctr-net prune
	unharmed ctr-image prune
}

test_a_message_that_cannot_be_sent() {
	for error in EINTR ENOBUFS; do
		run_cap timeout 60 inject -t 20 -o struck -f sendmsg -e "$BUILD/ctrbox" 1:1 $error ctr-run --rm --net none busybox true
		assertTrue "it came there: $error" "[ -s struck ]"
		if [ $error = EINTR ]; then assert_ok; else assert_fails 125 'No buffer space'; fi
	done
}

# That its archive is empty is what comes of it, not the reason.
test_a_reader_that_ends_early() {
	run_cap timeout 60 inject -o struck -f mmap -e "$BUILD/ctrbox" 2:1 ENOMEM ctr-commit a early
	assertTrue 'it came there' "[ -s struck ]"
	assert_rc 1
	assertEquals 'what is told' 'ctr-commit: out of memory
ctr-commit: a: the process that reads files ended early' "$err"
	ctr-image inspect early >/dev/null 2>&1
	assertEquals 'there is no such image' 1 $?
}

# refused FAMILY PROCESSES ERROR CHECK CMD..: each such call of them once; where CMD says 0, CHECK has to hold. $code is CMD's.
refused() {
	_family=$1 _processes=$2 _error=$3 _check=$4 _points=0
	shift 4
	for _process in $_processes; do
		_n=1
		while
			inject -t 60 -d -o struck -f "$_family" -e "$BUILD/ctrbox" "$_process:$_n" "$_error" "$@" >out 2>err
			code=$?
			[ -s struck ]
		do
			if [ $code != 0 ]; then assertTrue "$* $(cat struck): $code $(cat err)" 'grep -qE "^ctr-[a-z]*: .*: ." err'; fi
			$_check || fail "$* $(cat struck): $code $(cat out err)"
			_n=$((_n + 1)) _points=$((_points + 1))
		done
	done
	assertTrue "$*: some" "[ $_points -gt 0 ]"
}

is_whole() { [ "$code" != 0 ] || cmp -s out whole; }
runs_if_told() {
	_run=$(ctr-ps -q -f name=b | wc -l)
	ctr-rm -f b >/dev/null 2>&1
	[ "$_run" = $((code == 0)) ]
}
is_gone_if_told() { [ "$code" != 0 ] || { [ ! -L "$CTRBOX_ROOT/names/b" ] && ctr-create --name b --net none busybox true >/dev/null; }; }
is_known_if_told() { [ "$code" != 0 ] || readlink "$CTRBOX_RUN"/net/m/10.77.* | grep -qw "$new"; }

# Whoever was started, or not, can be: none holds another's lock.
both_run_if_told() {
	if [ "$code" = 0 ]; then [ "$(ctr-ps -r -n -o name | grep -cx '[bc]')" = 2 ]; fi && ctr-start b c >/dev/null
	_right=$?
	ctr-stop -t 0 b c >/dev/null
	return $_right
}

# A new one for the next time.
other_is_gone_if_told() {
	if [ "$code" = 0 ]; then ! nft list ruleset | grep -qw other && [ ! -e "$CTRBOX_RUN/net/other" ]; else true; fi
	_gone=$?
	ctr-net create --subnet 10.78.0.0/24 other >/dev/null 2>&1
	ctr-run --rm --net other busybox true
	return $_gone
}

stands_still() {
	nft list ruleset | grep -q 'table inet ctrbox_'
	_stood=$?
	[ "$code" != 0 ] || ctr-net create --subnet 10.78.0.0/24 other >/dev/null
	return $_stood
}

test_a_network_that_goes_takes_no_other_along() {
	ctr-net connect m a
	ctr-start a >/dev/null
	ctr-net create --subnet 10.78.0.0/24 other >/dev/null
	assertTrue 'there are rules' 'nft list ruleset | grep -q ctrbox_'
	refused getdents64,openat 1 EIO stands_still ctr-net rm other
	ctr-stop -t 0 a >/dev/null
	ctr-net rm other >/dev/null 2>&1 || :
}

# Whether its rules stand can't be known for the moment: they don't stay without it.
test_a_network_takes_its_rules_along() {
	ctr-net create --subnet 10.78.0.0/24 other >/dev/null
	assertTrue 'there are rules' 'nft list ruleset | grep -qw other'
	refused recvfrom,sendto 1 EAGAIN other_is_gone_if_told ctr-net rm other
	code=0 other_is_gone_if_told # and there is a new one
	assertTrue 'it has a list of addresses' "[ -e '$CTRBOX_RUN/net/other' ]"
	refused unlinkat,getdents64 1 EIO other_is_gone_if_told ctr-net rm other
	ctr-net rm other >/dev/null 2>&1 || :
}

# Its files, and its group in each hierarchy.
test_a_container_is_whole_or_none() {
	set -- ctr-run --rm --net none --hostname h busybox sh -c 'cut -d" " -f2 /proc/mounts; cat /proc/self/cgroup'
	"$@" >whole
	assertTrue 'its hosts file' 'grep -qx /etc/hosts whole'
	refused open,openat,openat2 '1 2 3' EMFILE is_whole "$@"
}

test_whoever_cannot_tell_that_it_runs_ends_it() {
	refused sendmsg,recvmsg '1 2 3 4' ENOBUFS runs_if_told ctr-run -d --name b --net none busybox sleep 1000
	ctr-rm -f b >/dev/null # the last one's
}

test_a_promise_at_boot_is_kept_or_told() {
	for name in b c; do ctr-create --name $name --restart always --net none busybox sleep 1000 >/dev/null; done
	refused getdents64,read,socketpair 1 EIO both_run_if_told ctr-start --boot
	ctr-rm -f b c >/dev/null
}

test_a_container_that_cannot_be_looked_up_is_there() {
	ctr-create --name b --net none busybox true >/dev/null
	refused faccessat,readlinkat 1 EIO is_gone_if_told ctr-rm -f b
	ctr-rm -f b >/dev/null 2>&1 || :
}

test_a_name_the_networks_do_not_know() {
	ctr-run -d --name b --net m --hostname h busybox sleep 1000 >/dev/null
	old=b new=c
	while inject -d -o struck -f symlinkat,renameat -e "$BUILD/ctrbox" "1:${n:=1}" ENOSPC ctr-rename "$old" "$new" >out 2>err; code=$?; [ -s struck ]; do
		is_known_if_told || fail "$(cat struck): it said nothing"
		[ ! -L "$CTRBOX_ROOT/names/$new" ] || { _was=$old old=$new new=$_was; }
		n=$((n + 1))
	done
	assertTrue 'some' "[ $n -gt 1 ]"
	ctr-rm -f "$new" "$old" >/dev/null 2>&1 || :
}

# The child of ctr-run -d has no stderr: it tells its parent.
test_no_memory_before_the_command() {
	n=1 told=0
	large=$(head -c 100000 /dev/zero | tr '\0' x) # else it finds room in what malloc(3) has
	while
		inject -t 60 -d -o struck -f mmap,mremap -e "$BUILD/ctrbox" "3:$n" ENOMEM \
			ctr-run -d --name b --net none -e "LARGE=$large" --init busybox sleep 1000 >out 2>err
		code=$?
		[ -s struck ]
	do
		if [ $code = 0 ]; then
			assertEquals "$n: it runs" b "$(ctr-ps -r -n -o name)"
		else
			told=1
			assertEquals 125 $code
			assertTrue "$n: $(cat err)" "grep -qE '(out of|annot allocate) memory' err"
		fi
		ctr-rm -f b >/dev/null 2>&1
		n=$((n + 1))
	done
	ctr-rm -f b >/dev/null 2>&1
	assertTrue 'once at least' $((1 - told))
}

# One of the errors, another each time, at some of its calls.
test_some_of_the_sweep() {
	# shellcheck source=tools/sweep/fault.sh
	error=$(. "$TOP/tools/sweep/fault.sh" && echo "$FAULTS" | sed '/^$/d; s/ .*//' | sed -n "$(($(date +%s) % 11 + 1))p")
	run_cap env JOBS=2 "$TOP/tools/faultsweep" run_d stop exec import image_prune net_connect "$error" 17
	assert_rc 0
	assert_match '^points [0-9]+, faults 0$' "$(printf '%s\n' "$out" | tail -n 1)"
}

. shunit2
