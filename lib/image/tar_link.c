/* Hard links, to what has come and to what will, and whiteouts. */
#include "image/tar_place.h"

#include "base/file.h"
#include "base/path.h"
#include "base/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LINKS_MAX (4 << 20)   /* bytes of names of hard links that wait for their target */

/* linkat(2) inside the tree; the target itself may be a symlink, which isn't followed. */
static int link_to(struct place *p, const char *target)
{
	char dir[TAR_NAME_MAX + 1];
	size_t len = tar_parent_len(target);
	struct stat a, b;
	int from, rc;

	if (len > TAR_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(dir, target, len);
	dir[len] = 0;
	from = path_open(p->t->rootfd, dir, O_PATH | O_DIRECTORY, 0);
	if (from < 0)
		return from;
	rc = linkat(from, tar_last_of(target), p->parent, p->name, 0) < 0 ? -errno : 0;
	if (rc == -EEXIST && fstatat(from, tar_last_of(target), &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(p->parent, p->name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
		rc = 0;
	close(from);
	return rc;
}

static int link_later(struct place *p, struct err *err)
{
	int rc = tar_make_way(p, err);

	if (rc < 0)
		return rc;
	if (p->links.len > LINKS_MAX)
		return err_msg(err, -E2BIG, "too many hard links to files that come later");
	buf_add(&p->links, p->path.p, p->path.len + 1);
	buf_add(&p->links, p->target.p, p->target.len + 1);
	tar_replaced(p);
	return 0;
}

int tar_place_link(struct place *p, struct err *err)
{
	int rc;

	if (!tar_clean(p->t, p->r.e.link.p, &p->target) || !*tar_last_of(p->target.p))
		return err_msg(err, -EINVAL, "hard link to %.100s: not a name", p->r.e.link.p);
	rc = link_to(p, p->target.p);
	if (rc == -EEXIST) {
		rc = tar_make_way(p, err);
		if (rc < 0)
			return rc;
		rc = link_to(p, p->target.p);
		tar_replaced(p);
		if (rc == -ENOENT)
			p->parent = tar_dirs_enter(&p->dirs, p->path.p, tar_parent_len(p->path.p));
	}
	if (rc == -ENOENT)
		return link_later(p, err);
	return rc < 0 ? err_sys(err, rc, "hard link to %.100s", p->r.e.link.p) : 0;
}

/* The layer has no X itself: a whiteout hides that of the layers below. A directory X hides what is in theirs. */
static int hide(struct place *p, const char *name, struct err *err)
{
	int fd, rc;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_msg(err, -EINVAL, "a whiteout of nothing");
	if (mknodat(p->parent, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, -errno, "make a whiteout");
	fd = openat(p->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	rc = opaque_mark(fd);
	close(fd);
	return rc < 0 ? err_sys(err, rc, "mark as opaque") : 0;
}

int tar_place_whiteout(struct place *p, struct err *err)
{
	int rc;

	if (strcmp(p->name, ".wh..wh..opq") == 0) {
		rc = opaque_mark(p->parent);
		return rc < 0 ? err_sys(err, rc, "mark as opaque") : 0;
	}
	if (starts_with(p->name, ".wh..wh."))
		return 0; /* what aufs kept for itself */
	return hide(p, p->name + 4, err);
}

/* Makes what links it can. How many there are that wait on. */
static int links_pass(struct place *p, struct buf *wait, struct err *err)
{
	int rc = 0;

	for (char *s = p->links.p, *end = s + p->links.len; s < end && rc == 0;) {
		char *target = s + strlen(s) + 1, *after = target + strlen(target) + 1;

		p->name = tar_last_of(s);
		p->parent = tar_dirs_enter(&p->dirs, s, tar_parent_len(s));
		rc = p->parent < 0 ? p->parent : link_to(p, target);
		if (rc == -EEXIST)
			rc = 0; /* an entry that came after the link: the last wins */
		if (rc < 0)
			err_sys(err, rc, "%.200s: hard link to %.200s", s, target);
		if (rc == -ENOENT) {
			buf_add(wait, s, (size_t)(after - s));
			rc = 0;
		}
		s = after;
	}
	return rc;
}

int tar_links_finish(struct place *p, struct err *err)
{
	int rc = 0;

	/* a link may wait for a link that waits */
	for (size_t before = 0; p->links.len && p->links.len != before && rc == 0;) {
		struct buf wait = { 0 };

		before = p->links.len;
		rc = links_pass(p, &wait, err);
		buf_free(&p->links);
		p->links = wait;
	}
	return rc == 0 && p->links.len ? -ENOENT : rc;
}
