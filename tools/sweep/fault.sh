# shellcheck shell=sh
# shellcheck disable=SC2154,SC2034 # judge.sh's; for judge.sh
# faultsweep's part: which errors there are, and what an act may do about one.

# "ERROR CALL,..": what the kernel really answers to these calls (their manual pages), and what only one that neglects its answers would overlook. With a
# + the same is answered from then on, as by a disk that stays full. Only the box's own calls: what a container's program does isn't counted.
FAULTS='
ENOSPC creat,fwrite,mkdir,mkdirat,symlink,symlinkat,link,linkat,renameat,renameat2,mknodat,fsetxattr,setxattr,fallocate,ftruncate,copy_file_range,sendfile
ENOSPC+ creat,fwrite,mkdir,mkdirat,symlink,symlinkat,link,linkat,renameat,renameat2,mknodat,fsetxattr,setxattr,fallocate,ftruncate,copy_file_range,sendfile
EIO read,pread64,getdents64,fsync,fdatasync,syncfs,unlinkat,unlink,rmdir,renameat,readlink,readlinkat,fchmod,fchown,fchownat,utimensat,stat,newfstatat,faccessat
EMFILE open,openat,openat2,socket,socketpair,pipe2,dup,dup2,eventfd2,signalfd4,pidfd_open,memfd_create,open_tree,fsopen,fsmount,accept4,inotify_init1
EMFILE+ open,openat,openat2,socket,socketpair,pipe2,dup,eventfd2,signalfd4,pidfd_open,memfd_create,open_tree,fsopen,fsmount,accept4,inotify_init1
ENOMEM mmap,clone,clone3,fork,mount,fsconfig,fsmount,move_mount,mount_setattr,open_tree,unshare,setns,seccomp,execveat,bind,setsockopt,poll
ENOMEM+ mmap,clone,clone3,fork,mount,fsconfig,fsmount,open_tree
EAGAIN clone,clone3,fork,setresuid,recvfrom,recvmsg,kill
EINTR read,write,poll,ppoll,recvfrom,recvmsg,sendto,sendmsg,wait4,waitid,flock,nanosleep,clock_nanosleep,connect,accept4,open,openat,rt_sigtimedwait
EPERM unshare,setns,mount,umount2,move_mount,mount_setattr,open_tree,fsopen,fsconfig,fsmount,pivot_root,prctl,capset,setresuid,setresgid,setgroups,setsid,sethostname,prlimit64,seccomp,keyctl,mknodat,fchown,fchownat,kill,pidfd_send_signal,pidfd_open,bind,sendto,ioctl,clone3,sched_setaffinity,execve
ENOBUFS socket,sendto,sendmsg,recvfrom,recvmsg
'

each_deed() {
	echo "$FAULTS" | sed '/^$/d' >faults
	while read -r fault calls <&3; do
		deed=${fault%+}
		[ -z "$ONLY" ] || [ "$ONLY" = "$fault" ] || continue
		options="-e $BUILD/ctrbox -f $calls"
		case $fault in *+) options="$options -a" ;; esac
		rehearse
		if [ -z "$POINT" ]; then sweep; else point; fi
	done 3<faults
}

# It did it, or says in one line what it couldn't, and why.
outcome() {
	if [ "$code" = 0 ]; then
		becomes as_after || leak "0, but: $(diff after.like now.like)"
	else
		says_why || leak "$code: $(cat act.err)" || return
		[ "$ACT" = start_boot ] || grep -qE 'it runs: |standard output: write: ' act.err || # of two, one may run; it is only that nobody can be told
			becomes nothing_more_runs || leak "$code, but it runs"
	fi
}

# The store's and the host's lines without what is another each time, nor what a process is called (a comfort).
masked() {
	sed -E 's/[0-9a-f]{10,64}/ID/g; s/([0-9]+\.){3}[0-9]+/IP/g; s/^process [0-9]+/process/; s/^element.*/element/; s/(hosts|tar.idx) [0-9]+ .*/\1/; s/\(ctr-(run|start|restart)\)/(ctr-supervise)/; s/[0-9]{5,}/N/g' \
		"$1.host" "$1.store" | sort
}

as_after() {
	look now
	masked now >now.like
	masked after >after.like
	[ "$call" != mknodat ] || sed -i -E '/containers\/ID\/(copy|upper|work)/d' now.like after.like # without whiteouts: a copy
	[ "$ACT$call" != buildmknodat ] || return 0 # the same, and such a step's layer has all the files
	cmp -s now.like after.like
}

# One line, or one each where two are started. A library can't go on without memory: the command ends at once, with 125; if it was a process of its own, it tells that too.
says_why() {
	case $ACT:$code:$(cat act.err) in
	*:125:"ctr-"*": out of memory" | *:1:"ctr-"*": out of memory"*"ended early" | build:1:"ctr-"*": out of memory"*"exit code 125") return 0 ;;
	run*:12[567]:* | start*:12[567]:* | exec*:12[567]:* | net_run:12[567]:* | *:1:*) ;;
	*) return 1 ;;
	esac
	case $ACT:$fault in *+) ;; start_boot:*) [ "$(wc -l <act.err)" -le 2 ] || return ;; *) [ "$(wc -l <act.err)" = 1 ] || return ;; esac
	[ -s act.err ] && ! grep -qvE '^ctr-[a-z]+( run)?: .*: .' act.err
}

nothing_more_runs() {
	look now
	[ "$(grep -c ^process now.host)" -le "$(grep -c ^process before.host)" ]
}
