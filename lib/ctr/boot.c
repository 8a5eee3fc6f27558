#include "ctr/boot.h"
#include "base/say.h"
#include "ctr/start.h"
#include <errno.h>
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

/* Container ID, if it is promised, to LIST. 0 or -errno, told: what was promised isn't known. */
static int look(const struct store *s, const char *id, struct array *list, struct err *err)
{
	struct record r;
	int code = record_open_id(s, id, &r, err);

	if (code < 0)
		return code == -ENOENT ? 0 : code; /* it went meanwhile */
	if (promised(&r)) {
		struct due *d = array_add(list, sizeof *d);

		memcpy(d->id, r.id, sizeof d->id);
		d->created = r.spec.created;
		d->created_ns = r.spec.created_ns;
	}
	record_close(&r);
	return 0;
}

/* Those that can be read, oldest first, and whether that is all. */
static bool find_due(const struct store *s, struct array *list)
{
	struct strs ids = { 0 };
	struct err err = { 0 };
	bool all = record_ids(s, &ids, &err) == 0;

	if (!all)
		say_err(NULL, &err);
	for (size_t i = 0; i < ids.n; i++) {
		struct err why = { 0 };

		if (look(s, ids.v[i], list, &why) == 0)
			continue;
		say_err(NULL, &why);
		all = false;
	}
	strs_free(&ids);
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(struct due), older);
	return all;
}

int start_boot(const struct store *s)
{
	struct start_options so = { 0 };
	struct array list = { 0 };
	int worst = !find_due(s, &list);
	const struct due *due = list.v;

	for (size_t i = 0; i < list.n; i++) {
		struct err err = { 0 };

		if (start_target(s, due[i].id, &so, NULL, &err) < 0) {
			say_err(due[i].id, &err);
			worst = 1;
			continue;
		}
		out_write(due[i].id, ID_LENGTH);
		out_write("\n", 1);
	}
	free(list.v);
	return worst;
}
