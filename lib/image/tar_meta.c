/* Owner, then mode and xattrs (a change of owner clears setuid and capabilities), then times. */
#include "image/tar_place.h"

#include "base/path.h"
#include "base/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Overlay's own marks would let an archive reach what it may not; SELinux labels are the host's policy. */
static bool is_foreign(const char *name)
{
	return starts_with(name, "trusted.overlay.") || starts_with(name, "user.overlay.") || strcmp(name, "security.selinux") == 0;
}

/* A user namespace may set security.capability there, and nothing else of these. */
static bool is_hosts_alone(const char *name, int rc)
{
	return rc == -EPERM && (starts_with(name, "trusted.") || starts_with(name, "security.")) && !ns_user_first();
}

/* PATH NULL: of FD. */
static int set_xattrs(int fd, const char *path, const struct tar_entry *e, struct err *err)
{
	for (size_t i = 0; i < e->nxattrs; i++) {
		const struct tar_xattr *x = &e->xattrs[i];
		int rc;

		if (is_foreign(x->name))
			continue;
		rc = path ? lsetxattr(path, x->name, x->value, x->len, 0) : fsetxattr(fd, x->name, x->value, x->len, 0);
		if (rc == 0 || is_hosts_alone(x->name, -errno))
			continue;
		rc = err_sys(err, -errno, "set xattr %.100s", x->name);
		if (rc == -ENOTSUP)
			err_hint(err, "the file system of the target doesn't keep it");
		return rc;
	}
	return 0;
}

static void entry_times(const struct tar_entry *e, struct timespec times[2])
{
	times[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
	times[1] = (struct timespec){ .tv_sec = e->mtime, .tv_nsec = (long)e->mtime_ns };
}

/* RC is chown(2)'s: EINVAL for an id that isn't in this user namespace's map. */
static int owner_set(struct place *p, int rc, struct err *err)
{
	if (rc == 0)
		return 0;
	if (errno != EINVAL || ns_user_first())
		return err_sys(err, -errno, "chown to %u:%u", p->r.e.uid, p->r.e.gid);
	p->t->unmapped++;
	return 0;
}

int tar_meta_fd(struct place *p, int fd, bool set_mode, bool set_time, struct err *err)
{
	const struct tar_entry *e = &p->r.e;
	struct timespec times[2];
	int rc = owner_set(p, fchown(fd, e->uid, e->gid), err);

	if (rc == 0 && set_mode && fchmod(fd, e->mode) < 0)
		rc = err_sys(err, -errno, "chmod to %o", e->mode);
	if (rc == 0 && e->nxattrs)
		rc = set_xattrs(fd, NULL, e, err);
	entry_times(e, times);
	if (rc == 0 && set_time && futimens(fd, times) < 0)
		rc = err_sys(err, -errno, "set the time");
	return rc;
}

int tar_meta_at(struct place *p, struct err *err)
{
	char path[32 + NAME_MAX + 1], proc[32];
	const struct tar_entry *e = &p->r.e;
	struct timespec times[2];
	int rc = owner_set(p, fchownat(p->parent, p->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW), err);

	snprintf(path, sizeof path, "%s/%s", path_of_fd(p->parent, proc), p->name);
	if (rc == 0 && e->nxattrs)
		rc = set_xattrs(-1, path, e, err);
	entry_times(e, times);
	if (rc == 0 && utimensat(p->parent, p->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		rc = err_sys(err, -errno, "set the time");
	return rc;
}
