/* Making groups and entering them. */
#include "base/file.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a container gets in a hierarchy: nothing (it stays where its caller is, in the root), the first component of its
 * path (away from the caller, for one directory that all containers share), or a group of its own. */
enum role { ROLE_NONE, ROLE_FIRST, ROLE_OWN };

static bool has(const struct cgroup_hierarchy *h, const char *controller)
{
	return strs_has(&h->controllers, controller);
}

static enum role role_of(const struct cgroup_host *host, const struct cgroup_hierarchy *h,
			 const struct cgroup_limits *limits)
{
	if (h->v2 || has(h, "memory") || has(h, "cpu") || has(h, "pids"))
		return ROLE_OWN;
	if (host->unified < 0 && (has(h, "freezer") || has(h, "cpuacct")))
		return ROLE_OWN;
	if (cgroup_limits_touch(limits, h) || (limits->devices && has(h, "devices")))
		return ROLE_OWN;
	return strcmp(h->self, "/") ? ROLE_FIRST : ROLE_NONE;
}

/* Opens what entering PATH in one hierarchy takes. 0 or -errno. */
static int open_way(const struct cgroup_hierarchy *h, const char *path, struct cgroup *g)
{
	int fd;

	if (h->v2) {
		fd = openat(h->fd, cgroup_below(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
		g->into_fd = fd;
		return fd < 0 ? -errno : 0;
	}
	fd = cgroup_file_open(h, path, "tasks", O_WRONLY);
	if (fd < 0)
		return fd;
	g->tasks_fd[g->ntasks++] = fd;
	return 0;
}

static int make_in(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits,
		   struct cgroup *g, int *made, struct err *err)
{
	int r = cgroup_mkdir(h, path, made, err);

	if (!r && h->v2)
		r = cgroup_v2_enable(h, path, limits, err);
	if (r)
		return r;
	r = open_way(h, path, g);
	return r ? err_sys(err, r, "open group %s%s", h->mount, path) : 0;
}

int cgroup_make(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits,
		struct cgroup *out, struct err *err)
{
	enum role role[CGROUP_MAX] = { 0 };
	int made[CGROUP_MAX] = { 0 }, r;
	char first[CGROUP_PATH_MAX];

	*out = (struct cgroup){ .path = xstrdup(path), .into_fd = -1 };
	cgroup_first(path, first);
	r = host->failed ? err_sys(err, host->failed, "find the cgroup hierarchies") : cgroup_limits_possible(host, limits, err);
	for (int i = 0; i < host->n && !r; i++) {
		const struct cgroup_hierarchy *h = &host->h[i];

		role[i] = role_of(host, h, limits);
		if (role[i] != ROLE_NONE)
			r = make_in(h, role[i] == ROLE_OWN ? path : first, limits, out, &made[i], err);
	}
	if (!r)
		r = cgroup_limits_write(host, path, limits, err);
	if (!r && limits->devices)
		r = cgroup_devices_write(host, out, limits->devices, err);
	if (!r)
		return 0;
	for (int i = 0; i < host->n; i++)
		if (made[i])
			cgroup_unmake(&host->h[i], role[i] == ROLE_OWN ? path : first, made[i]);
	cgroup_close(out);
	return r;
}

/* The way into PATH, or into its first component where the caller's own group would be the other choice. */
static int open_nearest(const struct cgroup_hierarchy *h, const char *path, const char *first, struct cgroup *g,
			bool *found)
{
	int r = open_way(h, path, g);

	if (!r)
		*found = true;
	if (r == -ENOENT && strcmp(h->self, "/"))
		r = open_way(h, first, g);
	return r == -ENOENT ? 0 : r;
}

int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup *out, struct err *err)
{
	char first[CGROUP_PATH_MAX];
	bool found = false;
	int r = host->failed;

	*out = (struct cgroup){ .path = xstrdup(path), .into_fd = -1 };
	cgroup_first(path, first);
	for (int i = 0; i < host->n && !r; i++)
		r = open_nearest(&host->h[i], path, first, out, &found);
	if (!r && !found && host->n && !host->lacking)
		r = -ENOENT;
	if (!r)
		return 0;
	cgroup_close(out);
	return err_sys(err, r, "open group %s", path);
}

void cgroup_close(struct cgroup *g)
{
	for (int i = 0; i < g->ntasks; i++)
		close(g->tasks_fd[i]);
	if (g->into_fd >= 0)
		close(g->into_fd);
	free(g->path);
	*g = (struct cgroup){ .into_fd = -1 };
}

int cgroup_enter(const struct cgroup *g, bool into, struct err *err)
{
	int r = 0;

	if (!into && g->into_fd >= 0)
		r = file_put(g->into_fd, "cgroup.procs", "0");
	for (int i = 0; i < g->ntasks && !r; i++)
		if (write(g->tasks_fd[i], "0", 1) != 1)
			r = -errno;
	if (r)
		err_sys(err, r, "enter group %s", g->path);
	if (r == -ENOSPC)
		err_hint(err, "its cpuset has no cpus or mems");
	if (r == -EBUSY)
		err_hint(err, "it hands controllers down, so v2 lets it have no processes: take a group below it");
	return r;
}

/* Moves into PATH of H whoever is in PATH elsewhere: again while new ones appear. */
static int gather(const struct cgroup_host *host, const struct cgroup_hierarchy *h, const char *path, struct err *err)
{
	struct cgroup_pids here = { 0 };
	int r = 0, n, tries = 0;
	pid_t *pids;

	do {
		free(here.v);
		here = (struct cgroup_pids){ 0 };
		n = cgroup_procs(host, path, &pids);
		for (int i = 0; i < n && !r; i++) {
			char text[16];

			snprintf(text, sizeof text, "%d", pids[i]);
			r = cgroup_file_put(h, path, "cgroup.procs", text);
			if (r == -ESRCH)
				r = 0;
		}
		free(pids);
		cgroup_pids_add(h, path, &here);
	} while (n > 0 && !r && here.n < (size_t)n && ++tries < 5);
	free(here.v);
	return r ? err_sys(err, r, "move the processes of group %s to %s", path, h->mount) : 0;
}

/* PATH in a hierarchy that a limit needs now and nobody needed before. */
static int extend(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits,
		  struct err *err)
{
	int made = 0, r = 0;

	if (!cgroup_in(h, path))
		r = cgroup_mkdir(h, path, &made, err);
	if (!r && h->v2)
		r = cgroup_v2_enable(h, path, limits, err);
	return r;
}

int cgroup_set(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits, struct err *err)
{
	bool fresh[CGROUP_MAX] = { 0 };
	int r = cgroup_limits_possible(host, limits, err);

	if (!r && !cgroup_exists(host, path))
		r = err_sys(err, -ENOENT, "group %s", path);
	for (int i = 0; i < host->n && !r; i++) {
		const struct cgroup_hierarchy *h = &host->h[i];

		if (!cgroup_limits_touch(limits, h))
			continue;
		fresh[i] = !cgroup_in(h, path);
		r = extend(h, path, limits, err);
	}
	if (!r)
		r = cgroup_limits_write(host, path, limits, err);
	for (int i = 0; i < host->n && !r; i++)
		if (fresh[i])
			r = gather(host, &host->h[i], path, err);
	return r;
}
