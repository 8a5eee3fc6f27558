/* All containers at once, for those who list them. */
#ifndef CTR_LIST_H
#define CTR_LIST_H

#include "ctr/record.h"

struct listed {
	struct record record;   /* by record_peek */
	enum status status;
};

struct listing {
	struct listed *v;
	size_t n;
};

/* Those that run, are paused or restarting, newest first; with ALL every one. record.last is filled with ALL or LAST only. 0 or -errno, told. */
int containers_list(const struct store *s, bool all, bool last, struct listing *out, struct err *err);
void listing_free(struct listing *l);

#endif
