/* What a new container uses of other containers: namespaces (--pid, --ipc, --uts, --net, --userns container:ID), and with them what is
 * mounted for these. */
#ifndef CTR_OTHERS_H
#define CTR_OTHERS_H

#include "ctr/record.h"
#include <linux/sched.h>

/* File systems of a namespace that is another container's or the host's, where a user namespace may not mount them anew; and another
 * container's /dev/shm. */
enum { OTHER_PROC, OTHER_SYS, OTHER_MQUEUE, OTHER_SHM, OTHER_TREES };

struct others {
	int ns[4];              /* pid, ipc, uts, net; -1: not another container's */
	int user;
	bool one_way;           /* we couldn't come back to our own, which are the host's: we are a user of it */
	int tree[OTHER_TREES];  /* detached mounts, inherited by the child; or -1 */
};

/* Opens what SPEC names; those containers must be running. 0 or -errno, told. */
int others_open(const struct store *s, const struct spec *spec, struct others *out, struct err *err);
void others_close(struct others *o);

/* clone3(2) of a child that is in all of them: its pid, 0 in the child, or -errno, told. */
int others_clone(const struct others *o, struct clone_args *args, struct err *err);

#endif
