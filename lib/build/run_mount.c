#include "build/run_mount.h"

#include "base/file.h"
#include "base/num.h"
#include "base/path.h"
#include "image/build_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX (512 << 10)

static int set_type(struct run_mount *m, const char *type, struct err *err)
{
	static const char *const types[] = { "bind", "cache", "tmpfs", "secret" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(type, types[i])) {
			m->type = i;
			return 0;
		}
	return err_msg(err, -EINVAL, "type=%s: none of bind, cache, tmpfs, secret", type);
}

static int set_number(int64_t *to, const char *key, const char *value, int64_t max, struct err *err)
{
	return num_range(value, 0, max, to) < 0 ? err_msg(err, -EINVAL, "%s=%s: no such number", key, value) : 0;
}

static int set_text(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
	return 0;
}

/* "true" is said by the key alone, too. */
static int set_bool(bool *to, bool what, const char *key, const char *value, struct err *err)
{
	bool yes = !*value || !strcmp(value, "true") || !strcmp(value, "1");

	if (!yes && strcmp(value, "false") && strcmp(value, "0"))
		return err_msg(err, -EINVAL, "%s=%s: neither true nor false", key, value);
	*to = yes == what;
	return 0;
}

static int set(struct run_mount *m, const char *key, const char *value, struct err *err)
{
	static const struct {
		const char *key;
		unsigned offset;
	} texts[] = {
		{ "target", offsetof(struct run_mount, target) }, { "dst", offsetof(struct run_mount, target) }, { "destination", offsetof(struct run_mount, target) },
		{ "source", offsetof(struct run_mount, source) }, { "src", offsetof(struct run_mount, source) }, { "from", offsetof(struct run_mount, from) },
		{ "id", offsetof(struct run_mount, id) }, { "env", offsetof(struct run_mount, env) }, { "size", offsetof(struct run_mount, size) },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!strcmp(key, texts[i].key) && *value)
			return set_text((char **)((char *)m + texts[i].offset), value);
	if (!strcmp(key, "type"))
		return set_type(m, value, err);
	if (!strcmp(key, "uid") || !strcmp(key, "gid"))
		return set_number(*key == 'u' ? &m->uid : &m->gid, key, value, 0xfffffffe, err);
	if (!strcmp(key, "mode")) {
		m->mode = strtol(value, NULL, 8);
		return *value && !value[strspn(value, "01234567")] && m->mode <= 07777 ? 0 : err_msg(err, -EINVAL, "mode=%s: no octal mode", value);
	}
	if (!strcmp(key, "required"))
		return set_bool(&m->required, true, key, value, err);
	if (!strcmp(key, "ro") || !strcmp(key, "readonly"))
		return set_bool(&m->read_only, true, key, value, err);
	if (!strcmp(key, "rw") || !strcmp(key, "readwrite"))
		return set_bool(&m->read_only, false, key, value, err);
	if (!strcmp(key, "sharing") && (!strcmp(value, "shared") || !strcmp(value, "private") || !strcmp(value, "locked")))
		m->shared = !strcmp(value, "shared");
	else
		return err_msg(err, -EINVAL, "%s=%s: unknown", key, value);
	return 0;
}

/* TYPE comes first, since what is usual depends on it. */
static int read_words(struct run_mount *m, const struct strs *words, struct err *err)
{
	int rc = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < words->n && !rc; i++) {
			const char *eq = strchr(words->v[i], '=');
			char *key = xstrndup(words->v[i], strcspn(words->v[i], "="));

			if (!strcmp(key, "type") == !pass)
				rc = set(m, key, eq ? eq + 1 : "", err);
			free(key);
		}
		if (!pass)
			m->read_only = m->type == MOUNT_BIND;
	}
	return rc;
}

static void set_target(struct run_mount *m, const struct work *w)
{
	char *path = work_path(w, m->target);

	free(m->target);
	m->target = xasprintf("/%s", path);
	free(path);
}

static void set_name(struct run_mount *m)
{
	char hex[65];

	if (!m->id)
		m->id = xstrdup(m->target);
	sha256_hex(m->id, strlen(m->id), hex);
	memcpy(m->name, hex, sizeof m->name - 1);
}

static int check(struct run_mount *m, const struct work *w, struct err *err)
{
	if (m->type == MOUNT_CACHE && m->from)
		return err_msg(err, -EINVAL, "type=cache with from=: what it begins with can't be said here");
	if (m->type == MOUNT_SECRET && !m->id && m->target)
		m->id = xstrdup(strrchr(m->target, '/') ? strrchr(m->target, '/') + 1 : m->target);
	if (m->type == MOUNT_SECRET && !m->id)
		return err_msg(err, -EINVAL, "type=secret needs id=");
	if (m->type == MOUNT_SECRET && !m->target && !m->env)
		m->target = xasprintf("/run/secrets/%s", m->id);
	if (!m->target && m->type != MOUNT_SECRET)
		return err_msg(err, -EINVAL, "where to? target= is missing");
	if (m->target)
		set_target(m, w);
	if (m->target && !m->target[1])
		return err_msg(err, -EINVAL, "target=/: would hide everything");
	if (m->type == MOUNT_CACHE)
		set_name(m);
	return 0;
}

