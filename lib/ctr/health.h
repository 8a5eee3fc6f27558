/* Health checks: a command run in the container at intervals; so many failures in a row make it unhealthy. */
#ifndef CTR_HEALTH_H
#define CTR_HEALTH_H

#include "ctr/record.h"

struct health {
	bool on;
	int64_t due_ms;      /* CLOCK_BOOTTIME of the next check, or of the running one's time-out */
	int64_t started_ms;  /* when the container started */
	int64_t failures;
	pid_t pid;           /* the check that runs, or 0 */
	int pidfd;           /* its end, or -1 */
};

/* Begins; the record's state says "starting" if there is a check. */
void health_begin(struct health *h, struct record *r);

/* Does what is due: starts a check, or ends one that takes too long. True if the state changed. */
bool health_tick(struct health *h, const struct store *s, struct record *r);

/* The running check has ended. True if the state changed. */
bool health_ended(struct health *h, struct record *r);

/* Kills a check that runs. */
void health_end(struct health *h);

#endif
