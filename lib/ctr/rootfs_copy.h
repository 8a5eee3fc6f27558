/* A container's root where overlay can't be had: a copy of its own. */
#ifndef CTR_ROOTFS_COPY_H
#define CTR_ROOTFS_COPY_H

#include "ctr/record.h"

/* Whether overlay can hold what a container of S changes: NULL, or why not. */
const char *rootfs_needs_copy(const struct store *s);

/* Copies the layers of new container R (or the directory it was to have an overlay on) into its directory, and makes
 * that its root. 0 or -errno, told. */
int rootfs_copy(const struct store *s, struct record *r, struct err *err);

#endif