/* The build's --secret with that ID, as NAME=VALUEs in PARTS. */
static bool secret_given(const struct strs *all, const char *id, struct strs *parts)
{
	for (size_t i = 0; i < all->n; i++) {
		const char *is;

		strs_split(parts, all->v[i], ',');
		is = strs_getenv(parts, "id");
		if (is && !strcmp(is, id))
			return true;
		strs_free(parts);
	}
	return false;
}

/* id=ID[,src=FILE|,env=NAME]; without either, the variable or the file of that name. */
static int read_secret(struct run_mount *m, const struct strs *given, struct err *err)
{
	const char *file = strs_getenv(given, "src"), *variable = strs_getenv(given, "env");
	int rc;

	if (!file)
		file = strs_getenv(given, "source");
	if (!file && !variable)
		*(getenv(m->id) ? &variable : &file) = m->id;
	buf_str(&m->text, "");
	if (!variable) {
		rc = file_read(AT_FDCWD, file, &m->text, SECRET_MAX);
		return rc < 0 ? err_sys(err, rc, "secret %s: read %s", m->id, file) : 0;
	}
	if (!getenv(variable))
		return err_msg(err, -ENOENT, "secret %s: there is no variable %s", m->id, variable);
	buf_str(&m->text, getenv(variable));
	return 0;
}

static int find_secret(struct run_mount *m, const struct work *w, struct err *err)
{
	struct strs given = { 0 };
	int rc = 0;

	m->absent = !secret_given(&w->plan->build->secrets, m->id, &given);
	if (!m->absent)
		rc = read_secret(m, &given, err);
	else if (m->required)
		rc = err_msg(err, -ENOENT, "secret %s: is required, and not given (--secret id=%s,src=FILE)", m->id, m->id);
	strs_free(&given);
	return rc;
}

int run_mount_read(struct run_mount *m, struct work *w, const char *flag, struct err *err)
{
	struct strs words = { 0 };
	char *text = NULL;
	int rc = words_one(flag, &w->words, &text, err);

	*m = (struct run_mount){ .uid = -1, .gid = -1, .mode = -1, .lock = -1, .shared = true, .tree.root = -1 };
	strs_split(&words, text ? text : "", ',');
	if (!rc)
		rc = read_words(m, &words, err);
	if (!rc)
		rc = check(m, w, err);
	if (!rc && m->type == MOUNT_SECRET)
		rc = find_secret(m, w, err);
	if (!rc && m->type == MOUNT_BIND)
		rc = work_tree(w, m->from, &m->tree, err);
	if (!rc && m->type == MOUNT_BIND)
		rc = source_find(&m->tree, m->source ? m->source : "/", &m->items, err);
	if (!rc && m->items.n > 1)
		rc = err_msg(err, -EINVAL, "source=%s: is more than one", m->source);
	strs_free(&words);
	free(text);
	return rc < 0 ? err_prefix(err, "--mount=%s", flag) : 0;
}

void run_mount_free(struct run_mount *m, const struct work *w)
{
	char *texts[] = { m->target, m->source, m->from, m->id, m->env, m->size };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	if (m->tree.root >= 0 && m->tree.root != w->plan->context)
		close(m->tree.root);
	source_items_free(&m->items);
	if (m->lock >= 0)
		close(m->lock);
	if (m->text.p)
		explicit_bzero(m->text.p, m->text.len);
	buf_free(&m->text);
}

/* Whatever is below it is as it is there. */
static const struct source_edit as_it_is = { .uid = -1, .gid = -1, .latest = INT64_MAX };

static int see(const struct run_mount *m, char seen[65], struct err *err)
{
	struct sha256 sha;
	int rc;

	sha256_init(&sha);
	rc = source_digest(&m->tree, &m->items, &as_it_is, &sha, err);
	sha256_end(&sha, seen);
	return rc;
}

bool run_mount_changed(const struct run_mount *m, const struct work *w)
{
	char seen[65];

	return m->type == MOUNT_BIND && m->tree.root == w->plan->context && (see(m, seen, NULL) < 0 || strcmp(seen, m->seen));
}

int run_mount_key(struct run_mount *m, struct act *a, struct err *err)
{
	const int64_t numbers[] = { m->type, m->uid, m->gid, m->mode };
	int rc = m->type == MOUNT_BIND ? see(m, m->seen, err) : 0;

	sha256_add(&a->key, numbers, sizeof numbers);
	act_key(a, m->target);
	act_key(a, m->id);
	act_key(a, m->env);
	act_key(a, m->size);
	act_key(a, m->read_only ? "ro" : "rw");
	act_key(a, m->seen);
	return rc;
}

/* What is BELOW directory FD is mounted. */
static int bind_at(const struct run_mount *m, struct step *s, int fd, const char *below, struct err *err)
{
	char path[PATH_MAX], proc[32], *whole;
	ssize_t n = readlink(path_of_fd(fd, proc), path, sizeof path - 1);

	if (n < 0)
		return err_sys(err, -errno, "mount on %s: the path of what it is", m->target);
	whole = xasprintf("%.*s%s%s", (int)n, path, *below ? "/" : "", below);
	spec_mount(&s->record.spec, "bind", whole, m->target, m->read_only ? "bind,ro" : "bind");
	free(whole);
	return 0;
}

