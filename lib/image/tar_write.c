#include "image/tar_write.h"

#include "base/file.h"
#include "base/kernel.h"
#include "base/mode.h"
#include "base/path.h"
#include "base/userns.h"
#include "image/tar_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define XATTR_VALUE_MAX 65536     /* XATTR_SIZE_MAX, and of the list */

struct walk {
	const struct tar_write *w;
	struct tar_out out;
	struct tar_inodes inodes;
	struct buf name;              /* of the current entry, in the archive */
	struct buf xattr_values;
	struct strs xattr_names;
	size_t xattr_lens[256];
};

static int write_dir(struct walk *k, int fd, struct err *err);

/* Opens NAME in DIRFD for what it is; what is mounted on it isn't it (-EXDEV) unless mounts are to be crossed. */
static int open_plain(const struct walk *k, int dirfd, const char *name, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | (k->w->cross_mounts ? 0 : RESOLVE_NO_XDEV),
	};

	return sys_openat2(dirfd, name, &how);
}

/* Overlay's marks are this host's own, and labels its policy. */
static bool is_ours(const char *xattr)
{
	return starts_with(xattr, "trusted.overlay.") || starts_with(xattr, "user.overlay.") || strcmp(xattr, "security.selinux") == 0;
}

static int read_xattr(struct walk *k, const char *path, const char *name)
{
	ssize_t n;

	buf_reserve(&k->xattr_values, XATTR_VALUE_MAX);
	n = lgetxattr(path, name, k->xattr_values.p + k->xattr_values.len, XATTR_VALUE_MAX);
	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	if (k->xattr_names.n == sizeof k->xattr_lens / sizeof k->xattr_lens[0])
		return -E2BIG;
	k->xattr_lens[k->xattr_names.n] = (size_t)n;
	k->xattr_values.len += (size_t)n;
	strs_add(&k->xattr_names, name);
	return 0;
}

/* The xattrs of PATH (never followed), sorted. */
static int read_xattrs(struct walk *k, const char *path, struct err *err)
{
	struct strs names = { 0 };
	ssize_t n;
	char *list;
	int rc = 0;

	strs_free(&k->xattr_names);
	k->xattr_values.len = 0;
	n = llistxattr(path, NULL, 0);
	if (n == 0 || (n < 0 && (errno == ENOTSUP || errno == ENOENT)))
		return 0;
	list = xmalloc(XATTR_VALUE_MAX);
	n = llistxattr(path, list, XATTR_VALUE_MAX);
	if (n < 0)
		rc = -errno;
	for (char *p = list; n > 0 && p < list + n; p += strlen(p) + 1)
		if (!is_ours(p))
			strs_add(&names, p);
	free(list);
	strs_sort(&names);
	for (size_t i = 0; i < names.n && rc == 0; i++)
		rc = read_xattr(k, path, names.v[i]);
	strs_free(&names);
	return rc < 0 ? err_sys(err, rc, "%s: read xattrs", k->name.p) : 0;
}

static void edit(const struct tar_edit *e, struct stat *st)
{
	if (e->uid >= 0)
		st->st_uid = (uid_t)e->uid;
	if (e->gid >= 0)
		st->st_gid = (gid_t)e->gid;
	if (e->mode && !S_ISLNK(st->st_mode))
		mode_change(e->mode, &st->st_mode);
	if (st->st_mtim.tv_sec >= e->latest) /* a part of the second may be too late */
		st->st_mtim = (struct timespec){ e->latest == INT64_MIN ? 0 : e->latest, 0 };
}

static int headers(struct walk *k, const struct stat *st, const char *link, bool hard, int64_t size, struct err *err)
{
	struct stat said = *st;
	struct tar_headers h = { k->name.p, link, &said, hard, size, hard ? NULL : &k->xattr_names, &k->xattr_values, k->xattr_lens };

	if (k->w->edit)
		edit(k->w->edit, &said);
	return tar_headers_put(&k->out, &h, err);
}

