/* Work on a container's files as the container sees them, done by a process of ours: what it touches is resolved from
 * the container's root, with the ids of its user namespace, while /proc stays the host's. */
#ifndef CTR_INSIDE_H
#define CTR_INSIDE_H

#include "ctr/record.h"

struct inside {
	const struct store *store;
	struct record *record;
	bool mounts; /* with its volumes and, when it runs, all that is mounted; false: its root alone */
	bool locked; /* the caller has its lock, and it doesn't run */
	int (*work)(int root, void *arg, struct err *err); /* there; 0 or -errno, told */
	void *arg;

	/* filled by inside_begin */
	pid_t pid;
	int tell, lock; /* -1: none is held */
	bool running;
};

/* Starts WORK. A container that runs is worked on where it is. One that doesn't gets its root mounted as a start would,
 * seen by that process alone, and its lock is held until inside_end. 0 or -errno, told. */
int inside_begin(struct inside *in, struct err *err);

/* Waits for WORK's end and returns what it returned. */
int inside_end(struct inside *in, struct err *err);

/* Takes the container's lock, what a crash left of it taken back. *RUNNING: its process is in the record. A lock, or
 * -errno, told: a container that is being started again, or a damaged one, has no files to work on. */
int inside_lock(const struct store *s, struct record *r, bool *running, struct err *err);

#endif
