/* Changing a container's limits. */
#ifndef CTR_UPDATE_H
#define CTR_UPDATE_H

#include "ctr/record.h"

/* Applies the limits that GIVEN sets (cgroup_opts.h; not checked yet) to R's group if it runs, and to its spec. The others stay. 0 or -errno,
 * told. */
int update_limits(const struct store *s, struct record *r, const struct cgroup_limits *given, struct err *err);

#endif
