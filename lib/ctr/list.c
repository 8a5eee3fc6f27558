#include "ctr/list.h"
#include "base/file.h"
#include "ctr/ports.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int newest_first(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

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

static char *addresses(const struct array *attachments)
{
	const struct attachment *a = attachments->v;
	struct buf b = { 0 };

	for (size_t i = 0; i < attachments->n; i++)
		if (a[i].ip || a[i].ip6)
			buf_fmt(&b, "%s%s", b.len ? "," : "", a[i].ip ? a[i].ip : a[i].ip6);
	return b.p;
}

/* Takes what is wanted over from R. */
static void add(struct listing *l, struct record *r, enum status status)
{
	struct spec *s = &r->spec;
	bool runs = status == RUNNING || status == PAUSED;
	struct listed *to;

	if ((l->n & (l->n - 1)) == 0) /* double it at each power of two */
		l->v = xrealloc(l->v, (l->n ? 2 * l->n : 1) * sizeof *l->v);
	to = &l->v[l->n++];
	*to = (struct listed){ .status = status, .name = s->name, .image = s->image ? s->image : s->rootfs, .created = s->created,
			       .created_ns = s->created_ns, .args = s->process.args, .labels = s->labels,
			       .pid = runs ? r->state.pid : 0, .cgroup = runs ? r->state.cgroup : NULL, .health = runs ? r->state.health : NULL,
			       .last = r->last };
	if (runs) {
		to->ip = addresses(&r->state.attachments);
		to->ports = ports_text(&r->state.ports);
	}
	memcpy(to->id, r->id, sizeof to->id);
	s->name = NULL;
	*(s->image ? &s->image : &s->rootfs) = NULL;
	s->process.args = s->labels = (struct strs){ 0 };
	if (runs)
		r->state.health = r->state.cgroup = NULL;
	r->last.error = NULL;
}

static bool ended(enum status s)
{
	return s == CREATED || s == EXITED || s == DEAD;
}

struct search {
	const struct store *store;
	bool all;
	struct buf room;
	struct record before;   /* freed only after the next one is read: the allocator would give its pages back each time */
	struct listing *found;
};

static void look(struct search *s, const char *id, unsigned parts)
{
	struct record r;
	enum status status = DEAD;

	if (record_peek(s->store, id, parts, &s->room, &r) < 0) {
		if (!s->all || !crash_left(s->store, id))
			return;
		memcpy(r.id, id, sizeof r.id);
		r.spec = (struct spec){ .id = xstrdup(id), .name = xstrdup(id) };
	} else {
		status = record_status(s->store, &r);
	}
	if (s->all || !ended(status))
		add(s->found, &r, status);
	record_close(&s->before);
	s->before = r;
}

/* A container that has no run directory doesn't run: nothing else needs to be asked of it. */
int containers_list(const struct store *store, bool all, bool last, struct listing *out, struct err *err)
{
	struct search s = { .store = store, .all = all, .before = { .dir = -1, .run = -1 }, .found = out };
	unsigned more = all || last ? PEEK_LAST : 0;
	struct strs running = { 0 }, ids = { 0 };
	size_t k = 0;
	int r = record_ids_in(store->run, &running, err);

	*out = (struct listing){ 0 };
	if (!r && all)
		r = record_ids_in(store->root, &ids, err);
	for (size_t i = 0; !r && !all && i < running.n; i++)
		look(&s, running.v[i], PEEK_STATE | more);
	for (size_t i = 0; !r && i < ids.n; i++) { /* both are sorted */
		while (k < running.n && strcmp(running.v[k], ids.v[i]) < 0)
			k++;
		look(&s, ids.v[i], (k < running.n && !strcmp(running.v[k], ids.v[i]) ? PEEK_STATE : 0) | more);
	}
	record_close(&s.before);
	buf_free(&s.room);
	strs_free(&running);
	strs_free(&ids);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, newest_first);
	return r;
}

void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct listed *x = &l->v[i];

		free(x->name);
		free(x->image);
		free(x->health);
		free(x->cgroup);
		free(x->ip);
		free(x->ports);
		free(x->last.error);
		strs_free(&x->args);
		strs_free(&x->labels);
	}
	free(l->v);
	*l = (struct listing){ 0 };
}
