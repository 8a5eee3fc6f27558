/* Ranges of ids that are containers' own (--userns auto), leased in blocks of 65536 of the host's ids: $CTRBOX_ROOT/idranges/<block>, its first
 * id divided by that, is a symlink to the ids of the containers that have it. symlinkat(2) gives it to one only. It outlives reboots, as do the
 * container's files, which belong to these ids. The span is what /etc/subuid and /etc/subgid give to `containers`, else IDRANGE_FIRST.. */
#ifndef CTR_IDRANGE_H
#define CTR_IDRANGE_H

#include "ctr/spec.h"
#include "ctr/store.h"

/* Above what systemd hands out (..1879048191), below what it reserves from 2147352576 on, and not negative for those who read an id as an int. */
#define IDRANGE_FIRST 1879048192u
#define IDRANGE_COUNT 268304384u

/* For --userns auto a range of userns_size ids, which becomes SPEC's one map; for container:N a share in that container's. Otherwise nothing.
 * SPEC's container exists and is locked. 0; -ENOSPC: none is left; -ENOENT: that container is gone; told. */
int idrange_take(const struct store *s, struct spec *spec, struct err *err);

/* Gives back what SPEC's container, which doesn't exist any more, had. */
void idrange_release(const struct store *s, const struct spec *spec);

/* Gives back what containers had that don't exist any more. Appends "id range FIRST" to FREED (may be NULL). */
void idrange_sweep(const struct store *s, struct strs *freed);

#endif
