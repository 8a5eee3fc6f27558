#include "ctr/changes.h"
#include "base/file.h"
#include "base/path.h"
#include "base/userns.h"
#include "ctr/rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct walk {
	const struct spec *spec;
	struct idmaps maps; /* upper entries have the host's ids */
	struct strs *out;
	struct buf path; /* of the current directory, without a slash at its end */
	struct err *err;
};

static int compare(struct walk *w, int upper, int lower);

static bool is_entry(const char *name)
{
	return strcmp(name, ".") && strcmp(name, "..");
}

static int names_in(int fd, struct strs *names)
{
	return dir_names(fd, ".", is_entry, names);
}

static int open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* What the lower layers have under NAME: false if nothing. LOWER is -1 where they have no such directory. */
static bool below(int lower, const char *name, struct stat *st)
{
	return lower >= 0 && fstatat(lower, name, st, AT_SYMLINK_NOFOLLOW) == 0 && !is_whiteout(st);
}

static bool is_mount_point(const struct walk *w)
{
	const struct mount_spec *m = w->spec->mounts.v;

	for (size_t i = 0; i < w->spec->mounts.n; i++)
		if (!strcmp(m[i].target, w->path.p))
			return true;
	return false;
}

static void tell(struct walk *w, char kind)
{
	strs_fmt(w->out, "%c %s", kind, w->path.p);
}

/* An opaque directory hides all that the lower one has; what it hasn't itself is deleted. */
static int hidden(struct walk *w, int upper, int lower)
{
	struct strs names = { 0 };
	size_t len = w->path.len;
	int r = names_in(lower, &names);

	for (size_t i = 0; i < names.n; i++) {
		struct stat st;

		if (fstatat(upper, names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0 || !below(lower, names.v[i], &st))
			continue;
		buf_fmt(&w->path, "/%s", names.v[i]);
		tell(w, 'D');
		w->path.p[w->path.len = len] = 0;
	}
	strs_free(&names);
	return r;
}

static bool same_meta(const struct walk *w, const struct stat *upper, const struct stat *lower)
{
	return upper->st_mode == lower->st_mode && upper->st_uid == idmap_host(&w->maps, lower->st_uid) &&
	       upper->st_gid == idmap_host(&w->maps, lower->st_gid);
}

static void take_back(struct strs *l)
{
	free(l->v[--l->n]);
	l->v[l->n] = NULL;
}

/* A directory is told before what is in it, and taken back if that turns out to be nothing. */
static int directory(struct walk *w, int dirfd, const char *name, const struct stat *st, int lower_dir,
		     const struct stat *lower_st)
{
	bool merged = lower_st && S_ISDIR(lower_st->st_mode);
	bool same = merged && same_meta(w, st, lower_st);
	int upper = open_dir(dirfd, name), lower = merged ? open_dir(lower_dir, name) : -1, r = upper;
	size_t before = w->out->n + 1;

	tell(w, lower_st ? 'C' : 'A');
	if (r >= 0)
		r = merged && lower < 0 ? lower : merged && opaque_is(upper) ? hidden(w, upper, lower) : 0;
	if (r >= 0)
		r = compare(w, upper, lower);
	if (r >= 0 && w->out->n == before && (same || (!lower_st && is_mount_point(w))))
		take_back(w->out);
	if (upper >= 0)
		close(upper);
	if (lower >= 0)
		close(lower);
	return r;
}

static int entry(struct walk *w, int upper, const char *name, int lower)
{
	struct stat st, old;
	bool had = below(lower, name, &old);

	if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno; /* it runs, and has just removed it */
	if (is_whiteout(&st)) {
		if (had)
			tell(w, 'D');
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return directory(w, upper, name, &st, lower, had ? &old : NULL);
	if (had || st.st_size || !is_mount_point(w))
		tell(w, had ? 'C' : 'A');
	return 0;
}

/* Everything in the directory UPPER; what the layers below have there is in LOWER (-1: nothing). */
static int compare(struct walk *w, int upper, int lower)
{
	struct strs names = { 0 };
	size_t len = w->path.len;
	int r = names_in(upper, &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		buf_fmt(&w->path, "/%s", names.v[i]);
		r = entry(w, upper, names.v[i], lower);
		if (r < 0 && !w->err->code)
			err_sys(w->err, r, "compare %s", w->path.p);
		w->path.p[w->path.len = len] = 0;
	}
	strs_free(&names);
	return r;
}

/* "A /x" and the like by path; strs_sort would take the letter first. */
static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 2, *(char *const *)b + 2);
}

int changes_list(const struct store *s, const struct record *r, struct strs *out, struct err *err)
{
	struct walk w = { .spec = &r->spec, .out = out, .err = err };
	int upper, lower, code;

	if (r->spec.rootfs && !r->spec.rootfs_overlay)
		return err_msg(err, -ENOTSUP, "its root is %s itself: what was there before isn't known",
			       r->spec.rootfs);
	code = spec_idmaps(&r->spec, &w.maps, err);
	if (code < 0)
		return code;
	upper = open_dir(r->dir, "upper");
	if (upper == -ENOENT) /* never started */
		return 0;
	if (upper < 0)
		return err_sys(err, upper, "open the container's upper directory");
	lower = rootfs_view(s, &r->spec, false, err);
	if (lower < 0) {
		close(upper);
		return lower;
	}
	buf_str(&w.path, "");
	code = compare(&w, upper, lower);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_path);
	buf_free(&w.path);
	close(upper);
	close(lower);
	return code < 0 ? code : 0;
}
