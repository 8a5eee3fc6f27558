/* Which groups and which files there are, over all hierarchies. */
#include "sys/cgroup_internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int note(const struct cgroup_hierarchy *h, const char *path, void *arg)
{
	(void)h;
	if (path[1])
		strs_add(arg, path);
	return 0;
}

/* Frees what stands twice in a sorted list. */
static void unique(struct strs *l)
{
	struct strs once = { 0 };

	for (size_t i = 0; i < l->n; i++)
		if (!once.n || strcmp(once.v[once.n - 1], l->v[i]))
			strs_add(&once, l->v[i]);
	strs_free(l);
	*l = once;
}

int cgroup_list(const struct cgroup_host *host, const char *path, struct strs *out)
{
	int r = 0;

	for (int i = 0; i < host->n && !r; i++)
		r = cgroup_walk(&host->h[i], path, note, out);
	strs_sort(out);
	unique(out);
	return r;
}

static void add_files(const struct cgroup_hierarchy *h, const char *path, struct strs *out)
{
	int fd = openat(h->fd, cgroup_below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_type == DT_REG)
			strs_add(out, d->d_name);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

int cgroup_files(const struct cgroup_host *host, const char *path, struct strs *out)
{
	if (!cgroup_exists(host, path))
		return -ENOENT;
	for (int i = 0; i < host->n; i++)
		add_files(&host->h[i], path, out);
	strs_sort(out);
	unique(out);
	return 0;
}
