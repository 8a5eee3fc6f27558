#include "build/source.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Both as the kernel names them. */
char *source_path(int root, int fd)
{
	char top[PATH_MAX], path[PATH_MAX], proc[32];
	ssize_t n = readlink(path_of_fd(root, proc), top, sizeof top - 1);
	ssize_t m = readlink(path_of_fd(fd, proc), path, sizeof path - 1);

	n -= n == 1; /* "/" */
	if (n < 0 || m < n || memcmp(top, path, (size_t)n))
		return NULL;
	path[m] = 0;
	return path[n] == '/' || !path[n] ? xstrdup(path + n + strspn(path + n, "/")) : NULL;
}

static bool is_ignored(const struct source_tree *t, const char *path, int fd)
{
	return *path && t->ignored && ignore_has_all(t->ignored, path, fd, ".");
}

/* Why PATH can't be opened, CODE, unless it is a link that leads nowhere: -ENOLINK. */
static int why(const struct source_tree *t, const char *path, int code)
{
	int link = code == -ENOENT ? path_open(t->root, path, O_PATH | O_NOFOLLOW, 0) : -1;

	if (link < 0)
		return code;
	code = is_ignored(t, path, link) ? -ENOENT : -ENOLINK;
	close(link);
	return code;
}

/* PATH, whatever symlinks it leads through, joins OUT if it is there. 0 or -errno. */
static int add(const struct source_tree *t, const char *path, struct source_items *out)
{
	int fd = path_open(t->root, *path ? path : ".", O_PATH, 0);
	const char *slash = strrchr(path, '/');
	struct source_item i;
	struct stat st;
	bool out_of_it;

	if (fd < 0)
		return why(t, path, fd);
	i.path = source_path(t->root, fd);
	i.name = xstrdup(slash ? slash + 1 : path);
	i.dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	out_of_it = !i.path || is_ignored(t, path, fd) || is_ignored(t, i.path, fd);
	close(fd);
	if (out_of_it) {
		free(i.path);
		free(i.name);
		return -ENOENT;
	}
	out->v = xrealloc(out->v, (out->n + 1) * sizeof *out->v);
	out->v[out->n++] = i;
	return 0;
}

static int find(const struct source_tree *t, const struct buf *done, const char *rest, struct source_items *out);

/* The names in DONE that PART fits, each followed by REST. */
static int find_names(const struct source_tree *t, const struct buf *done, const char *part, const char *rest, struct source_items *out)
{
	int dir = path_open(t->root, done->len ? done->p : ".", O_RDONLY | O_DIRECTORY, 0), rc = 0;
	struct strs names = { 0 };

	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir;
	rc = dir_names(dir, ".", dir_entry, &names);
	close(dir);
	for (size_t i = 0; i < names.n && rc == 0; i++) {
		struct buf next = { 0 };

		if (!glob_matches(part, names.v[i]))
			continue;
		buf_fmt(&next, "%s%s%s", done->len ? done->p : "", done->len ? "/" : "", names.v[i]);
		rc = find(t, &next, rest, out);
		buf_free(&next);
	}
	strs_free(&names);
	return rc;
}

/* What is at DONE/REST, component by component. What a pattern leads to and isn't there is nothing. */
static int find(const struct source_tree *t, const struct buf *done, const char *rest, struct source_items *out)
{
	size_t n = strcspn(rest, "/");
	char *part = xstrndup(rest, n);
	struct buf next = { 0 };
	int rc;

	if (!*rest) {
		rc = add(t, done->len ? done->p : "", out);
	} else if (glob_is(part)) {
		rc = find_names(t, done, part, rest + n + (rest[n] == '/'), out);
	} else {
		buf_fmt(&next, "%s%s%s", done->len ? done->p : "", done->len ? "/" : "", part);
		rc = find(t, &next, rest + n + (rest[n] == '/'), out);
	}
	buf_free(&next);
	free(part);
	return rc == -ENOENT || rc == -ENOTDIR ? 0 : rc;
}

int source_find(const struct source_tree *t, const char *pattern, struct source_items *out, struct err *err)
{
	struct buf clean = { 0 };
	size_t before = out->n;
	int rc;

	path_clean(pattern, &clean);
	rc = find(t, &(struct buf){ 0 }, clean.p, out);
	buf_free(&clean);
	if (rc == -ENOLINK)
		return err_msg(err, rc, "%s: a symlink of that name leads nowhere", pattern);
	if (rc < 0)
		return err_sys(err, rc, "%s", pattern);
	if (out->n > before)
		return 0;
	err_msg(err, -ENOENT, "%s: there is nothing of that name in %s%s", pattern, t->from ? "--from=" : "the context", t->from ? t->from : "");
	return t->ignored && t->ignored->patterns.n ? err_hint(err, "or .dockerignore leaves it out") : err->code;
}

void source_items_free(struct source_items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].name);
	}
	free(l->v);
	*l = (struct source_items){ 0 };
}

/* tar_edit's: NAME is below the item. */
static bool takes(void *arg, const char *name, int dirfd, const char *last)
{
	const struct source_tar *s = arg;
	const struct ignore *ignored = s->tree->ignored;
	char *path;
	bool out;

	if (s->how->excluded.patterns.n && ignore_has_all(&s->how->excluded, name, dirfd, last))
		return false;
	if (!ignored)
		return true;
	path = xasprintf("%s%s%s", s->item->path, *s->item->path ? "/" : "", name);
	out = ignore_has_all(ignored, path, dirfd, last);
	free(path);
	return !out;
}

struct source_tar *source_tar(const struct source_tree *t, const struct source_items *l, const struct source_edit *how)
{
	struct source_tar *all = l->n ? xcalloc(l->n, sizeof *all) : NULL;

	for (size_t n = 0; n < l->n; n++) {
		const struct source_item *i = &l->v[n];
		struct source_tar *s = &all[n];

		*s = (struct source_tar){ .tree = t, .item = i, .how = how };
		s->edit = (struct tar_edit){ .uid = how->uid, .gid = how->gid, .mode = how->mode, .latest = how->latest, .takes = takes, .arg = s };
		s->write = (struct tar_write){ .rootfd = t->root, .from = i->path, .name = i->dir ? NULL : i->name, .cross_mounts = true, .edit = &s->edit,
					       .next = n + 1 < l->n ? &s[1].write : NULL };
	}
	return all;
}

struct digest {
	struct sink s;
	struct sha256 *sha;
};

static int digest_write(struct sink *s, const void *data, size_t len, struct err *err)
{
	sha256_add(((struct digest *)s)->sha, data, len);
	return interrupted() ? err_msg(err, -EINTR, "interrupted") : 0;
}

int source_digest(const struct source_tree *t, const struct source_items *l, const struct source_edit *how, struct sha256 *sha, struct err *err)
{
	struct source_edit timeless = *how;
	struct digest to = { { digest_write }, sha };
	struct source_tar *all;
	int rc;

	timeless.latest = INT64_MIN;
	all = source_tar(t, l, &timeless);
	rc = all ? tar_write(&all->write, &to.s, err) : 0;
	free(all);
	return rc;
}
