#include "ctr/list.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int newest_first(const void *a, const void *b)
{
	const struct spec *x = &((const struct listed *)a)->record.spec, *y = &((const struct listed *)b)->record.spec;

	if (x->created != y->created)
		return x->created < y->created ? 1 : -1;
	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	return strcmp(x->id, y->id);
}

/* Without a spec it is either half made or half removed, by somebody who holds its lock, or what a crash left. */
static bool crash_left(const struct store *s, const char *id)
{
	char path[40];
	int lock;

	snprintf(path, sizeof path, "containers/%s", id);
	lock = dir_lock(s->root, path, 0);
	if (lock >= 0)
		close(lock);
	return lock >= 0;
}

static void add(struct listing *l, const struct record *r, enum status status)
{
	if (l->n % 64 == 0)
		l->v = xrealloc(l->v, (l->n + 64) * sizeof *l->v);
	l->v[l->n++] = (struct listed){ *r, status };
}

static bool ended(enum status s)
{
	return s == CREATED || s == EXITED || s == DEAD;
}

static void look(const struct store *s, const char *id, unsigned parts, bool all, struct buf *room, struct listing *l)
{
	struct record r;
	enum status status = DEAD;

	if (record_peek(s, id, parts, room, &r) < 0) {
		if (!all || !crash_left(s, id))
			return;
		memcpy(r.id, id, sizeof r.id);
		r.spec = (struct spec){ .id = xstrdup(id), .name = xstrdup(id) };
	} else {
		status = record_status(s, &r);
	}
	if (all || !ended(status))
		add(l, &r, status);
	else
		record_close(&r);
}

/* A container that has no run directory doesn't run: nothing else needs to be asked of it. */
int containers_list(const struct store *s, bool all, bool last, struct listing *out, struct err *err)
{
	unsigned more = all || last ? PEEK_LAST : 0;
	struct strs running = { 0 }, ids = { 0 };
	struct buf room = { 0 };
	size_t k = 0;
	int r = record_ids_in(s->run, &running, err);

	*out = (struct listing){ 0 };
	if (!r && all)
		r = record_ids_in(s->root, &ids, err);
	for (size_t i = 0; !r && !all && i < running.n; i++)
		look(s, running.v[i], PEEK_STATE | more, false, &room, out);
	for (size_t i = 0; !r && i < ids.n; i++) { /* both are sorted */
		while (k < running.n && strcmp(running.v[k], ids.v[i]) < 0)
			k++;
		look(s, ids.v[i], (k < running.n && !strcmp(running.v[k], ids.v[i]) ? PEEK_STATE : 0) | more,
		     true, &room, out);
	}
	buf_free(&room);
	strs_free(&running);
	strs_free(&ids);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, newest_first);
	return r;
}

void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		record_close(&l->v[i].record);
	free(l->v);
	*l = (struct listing){ 0 };
}
