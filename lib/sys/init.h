/* What a PID 1 does, and what a parent does that stays only for its child's sake: forward signals, reap, pass the
 * exit code on. Like every init it takes no part itself, so it may be a container's PID 1 or an ordinary process. */
#ifndef SYS_INIT_H
#define SYS_INIT_H

#include <signal.h>
#include <sys/types.h>

/* Blocks the signals that init_loop waits for, so that none is lost between fork and loop; OLD is for the child, by
 * init_unblock. Call it before the child is made. As PID 1 all signals; else not those by which a terminal stops
 * a job: those stop the caller together with its child, as the shell that started both expects. */
void init_block(sigset_t *old);

/* In the child: the mask as it was. */
void init_unblock(const sigset_t *old);

/* Orphans below the caller become its children, as they do for a PID 1 (prctl(2), PR_SET_CHILD_SUBREAPER). 0 or
 * -errno. */
int init_adopt(void);

/* Forwards signals to CHILD and reaps every child until CHILD ends: its exit code, or 128+N if signal N ended it.
 * A signal that the terminal sent to both isn't sent twice. Signals stay blocked. */
int init_loop(pid_t child);

/* Waits for the end of CHILD (a clone's too): its exit code, 128+N if signal N ended it, or -errno. */
int child_wait(pid_t child);

#endif
