/* COPY and ADD. */
#include "build/copy.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/mode.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_url(const char *source)
{
	return starts_with(source, "http://") || starts_with(source, "https://");
}

struct copy_file *copy_add_file(struct copy *c, const char *name, int fd, int64_t mode)
{
	c->files = xrealloc(c->files, (c->nfiles + 1) * sizeof *c->files);
	c->files[c->nfiles] = (struct copy_file){ .name = xstrdup(name), .fd = fd, .mode = mode, .mtime = -1 };
	return &c->files[c->nfiles++];
}

/* The last one counts. */
static int set_text(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
	return 0;
}

static int set_flag(struct copy *c, const char *flag, const char *value, struct err *err)
{
	mode_t mode = 0;

	if (!strcmp(flag, "chown") && *value)
		return set_text(&c->owner, value);
	if (!strcmp(flag, "chmod"))
		return mode_change(value, &mode) < 0 ? err_msg(err, -EINVAL, "--chmod=%s: no mode (755, u=rwX,go=rX, +x)", value) : set_text(&c->chmod, value);
	if (!strcmp(flag, "exclude") && *value)
		return ignore_add(&c->how.excluded, value, err);
	if (!strcmp(flag, "link")) /* layers are of their own anyway */
		return 0;
	if ((c->add ? !strcmp(flag, "checksum") : !strcmp(flag, "from")) && *value)
		return 0; /* copy_fetch's, work_tree's */
	return err_msg(err, -EINVAL, "--%s: unknown here, or it says nothing (--chown, --chmod, --exclude, --link, --%s)", flag, c->add ? "checksum" : "from");
}

static int read_flags(struct copy *c, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->from->flags.n && !rc; i++) {
		const char *text = c->from->flags.v[i] + 2;
		char *flag = xstrndup(text, strcspn(text, "=")), *value = NULL;

		text += strlen(flag);
		rc = words_one(text + (*text == '='), &c->work->words, &value, err);
		if (!rc)
			rc = set_flag(c, flag, value, err);
		free(flag);
		free(value);
	}
	return rc;
}

