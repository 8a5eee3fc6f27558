#include "build/copy.h"

#include "base/file.h"
#include "base/mode.h"
#include "base/path.h"
#include "ctr/userdb.h"
#include "image/tar_read.h"
#include "image/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What can't be unpacked isn't the same as what is no archive. */
struct unpacked {
	struct source s;
	struct source *from;
	bool failed;
};

static ssize_t read_unpacked(struct source *s, void *data, size_t len, struct err *err)
{
	struct unpacked *u = (struct unpacked *)s;
	ssize_t n = u->from->read(u->from, data, len, err);

	u->failed |= n < 0;
	return n;
}

int copy_is_archive(int fd, const char *name, struct err *err)
{
	struct fd_source from;
	struct unpacked u = { .s.read = read_unpacked };
	struct tar_reader r;
	const char *last = strrchr(name, '/');
	struct err why = { 0 };
	int rc;

	fd_source_init(&from, fd);
	u.from = unpack_new(&from.s, 0);
	tar_reader_init(&r, &u.s);
	rc = tar_next(&r, &why);
	tar_reader_free(&r);
	unpack_free(u.from);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, -errno, "%s", name);
	if (u.failed && strstr(last ? last : name, ".t")) /* .tar.xz, .tgz: what it holds can't be known, its name says it */
		return err_msg(err, rc, "%s: %s (COPY takes it as it is)", name, why.text);
	return rc > 0;
}

/* The missing directory PATH; or what a symlink of that name says it is, which is missing then. */
static int make_dir(int root, const char *path, uid_t uid, gid_t gid, struct err *err)
{
	char *real = path_follow(root, path);
	int fd, rc = real ? 0 : -ELOOP;

	if (!rc && strcmp(real, path)) {
		rc = copy_dirs(root, real, uid, gid, err);
	} else if (!rc) {
		fd = path_mkdirs(root, path, 0755);
		rc = fd < 0 ? fd : fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
		if (fd >= 0)
			close(fd);
	}
	free(real);
	return rc;
}

int copy_dirs(int root, const char *path, uid_t uid, gid_t gid, struct err *err)
{
	struct buf done = { 0 };
	int fd, rc = 0;

	while (*path && !rc) {
		size_t n = strcspn(path, "/");

		buf_char(&done, '/');
		buf_add(&done, path, n);
		path += n + strspn(path + n, "/");
		fd = path_open(root, done.p, O_PATH | O_DIRECTORY, 0);
		rc = fd == -ENOENT ? make_dir(root, done.p, uid, gid, err) : fd < 0 ? fd : 0;
		if (fd >= 0)
			close(fd);
	}
	if (rc < 0)
		err_sys(err, rc, "%s", done.p);
	buf_free(&done);
	return rc;
}

/* The same for what C brings: what comes from another stage as it was there goes into directories of root's. */
static int make_dirs(int root, const struct copy *c, const char *path, struct err *err)
{
	return copy_dirs(root, path, (uid_t)(c->how.uid < 0 ? 0 : c->how.uid), (gid_t)(c->how.gid < 0 ? 0 : c->how.gid), err);
}

bool copy_is_name(const char *name)
{
	return *name && dir_entry(name) && !strchr(name, '/');
}

/* Where a file called NAME goes: INTO a directory that is there then, as *RENAME (malloc'ed). */
static int file_target(int root, const struct copy *c, const char *name, char **into, char **rename, struct err *err)
{
	int dir = path_open(root, *c->dest ? c->dest : ".", O_PATH | O_DIRECTORY, 0);
	char *path;
	const char *slash;

	if (dir >= 0)
		close(dir);
	if (dir >= 0 || c->dest_dir) {
		*into = xstrdup(c->dest);
		*rename = xstrdup(name);
		return dir >= 0 ? 0 : make_dirs(root, c, c->dest, err);
	}
	path = path_follow(root, c->dest);
	if (!path)
		return err_sys(err, -ELOOP, "%s", c->dest);
	slash = strrchr(path, '/');
	*into = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
	*rename = xstrdup(slash ? slash + 1 : path);
	free(path);
	if (!copy_is_name(*rename))
		return err_msg(err, -EINVAL, "%s: what it leads to is no name for a file", c->dest);
	return make_dirs(root, c, *into, err);
}

