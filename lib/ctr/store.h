/* Where things are (home.h): $CTRBOX_ROOT, which survives a reboot, and $CTRBOX_RUN, which a reboot may forget. */
#ifndef CTR_STORE_H
#define CTR_STORE_H

#include "base/err.h"
#include "sys/cgroup.h"
#include <stdbool.h>

struct store {
	int root, run;         /* their directories */
	char *root_path, *run_path; /* absolute */
	bool rootless;         /* an ordinary user's: we are root of a user namespace alone (rootless.h) */
	char tag[9];           /* 8 hex digits of this store's own, in every name that is global to the host */
	struct cgroup_host *cgroups; /* by store_cgroups */
};

/* Opens both, making them and the tag at first use. What a lost $CTRBOX_RUN said of running containers comes back (lost.h). An ordinary user
 * is root of a user namespace afterwards. 0 or -errno, told. */
int store_get(struct store *s, struct err *err);
void store_close(struct store *s);

/* The host's cgroup hierarchies, looked for once. A host without any (or whose /proc can't be read) has n == 0. */
const struct cgroup_host *store_cgroups(const struct store *s);

/* The group that all containers' groups are in, /ctrbox-TAG, goes when the last of them does. Held while a container is put there: a
 * descriptor to close, or -errno. */
int store_group_hold(const struct store *s);
/* Removes it, unless a container is in it or about to be: whether it is gone by this. */
bool store_group_leave(const struct store *s);

/* $CTRBOX_ROOT alone, in the same way: a descriptor, or -errno, told. */
int store_open(struct err *err);

#endif
