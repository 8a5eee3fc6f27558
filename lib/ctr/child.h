/* The child's half of launch.c: from clone3 to execve, in the order in which it happens. */
#ifndef CTR_CHILD_H
#define CTR_CHILD_H

#include "ctr/launch.h"
#include "ctr/others.h"
#include "net/netlink.h"

struct child {
	const struct launch *in;
	const struct cgroup *cgroup;
	bool into;               /* clone3 put us into the unified group */
	int sync;                /* our end */
	struct others others;    /* we were born in their namespaces */
	bool userns;
	struct netlink *host;    /* networks_open's */
	int image;               /* rootfs_image's, or -1 */
};

/* Sets the container up and becomes its command, or reports why not. */
void child_main(struct child *c) __attribute__((noreturn));

#endif
