#include "ctr/boot.h"
#include "base/say.h"
#include "ctr/start.h"
#include <stdlib.h>
#include <string.h>

struct due {
	char id[ID_LENGTH + 1];
	int64_t created, created_ns;
};

static bool promised(const struct record *r)
{
	const char *policy = r->spec.restart ? r->spec.restart : "no";

	if (r->garbled)
		return false;
	return !strcmp(policy, "always") || (!strcmp(policy, "unless-stopped") && !r->last.stopped_by_user);
}

static int older(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return x->created_ns < y->created_ns ? -1 : x->created_ns > y->created_ns;
}

static size_t find_due(const struct store *s, struct due **out)
{
	struct strs ids = { 0 };
	struct array list = { 0 };

	record_ids(s, &ids, NULL);
	for (size_t i = 0; i < ids.n; i++) {
		struct record r;

		if (record_open_id(s, ids.v[i], &r, NULL) < 0)
			continue;
		if (promised(&r)) {
			struct due *d = array_add(&list, sizeof *d);

			memcpy(d->id, r.id, sizeof d->id);
			d->created = r.spec.created;
			d->created_ns = r.spec.created_ns;
		}
		record_close(&r);
	}
	strs_free(&ids);
	if (list.n > 1)
		qsort(list.v, list.n, sizeof(struct due), older);
	*out = list.v;
	return list.n;
}

int start_boot(const struct store *s)
{
	struct start_options so = { 0 };
	struct due *due;
	size_t n = find_due(s, &due);
	int worst = 0;

	for (size_t i = 0; i < n; i++) {
		struct err err = { 0 };

		if (start_target(s, due[i].id, &so, NULL, &err) < 0) {
			say_err(due[i].id, &err);
			worst = 1;
			continue;
		}
		out_write(due[i].id, ID_LENGTH);
		out_write("\n", 1);
	}
	free(due);
	return worst;
}
