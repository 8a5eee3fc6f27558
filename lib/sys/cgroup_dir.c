/* Groups as directories: paths, files, making and walking. */
#include "base/file.h"
#include "sys/cgroup_internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Adds the component S[0..N) to OUT, unless it could lead elsewhere or garble a line. */
static int add_component(char out[CGROUP_PATH_MAX], size_t *len, const char *s, size_t n)
{
	if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return -EINVAL;
	if (n > 255 || *len + n > 900)
		return -ENAMETOOLONG;
	out[(*len)++] = '/';
	memcpy(out + *len, s, n);
	*len += n;
	return 0;
}

int cgroup_path(const char *path, bool root, char out[CGROUP_PATH_MAX], struct err *err)
{
	size_t len = 0;

	for (const char *s = path; *s;) {
		size_t n = strcspn(s, "/");
		int r = n ? add_component(out, &len, s, n) : 0;

		if (r < 0)
			return err_sys(err, r, "group %s", path);
		s += n + (s[n] == '/');
	}
	if (!len && (!root || !*path))
		return err_msg(err, -EINVAL, *path ? "group %s: the root group is everybody's" : "group %s: empty path",
			       path);
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
	return 0;
}

const char *cgroup_below(const char *path)
{
	return path[1] ? path + 1 : ".";
}

void cgroup_first(const char *path, char out[CGROUP_PATH_MAX])
{
	snprintf(out, CGROUP_PATH_MAX, "/%.*s", (int)strcspn(path + 1, "/"), path + 1);
}

void cgroup_parent(const char *path, char out[CGROUP_PATH_MAX])
{
	int n = (int)(strrchr(path, '/') - path);

	snprintf(out, CGROUP_PATH_MAX, "%.*s", n ? n : 1, path);
}

bool cgroup_in(const struct cgroup_hierarchy *h, const char *path)
{
	return !faccessat(h->fd, cgroup_below(path), F_OK, 0);
}

bool cgroup_exists(const struct cgroup_host *host, const char *path)
{
	for (int i = 0; i < host->n; i++)
		if (cgroup_in(&host->h[i], path))
			return true;
	return false;
}

/* "PATH/FILE" below the root directory. */
static const char *name_of(const char *path, const char *file, char out[CGROUP_PATH_MAX])
{
	snprintf(out, CGROUP_PATH_MAX, "%s/%s", cgroup_below(path), file);
	return out;
}

int cgroup_file_put(const struct cgroup_hierarchy *h, const char *path, const char *file, const char *text)
{
	char name[CGROUP_PATH_MAX];

	return file_put(h->fd, name_of(path, file, name), text);
}

int cgroup_file_get(const struct cgroup_hierarchy *h, const char *path, const char *file, struct buf *out)
{
	char name[CGROUP_PATH_MAX];
	int r = file_read(h->fd, name_of(path, file, name), out, 16 << 20);

	if (r < 0)
		return r;
	buf_str(out, "");
	while (out->len && strchr(" \n", out->p[out->len - 1]))
		out->p[--out->len] = '\0';
	return 0;
}

int cgroup_file_open(const struct cgroup_hierarchy *h, const char *path, const char *file, int flags)
{
	char name[CGROUP_PATH_MAX];
	int fd = openat(h->fd, name_of(path, file, name), flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int cgroup_read(const struct cgroup_host *host, const char *path, const char *file, struct buf *out)
{
	int r = -ENOENT;

	if (strchr(file, '/'))
		return -EINVAL;
	for (int i = 0; i < host->n && r == -ENOENT; i++)
		r = cgroup_file_get(&host->h[i], path, file, out);
	return r;
}

int64_t cgroup_flat(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *s = text; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (!strncmp(s, key, n) && s[n] == ' ')
			return strtoll(s + n, NULL, 10);
	}
	return -1;
}

/* v1's cpuset takes nobody before it has cpus and mems of its own. */
static int inherit_cpuset(const struct cgroup_hierarchy *h, const char *path)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char parent[CGROUP_PATH_MAX];
	int r = 0;

	cgroup_parent(path, parent);
	for (int i = 0; i < 2 && !r; i++) {
		struct buf own = { 0 }, above = { 0 };

		r = cgroup_file_get(h, path, files[i], &own);
		if (!r && !own.len)
			r = cgroup_file_get(h, parent, files[i], &above);
		if (!r && !own.len)
			r = cgroup_file_put(h, path, files[i], above.p);
		buf_free(&own);
		buf_free(&above);
	}
	return r;
}

