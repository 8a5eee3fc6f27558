/* The life of a container from its start to its end: what stays with it, passes signals and streams on, keeps its log, starts it
 * again as its restart policy says, and takes everything back. */
#ifndef CTR_SUPERVISE_H
#define CTR_SUPERVISE_H

#include "ctr/record.h"
#include <sys/ioctl.h>

struct start {
	const struct store *store;
	struct record *record;            /* locked, not running */
	int lock;                         /* that lock: let go once the command runs; -1: none */
	const struct process *process;    /* the record's own, or another command on its files */
	struct winsize window;            /* of the terminal that watches; zeros: unknown */
	const char *pidfile;              /* the host's pid is written there; or NULL */
};

/* What a caller left open would stay open as long as the supervisor lives: everything beyond stderr is closed. Called first, before
 * anything is opened, by those that start containers. */
void supervise_alone(void);

/* Starts and supervises in this process, with our own stdin, stdout and stderr. Returns the command's exit code (128+N for a
 * signal), or -errno, told, with err->exit. Everything is taken back when it returns. */
int supervise_here(const struct start *s, struct err *err);

/* Starts with a supervisor of its own in the background, which leaves our session and our cgroup. CLIENT (-1: none) is one end of a
 * socket pair: the first attached client, so that no output is missed. Returns 0 once the command has been exec'd, or -errno, told. */
int supervise_apart(const struct start *s, int client, struct err *err);

#endif
