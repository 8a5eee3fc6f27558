#include "base/kernel.h"
#include <sched.h>

/* Where clone(2) has the parent's word for the pid, it puts the descriptor. */
static long clone_old(struct clone_args *args)
{
	args->flags &= ~(uint64_t)CLONE_INTO_CGROUP;
	return kernel_result(syscall(SYS_clone, (unsigned long)(args->flags | args->exit_signal), NULL, (int *)(uintptr_t)args->pidfd, NULL, NULL));
}

int sys_clone3(struct clone_args *args)
{
	long r = kernel_result(syscall(SYS_clone3, args, sizeof *args));

	/* E2BIG: a kernel that doesn't know the member for the cgroup */
	return (int)(r == -ENOSYS || r == -EPERM || r == -E2BIG ? clone_old(args) : r);
}
