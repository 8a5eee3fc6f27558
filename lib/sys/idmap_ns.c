#include "base/kernel.h"
#include "sys/idmap.h"
#include "sys/ns.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Somebody has to be in a namespace while its maps are written; its end doesn't matter once a descriptor is held. */
int idmap_namespace(const struct idmaps *maps, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int pid = sys_clone3(&args), fd;

	if (pid < 0)
		return err_sys(err, pid, "make a user namespace");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	fd = idmap_write(pid, maps, maps, false, err);
	if (!fd) {
		fd = ns_open(pid, CLONE_NEWUSER);
		if (fd < 0)
			err_sys(err, fd, "open the user namespace");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	return fd;
}
