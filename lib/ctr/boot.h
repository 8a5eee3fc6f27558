/* Starting at boot what its restart policy promised. */
#ifndef CTR_BOOT_H
#define CTR_BOOT_H

#include "ctr/store.h"

/* Starts, oldest first, every container with --restart always, and those with unless-stopped that no user had stopped. Prints the
 * names that were started; failures, unreadable records too, are told and the others still started. Returns 0 or 1. */
int start_boot(const struct store *s);

#endif