/* What a new group needs before it can be used. Kernels before 5.11 count what is below a group only if told to. */
static int prepare(const struct cgroup_hierarchy *h, const char *path, bool fresh)
{
	if (h->v2)
		return 0;
	if (fresh && !strchr(path + 1, '/') && strs_has(&h->controllers, "memory"))
		cgroup_file_put(h, path, "memory.use_hierarchy", "1");
	return strs_has(&h->controllers, "cpuset") ? inherit_cpuset(h, path) : 0;
}

static int mkdir_level(const struct cgroup_hierarchy *h, const char *path, int *made)
{
	bool fresh = !mkdirat(h->fd, cgroup_below(path), 0755);
	int r = fresh || errno == EEXIST ? 0 : -errno;

	*made += fresh;
	return r ? r : prepare(h, path, fresh);
}

static int mkdir_all(const struct cgroup_hierarchy *h, const char *path, int *made)
{
	bool top_down = !h->v2 && strs_has(&h->controllers, "cpuset");
	char parent[CGROUP_PATH_MAX];
	int r = top_down ? -ENOENT : mkdir_level(h, path, made);

	if (r != -ENOENT)
		return r;
	cgroup_parent(path, parent);
	r = parent[1] ? mkdir_all(h, parent, made) : 0;
	return r ? r : mkdir_level(h, path, made);
}

int cgroup_mkdir(const struct cgroup_hierarchy *h, const char *path, int *made, struct err *err)
{
	int r = -ENOENT;

	/* Somebody may take an empty parent away between making it and making what is below. */
	for (int tries = 0; r == -ENOENT && tries < 3; tries++) {
		*made = 0;
		r = mkdir_all(h, path, made);
	}
	if (r)
		err_sys(err, r, "make group %s%s", h->mount, path);
	return r;
}

void cgroup_unmake(const struct cgroup_hierarchy *h, const char *path, int made)
{
	char p[CGROUP_PATH_MAX], parent[CGROUP_PATH_MAX];

	snprintf(p, sizeof p, "%s", path);
	while (made > 0 && p[1]) {
		if (!unlinkat(h->fd, cgroup_below(p), AT_REMOVEDIR))
			made--;
		else if (errno != ENOENT)
			return;
		cgroup_parent(p, parent);
		memcpy(p, parent, sizeof p);
	}
}

/* The names of the groups directly below PATH. */
static void children(const struct cgroup_hierarchy *h, const char *path, struct strs *out)
{
	int fd = openat(h->fd, cgroup_below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_type == DT_DIR && d->d_name[0] != '.')
			strs_fmt(out, "%s/%s", path[1] ? path : "", d->d_name);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

int cgroup_walk(const struct cgroup_hierarchy *h, const char *path, cgroup_each *each, void *arg)
{
	struct strs below = { 0 };
	struct stat st;
	int r = 0;

	/* A group's link count is 2 and one for each group below it: most have none, and need no reading. */
	if (fstatat(h->fd, cgroup_below(path), &st, 0))
		return errno == ENOENT ? 0 : -errno;
	if (st.st_nlink != 2)
		children(h, path, &below);
	strs_sort(&below);
	for (size_t i = 0; i < below.n && !r; i++)
		r = strlen(below.v[i]) < CGROUP_PATH_MAX - 256 ? cgroup_walk(h, below.v[i], each, arg) : -ENAMETOOLONG;
	strs_free(&below);
	return r ? r : each(h, path, arg);
}
