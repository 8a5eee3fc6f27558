/* All containers at once, for those who list them. */
#ifndef CTR_LIST_H
#define CTR_LIST_H

#include "ctr/record.h"

/* What record_peek reads, without the rest: there may be many. */
struct listed {
	char id[ID_LENGTH + 1];
	enum status status;
	char *name, *image;     /* a directory where it has no image */
	int64_t created, created_ns;
	struct strs args, labels;
	int64_t pid;            /* 0: it doesn't run */
	char *cgroup;           /* its group's path; NULL: it doesn't run */
	char *health;
	char *ip;               /* of each of its networks, comma-separated; NULL: none */
	char *ports;            /* ports_text */
	struct last last;
};

struct listing {
	struct listed *v;
	size_t n;
};

/* Those that run, are paused or restarting, newest first; with ALL every one. `last` is filled with ALL or LAST only. 0 or -errno, told. */
int containers_list(const struct store *s, bool all, bool last, struct listing *out, struct err *err);
void listing_free(struct listing *l);

#endif
