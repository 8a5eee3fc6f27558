# What a container may ask of the kernel unless it is told otherwise: the one source of the default seccomp profile. tools/seccomp makes the
# program of it, for the architecture that the box is built for.
#
#	ACTION [with CAP] NAME.. [if CONDITION [&& CONDITION]..]
#
# A line that begins with a blank goes on. Of the rules about a system call the first that holds counts.
#	allow   it is carried out
#	absent  it fails with ENOSYS: programs take it for an older kernel and do without
#	deny    it fails with EPERM; so does what is named anywhere in here and no rule holds
#	other   names that only other architectures have, so that a profile of docker's format may name them
# What isn't named at all is ENOSYS, so that calls newer than this list look like calls newer than the kernel. `with CAP`: only if the
# container has that capability. NAME=NUMBER gives its number (424 and more: the same everywhere) in case the headers are older.
# Conditions (argN, or clone's `flags`; == != < <= > >= and & MASK ==) look at the low 32 bits alone, as the kernel does with each argument that is
# looked at here: the upper half can't be used to slip past.
#
# docker's list is the measure. Where it differs:
#	stricter  ioctl TIOCSTI and TIOCLINUX; programs of another architecture (i386, x32, arm on arm64) aren't served
#	looser    pivot_root with SYS_ADMIN, who may mount anyway
#	kinder    ENOSYS for what isn't known here, as podman does

# Files
allow	access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
	fadvise64_64 arm_fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2=452 fchown fchown32 fchownat fcntl fcntl64 fdatasync
	fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64
	futimesat getcwd getdents getdents64 getxattr getxattrat=464 lchown lchown32 lgetxattr link linkat listxattr listxattrat=465
	llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat
	open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr
	removexattrat=466 rename renameat renameat2 rmdir sendfile sendfile64 setxattr setxattrat=463 splice stat stat64 statfs
	statfs64 statx symlink symlinkat sync sync_file_range sync_file_range2 arm_sync_file_range syncfs tee truncate truncate64
	umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev cachestat=451 file_getattr=468
	file_setattr=469
allow	fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
allow	io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit

# Typing for somebody into a terminal that is shared with him (TIOCSTI), or by way of the console's selection (TIOCLINUX).
allow	ioctl if arg1 != 0x5412 && arg1 != 0x541c
deny	ioctl

# Memory
allow	brk madvise membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal=462 msync
	munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages map_shadow_stack=453
allow with SYS_NICE	get_mempolicy mbind set_mempolicy set_mempolicy_home_node
allow with SYS_PTRACE	process_madvise

# Processes
allow	arch_prctl capget capset execve execveat exit exit_group fork getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
	getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit getrusage
	getsid gettid getuid getuid32 get_robust_list get_thread_area ioprio_get ioprio_set kill modify_ldt pause pidfd_open
	pidfd_send_signal prctl prlimit64 ptrace process_vm_readv process_vm_writev restart_syscall rseq rt_sigaction
	rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
	rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
	sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
	sched_setscheduler sched_yield setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid
	setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid
	setuid32 set_robust_list set_thread_area set_tid_address sigaction sigaltstack signal sigpending sigprocmask sigreturn
	sigsuspend tgkill tkill ugetrlimit vfork wait4 waitid waitpid getcpu cacheflush set_tls get_tls breakpoint usr26 usr32
	riscv_flush_icache riscv_hwprobe
allow with SYS_PTRACE	kcmp pidfd_getfd

# No new namespaces: CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}. clone3's flags are behind a pointer, where no filter can look.
allow with SYS_ADMIN	clone clone3 unshare setns
allow	clone if flags & 0x7e020000 == 0
absent	clone3

# PER_LINUX, PER_LINUX32, each with UNAME26 or without, and the question what it is: others change how memory is laid out.
allow	personality if arg0 == 0
allow	personality if arg0 == 8
allow	personality if arg0 == 0x20000
allow	personality if arg0 == 0x20008
allow	personality if arg0 == 0xffffffff

# Time
allow	adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
	clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun
	timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64
	timerfd_settime timerfd_settime64 times
allow with SYS_TIME	clock_settime clock_settime64 settimeofday stime

# Talking to each other
allow	accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send
	sendmmsg sendmsg sendto setsockopt shutdown socketpair
# All families but AF_ALG and AF_VSOCK: the kernel's cryptography and the hypervisor aren't for everybody.
allow	socket if arg0 != 38 && arg0 != 40
# What glibc has instead on i386 and s390x; the family is behind a pointer.
allow	socketcall
allow	epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 futex
	futex_requeue=456 futex_time64 futex_wait=455 futex_waitv=449 futex_wake=454 pipe pipe2 poll ppoll ppoll_time64 pselect6
	pselect6_time64 select _newselect signalfd signalfd4
allow	ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl
	msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget

# The rest
allow	getrandom landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp sysinfo uname

# What asks for a capability in the kernel too. Barred besides: user namespaces would give them back.
allow with SYS_ADMIN	fanotify_init fsconfig fsmount fsopen fspick listmount=458 lookup_dcookie lsm_get_self_attr=459
	lsm_list_modules=461 lsm_set_self_attr=460 mount mount_setattr move_mount open_tree open_tree_attr=467 pivot_root quotactl
	quotactl_fd setdomainname sethostname statmount=457 umount umount2
allow with SYS_ADMIN	bpf perf_event_open syslog
allow with BPF	bpf
allow with PERFMON	perf_event_open
allow with SYSLOG	syslog
allow with DAC_READ_SEARCH	open_by_handle_at
allow with SYS_BOOT	reboot
allow with SYS_CHROOT	chroot
allow with SYS_MODULE	delete_module finit_module init_module
allow with SYS_PACCT	acct
allow with SYS_RAWIO	ioperm iopl
allow with SYS_TTY_CONFIG	vhangup

# Never. Keys aren't kept apart by namespaces; io_uring, userfaultfd and the likes have helped many exploits; the rest is of
# the whole machine, or obsolete.
deny	add_key keyctl request_key io_uring_enter io_uring_register io_uring_setup userfaultfd kexec_file_load kexec_load migrate_pages
	move_pages nfsservctl pciconfig_iobase pciconfig_read pciconfig_write swapoff swapon bdflush sysfs _sysctl uselib ustat
	create_module get_kernel_syms query_module nice

# Numbers without a call behind them, of names that some headers still have.
absent	afs_syscall getpmsg putpmsg security tuxcall vserver

other	break ftime getunwind gtty idle lock mpx oldfstat oldlstat oldolduname oldstat olduname prof profil readdir
	s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi sgetmask ssetmask
	stty subpage_prot swapcontext switch_endian sys_debug_setcontext syscall timerfd ulimit vm86 vm86old
