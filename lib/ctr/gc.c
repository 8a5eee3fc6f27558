#include "ctr/gc.h"
#include "base/file.h"
#include "base/folder.h"
#include "ctr/idrange.h"
#include "ctr/lost.h"
#include "ctr/net_gc.h"
#include "ctr/reap.h"
#include "ctr/volume.h"
#include "image/image.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gc {
	const struct store *s;
	struct strs *freed;
	struct err *err;
};

/* "WHAT NAME" is free, or why not. Only the first failure is told. */
static void freed(struct gc *g, int code, const struct err *err, const char *what, const char *name)
{
	if (!code)
		strs_fmt(g->freed, "%s %s", what, name);
	else if (g->err && !g->err->code)
		*g->err = *err;
}

static bool container_there(const struct store *s, const char *id)
{
	char path[40];

	snprintf(path, sizeof path, "containers/%.*s", ID_LENGTH, id);
	return file_there(s->root, path);
}

/* Files that file_replace didn't come to rename. */
static void sweep_temporaries(struct gc *g, const struct record *r)
{
	int fd = dir_open(r->dir, ".");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strstr(e->d_name, ".tmp-") && unlinkat(r->dir, e->d_name, 0) == 0)
			freed(g, 0, NULL, "file", e->d_name);
	if (d)
		closedir(d);
}

static bool half_made(const struct record *r)
{
	struct stat st;

	return r->garbled && (!file_there(r->dir, "spec.json") || (fstat(r->dir, &st) == 0 && st.st_mode & RECORD_PASSING));
}

/* Under its lock, without a supervisor. */
static void sweep_locked(struct gc *g, struct record *r)
{
	bool due = reap_due(g->s, r);
	struct err err = { 0 };

	if (half_made(r)) {
		freed(g, container_remove(g->s, r, false, &err), &err, "half-made container", r->id);
		return;
	}
	if (r->spec.auto_remove && (due || r->spec.step || r->last.started || file_there(r->dir, "upper"))) {
		freed(g, container_remove(g->s, r, true, &err), &err, "container", r->spec.name);
		return;
	}
	if (due)
		freed(g, reap_remains(g->s, r, &err), &err, "remains of container", r->spec.name);
	sweep_temporaries(g, r);
	if (!r->garbled && record_mend_name(g->s, r))
		freed(g, 0, NULL, "lost name", r->spec.name);
}

static void sweep_container(struct gc *g, const char *id)
{
	struct record r;
	int lock, supervisor;

	if (record_open_id(g->s, id, &r, NULL) < 0)
		return;
	lock = record_lock(&r, 0, NULL);
	if (lock >= 0) {
		record_refresh(g->s, &r);
		supervisor = record_supervisor(g->s, &r);
		if (supervisor == -ESRCH)
			sweep_locked(g, &r);
		if (supervisor >= 0 && r.run < 0 && lost_ask(g->s, id, supervisor) == 0)
			freed(g, 0, NULL, "lost run directory", id);
		if (supervisor >= 0)
			close(supervisor);
		close(lock);
	}
	record_close(&r);
}

/* A run directory whose container was removed by hand, perhaps while it ran. */
static void sweep_run(struct gc *g, const char *id)
{
	struct record r = { .dir = -1, .run = -1 };

	if (container_there(g->s, id))
		return;
	memcpy(r.id, id, ID_LENGTH);
	record_refresh(g->s, &r);
	kill_now(g->s, &r);
	record_forget_state(g->s, &r);
	record_close(&r);
	freed(g, 0, NULL, "run directory", id);
}

static void sweep_cgroups(struct gc *g)
{
	const struct cgroup_host *host = store_cgroups(g->s);
	char *parent = xasprintf("/ctrbox-%s", g->s->tag);
	struct strs groups = { 0 };
	size_t n = strlen(parent);

	cgroup_list(host, parent, &groups);
	for (size_t i = 0; i < groups.n; i++) {
		const char *path = groups.v[i];
		struct err err = { 0 };
		int r;

		if (strlen(path) != n + 1 + ID_LENGTH || container_there(g->s, path + n + 1))
			continue;
		r = cgroup_kill(host, path, 10000);
		r = r < 0 ? err_sys(&err, r, "kill the processes in cgroup %s", path) : cgroup_remove(host, path, &err);
		freed(g, r, &err, "cgroup", path);
	}
	if (store_group_leave(g->s))
		freed(g, 0, NULL, "cgroup", parent);
	strs_free(&groups);
	free(parent);
}

static void sweep_volumes(struct gc *g)
{
	struct strs names = { 0 };

	volume_sweep(g->s, g->freed);
	volume_names(g->s, &names, NULL);
	for (size_t i = 0; i < names.n; i++) {
		struct err err = { 0 };
		int r = volume_anonymous(names.v[i]) ? volume_remove(g->s, names.v[i], &err) : -EBUSY;

		if (r != -EBUSY && r != -ENOENT) /* somebody uses it, or was faster */
			freed(g, r, &err, "volume", names.v[i]);
	}
	strs_free(&names);
}

/* An image without a name may be somebody's still. Layers that neither an image nor a container has are a killed load's, or removal's. */
static void sweep_images(struct gc *g)
{
	struct err *err = g->err->code ? NULL : g->err;
	struct image_use use = { 0 };

	if (record_images_in_use(&use.images, &use.layers, err) == 0)
		image_prune(g->s->root, &use, false, g->freed, err);
	strs_free(&use.images);
	strs_free(&use.layers);
}

int gc(const struct store *s, struct strs *out, struct err *err)
{
	struct err first = { 0 };
	struct gc g = { s, out, &first };
	struct strs ids = { 0 }, runs = { 0 };
	int r = record_ids(s, &ids, &first);

	for (size_t i = 0; i < ids.n; i++)
		sweep_container(&g, ids.v[i]);
	if (!r)
		record_ids_in(s->run, &runs, &first);
	for (size_t i = 0; i < runs.n; i++)
		sweep_run(&g, runs.v[i]);
	record_sweep_names(s, out, &first);
	idrange_sweep(s, out);
	sweep_cgroups(&g);
	net_gc(s, out, first.code ? NULL : &first);
	sweep_volumes(&g);
	folder_sweep(s->root, "file", out); /* of a killed first use */
	sweep_images(&g);
	strs_free(&ids);
	strs_free(&runs);
	if (first.code && err)
		*err = first;
	return first.code;
}
