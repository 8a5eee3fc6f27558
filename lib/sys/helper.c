#include "sys/helper.h"

#include "base/kernel.h"
#include "sys/init.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

/* A process can tell by its exit code no more than a byte: the descriptor goes to a place that is agreed upon. */
int helper_open(int (*work)(void *arg), void *arg)
{
	struct clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	int slot = open("/", O_PATH | O_CLOEXEC), pid = slot < 0 ? -errno : sys_clone3(&args), r;

	if (!pid) {
		prctl(PR_SET_DUMPABLE, 0); /* CVE-2016-9962 */
		r = work(arg);
		if (r >= 0) {
			int moved = dup3(r, slot, O_CLOEXEC) < 0 ? -errno : 0;

			close(r);
			r = moved;
		}
		_exit(-r);
	}
	r = pid < 0 ? pid : -child_wait(pid);
	if (r < 0 && slot >= 0)
		close(slot);
	return r < 0 ? r : slot;
}
