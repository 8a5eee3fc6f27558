/* Follows a command and all that it starts, by ptrace(2), and asks at each of their system calls. */
#ifndef INJECT_FOLLOW_H
#define INJECT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A process or thread. */
struct task {
	pid_t tid;
	int number;      /* in the order of their creation; 1 is the command */
	int calls;       /* the asker's, at first 0 */
	bool counts;     /* the command doesn't until it is executed, nor do other programs */
	int error;       /* its call was refused with this; 0: it wasn't */
};

struct follow {
	/* One comes to call NR, which isn't made yet: the asker may kill it, or refuse the call. */
	void (*ask)(struct follow *f, struct task *t, unsigned long nr, const uint64_t args[6]);
	void *arg;
	bool enough;     /* nobody is asked any more */
	const char *program; /* only those are asked that execute this file; NULL: all */
	bool release;    /* lets those go that are left when the command has ended and nothing moves, or it is enough */
	int seconds;     /* how long all may take; 0: for ever */

	/* follow.c's own */
	struct task *tasks;
	int n, room, numbers, ticks;
	bool moved, letting_go;
	pid_t first;
	int code;
};

/* Starts the command, and follows PIDs besides, which run already (numbers 2 ..). Returns its exit code (128+N: signal N), or 124 if all took too
 * long: then where each waits is told, and they are killed. Whoever kills us kills all. Dies of its own errors, with 125. */
int follow(struct follow *f, char **argv, const pid_t *pids, int n);

/* The call at which T stopped isn't made, and gives -1 with ERROR. */
void refuse(struct task *t, int error);

void die(const char *what) __attribute__((noreturn));

#endif