static int put_archive(int root, const struct copy *c, int fd, const char *name, struct err *err)
{
	struct tar_edit owner = { .uid = c->how.uid, .gid = c->how.gid };
	struct tar_extract x = { .rootfd = root, .into = c->dest, .keep_top = true, .owner = c->owner ? &owner : NULL };
	struct fd_source from;
	struct source *unpacked;
	int rc = make_dirs(root, c, c->dest, err);

	if (rc < 0)
		return rc;
	fd_source_init(&from, fd);
	unpacked = unpack_new(&from.s, 0);
	rc = tar_extract(&x, unpacked, err);
	unpack_free(unpacked);
	return rc < 0 ? err_prefix(err, "%s", name) : 0;
}

/* What comes of the tree, as one archive. */
static int put_items(int root, const struct copy *c, struct err *err)
{
	struct tar_extract x = { .rootfd = root, .into = c->dest, .merge_dirs = true, .settle_dirs = true };
	struct source_tar *all = source_tar(&c->tree, &c->items, &c->how);
	char *into = NULL, *rename = NULL;
	int rc;

	if (!all)
		return 0;
	if (c->items.n > 1 || c->items.v->dir) {
		rc = make_dirs(root, c, c->dest, err);
	} else {
		rc = file_target(root, c, c->items.v->name, &into, &rename, err);
		x.into = into;
		x.rename = rename;
	}
	if (!rc)
		rc = tree_copy(&all->write, &x, err);
	free(into);
	free(rename);
	free(all);
	return rc;
}

static int write_file(int dir, const char *name, const struct copy *c, const struct copy_file *f)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = f->mtime, .tv_nsec = f->mtime < 0 ? UTIME_NOW : 0 } };
	mode_t mode = S_IFREG | (mode_t)f->mode;
	char data[16384];
	ssize_t n = 0;
	int fd, rc = 0;

	if (c->chmod)
		mode_change(c->chmod, &mode);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) /* it may be a device node, or a link */
		return -errno;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (!rc && (n = read(f->fd, data, sizeof data)) > 0)
		rc = write_all(fd, data, (size_t)n);
	if (n < 0 || fchown(fd, (uid_t)c->how.uid, (gid_t)c->how.gid) < 0 || fchmod(fd, mode & 07777) < 0 || futimens(fd, times) < 0)
		rc = rc ? rc : -errno;
	close(fd);
	return rc;
}

static int put_file(int root, const struct copy *c, const struct copy_file *f, struct err *err)
{
	char *into = NULL, *rename = NULL;
	int rc, dir;

	if (f->unpack)
		return put_archive(root, c, f->fd, f->name, err);
	rc = copy_is_name(f->name) ? file_target(root, c, f->name, &into, &rename, err) : err_msg(err, -EINVAL, "%s: no name for a file", f->name);
	if (!rc) {
		dir = path_open(root, *into ? into : ".", O_RDONLY | O_DIRECTORY, 0);
		rc = dir < 0 ? dir : write_file(dir, rename, c, f);
		if (dir >= 0)
			close(dir);
		if (rc < 0)
			err_sys(err, rc, "%s/%s", into, rename);
	}
	free(into);
	free(rename);
	return rc;
}

/* A number alone is the group's, too; a name brings its own group (docker's reference). */
static int find_owner(int root, struct copy *c, struct err *err)
{
	const struct strs none = { 0 };
	struct user u = { 0 };
	char *owner;
	int rc;

	if (!c->owner)
		return 0;
	if (*c->owner == ':')
		owner = xasprintf("0%s", c->owner);
	else if (c->owner[strspn(c->owner, "0123456789")])
		owner = xstrdup(c->owner);
	else
		owner = xasprintf("%s:%s", c->owner, c->owner);
	rc = user_find(root, owner, &none, &u, err);
	free(u.home);
	free(owner);
	c->how.uid = u.uid;
	c->how.gid = u.gid;
	return rc < 0 ? err_prefix(err, "--chown=%s", c->owner) : 0;
}

int copy_put(int root, void *arg, struct err *err)
{
	struct copy *c = arg;
	int rc = find_owner(root, c, err);

	umask(0);
	if (!rc)
		rc = put_items(root, c, err);
	for (size_t i = 0; i < c->nfiles && !rc; i++)
		rc = put_file(root, c, &c->files[i], err);
	return rc;
}
