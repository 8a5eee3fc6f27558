/* System calls that musl 1.2.3 has no wrapper for, and constants newer than
 * the headers we build with. Each wrapper returns the call's result, or -errno:
 * the library's own convention, so that nobody has to look at errno. */
#ifndef BASE_KERNEL_H
#define BASE_KERNEL_H

#include <errno.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

/* The libc convention (-1 and errno) turned into ours (-errno). */
static inline long kernel_result(long r)
{
	return r < 0 ? -errno : r;
}

/* These have something as safe to fall back on where an older kernel doesn't know the call, or a filter bars it (older ones answer EPERM); each is in
 * a file of its own.
 *
 * clone3(2) (Linux 5.3) without CLONE_VM: returns twice, 0 in the child. CLONE_INTO_CGROUP (5.7) is gone from the flags, in both, if it
 * couldn't be done. */
int sys_clone3(struct clone_args *args);

/* openat2(2) (Linux 5.6). */
int sys_openat2(int dirfd, const char *path, const struct open_how *how);

/* close_range(2) (Linux 5.9) from FIRST to the end of the table; FLAGS may be CLOSE_RANGE_CLOEXEC (4, Linux 5.11). */
void sys_close_range(unsigned first, unsigned flags);

static inline int sys_pidfd_open(pid_t pid)
{
	return (int)kernel_result(syscall(SYS_pidfd_open, pid, 0));
}

static inline int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)kernel_result(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

static inline int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)kernel_result(syscall(SYS_open_tree, dirfd, path, flags));
}

static inline int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return (int)kernel_result(syscall(SYS_move_mount, from_fd, from, to_fd, to, flags));
}

static inline int sys_fsopen(const char *fstype, unsigned flags)
{
	return (int)kernel_result(syscall(SYS_fsopen, fstype, flags));
}

static inline int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)kernel_result(syscall(SYS_fsconfig, fd, cmd, key, value, aux));
}

static inline int sys_fsmount(int fd, unsigned flags, unsigned attr)
{
	return (int)kernel_result(syscall(SYS_fsmount, fd, flags, attr));
}

static inline int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr)
{
	return (int)kernel_result(syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof *attr));
}

/* bpf(2); ATTR is a union bpf_attr, of whose SIZE bytes an older kernel takes zeros it doesn't know. */
static inline int sys_bpf(int cmd, void *attr, size_t size)
{
	return (int)kernel_result(syscall(SYS_bpf, cmd, attr, size));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)kernel_result(syscall(SYS_pivot_root, new_root, put_old));
}

#endif
