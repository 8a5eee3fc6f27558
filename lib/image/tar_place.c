/* Files, symlinks, devices and directories of an archive in their place. */
#include "image/tar_place.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/userns.h"
#include "image/tar_index.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int tar_make_way(struct place *p, struct err *err)
{
	struct stat st;
	int rc;

	if (p->t->merge_dirs && fstatat(p->parent, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return err_msg(err, -EISDIR, "there is a directory of that name");
	rc = p->t->index ? tar_index_keep(p->t->index, p->parent, p->name) : 0;
	if (rc == 0)
		rc = tree_remove(p->parent, p->name);
	return rc < 0 ? err_sys(err, rc, "replace") : 0;
}

static int write_at(int fd, const char *data, ssize_t n, int64_t at)
{
	while (n) {
		ssize_t w = pwrite(fd, data, (size_t)n, at);

		if (w < 0 && errno != EINTR)
			return -errno;
		if (w > 0)
			data += w, n -= w, at += w;
	}
	return 0;
}

/* Where the entry's file is, for the index: its path, unless that leads through a symlink, which a later entry may replace. */
static const char *real_path(struct place *p)
{
	char proc[32], top[PATH_MAX], dir[PATH_MAX];
	ssize_t n, m;

	if (!p->dirs.through_link)
		return p->path.p;
	n = readlink(path_of_fd(p->t->rootfd, proc), top, sizeof top);
	m = readlink(path_of_fd(p->parent, proc), dir, sizeof dir);
	if (n < 0 || m < n || m == sizeof dir || memcmp(top, dir, (size_t)n))
		return p->path.p;
	p->target.len = 0;
	buf_add(&p->target, dir + n, (size_t)(m - n));
	buf_char(&p->target, '/');
	buf_str(&p->target, p->name);
	return p->target.p + 1; /* after a slash */
}

/* The next LEN bytes of content to FD at AT. */
static int copy_piece(struct place *p, int fd, int64_t at, int64_t len, struct err *err)
{
	struct tar_reader *r = &p->r;
	int64_t after = r->left - len;

	if (p->t->index)
		tar_index_content(p->t->index, fd, real_path(p), at, len);
	while (r->left > after) {
		const char *data;
		ssize_t n = tar_content(r, r->left - after, &data, err);
		int rc = n < 0 ? (int)n : interrupted() ? -EINTR : write_at(fd, data, n, at);

		if (rc < 0)
			return n < 0 ? rc : err_sys(err, rc, "write");
		at += n;
		p->t->bytes += n;
	}
	return 0;
}

static int copy_content(struct place *p, int fd, struct err *err)
{
	const struct tar_entry *e = &p->r.e;
	int rc = 0;

	if (!e->sparse)
		return copy_piece(p, fd, 0, e->size, err);
	for (size_t i = 0; i < e->npieces && rc == 0; i++)
		rc = copy_piece(p, fd, e->pieces[i].at, e->pieces[i].len, err);
	if (rc == 0 && ftruncate(fd, e->real_size) < 0)
		rc = err_sys(err, -errno, "set the size");
	return rc;
}

/* What was inherited from the directory's default ACL isn't in the archive. */
static void drop_acls(const struct place *p, int fd)
{
	if (!p->acls)
		return;
	fremovexattr(fd, "system.posix_acl_access");
	fremovexattr(fd, "system.posix_acl_default");
}

int tar_place_file(struct place *p, struct err *err)
{
	const struct tar_entry *e = &p->r.e;
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(p->parent, p->name, flags, e->mode & 0777), rc;
	bool again = fd < 0 && errno == EEXIST;

	if (again) {
		rc = tar_make_way(p, err);
		if (rc < 0)
			return rc;
		fd = openat(p->parent, p->name, flags, e->mode & 0777);
	}
	if (fd < 0)
		return err_sys(err, -errno, "create");
	rc = copy_content(p, fd, err);
	drop_acls(p, fd);
	if (rc == 0)
		rc = tar_meta_fd(p, fd, p->acls || e->mode & 07000, true, err);
	close(fd);
	if (again)
		tar_replaced(p);
	return rc;
}

/* Symlinks and device nodes. */
static int make_special(struct place *p)
{
	static const mode_t kinds[] = { ['3' - '3'] = S_IFCHR, ['4' - '3'] = S_IFBLK, ['6' - '3'] = S_IFIFO };
	const struct tar_entry *e = &p->r.e;
	int rc;

	if (e->type == '2')
		rc = symlinkat(e->link.p, p->parent, p->name);
	else
		rc = mknodat(p->parent, p->name, kinds[e->type - '3'] | e->mode, makedev(e->major, e->minor));
	return rc < 0 ? -errno : 0;
}

static bool is_device(const struct tar_entry *e)
{
	return e->type == '3' || e->type == '4';
}

int tar_place_special(struct place *p, struct err *err)
{
	int rc = make_special(p);
	bool again = rc == -EEXIST;

	if (again) {
		rc = tar_make_way(p, err);
		if (rc < 0)
			return rc;
		rc = make_special(p);
	}
	if (rc == -EPERM && is_device(&p->r.e) && !ns_user_first()) { /* what a user namespace can't make */
		p->t->left_out++;
		rc = 0;
	} else {
		rc = rc < 0 ? err_sys(err, rc, "create") : tar_meta_at(p, err);
	}
	if (again)
		tar_replaced(p);
	return rc;
}

/* A directory may stay where one is already: 1; 0 if there is something else that must go. */
static int dir_stays(struct place *p, const struct stat *st)
{
	int fd;

	if (S_ISDIR(st->st_mode))
		return 1;
	if (!p->t->merge_dirs || p->t->settle_dirs || !S_ISLNK(st->st_mode))
		return 0;
	fd = path_open(p->t->rootfd, p->path.p, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Makes the entry's directory. 1: a new one, 2: in place of something else, 0: there was one. */
static int make_dir(struct place *p, struct err *err)
{
	struct stat st;
	int rc;

	if (mkdirat(p->parent, p->name, 0700) == 0)
		return 1;
	if (errno != EEXIST)
		return err_sys(err, -errno, "create");
	if (fstatat(p->parent, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, -errno, "create");
	if (dir_stays(p, &st))
		return 0;
	if (p->t->merge_dirs)
		return err_msg(err, -ENOTDIR, "there is something of that name that is no directory");
	rc = tar_make_way(p, err);
	if (rc == 0 && mkdirat(p->parent, p->name, 0700) < 0)
		rc = err_sys(err, -errno, "create");
	return rc < 0 ? rc : 2;
}

/* Owner and so on of the open directory FD, which then belongs to the stack. */
static int settle_dir(struct place *p, int fd, bool made_way, struct err *err)
{
	const struct tar_entry *e = &p->r.e;
	int rc;

	drop_acls(p, fd);
	rc = tar_meta_fd(p, fd, true, false, err);
	if (rc == 0 && made_way && p->t->whiteouts) {
		rc = opaque_mark(fd);
		if (rc < 0)
			err_sys(err, rc, "mark as opaque");
	}
	if (rc < 0) {
		close(fd);
		return rc;
	}
	for (size_t i = 0; i < e->nxattrs; i++)
		p->acls |= strcmp(e->xattrs[i].name, "system.posix_acl_default") == 0;
	tar_dirs_push(&p->dirs, fd, p->path.p, p->path.len, (struct timespec){ e->mtime, (long)e->mtime_ns });
	return 0;
}

int tar_place_dir(struct place *p, struct err *err)
{
	int made = make_dir(p, err), fd;

	if (made < 0 || (made == 0 && p->t->merge_dirs && !p->t->settle_dirs))
		return made;
	fd = openat(p->parent, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, -errno, "open");
	if (made == 2)
		tar_replaced(p);
	return settle_dir(p, fd, made == 2, err);
}

int tar_place_top(struct place *p, struct err *err)
{
	int fd = tar_dirs_enter(&p->dirs, p->path.p, p->path.len);

	if (p->r.e.type != '5')
		return err_msg(err, -EINVAL, "a name that isn't one");
	if (p->t->merge_dirs || p->t->keep_top)
		return 0;
	fd = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, fd, "open");
	tar_dirs_leave(&p->dirs);
	return settle_dir(p, fd, false, err);
}
