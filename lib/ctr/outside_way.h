/* What outside.c tells the code for one program, lib/ctr/outside_*.c. */
#ifndef CTR_OUTSIDE_WAY_H
#define CTR_OUTSIDE_WAY_H

#include "ctr/record.h"

struct way {
	struct record *record; /* state.ports are settled */
	char *program, *netns; /* paths */
	char *run;             /* the container's run directory */
	int fd;                /* the network namespace */
};

/* Starts it: it carries packets, and listens at the ports, once they return. *PID is what is to be killed at the end. 0 or -errno, told. */
int outside_pasta(const struct way *w, pid_t *pid, struct err *err);
int outside_slirp(const struct way *w, pid_t *pid, struct err *err);

#endif