/* A heredoc's text as a file in memory. */
static int add_heredoc(struct copy *c, const struct heredoc *h, struct err *err)
{
	int fd = memfd_create("ctrbox", MFD_CLOEXEC), rc = 0;
	char *text = NULL;

	if (fd < 0)
		return err_sys(err, -errno, "make a file in memory");
	copy_add_file(c, h->name, fd, 0644);
	if (!copy_is_name(h->name)) /* which is the file's */
		return err_msg(err, -EINVAL, "<<%s: no name for a file", h->name);
	if (!h->literal)
		rc = words_text(h->text, &c->work->words, &text, err);
	if (!rc && ((rc = write_all(fd, text ? text : h->text, strlen(text ? text : h->text))) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		err_sys(err, rc < 0 ? rc : -errno, "write a file in memory");
	free(text);
	return rc;
}

static void drop_item(struct copy *c, size_t n)
{
	struct source_item *i = &c->items.v[n];

	free(i->path);
	free(i->name);
	memmove(i, i + 1, (--c->items.n - n) * sizeof *i);
}

/* A file of the context that ADD may have to unpack. Moves it from the items to the files then. */
static int look_into(struct copy *c, size_t n, struct err *err)
{
	struct source_item *i = &c->items.v[n];
	struct stat st;
	int fd, rc;

	if (i->dir)
		return 0;
	fd = path_open(c->tree.root, i->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return fd == -ELOOP ? 0 : err_sys(err, fd, "%s", i->path);
	rc = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? copy_is_archive(fd, i->path, err) : 0;
	if (rc <= 0) {
		close(fd);
		return rc;
	}
	copy_add_file(c, i->path, fd, -1)->unpack = true;
	drop_item(c, n);
	return 1;
}

static int add_source(struct copy *c, const char *source, struct err *err)
{
	const struct heredoc *h = instruction_heredoc(c->from, source);
	const char *network = c->work->plan->build->network;
	size_t n = c->items.n;
	int rc;

	if (h)
		return add_heredoc(c, h, err);
	if (c->add && is_url(source))
		return network && !strcmp(network, "none") ? err_msg(err, -EPERM, "%s: --net none", source) : copy_fetch(c, source, err);
	if (c->tree.root < 0)
		return err_msg(err, -ENOENT, "%s: there is no context to take it from", source);
	if (instruction_flag(c->from, "checksum"))
		return err_msg(err, -EINVAL, "%s: --checksum is for a URL", source);
	rc = source_find(&c->tree, source, &c->items, err);
	if (rc == -ENOENT && glob_is(source)) /* `package.json package-lock.json*`: what may be there */
		rc = 0;
	while (!rc && n < c->items.n) {
		if (!c->items.v[n].dir && ignore_has(&c->how.excluded, c->items.v[n].name)) {
			drop_item(c, n);
			continue;
		}
		rc = c->add ? look_into(c, n, err) : 0;
		n += rc == 0;
		rc = rc < 0 ? rc : 0;
	}
	return rc;
}

static void set_dest(struct copy *c, const char *dest)
{
	const char *last = strrchr(dest, '/');

	last = last ? last + 1 : dest;
	c->dest_dir = !*last || !strcmp(last, ".") || !strcmp(last, "..");
	c->dest = work_path(c->work, dest);
}

static int read_operands(struct copy *c, struct err *err)
{
	struct strs words = { 0 };
	int rc = words_list(c->from->text, &c->work->words, &words, err);

	if (!rc && words.n < 2)
		rc = err_msg(err, -EINVAL, "a source and a destination are expected");
	if (!rc)
		set_dest(c, words.v[words.n - 1]);
	for (size_t i = 0; i + 1 < words.n && !rc; i++)
		rc = *words.v[i] ? add_source(c, words.v[i], err) : err_msg(err, -EINVAL, "a source without a name");
	if (!rc && !c->items.n && !c->nfiles)
		rc = err->code; /* source_find's: none of the patterns found anything */
	if (!rc && c->items.n + c->nfiles > 1 && !c->dest_dir)
		rc = err_msg(err, -EINVAL, "several sources need a destination that ends with a slash");
	strs_free(&words);
	return rc;
}

/* FD's content, which is at its beginning before and afterwards, joins SHA as a digest of its own. */
static int digest_file(const struct copy_file *f, struct sha256 *sha, struct err *err)
{
	const int64_t numbers[] = { f->unpack, f->mode };
	struct sha256 own;
	char data[16384], hex[65];
	ssize_t n = lseek(f->fd, 0, SEEK_SET);

	sha256_init(&own);
	while (n >= 0 && (n = read(f->fd, data, sizeof data)) > 0) {
		sha256_add(&own, data, (size_t)n);
		n = interrupted() ? (errno = EINTR, -1) : n;
	}
	sha256_end(&own, hex);
	sha256_add(sha, f->unpack ? "" : f->name, f->unpack ? 1 : strlen(f->name) + 1);
	sha256_add(sha, numbers, sizeof numbers);
	sha256_add(sha, hex, sizeof hex);
	return n < 0 || lseek(f->fd, 0, SEEK_SET) < 0 ? err_sys(err, -errno, "%s", f->name) : 0;
}

/* What its files are: *SEEN is 64 hex digits then, to be freed. */
static int see(const struct copy *c, char **seen, struct err *err)
{
	struct sha256 sha;
	int rc;

	*seen = xcalloc(1, 65);
	sha256_init(&sha);
	rc = source_digest(&c->tree, &c->items, &c->how, &sha, err);
	for (size_t i = 0; i < c->nfiles && !rc; i++)
		rc = digest_file(&c->files[i], &sha, err);
	sha256_end(&sha, *seen);
	return rc;
}

/* All that the copy depends on. */
static int digest(struct copy *c, struct act *a, struct err *err)
{
	int rc = see(c, &c->seen, err);

	act_key(a, c->dest);
	act_key(a, c->dest_dir ? "directory" : NULL);
	act_key(a, c->owner);
	act_key(a, c->chmod);
	act_key(a, c->seen);
	return rc;
}

/* A context may change while it is copied: then there is no telling what came of it, and no later build shall have it. */
static int put(struct work *w, struct step *s, void *arg, struct err *err)
{
	struct copy *c = arg;
	int rc = step_work(s, copy_put, c, err);
	char *seen;

	if (rc < 0 || c->tree.root != w->plan->context)
		return rc;
	rc = see(c, &seen, err);
	if (!rc)
		c->act->unsure = strcmp(c->seen, seen) != 0;
	free(seen);
	return rc;
}

static void free_copy(struct copy *c)
{
	for (size_t i = 0; i < c->nfiles; i++) {
		free(c->files[i].name);
		close(c->files[i].fd);
	}
	free(c->files);
	source_items_free(&c->items);
	ignore_free(&c->how.excluded);
	if (c->tree.root >= 0 && c->tree.root != c->work->plan->context)
		close(c->tree.root);
	free(c->dest);
	free(c->owner);
	free(c->chmod);
	free(c->seen);
}

int work_copy(struct work *w, const struct instruction *i, struct err *err)
{
	const char *from = i->kind == I_COPY ? instruction_flag(i, "from") : NULL;
	struct copy c = { .work = w, .from = i, .add = i->kind == I_ADD, .tree.root = w->plan->context,
			  .how = { .uid = from ? -1 : 0, .gid = from ? -1 : 0, .latest = w->plan->epoch } };
	char *done = work_line(i);
	struct act a;
	int rc = read_flags(&c, err);

	c.how.mode = c.chmod;
	if (!rc)
		rc = work_tree(w, from, &c.tree, err);
	if (!rc)
		rc = read_operands(&c, err);
	act_begin(&a, w, instruction_word(i->kind));
	if (!rc)
		rc = digest(&c, &a, err);
	if (!rc) {
		strs_add(&a.options.nets, "none");
		strs_add(&a.args, done);
		a.done = done;
		a.perform = put;
		a.arg = &c;
		c.act = &a;
		rc = act_perform(&a, w, err);
	}
	free_copy(&c);
	free(done);
	return rc;
}
