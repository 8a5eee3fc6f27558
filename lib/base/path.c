#include "base/path.h"
#include "base/buf.h"
#include "base/kernel.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel has it */

int path_open(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	do /* a rename elsewhere can make the walk uncertain: EAGAIN asks to try again */
		fd = sys_openat2(rootfd, *path ? path : ".", &how);
	while (fd == -EAGAIN || fd == -EINTR);
	return fd;
}

int path_mkdir_plain(int rootfd, const char *path, mode_t mode)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd = sys_openat2(rootfd, path, &how);

	if (fd != -ENOENT)
		return fd;
	return mkdirat(rootfd, path, mode) < 0 && errno != EEXIST ? -errno : sys_openat2(rootfd, path, &how);
}

/* The next component of *PATH into NAME, moving *PATH on. 1, 0 at the end, -ENAMETOOLONG. */
static int next_component(const char **path, char name[256])
{
	size_t n;

	*path += strspn(*path, "/");
	n = strcspn(*path, "/");
	if (n > 255)
		return -ENAMETOOLONG;
	memcpy(name, *path, n);
	name[n] = 0;
	*path += n;
	return n > 0;
}

int path_mkdirs(int rootfd, const char *path, mode_t mode)
{
	char sofar[4096], name[256];
	const char *rest = path;
	size_t len = 0;
	int fd = path_open(rootfd, path, O_PATH | O_DIRECTORY, 0), r;

	if (fd != -ENOENT)
		return fd;
	/* each prefix is resolved afresh from the root, so that a symlink on the way is followed inside it */
	fd = path_open(rootfd, "/", O_PATH | O_DIRECTORY, 0);
	while (fd >= 0 && (r = next_component(&rest, name)) != 0) {
		int parent = fd;

		if (r < 0 || len + strlen(name) + 2 > sizeof sofar) {
			close(parent);
			return -ENAMETOOLONG;
		}
		len += (size_t)sprintf(sofar + len, "/%s", name);
		fd = path_open(rootfd, sofar, O_PATH | O_DIRECTORY, 0);
		if (fd == -ENOENT) {
			r = mkdirat(parent, name, mode) < 0 && errno != EEXIST ? -errno : 0;
			fd = r < 0 ? r : path_open(rootfd, sofar, O_PATH | O_DIRECTORY, 0);
		}
		close(parent);
	}
	return fd;
}

int path_parent(int rootfd, const char *path, mode_t make, char name[256])
{
	char parent[4096];
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	if (end == start || end - start > 255 || start >= sizeof parent)
		return end == start ? -EINVAL : -ENAMETOOLONG;
	memcpy(name, path + start, end - start);
	name[end - start] = 0;
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	memcpy(parent, path, start);
	parent[start] = 0;
	if (make)
		return path_mkdirs(rootfd, parent, make);
	return path_open(rootfd, parent, O_PATH | O_DIRECTORY, 0);
}

/* Where the link NAME in PARENT, which PATH leads to, points: a path below the same root, to be freed. NULL: it is none. */
static char *link_target(int parent, const char *name, const char *path)
{
	char to[4096];
	ssize_t n = readlinkat(parent, name, to, sizeof to - 1);
	int dir = (int)(strrchr(path, '/') ? strrchr(path, '/') + 1 - path : 0);

	if (n <= 0)
		return NULL;
	to[n] = 0;
	return *to == '/' ? xstrdup(to) : xasprintf("%.*s%s", dir, path, to);
}

/* LINKS that lead nowhere are followed, as in an image whose /etc/resolv.conf points into /run. */
static int make_file(int rootfd, const char *path, mode_t mode, int links)
{
	char name[256], *next = NULL;
	int fd = path_open(rootfd, path, O_PATH, 0), parent;

	if (fd != -ENOENT)
		return fd;
	parent = path_parent(rootfd, path, 0755, name);
	if (parent < 0)
		return parent;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 && (fd = -errno) == -EEXIST && links)
		next = link_target(parent, name, path);
	close(parent);
	if (next) {
		fd = make_file(rootfd, next, mode, links - 1);
		free(next);
		return fd;
	}
	if (fd < 0)
		return fd;
	close(fd);
	return path_open(rootfd, path, O_PATH, 0);
}

int path_mkfile(int rootfd, const char *path, mode_t mode)
{
	return make_file(rootfd, path, mode, 8);
}

char *path_of_fd(int fd, char out[32])
{
	snprintf(out, 32, "/proc/self/fd/%d", fd);
	return out;
}

void path_clean(const char *path, struct buf *out)
{
	buf_str(out, "");
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (out->len && out->p[--out->len] != '/')
				;
			out->p[out->len] = 0;
		} else if (n && !(n == 1 && *path == '.')) {
			if (out->len)
				buf_char(out, '/');
			buf_add(out, path, n);
		}
		path += n + (path[n] == '/');
	}
}

char *path_follow(int rootfd, const char *path)
{
	struct buf at = { 0 };

	buf_str(&at, path);
	for (int i = 0; i < LINKS_MAX; i++) {
		char name[256], target[PATH_MAX];
		int dir = path_parent(rootfd, at.p, 0, name);
		ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, target, sizeof target - 1);

		if (dir >= 0)
			close(dir);
		if (n < 0)
			return at.p;
		target[n] = 0;
		at.len = *target == '/' ? 0 : (size_t)(strrchr(at.p, '/') ? strrchr(at.p, '/') - at.p + 1 : 0);
		buf_str(&at, target);
		while (at.len && at.p[at.len - 1] == '/')
			at.p[--at.len] = 0;
	}
	buf_free(&at);
	return NULL;
}
