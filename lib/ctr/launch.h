/* How a container starts. launch() makes the child and everything it needs, then returns while the child goes on setting
 * itself up; launch_go() lets it execute its command. The caller supervises; launch never does. */
#ifndef CTR_LAUNCH_H
#define CTR_LAUNCH_H

#include "ctr/record.h"
#include <sys/ioctl.h>

struct launch {
	const struct store *store;
	struct record *record;           /* its run directory exists, state.cgroup is set; state.ports is filled */
	const struct process *process;   /* the record's own, or another command on its files */
	int stdio[3];                    /* the process's; -1: /dev/null. Unused with a tty */
	struct winsize window;           /* its tty's, from the first moment on; zeros: unknown */
};

struct launched {
	pid_t pid;
	int pidfd;                       /* CLOEXEC */
	int sync;                        /* to launch_go; closed by it */
	int tty;                         /* after launch_go: the master, or -1 */
	struct winsize window;
	bool pivot_fallback;
	int hold;                        /* store_group_hold's, until the child is where it belongs */
};

/* 0 or -errno, told; err->exit says what ctr-run exits with. On failure no child and no group is left. */
int launch(const struct launch *in, struct launched *out, struct err *err);

/* Waits until the child is ready, lets it exec, and waits until it has. On failure the child is dead and reaped. */
int launch_go(struct launched *l, struct err *err);

/* Ends a launch that isn't wanted any more: kills and reaps the child. */
void launch_abort(struct launched *l);

#endif
