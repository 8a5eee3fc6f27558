#!/bin/sh
# Power goes while a command runs: the store is on an ext4 whose disk is copied before every call that changes a name or asks for data to be
# on the disk, once as it is then (what nobody asked for is lost), once after the journal was committed (names are there, what they name
# may be empty). Mounted anew in another boot, each copy is a store where every image that is listed is whole, and every container old or
# new; ctr-gc takes the rest; and what a command said it had done is there. STEP=N: only every Nth copy is tried (4).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/inject_lib.sh"

STEP=${STEP:-4}
CHANGES=fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,symlinkat,mkdir,mkdirat,unlink,unlinkat,rmdir,mknodat,setxattr,lsetxattr,fsetxattr,ftruncate,fallocate

oneTimeSetUp() {
	make_inject "$WORK"
	TMPFS_RUN=$CTRBOX_RUN
	mkdir disk cut
	# No commit by time: only ours, and those that are asked for.
	truncate -s 32m template
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 -J size=4 template
	small_image other one
	small_image new two
}

# small_image NAME TEXT: NAME.tar is a few commands and a file with TEXT.
small_image() {
	mkdir -p "$1.d/bin"
	cp "$(command -v busybox)" "$1.d/bin/"
	for _command in sh cat cp touch; do ln -s busybox "$1.d/bin/$_command"; done
	echo "$2" >"$1.d/text"
	tar -cf "$1.tar" -C "$1.d" .
}

# A store with an image, a container that ran, another one that didn't, a volume and a network, all on the disk for certain.
fresh_store() {
	cp --sparse=always template disk.img
	mount -o loop,commit=1000 disk.img disk
	export CTRBOX_ROOT="$WORK/disk/store" CTRBOX_RUN="$TMPFS_RUN"
	ctr-image import -c 'CMD ["cat","/text"]' old <other.tar >/dev/null
	ctr-run --name ran old sh -c 'echo data >/data; exit 5'
	ctr-create --name idle old >/dev/null
	ctr-volume create vol >/dev/null
	ctr-net create --subnet 10.98.0.0/24 net >/dev/null
	sync -f disk
	digests=$(digests_of)
	${BEFORE:-:}
}

end_store() {
	ctr-ps -aq | ctr-rm -f - >/dev/null 2>&1
	for _net in $(ctr-net ls -q); do ctr-net rm "$_net" >/dev/null 2>&1; done
	umount disk
}

# "ID DIGEST" of each image that is listed.
digests_of() {
	for _id in $(ctr-image ls -q); do echo "$_id $(ctr-image save "$_id" 2>/dev/null | sha256sum)"; done
}

# The disk as it is, unless it is the last copy.
# shellcheck disable=SC2016 # the hook's variables
export HOOK_COPY='n=$(ls snaps | wc -l); last=snaps/$((n - 1)); cmp -s disk.img "$last" || { cp --sparse=always disk.img "snaps/$n"; echo "$POINT" >"points/$n"; }'
HOOK_COMMIT='echo x >disk/commit; sync -d disk/commit; '

# cut_at COMMAND..: runs it, and leaves copies in snaps and where they were taken in points.
cut_at() {
	_hook=$1
	shift
	rm -rf snaps points
	mkdir snaps points
	inject -d -t 120 -f "$CHANGES" -x "$_hook" "$@" >done.out 2>done.err
	done=$?
	# shellcheck disable=SC2034 # the hook's
	POINT='after it' && export POINT
	sh -c "$HOOK_COPY"
}

# What COMMAND.. leaves wherever power goes: CHECK POINT is asked of each store, where POINT is "after it" if it was told to be done.
powercut() {
	_check=$1 copies=0
	shift
	for _commit in '' "$HOOK_COMMIT"; do
		fresh_store
		cut_at "$_commit$HOOK_COPY" "$@"
		[ $done = 0 ] || fail "$*: $(cat done.err)"
		digests=$(printf '%s\n' "$digests" "$(digests_of)")
		end_store
		_last=$(($(find snaps -type f | wc -l) - 1))
		for _n in $(seq $((STEP - 1)) "$STEP" $((_last - 1))) "$_last"; do
			copies=$((copies + 1))
			_point="$(cat "points/$_n")${_commit:+, journal committed}"
			another_boot "snaps/$_n"
			check_store "$_point"
			$_check "$_point"
			nothing_stays "$_point"
			end_boot
		done
	done
	echo "$*: $copies copies"
	assertTrue "$*: $copies copies" "[ $copies -ge 2 ]"
}

