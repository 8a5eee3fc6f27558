#include "ctr/copy_path.h"
#include "base/buf.h"
#include "base/path.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* The last component of PATH, slashes at its end left aside: where it begins, and its length. */
static size_t last_of(const char *path, size_t *len)
{
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	*len = end - start;
	return start;
}

static bool is_word(const char *path, size_t start, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(path + start, word, len);
}

/* Whether PATH can only mean a directory by what it contains: "", "x/.", "..". */
static bool names_content(const char *path)
{
	size_t len, start = last_of(path, &len);

	return !len || is_word(path, start, len, ".") || is_word(path, start, len, "..");
}

static bool names_directory(const char *path)
{
	return names_content(path) || path[strlen(path) - 1] == '/';
}

/* As long as *PATH's last component is a symlink, *PATH becomes what it points to, be it there or not. */
static int follow_last(int root, char **path)
{
	for (int i = 0; i < 40; i++) {
		char name[256], to[PATH_MAX], *next;
		size_t len, start = last_of(*path, &len);
		int dir = path_parent(root, *path, 0, name);
		ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, to, sizeof to - 1);

		if (dir >= 0)
			close(dir);
		if (n < 0) /* no symlink; what else is wrong with it is told when it is used */
			return 0;
		to[n] = 0;
		next = *to == '/' ? xstrdup(to) : xasprintf("%.*s%s", (int)start, *path, to);
		free(*path);
		*path = next;
	}
	return -ELOOP;
}

static bool is_root(int root, const struct stat *st)
{
	struct stat top;

	return fstat(root, &top) == 0 && top.st_ino == st->st_ino && top.st_dev == st->st_dev;
}

static int look(int root, int fd, struct copy_source *out, struct err *err)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(err, -errno, "%s", out->path);
	if (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC)
		return err_msg(err, -EINVAL, "%s: the kernel's own files can't be copied, only read (ctr-exec CTR cat)",
			       out->path);
	if (S_ISSOCK(st.st_mode))
		return err_msg(err, -EINVAL, "%s: is a socket", out->path);
	out->dir = S_ISDIR(st.st_mode);
	out->whole = is_root(root, &st);
	return 0;
}

void copy_source_name(const char *path, struct copy_source *out)
{
	size_t len, start = last_of(path, &len);

	out->content = names_content(path);
	out->name = out->content ? xstrdup(".content") : xstrndup(path + start, len);
}

int copy_source(int root, const char *path, bool follow, struct copy_source *out, struct err *err)
{
	bool plain = !names_directory(path);
	int fd;

	out->path = xstrdup(path);
	copy_source_name(path, out);
	if (plain && follow && follow_last(root, &out->path) < 0)
		return err_sys(err, -ELOOP, "%s", path);
	fd = path_open(root, out->path, O_PATH | (plain ? O_NOFOLLOW : O_DIRECTORY), 0);
	if (fd < 0)
		return err_sys(err, fd, "%s", path);
	plain = look(root, fd, out, err) == 0;
	close(fd);
	return plain ? 0 : err->code;
}

/* PATH isn't there: its parent takes the copy, under PATH's last name. */
static int as_new(int root, const char *path, struct copy_target *out, struct err *err)
{
	size_t len, start = last_of(path, &len);
	int fd;

	out->into = xstrndup(path, start);
	out->rename = xstrndup(path + start, len);
	fd = path_open(root, out->into, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(err, fd, "%s: its directory", path);
	close(fd);
	return 0;
}

/* What PATH is: a mode, 0 if it isn't there, or -errno. */
static int64_t kind_of(int root, const char *path)
{
	struct stat st;
	int fd = path_open(root, path, O_PATH, 0), r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	close(fd);
	return r < 0 ? r : (int64_t)st.st_mode;
}

static int decide(int root, const char *path, const struct copy_source *from, struct copy_target *out, struct err *err)
{
	int64_t kind = kind_of(root, path);

	if (kind < 0)
		return err_sys(err, (int)kind, "%s", path);
	if (S_ISDIR(kind)) {
		out->into = xstrdup(path);
		out->strip = from->dir && from->content;
		return 0;
	}
	if (kind && from->dir)
		return err_msg(err, -ENOTDIR, "%s: is a file, which a directory can't replace", path);
	if (!kind && names_directory(path) && !from->dir)
		return err_msg(err, -ENOENT, "%s: no such directory", path);
	return as_new(root, path, out, err);
}

int copy_target(int root, const char *path, const struct copy_source *from, struct copy_target *out, struct err *err)
{
	char *real = xstrdup(path);
	int r = names_directory(path) ? 0 : follow_last(root, &real);

	r = r < 0 ? err_sys(err, r, "%s", path) : decide(root, real, from, out, err);
	free(real);
	return r;
}
