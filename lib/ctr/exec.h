/* ctr-exec's way: a further command in a running container, with our streams. */
#ifndef CTR_EXEC_H
#define CTR_EXEC_H

#include "ctr/enter.h"

struct exec_options {
	bool input;              /* pass our stdin on */
	bool detach;             /* don't wait */
};

/* Runs PROCESS in RECORD's container and waits for it: its exit code, or -errno, told, with err->exit. Detaching from a terminal leaves it
 * running. */
int exec_run(const struct store *s, const struct record *r, const struct process *p, const struct exec_options *o, struct err *err);

#endif