/* Files of the context are there themselves, if nothing of them is left out and nothing may be written. Others as a copy in the container's directory. */
static int make_bind(struct run_mount *m, const struct work *w, struct step *s, int n, struct err *err)
{
	const struct source_item *i = &m->items.v[0];
	struct tar_extract x = { .rename = i->dir ? NULL : "file" };
	struct source_tar *tar;
	char name[24];
	int rc;

	if (m->tree.root == w->plan->context && m->read_only && !m->tree.ignored->patterns.n)
		return bind_at(m, s, m->tree.root, i->path, err);
	snprintf(name, sizeof name, "mount%d", n);
	rc = mkdirat(s->record.dir, name, 0755) < 0 ? -errno : dir_open(s->record.dir, name);
	if (rc < 0)
		return err_sys(err, rc, "copy %s", i->path);
	x.rootfd = rc;
	tar = source_tar(&m->tree, &m->items, &as_it_is);
	rc = tree_copy(&tar->write, &x, err);
	free(tar);
	if (!rc)
		rc = bind_at(m, s, x.rootfd, i->dir ? "" : "file", err);
	close(x.rootfd);
	return rc;
}

/* The first cache mount of V in order of name after AFTER, or NULL. */
static struct run_mount *next_cache(struct run_mount *v, size_t n, const char *after)
{
	struct run_mount *next = NULL;

	for (size_t i = 0; i < n; i++)
		if (v[i].type == MOUNT_CACHE && strcmp(v[i].name, after) > 0 && (!next || strcmp(v[i].name, next->name) < 0))
			next = &v[i];
	return next;
}

int run_mounts_lock(struct run_mount *v, size_t n, const struct work *w, struct err *err)
{
	const char *after = "";
	struct run_mount *m;

	for (; (m = next_cache(v, n, after)); after = m->name) {
		bool shared = true;

		for (size_t i = 0; i < n; i++)
			shared &= v[i].shared || strcmp(v[i].name, m->name);
		m->lock = build_cache_mount(w->plan->build->store->root, m->name, shared, err);
		if (m->lock < 0)
			return m->lock;
		for (size_t i = 0; i < n; i++)
			if (&v[i] != m && !strcmp(v[i].name, m->name) && (v[i].lock = fcntl(m->lock, F_DUPFD_CLOEXEC, 3)) < 0)
				return err_sys(err, -errno, "cache mount %s", m->id);
	}
	return 0;
}

static int make_cache(struct run_mount *m, struct step *s, struct err *err)
{
	int rc = 0;

	if ((m->uid >= 0 || m->gid >= 0) && fchown(m->lock, (uid_t)m->uid, (gid_t)m->gid) < 0)
		rc = -errno;
	if (!rc && m->mode >= 0 && fchmod(m->lock, (mode_t)m->mode) < 0)
		rc = -errno;
	return rc < 0 ? err_sys(err, rc, "cache mount %s", m->id) : bind_at(m, s, m->lock, "", err);
}

/* Where a reboot forgets it, and nobody else looks. */
static int make_secret(const struct run_mount *m, const struct work *w, struct step *s, int n, struct err *err)
{
	const struct store *store = w->plan->build->store;
	char *path = xasprintf("containers/%s/secret%d", s->record.id, n);
	int rc, fd;

	path[strlen("containers/") + ID_LENGTH] = 0;
	rc = dir_make_all(store->run, path, 0700);
	path[strlen("containers/") + ID_LENGTH] = '/';
	fd = rc < 0 ? rc : openat(store->run, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		fd = -errno;
	rc = fd < 0 ? fd : write_all(fd, m->text.p, m->text.len);
	if (!rc && (fchmod(fd, m->mode < 0 ? 0400 : (mode_t)m->mode) < 0 || fchown(fd, m->uid < 0 ? 0 : (uid_t)m->uid, m->gid < 0 ? 0 : (gid_t)m->gid) < 0))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	spec_mount(&s->record.spec, "file", strrchr(path, '/') + 1, m->target, "ro");
	free(path);
	return rc < 0 ? err_sys(err, rc, "secret %s", m->id) : 0;
}

int run_mount_make(struct run_mount *m, const struct work *w, struct step *s, int n, struct err *err)
{
	char *options;

	if (m->type == MOUNT_BIND)
		return make_bind(m, w, s, n, err);
	if (m->type == MOUNT_CACHE)
		return make_cache(m, s, err);
	if (m->type == MOUNT_SECRET && m->env && !m->absent)
		strs_setenv(&s->record.spec.process.env, m->env, m->text.p);
	if (m->type == MOUNT_SECRET)
		return m->absent || !m->target ? 0 : make_secret(m, w, s, n, err);
	options = m->size ? xasprintf("size=%s", m->size) : NULL;
	spec_mount(&s->record.spec, "tmpfs", NULL, m->target, options);
	free(options);
	return 0;
}
