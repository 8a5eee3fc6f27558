#include "image/tar_place.h"

#include "base/interrupt.h"
#include "base/path.h"

#include <errno.h>
#include <string.h>

size_t tar_parent_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

const char *tar_last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void give(struct tar_entry *e, const struct tar_edit *owner)
{
	if (owner && owner->uid >= 0)
		e->uid = (uint32_t)owner->uid;
	if (owner && owner->gid >= 0)
		e->gid = (uint32_t)owner->gid;
}

static int place_entry(struct place *p, struct err *err)
{
	size_t len;

	if (!tar_clean(p->t, p->r.e.name.p, &p->path))
		return 0;
	give(&p->r.e, p->t->owner);
	if (p->path.len == p->top)
		return tar_place_top(p, err);
	len = tar_parent_len(p->path.p);
	p->name = tar_last_of(p->path.p);
	p->parent = tar_dirs_enter(&p->dirs, p->path.p, len);
	if (p->parent < 0)
		return err_sys(err, p->parent, "directory %.*s", len > 200 ? 200 : (int)len, p->path.p);
	p->t->entries++;
	if (p->t->whiteouts && starts_with(p->name, ".wh."))
		return tar_place_whiteout(p, err);
	if (p->r.e.type == '0')
		return tar_place_file(p, err);
	if (p->r.e.type == '1')
		return tar_place_link(p, err);
	if (p->r.e.type == '5')
		return tar_place_dir(p, err);
	return tar_place_special(p, err);
}

static int place_all(struct place *p, struct err *err)
{
	int rc;

	while ((rc = tar_next(&p->r, err)) > 0) {
		rc = interrupted() ? err_sys(err, -EINTR, "unpack") : place_entry(p, err);
		if (rc < 0) {
			if (p->t->merge_dirs) /* a tree that is copied: nobody sees an archive */
				err_prefix(err, "%s", p->path.p);
			else
				tar_blame(&p->r, err);
			return rc;
		}
	}
	if (rc == 0)
		rc = tar_links_finish(p, err);
	tar_dirs_leave(&p->dirs);
	if (rc == 0 && p->dirs.failed)
		rc = err_sys(err, p->dirs.failed, "set a directory's time");
	return rc < 0 ? rc : tar_drain(&p->r, err);
}

int tar_extract(struct tar_extract *t, struct source *from, struct err *err)
{
	struct place p = { .t = t, .dirs = { .rootfd = t->rootfd, .whiteouts = t->whiteouts } };
	mode_t mask = umask(0);
	int rc;

	t->bytes = 0;
	t->entries = 0;
	tar_clean(&(struct tar_extract){ 0 }, t->into ? t->into : "", &p.path);
	p.top = p.path.len;
	p.dirs.untimed = t->merge_dirs ? p.top + 1 : 0;
	tar_reader_init(&p.r, from);
	p.r.index = t->index;
	p.r.unended = t->unended;
	rc = place_all(&p, err);
	tar_dirs_leave(&p.dirs);
	tar_reader_free(&p.r);
	buf_free(&p.dirs.path);
	buf_free(&p.path);
	buf_free(&p.target);
	buf_free(&p.links);
	umask(mask);
	return rc;
}
