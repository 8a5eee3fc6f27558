/* Freezing: cgroup.freeze of v2 or the unified hierarchy, else v1's freezer. */
#include "base/clock.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 5000 /* uninterruptible sleep, as on a dead NFS server, may keep a process from freezing */

static const struct cgroup_hierarchy *hierarchy(const struct cgroup_host *host)
{
	return host->unified >= 0 ? &host->h[host->unified] : cgroup_find(host, "freezer");
}

/* The hierarchy that would freeze PATH, or NULL. */
static const struct cgroup_hierarchy *freezer(const struct cgroup_host *host, const char *path)
{
	const struct cgroup_hierarchy *h = hierarchy(host);

	return h && cgroup_in(h, path) ? h : NULL;
}

/* The answer of freezer.state is FREEZING for a while, and may stay so until somebody asks again. */
static int freeze_v1(const struct cgroup_hierarchy *h, const char *path, const char *state)
{
	int64_t end = clock_boot_ms() + PATIENCE_MS;

	for (int pause = 1;; pause = pause < 16 ? 2 * pause : pause) {
		struct buf now = { 0 };
		int r = cgroup_file_put(h, path, "freezer.state", state);
		bool done;

		if (!r)
			r = cgroup_file_get(h, path, "freezer.state", &now);
		done = !r && !strcmp(now.p, state);
		buf_free(&now);
		if (r || done)
			return r;
		if (clock_boot_ms() >= end)
			return -ETIMEDOUT;
		cgroup_pause(pause);
	}
}

static int freeze(const struct cgroup_hierarchy *h, const char *path, bool frozen)
{
	int r;

	if (!h->v2)
		return freeze_v1(h, path, frozen ? "FROZEN" : "THAWED");
	r = cgroup_file_put(h, path, "cgroup.freeze", frozen ? "1" : "0");
	return r ? r : cgroup_await(h, path, "frozen", frozen, PATIENCE_MS);
}

/* Whether the caller is in PATH or below, and would stop itself. */
static bool self_inside(const struct cgroup_hierarchy *h, const char *path)
{
	size_t n = strlen(path);

	return !strncmp(h->self, path, n) && (!h->self[n] || h->self[n] == '/');
}

int cgroup_freeze(const struct cgroup_host *host, const char *path, bool frozen, struct err *err)
{
	const char *act = frozen ? "freeze" : "thaw";
	const struct cgroup_hierarchy *h = freezer(host, path);
	int r;

	if (!cgroup_exists(host, path))
		return err_sys(err, -ENOENT, "%s group %s", act, path);
	if (!h) {
		err_msg(err, -ENOTSUP, "%s group %s: no hierarchy with a freezer has it", act, path);
		return err_hint(err, "CONFIG_CGROUP_FREEZER or cgroup v2; try \"ctr-cgroup mount\"");
	}
	if (frozen && self_inside(h, path))
		return err_msg(err, -EDEADLK, "freeze group %s: the caller is in it", path);
	r = freeze(h, path, frozen);
	if (!r)
		return 0;
	err_sys(err, r, "%s group %s%s", act, h->mount, path);
	if (frozen)
		freeze(h, path, false);
	return r;
}

bool cgroup_frozen(const struct cgroup_host *host, const char *path)
{
	const struct cgroup_hierarchy *h = hierarchy(host);
	struct buf b = { 0 };
	bool yes;

	if (!h || cgroup_file_get(h, path, h->v2 ? "cgroup.freeze" : "freezer.state", &b))
		return false;
	yes = !strcmp(b.p, h->v2 ? "1" : "FROZEN");
	buf_free(&b);
	return yes;
}
