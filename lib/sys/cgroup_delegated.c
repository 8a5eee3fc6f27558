/* What of the hierarchies was handed to an ordinary user: "Delegation" in Documentation/admin-guide/cgroup-v2.rst. */
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How a hierarchy is called among BASES, in any run of ours. */
static const char *key(const struct cgroup_hierarchy *h)
{
	return h->v2 ? "unified" : h->controllers.n ? h->controllers.v[0] : "";
}

/* Whether groups can be made in PATH, and processes be moved within it. */
static bool is_ours(const struct cgroup_hierarchy *h, const char *path)
{
	char file[CGROUP_PATH_MAX + 16];

	snprintf(file, sizeof file, "%s/cgroup.procs", cgroup_below(path));
	return faccessat(h->fd, file, W_OK, 0) == 0 && faccessat(h->fd, cgroup_below(path), W_OK, 0) == 0;
}

/* The highest group above our own that is ours, all between included. False: our own isn't. */
static bool climb(const struct cgroup_hierarchy *h, char base[CGROUP_PATH_MAX])
{
	char above[CGROUP_PATH_MAX];

	if (strlen(h->self) >= CGROUP_PATH_MAX || *h->self != '/' || !is_ours(h, h->self))
		return false;
	strcpy(base, h->self);
	while (base[1]) {
		cgroup_parent(base, above);
		if (!is_ours(h, above))
			break;
		strcpy(base, above);
	}
	return true;
}

/* As it was found before. */
static bool recall(const struct cgroup_hierarchy *h, const struct strs *bases, char base[CGROUP_PATH_MAX])
{
	size_t n = strlen(key(h));

	for (size_t i = 0; i < bases->n; i++) {
		const char *b = bases->v[i];

		if (!strncmp(b, key(h), n) && b[n] == ' ' && strlen(b + n + 1) < CGROUP_PATH_MAX) {
			strcpy(base, b + n + 1);
			return *base == '/' && is_ours(h, base);
		}
	}
	return false;
}

/* H begins at BASE from now on: a descriptor is all that knows where its root is. */
static int rebase(struct cgroup_hierarchy *h, const char *base)
{
	size_t n = base[1] ? strlen(base) : 0;
	int fd = openat(h->fd, cgroup_below(base), O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool inside = !strncmp(h->self, base, n) && (!h->self[n] || h->self[n] == '/');
	char *self = xstrdup(inside && h->self[n] ? h->self + n : "/");
	struct buf b = { 0 };

	free(h->self);
	h->self = self;
	if (fd < 0)
		return -errno;
	close(h->fd);
	h->fd = fd;
	if (!h->v2)
		return 0;
	strs_free(&h->controllers);
	if (!cgroup_file_get(h, "/", "cgroup.controllers", &b))
		strs_split(&h->controllers, b.p, ' ');
	buf_free(&b);
	return 0;
}

void cgroup_delegated(struct cgroup_host *host, struct strs *bases)
{
	bool known = bases->n;
	char base[CGROUP_PATH_MAX];
	int n = 0;

	for (int i = 0; i < host->n; i++) {
		struct cgroup_hierarchy *h = &host->h[i];
		bool found = known ? recall(h, bases, base) : climb(h, base);

		if (found && !known)
			strs_fmt(bases, "%s %s", key(h), base);
		if (!found || rebase(h, base) < 0) {
			cgroup_hierarchy_free(h);
			continue;
		}
		if (h->v2)
			host->unified = n;
		if (n != i)
			host->h[n] = *h;
		n++;
	}
	if (!n || !host->h[host->unified < 0 ? 0 : host->unified].v2)
		host->unified = -1;
	host->n = n;
	host->lacking = "an ordinary user has the groups that were delegated to him: systemd-run --user --scope -p Delegate=yes";
}
