/* Who is in a group: listing and moving. */
#include "base/file.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add(struct cgroup_pids *pids, pid_t pid)
{
	if (pids->n == pids->room) {
		pids->room = pids->room ? 2 * pids->room : 64;
		pids->v = xrealloc(pids->v, pids->room * sizeof *pids->v);
	}
	pids->v[pids->n++] = pid;
}

/* One group's own. Processes outside our pid namespace read as 0; a v2 threaded group has no cgroup.procs (EOPNOTSUPP):
 * its processes stand in the domain above. */
static int add_own(const struct cgroup_hierarchy *h, const char *path, void *arg)
{
	struct buf b = { 0 };
	int r = cgroup_file_get(h, path, "cgroup.procs", &b);

	if (!r)
		for (char *s = b.p; *s;) {
			long pid = strtol(s, &s, 10);

			if (pid > 0)
				add(arg, (pid_t)pid);
			s += *s == '\n';
		}
	buf_free(&b);
	return r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP ? 0 : r;
}

int cgroup_pids_add(const struct cgroup_hierarchy *h, const char *path, struct cgroup_pids *pids)
{
	return cgroup_walk(h, path, add_own, pids);
}

static int ascending(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

void cgroup_pids_sort(struct cgroup_pids *pids)
{
	size_t n = 0;

	if (!pids->n)
		return;
	qsort(pids->v, pids->n, sizeof *pids->v, ascending);
	for (size_t i = 1; i < pids->n; i++)
		if (pids->v[i] != pids->v[n])
			pids->v[++n] = pids->v[i];
	pids->n = n + 1;
}

int cgroup_procs(const struct cgroup_host *host, const char *path, pid_t **out)
{
	struct cgroup_pids pids = { 0 };
	int r = 0;

	for (int i = 0; i < host->n && !r; i++)
		r = cgroup_pids_add(&host->h[i], path, &pids);
	cgroup_pids_sort(&pids);
	*out = r ? NULL : pids.v;
	if (r)
		free(pids.v);
	return r ? r : (int)pids.n;
}

static int move(const struct cgroup_hierarchy *h, const char *path, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof text, "%d", pid);
	return cgroup_file_put(h, path, "cgroup.procs", text);
}

int cgroup_attach(const struct cgroup_host *host, const char *path, pid_t pid, struct err *err)
{
	bool found = false;

	for (int i = 0; i < host->n; i++) {
		const struct cgroup_hierarchy *h = &host->h[i];
		int r;

		if (!cgroup_in(h, path))
			continue;
		found = true;
		r = move(h, path, pid);
		if (!r)
			continue;
		err_sys(err, r, "move process %d to %s%s", pid, h->mount, path);
		if (r == -ENOSPC)
			err_hint(err, "its cpuset has no cpus or mems");
		return r;
	}
	return found ? 0 : err_sys(err, -ENOENT, "group %s", path);
}

/* To the nearest group above that takes it: on v2 a group whose controllers are handed down takes none (EBUSY). */
static int move_up(const struct cgroup_hierarchy *h, const char *path, pid_t pid)
{
	char to[CGROUP_PATH_MAX], from[CGROUP_PATH_MAX];
	int r = -EBUSY;

	snprintf(to, sizeof to, "%s", path);
	while (r == -EBUSY && to[1]) {
		memcpy(from, to, sizeof from);
		cgroup_parent(from, to);
		r = move(h, to, pid);
	}
	return r == -ESRCH ? 0 : r;
}

/* Again while new ones are born inside. */
static int empty_in(const struct cgroup_hierarchy *h, const char *path)
{
	int r = 0;

	for (int round = 0; round < 100 && !r; round++) {
		struct cgroup_pids pids = { 0 };
		size_t n;

		r = cgroup_pids_add(h, path, &pids);
		for (size_t i = 0; i < pids.n && !r; i++)
			r = move_up(h, path, pids.v[i]);
		n = pids.n;
		free(pids.v);
		if (!n)
			return r;
	}
	return r ? r : -EBUSY;
}

int cgroup_empty(const struct cgroup_host *host, const char *path, struct err *err)
{
	for (int i = 0; i < host->n; i++) {
		int r = empty_in(&host->h[i], path);

		if (r)
			return err_sys(err, r, "move the processes out of %s%s", host->h[i].mount, path);
	}
	return 0;
}

int cgroup_v2_step_down(const struct cgroup_hierarchy *h, struct err *err)
{
	int made = 0, r = cgroup_mkdir(h, "/" CGROUP_INIT, &made, err);

	for (int round = 0; round < 100 && !r; round++) {
		struct cgroup_pids pids = { 0 };
		size_t n;

		r = add_own(h, "/", &pids);
		for (size_t i = 0; i < pids.n && !r; i++) {
			r = move(h, "/" CGROUP_INIT, pids.v[i]);
			r = r == -ESRCH ? 0 : r;
		}
		n = pids.n;
		free(pids.v);
		if (!n)
			break;
	}
	return r;
}

void cgroup_leave(const struct cgroup_host *host)
{
	int made;

	for (int i = 0; i < host->n; i++) {
		const struct cgroup_hierarchy *h = &host->h[i];

		if (h->self && strcmp(h->self, "/") &&
		    cgroup_file_put(h, "/", h->v2 ? "cgroup.procs" : "tasks", "0") == -EBUSY &&
		    !cgroup_mkdir(h, "/" CGROUP_INIT, &made, NULL))
			cgroup_file_put(h, "/" CGROUP_INIT, "cgroup.procs", "0");
	}
}
