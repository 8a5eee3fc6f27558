#include <sys/wait.h>

#include "sys/probe.h"

#include "base/file.h"
#include "base/kernel.h"
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

/* A call that is wrong on purpose: a kernel that knows it complains of something else than of not knowing it. */
static int known(long r)
{
	int code = (int)kernel_result(r);

	if (code == -EPERM)
		return code;
	return code != -ENOSYS;
}

int probe_clone3(void)
{
	return known(syscall(SYS_clone3, NULL, 0));
}

int probe_clone_into_cgroup(void)
{
	/* EINVAL: the flag isn't known. EBADF: the descriptor is looked at. */
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 0x7fffffff };
	pid_t pid = sys_clone3(&args);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0); /* a kernel without cgroups */
	return pid == -EBADF;
}

int probe_pidfd(void)
{
	int fd = sys_pidfd_open(getpid());

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

int probe_pidfd_setns(void)
{
	int fd = sys_pidfd_open(getpid()), r;

	if (fd < 0)
		return 0;
	r = (int)kernel_result(setns(fd, CLONE_NEWUTS)); /* the own one: nothing changes */
	close(fd);
	return r == -EPERM ? r : r == 0;
}

int probe_openat2(void)
{
	return known(syscall(SYS_openat2, -1, NULL, NULL, 0));
}

int probe_close_range(void)
{
	return known(syscall(SYS_close_range, ~0U, ~0U, 0));
}

int probe_mount_api(void)
{
	return known(syscall(SYS_fsopen, NULL, ~0U));
}

int probe_mount_setattr(void)
{
	return known(syscall(SYS_mount_setattr, -1, "", 0, NULL, 0));
}

int probe_seccomp_filter(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int probe_ns(const char *name)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/self/ns/%s", name);
	return file_there(AT_FDCWD, path);
}