another_boot() {
	mount -o loop "$1" cut
	cat /proc/sys/kernel/random/uuid >boot_id
	mount --bind boot_id /proc/sys/kernel/random/boot_id
	export CTRBOX_ROOT="$WORK/cut/store" CTRBOX_RUN="$WORK/run2"
}

end_boot() {
	umount /proc/sys/kernel/random/boot_id
	umount cut
	rm -rf run2
}

# cleanly POINT COMMAND..: it succeeds without a word on stderr.
cleanly() {
	_at=$1
	shift
	run_cap "$@"
	[ "$rc$err" = 0 ] || fail "$(captured "$_at: $*")"
}

# Images whole, containers old or new, before and after gc.
check_store() {
	cleanly "$1" ctr-ps -a -r -n -o name,status
	cleanly "$1" ctr-image ls -q
	digests_of >listed
	printf '%s\n' "$digests" | grep -vxFf - listed >broken && fail "$1: images that aren't whole: $(cat broken)"
	cleanly "$1" ctr-gc
	cleanly "$1" ctr-ps -a -r -n -o name,status
	printf '%s\n' "$out" | grep -q dead && fail "$1: a dead container after gc: $out"
	cleanly "$1" ctr-gc
	[ -z "$out" ] || fail "$1: a second gc finds $out"
	cleanly "$1" ctr-run --rm --net none old
	[ "$out" = one ] || fail "$(captured "$1: image old")"
}

# All can be removed, and then the store is empty.
nothing_stays() {
	ctr-ps -aq >ids
	[ ! -s ids ] || cleanly "$1" ctr-rm -f - <ids
	ctr-image ls -q | sort -u >ids
	[ ! -s ids ] || cleanly "$1" ctr-image rm -f - <ids
	for _volume in $(ctr-volume ls -q); do cleanly "$1" ctr-volume rm "$_volume"; done
	for _net in $(ctr-net ls -q | grep -v '^bridge$'); do cleanly "$1" ctr-net rm "$_net"; done
	cleanly "$1" ctr-gc
	_left=$(cd cut/store && find . -mindepth 2 ! -path './networks/bridge*' ! -path ./images/names)
	[ -z "$_left" ] || fail "$1: left: $_left"
}

is_after() {
	case $1 in after*) return 0 ;; esac
	return 1
}

# kept POINT: what was there before is.
kept() {
	cleanly "$1" ctr-inspect ran idle
	cleanly "$1" ctr-image inspect old
	cleanly "$1" ctr-volume inspect vol
	cleanly "$1" ctr-net inspect net
	[ "$(ctr-cp ran:/data - | tar -xO)" = data ] || fail "$1: the container's file"
	[ "$(ctr-ps -a -r -n -o status,exit -f name=ran)" = "$(printf 'exited\t5')" ] || fail "$1: how it ended"
}

# works POINT WANTED COMMAND..: if the command was done, COMMAND prints WANTED.
works() {
	is_after "$1" || return 0
	_wanted=$2
	_cut=$1
	shift 2
	cleanly "$_cut" "$@"
	[ "$out" = "$_wanted" ] || fail "$(captured "$_cut: $*")"
}

# Each is (CHECK) asked of each store, with what is true only if it was done.
# shellcheck disable=SC2317
imported() {
	kept "$1"
	works "$1" two ctr-run --rm --net none new cat /text
}

test_import() {
	powercut imported sh -c 'ctr-image import new <new.tar'
}

# shellcheck disable=SC2317
test_load() {
	loaded() {
		imported "$1"
		works "$1" one ctr-run --rm --net none more cat /text
	}
	fresh_store
	ctr-image import new <new.tar >/dev/null
	ctr-image tag old more
	ctr-image save -o archive new more
	end_store
	powercut loaded ctr-image load -i archive
}

test_commit() {
	# shellcheck disable=SC2317
	committed() {
		kept "$1"
		works "$1" data ctr-run --rm --net none new cat /data
	}
	powercut committed ctr-commit ran new
}

test_tag() {
	# shellcheck disable=SC2317
	tagged() {
		kept "$1"
		works "$1" one ctr-run --rm --net none more
	}
	powercut tagged ctr-image tag old more
}

test_image_rm() {
	# shellcheck disable=SC2317
	image_removed() {
		kept "$1"
		! is_after "$1" || [ "$(ctr-image ls -r -n -o id | wc -l)" = 1 ] || fail "$1: it is still there"
		[ "$(ctr-image ls -r -n -o id | wc -l)" = 1 ] || cleanly "$1" ctr-run --rm --net none "$second" cat /text
	}
	# shellcheck disable=SC2317
	with_second() {
		second=$(ctr-image import second <new.tar)
		sync -f disk
		digests=$(digests_of)
	}
	BEFORE=with_second powercut image_removed ctr-image rm second
}