static bool takes(const struct walk *k, int dirfd, const char *last)
{
	const struct tar_edit *e = k->w->edit;

	return !e || !e->takes || e->takes(e->arg, k->name.p, dirfd, last);
}

/* SIZE bytes of FD, zeros for what is no longer there, and the padding. */
static int content(struct walk *k, int fd, int64_t size, struct err *err)
{
	struct tar_out *o = &k->out;
	int64_t left = size;
	int rc = 0;

	while (left && rc == 0) {
		size_t room = TAR_OUT - o->len;
		ssize_t n = read(fd, o->data + o->len, (int64_t)room < left ? room : (size_t)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, -errno, "%s: read", k->name.p);
		if (n == 0)
			break;
		o->len += (size_t)n;
		left -= n;
		if (o->len == TAR_OUT)
			rc = tar_out_flush(o, err);
	}
	return rc == 0 ? tar_out_zeros(o, left + (-size & 511), err) : rc;
}

static int write_file(struct walk *k, int dirfd, const char *name, const struct stat *st, struct err *err)
{
	struct stat now;
	int fd = open_plain(k, dirfd, name, 0), rc;

	if (fd == -ENOENT || fd == -ELOOP)
		return 0; /* went away, or became something else, while we looked */
	if (fd == -EXDEV)
		return headers(k, st, NULL, false, 0, err);
	if (fd < 0)
		return err_sys(err, fd, "%s: open", k->name.p);
	if (fstat(fd, &now) < 0 || !S_ISREG(now.st_mode)) {
		close(fd);
		return 0;
	}
	rc = headers(k, &now, NULL, false, now.st_size, err);
	if (rc == 0)
		rc = content(k, fd, now.st_size, err);
	close(fd);
	return rc;
}

static int write_symlink(struct walk *k, int dirfd, const char *name, const struct stat *st, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target - 1);

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(err, -errno, "%s: readlink", k->name.p);
	target[n] = 0;
	return headers(k, st, target, false, 0, err);
}

/* An empty file of the current name with LAST instead of its last component, or below it if BELOW. */
static int write_mark(struct walk *k, const struct stat *of, const char *last, bool below, struct err *err)
{
	struct stat st = { .st_mode = S_IFREG, .st_mtim = of->st_mtim };
	size_t len = k->name.len;
	char *name = xasprintf("%.*s%s", below ? (int)len : (int)(tar_last_of(k->name.p) - k->name.p), k->name.p, last);
	int rc;

	k->name.len = 0;
	buf_str(&k->name, name);
	strs_free(&k->xattr_names);
	rc = headers(k, &st, NULL, false, 0, err);
	if (below) {
		k->name.len = len;
		k->name.p[len] = 0;
	}
	free(name);
	return rc;
}

static int write_whiteout(struct walk *k, const char *name, const struct stat *st, struct err *err)
{
	char *mark = xasprintf(".wh.%s", name);
	int rc = k->w->whiteouts ? write_mark(k, st, mark, false, err) : 0;

	free(mark);
	return rc;
}

/* The directory FD's own entry and all that is in it; its name ends with a slash. The top, without a name, is "./". */
static int write_tree(struct walk *k, int fd, const struct stat *st, struct err *err)
{
	bool top = k->name.len == 0;
	char proc[32];
	int rc;

	buf_str(&k->name, top ? "./" : "/");
	/* the empty last component makes the kernel follow the link to the directory itself */
	rc = read_xattrs(k, strcat(path_of_fd(fd, proc), "/"), err);
	if (rc == 0)
		rc = headers(k, st, NULL, false, 0, err);
	if (top)
		k->name.p[k->name.len = 0] = 0;
	if (rc == 0 && k->w->whiteouts && opaque_is(fd))
		rc = write_mark(k, st, ".wh..wh..opq", true, err);
	return rc == 0 ? write_dir(k, fd, err) : rc;
}

