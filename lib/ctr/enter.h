/* Another process in a running container: ctr-exec and health checks. */
#ifndef CTR_ENTER_H
#define CTR_ENTER_H

#include "ctr/record.h"

struct enter {
	const struct store *store;
	const struct record *record;     /* running */
	const struct process *process;
	int stdio[3];                    /* the process's; -1: /dev/null. Unused with a tty */
	bool outlives;                   /* it goes on when the caller ends */
};

struct entered {
	pid_t pid;
	int pidfd;
	int tty;                         /* master, or -1 */
};

/* Starts PROCESS inside: the caller joins the container's namespaces for good (it stays outside its cgroup namespace), the child
 * enters its cgroup and becomes the command. 0 once it has been exec'd, or -errno, told, with err->exit. A paused container is refused. */
int enter(const struct enter *e, struct entered *out, struct err *err);

/* enter(), then waits: the exit code, or -errno. Without a tty. */
int enter_and_wait(const struct enter *e, struct err *err);

#endif
