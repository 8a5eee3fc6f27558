/* The list of mount operations, performed below a root that isn't entered yet. */
#ifndef CTR_MOUNTS_H
#define CTR_MOUNTS_H

#include "ctr/others.h"

struct mount_work {
	const struct store *store;
	const struct spec *spec;
	int root;            /* the new root (O_PATH) */
	const char *run;     /* the container's run directory, by its path: `file` operations take from there */
	const int *trees;    /* one a mount operation, opened by the parent; NULL or -1: opened here */
	bool userns;         /* in a user namespace of its own: nodes can't be made, some file systems not be mounted */
	const struct others *others; /* their trees come with the namespaces that are shared; NULL: none */
};

/* Performs them in their order; the first failure ends it. 0 or -errno, told with the target. */
int mounts_perform(const struct mount_work *w, struct err *err);

/* Whether an operation's tree has to be opened by a parent with the host's rights when a user namespace is made. */
bool mount_needs_tree(const struct mount_spec *m);

#endif
