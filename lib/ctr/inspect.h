/* All there is to know of a container, for programs. */
#ifndef CTR_INSPECT_H
#define CTR_INSPECT_H

#include "base/json.h"
#include "ctr/record.h"

/* Writes R as an object: what it is now, then its spec as it is on disk. Times are epoch seconds; what isn't known, or isn't so at the
 * moment, is null. */
void inspect_write(const struct store *s, const struct record *r, struct json_out *o);

#endif
