/* A child that is born in a group. */
#include "base/kernel.h"
#include "sys/cgroup_internal.h"
#include <signal.h>

pid_t cgroup_fork(const struct cgroup *g, bool *into)
{
	struct clone_args args = { .exit_signal = SIGCHLD, .flags = CLONE_INTO_CGROUP, .cgroup = (uint64_t)g->into_fd };
	pid_t pid = g->into_fd < 0 ? -ENOSYS : sys_clone3(&args);

	/* E2BIG, EINVAL: a kernel before 5.7 */
	*into = pid != -ENOSYS && pid != -E2BIG && pid != -EINVAL;
	if (*into)
		return pid;
	pid = fork();
	return pid < 0 ? -errno : pid;
}
