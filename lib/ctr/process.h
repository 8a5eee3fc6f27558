/* The last steps of every process in a container, the same for run, exec and health checks: it becomes what struct process
 * says, and then the program. The caller is a child that is already inside the namespaces. */
#ifndef CTR_PROCESS_H
#define CTR_PROCESS_H

#include "ctr/spec.h"

struct become {
	const struct process *process;
	int sync;                /* socket to the parent: gone means that the parent died, and then so do we. -1: we outlive it */
	int stdio[3];            /* become 0, 1, 2; -1: /dev/null. With a tty all three are its slave */
	int (*before_exec)(void *arg, struct err *err); /* after everything else; may be NULL */
	void *arg;
};

/* A session keyring of its own, and what is set by files of /proc: oom_score_adj, and the label of what is executed. Before the caller becomes
 * root of a user namespace: those files are then out of its reach, and its quota of keys is one that the container may have used up. 0 or
 * -errno, told. */
int process_attributes(const struct process *p, struct err *err);

/* Never returns on success. On failure -errno, told, and err->exit (125, 126, 127). */
int process_become(const struct become *b, struct err *err);

#endif
