/* What crashes and power cuts left. */
#ifndef CTR_GC_H
#define CTR_GC_H

#include "ctr/store.h"

/* Takes back, of this store alone: what lost supervisors held, --rm containers that ended, half-made containers and layers, layers that
 * nothing refers to, names, run directories, cgroups, addresses, published ports and anonymous volumes that belong to no container; without
 * containers the store's own cgroup. Whatever somebody is busy with (its lock is held) is left alone; doing it again does nothing. Appends
 * what was freed to FREED ("cgroup /ctrbox-1a2b3c4d"). It goes on past failures: 0 or the first one, told. */
int gc(const struct store *s, struct strs *freed, struct err *err);

#endif
