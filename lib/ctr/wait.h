/* Waiting for the end of a container. */
#ifndef CTR_WAIT_H
#define CTR_WAIT_H

#include "ctr/record.h"

struct waiter {
	struct record record;
	int socket;         /* to its supervisor, which will tell; -1: none */
	int supervisor;     /* its pidfd; -1: it doesn't run */
};

/* Begins: from here on the end of TARGET isn't missed, even if it removes itself then (--rm). One that was never started is refused:
 * nothing promises that it will be. 0 or -errno, told. */
int wait_begin(const struct store *s, const char *target, struct waiter *w, struct err *err);

/* Waits until it has ended for good (restarts by its policy aren't ends): its exit code, or -errno, told. Frees W. */
int wait_end(const struct store *s, struct waiter *w, struct err *err);

#endif
