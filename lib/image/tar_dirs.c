#include "image/tar_place.h"

#include "base/kernel.h"
#include "base/path.h"
#include "base/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY)
#define DEPTH ((int)(sizeof ((struct tar_dirs *)0)->v / sizeof ((struct tar_dirs *)0)->v[0]))

bool tar_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static void leave(struct tar_dirs *d, struct tar_dir *dir)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, dir->mtime };

	if (dir->len >= d->untimed && futimens(dir->fd, times) < 0 && !d->failed)
		d->failed = -errno;
	close(dir->fd);
}

void tar_dirs_leave(struct tar_dirs *d)
{
	while (d->n)
		leave(d, &d->v[--d->n]);
}

static bool inside(const struct tar_dirs *d, const struct tar_dir *dir, const char *path, size_t len)
{
	if (dir->len == 0)
		return true;
	return len >= dir->len && memcmp(d->path.p, path, dir->len) == 0 && (len == dir->len || path[dir->len] == '/');
}

void tar_dirs_push(struct tar_dirs *d, int fd, const char *path, size_t len, struct timespec mtime)
{
	if (d->n == DEPTH) {
		leave(d, &d->v[0]);
		memmove(d->v, d->v + 1, sizeof d->v[0] * (size_t)--d->n);
	}
	d->v[d->n++] = (struct tar_dir){ fd, len, mtime };
	d->path.len = 0;
	buf_add(&d->path, path, len);
}

/* What stands at PATH isn't a directory: a whiteout of this archive makes way for one that hides what is below. */
static int replace_whiteout(int parent, const char *name)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!tar_is_whiteout(&st))
		return -ENOTDIR;
	return unlinkat(parent, name, 0) < 0 ? -errno : 0;
}

/* Makes the directory PATH[0..LEN), whose last component is missing (or, REPLACE, may be a whiteout). */
static int make(struct tar_dirs *d, const char *path, size_t len, bool replace)
{
	size_t cut = len;
	char name[NAME_MAX + 1];
	int parent, fd;

	while (cut && path[cut - 1] != '/')
		cut--;
	if (len - cut > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + cut, len - cut);
	name[len - cut] = 0;
	parent = tar_dirs_enter(d, path, cut ? cut - 1 : 0);
	fd = parent < 0 || !replace ? parent : replace_whiteout(parent, name);
	if (fd >= 0 && mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		fd = -errno;
	if (fd < 0 || !replace)
		return fd;
	fd = openat(parent, name, DIR_FLAGS | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	parent = opaque_mark(fd);
	close(fd);
	return parent;
}

static int open_dir(struct tar_dirs *d, const char *path, size_t len)
{
	struct open_how how = { .flags = DIR_FLAGS | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
	char copy[TAR_NAME_MAX + 1];
	int fd;

	if (len > TAR_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(copy, path, len);
	copy[len] = 0;
	fd = sys_openat2(d->rootfd, len ? copy : ".", &how);
	if (fd != -ELOOP && fd != -EAGAIN && fd != -EINTR)
		return fd;
	d->through_link = true;
	return path_open(d->rootfd, copy, DIR_FLAGS, 0);
}

int tar_dirs_enter(struct tar_dirs *d, const char *path, size_t len)
{
	struct stat st;
	int fd, rc;

	while (d->n && !inside(d, &d->v[d->n - 1], path, len))
		leave(d, &d->v[--d->n]);
	if (d->n && d->v[d->n - 1].len == len)
		return d->v[d->n - 1].fd;
	fd = open_dir(d, path, len);
	if (fd == -ENOENT || (fd == -ENOTDIR && d->whiteouts)) {
		rc = len ? make(d, path, len, fd == -ENOTDIR) : fd;
		fd = rc < 0 ? rc : open_dir(d, path, len);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	tar_dirs_push(d, fd, path, len, st.st_mtim);
	return fd;
}
