/* What crashes left of networks. */
#ifndef CTR_NET_GC_H
#define CTR_NET_GC_H

#include "ctr/store.h"

/* Takes back addresses whose owner neither runs nor is being started, with the names that lead to them, and published ports that lead to an
 * address of ours that nobody has. Appends "address NETWORK/ADDRESS" and "port N/PROTOCOL" to FREED. 0 or the first -errno, told. */
int net_gc(const struct store *s, struct strs *freed, struct err *err);

#endif
