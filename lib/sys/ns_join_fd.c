#include "base/file.h"
#include "base/kernel.h"
#include "sys/ns.h"
#include <sched.h>

/* Opens the namespaces FLAGS of PIDFD's process by its number. That this was its number all the while is certain if it is still there afterwards. */
static int open_each(int pidfd, int flags, int fds[NS_COUNT])
{
	int64_t pid = fd_info(pidfd, "Pid");
	int r = pid > 0 ? 0 : -EINVAL;

	for (int i = 0; i < NS_COUNT; i++) {
		fds[i] = r || !(flags & ns_kinds[i].flag) ? -1 : ns_open((pid_t)pid, ns_kinds[i].flag);
		if (fds[i] < 0 && fds[i] != -1)
			r = fds[i];
	}
	return r ? r : sys_pidfd_send_signal(pidfd, 0);
}

/* Before Linux 5.8 one after the other. */
static int join_each(int pidfd, int flags)
{
	int fds[NS_COUNT], r = open_each(pidfd, flags, fds);

	for (int i = 0; i < NS_COUNT; i++) {
		if (fds[i] < 0)
			continue;
		if (!r && setns(fds[i], ns_kinds[i].flag) < 0)
			r = -errno;
		close(fds[i]);
	}
	return r;
}

int ns_join_fd(int pidfd, int flags)
{
	int r = (int)kernel_result(setns(pidfd, flags));

	return r == -EINVAL ? join_each(pidfd, flags) : r;
}