static int write_subdir(struct walk *k, int dirfd, const char *name, const struct stat *st, struct err *err)
{
	int fd = open_plain(k, dirfd, name, O_DIRECTORY), rc;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd == -EXDEV) {
		buf_char(&k->name, '/');
		return headers(k, st, NULL, false, 0, err);
	}
	if (fd < 0)
		return err_sys(err, fd, "%s: open", k->name.p);
	rc = write_tree(k, fd, st, err);
	close(fd);
	return rc;
}

/* Any one thing, whose name in the archive is in k->name. */
static int write_entry(struct walk *k, int dirfd, const char *name, struct err *err)
{
	char path[32 + NAME_MAX + 2], proc[32];
	const char *first;
	struct stat st;
	int rc;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, -errno, "%s", k->name.p);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (tar_is_whiteout(&st))
		return write_whiteout(k, name, &st, err);
	strs_free(&k->xattr_names);
	if (S_ISDIR(st.st_mode))
		return write_subdir(k, dirfd, name, &st, err);
	first = st.st_nlink > 1 ? tar_inode_seen(&k->inodes, &st, k->name.p) : NULL;
	if (first)
		return headers(k, &st, first, true, 0, err);
	snprintf(path, sizeof path, "%s/%s", path_of_fd(dirfd, proc), name);
	rc = read_xattrs(k, path, err);
	if (rc < 0)
		return rc;
	if (S_ISREG(st.st_mode))
		return write_file(k, dirfd, name, &st, err);
	if (S_ISLNK(st.st_mode))
		return write_symlink(k, dirfd, name, &st, err);
	return headers(k, &st, NULL, false, 0, err);
}

/* What is in FD; the names begin with what is in k->name. */
static int write_dir(struct walk *k, int fd, struct err *err)
{
	struct strs names = { 0 };
	size_t len = k->name.len;
	int rc = dir_names(fd, ".", dir_entry, &names);

	if (rc < 0)
		err_sys(err, rc, "%s: read the directory", k->name.p);
	for (size_t i = 0; i < names.n && rc == 0; i++) {
		k->name.len = len;
		buf_str(&k->name, names.v[i]);
		rc = takes(k, fd, names.v[i]) ? write_entry(k, fd, names.v[i], err) : 0;
	}
	strs_free(&names);
	return rc;
}

/* The one thing that FROM names: a directory with all that is in it, or something else by its parent. */
static int write_from(struct walk *k, const struct tar_write *w, struct err *err)
{
	const char *from = w->from && *w->from ? w->from : ".";
	char name[256];
	struct stat st;
	int fd = path_open(w->rootfd, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), rc;

	buf_str(&k->name, w->name ? w->name : "");
	if (fd >= 0) {
		rc = fstat(fd, &st) < 0 ? err_sys(err, -errno, "%s", from) : write_tree(k, fd, &st, err);
		close(fd);
		return rc;
	}
	if (fd != -ENOTDIR)
		return err_sys(err, fd, "%s", from);
	fd = path_parent(w->rootfd, from, 0, name);
	if (fd < 0)
		return err_sys(err, fd, "%s", from);
	if (!w->name)
		buf_str(&k->name, name);
	rc = write_entry(k, fd, name, err);
	close(fd);
	return rc;
}

int tar_write(const struct tar_write *w, struct sink *to, struct err *err)
{
	struct walk *k = xcalloc(1, sizeof *k);
	int rc = 0;

	k->out = (struct tar_out){ to, xmalloc(TAR_OUT), 0 };
	for (; w && rc == 0; w = w->next) {
		k->w = w;
		k->name.len = 0;
		rc = write_from(k, w, err);
		tar_inodes_free(&k->inodes);
	}
	if (rc == 0)
		rc = tar_out_zeros(&k->out, 1024, err);
	if (rc == 0)
		rc = tar_out_flush(&k->out, err);
	free(k->out.data);
	buf_free(&k->name);
	buf_free(&k->xattr_values);
	strs_free(&k->xattr_names);
	free(k);
	return rc;
}
