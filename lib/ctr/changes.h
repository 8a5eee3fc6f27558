/* What a container has changed in its root. */
#ifndef CTR_CHANGES_H
#define CTR_CHANGES_H

#include "ctr/record.h"

/* Appends "A PATH", "C PATH" or "D PATH" for what was added, changed and deleted, in order of path: each entry of the
 * upper directory compared with the layers below. A directory is changed if something in it is, or its owner or mode.
 * Mount points that were only made for mounting aren't told. 0; -ENOTSUP without an upper directory; or -errno, told.
 */
int changes_list(const struct store *s, const struct record *r, struct strs *out, struct err *err);

#endif
