/* A child that is born in a group. */
#include "base/kernel.h"
#include "sys/cgroup_internal.h"
#include <signal.h>

pid_t cgroup_fork(const struct cgroup *g, bool *into)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid;

	if (g->into_fd >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)g->into_fd;
	}
	pid = sys_clone3(&args);
	*into = args.flags & CLONE_INTO_CGROUP;
	return pid;
}