test_create() {
	# shellcheck disable=SC2317
	created() {
		kept "$1"
		works "$1" here ctr-start -a c
	}
	powercut created ctr-create --name c --net net -v vol:/v -v /anonymous old echo here
}

# One made with --rm needn't be there afterwards, nor anything of it.
test_run() {
	# shellcheck disable=SC2317
	ran_once() {
		kept "$1"
		! is_after "$1" || [ "$(ctr-ps -aq | wc -l)" = 2 ] || fail "$1: $(ctr-ps -a)"
	}
	powercut ran_once ctr-run --rm --net none -v /anonymous old touch /anonymous/x
}

test_run_in_the_background() {
	# shellcheck disable=SC2317
	was_started() {
		kept "$1"
		works "$1" one ctr-start -a c
	}
	powercut was_started ctr-run -d --name c --net none old
}

test_start_and_stop() {
	# shellcheck disable=SC2317
	was_stopped() {
		kept "$1"
		cleanly "$1" ctr-inspect c
		! is_after "$1" || ctr-inspect c | grep -q '"stopped_by_user": true' || fail "$1: nobody remembers that it was stopped"
	}
	# shellcheck disable=SC2317
	running_c() {
		ctr-run -d --name c --net none --restart unless-stopped old sh -c 'trap "exit 3" TERM; while :; do read -r -t 1 _ </dev/zero; done' >/dev/null
		sync -f disk
	}
	BEFORE=running_c powercut was_stopped ctr-stop c
}

test_rename() {
	# shellcheck disable=SC2317
	renamed() {
		cleanly "$1" ctr-ps -a -r -n -o name
		printf '%s\n' "$out" | grep -qxE 'ran|again' || fail "$(captured "$1: it has neither name")"
		! is_after "$1" || ctr-rename again ran || fail "$1: it was renamed"
		ctr-inspect ran >/dev/null 2>&1 || ctr-rename again ran
		kept "$1"
	}
	powercut renamed ctr-rename ran again
}

test_update() {
	# shellcheck disable=SC2317
	updated() {
		kept "$1"
		! is_after "$1" || ctr-inspect idle | grep -q '"pids": 77' || fail "$1: the limit isn't noted"
	}
	powercut updated ctr-update --pids-limit 77 idle
}

test_rm() {
	# shellcheck disable=SC2317
	removed() {
		cleanly "$1" ctr-inspect idle
		! is_after "$1" || [ "$(ctr-ps -aq | wc -l)" = 1 ] || fail "$1: $(ctr-ps -a)"
		[ "$(ctr-ps -aq | wc -l)" = 1 ] || [ "$(ctr-cp ran:/data - | tar -xO)" = data ] || fail "$1: half of its files"
	}
	powercut removed ctr-rm ran
}

test_volume() {
	# shellcheck disable=SC2317
	volume_made() {
		kept "$1"
		! is_after "$1" || cleanly "$1" ctr-volume inspect second
	}
	powercut volume_made ctr-volume create second
}

# A volume gets what the image has there at its first use: all of it or, at the next use, all of it.
test_volume_first_use() {
	# shellcheck disable=SC2317
	volume_filled() {
		kept "$1"
		cleanly "$1" ctr-run --rm --net none -v filled:/bin old cat /text
		[ "$out" = one ] || fail "$(captured "$1: its files")"
	}
	powercut volume_filled ctr-run --rm --net none -v filled:/bin old
}

test_net() {
	# shellcheck disable=SC2317
	net_made() {
		kept "$1"
		! is_after "$1" || cleanly "$1" ctr-net inspect second
	}
	powercut net_made ctr-net create --subnet 10.97.0.0/24 second
}

test_net_rm() {
	# shellcheck disable=SC2317
	net_gone() {
		ctr-net inspect net >/dev/null 2>&1 || cleanly "$1" ctr-net create --subnet 10.98.0.0/24 net
		kept "$1"
	}
	powercut net_gone ctr-net rm net
}

test_gc() {
	# shellcheck disable=SC2317
	remains() {
		mkdir -p "$CTRBOX_ROOT/layers/.tmp-01234567/x" "$CTRBOX_ROOT/containers/0123456789ab"
		sync -f disk
	}
	BEFORE=remains powercut kept ctr-gc
}

. shunit2
