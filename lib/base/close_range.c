#include "base/kernel.h"
#include <fcntl.h>
#include <sys/resource.h>

/* Up to the hard limit: no more can be open, unless our caller has lowered it meanwhile. /proc/self/fd would tell, but inside a container
 * it isn't ours to believe. */
static void close_each(unsigned first, unsigned flags)
{
	struct rlimit most = { 0 };
	unsigned end;

	getrlimit(RLIMIT_NOFILE, &most);
	end = most.rlim_max < 1 << 20 ? (unsigned)most.rlim_max : 1 << 20; /* fs.nr_open, as it is by default */
	for (unsigned fd = first; fd < end; fd++)
		if (flags)
			fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		else
			close((int)fd);
}

void sys_close_range(unsigned first, unsigned flags)
{
	if (syscall(SYS_close_range, first, ~0U, flags) < 0)
		close_each(first, flags);
}
