/* Freezing: cgroup.freeze of v2 or the unified hierarchy, else v1's freezer. */
#include "base/clock.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

	if (host->n && !host->lacking && !cgroup_exists(host, path))
		return err_sys(err, -ENOENT, "%s group %s", act, path);
	if (!h) {
		err_msg(err, -ENOTSUP, "%s group %s: no hierarchy with a freezer has it", act, path);
		return err_hint(err, host->lacking ? host->lacking : "CONFIG_CGROUP_FREEZER or cgroup v2; try \"ctr-cgroup mount\"");
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

/* A small file of PATH into TEXT of N bytes. 0 or -errno. */
static int read_small(const struct cgroup_hierarchy *h, const char *path, const char *file, char *text, size_t n)
{
	int fd = cgroup_file_open(h, path, file, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = read(fd, text, n - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got < 0 ? -EIO : 0;
}

bool cgroup_frozen(const struct cgroup_host *host, const char *path)
{
	const struct cgroup_hierarchy *h = hierarchy(host);
	char text[16];

	if (!h || read_small(h, path, h->v2 ? "cgroup.freeze" : "freezer.state", text, sizeof text))
		return false;
	return !strcmp(text, h->v2 ? "1\n" : "FROZEN\n");
}

int cgroup_life(const struct cgroup_host *host, const char *path)
{
	char text[128];
	int r;

	if (host->unified < 0)
		return -ENOTSUP;
	r = read_small(&host->h[host->unified], path, "cgroup.events", text, sizeof text);
	if (r)
		return r;
	return cgroup_flat(text, "populated") != 1 ? 0 : cgroup_flat(text, "frozen") == 1 ? 2 : 1;
}
