/* What a running container uses at a moment. */
#ifndef CTR_STATS_H
#define CTR_STATS_H

#include "ctr/list.h"
#include "ctr/store.h"

struct stats {
	int64_t at_ms;               /* clock_boot_ms of the reading */
	struct cgroup_stat group;
	int64_t net_rx, net_tx;      /* bytes since its network namespace was made, without lo; -1: that namespace is the host's, or gone */
};

/* Reads them of C. What can't be told is -1: the host lacks it, or C has ended meanwhile. */
void stats_read(const struct store *s, const struct listed *c, struct stats *out);

/* Processor time between two readings in hundredths of a percent of one processor, or -1. */
int64_t stats_cpu(const struct stats *before, const struct stats *now);

#endif
