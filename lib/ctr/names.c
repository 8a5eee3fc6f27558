#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "ctr/idrange.h"
#include "ctr/record.h"
#include "sys/proc.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int name_check(const char *name, struct err *err)
{
	size_t n = strlen(name);

	if (!n || n > 128 || !isalnum((unsigned char)*name))
		return err_msg(err, -EINVAL, "name \"%s\": must begin with a letter or digit and have at most 128 characters", name);
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
			return err_msg(err, -EINVAL, "name \"%s\": only letters, digits, _ . and - are allowed", name);
	if (strspn(name, "0123456789") == n)
		return err_msg(err, -EINVAL, "name \"%s\": all digits would be a pid", name);
	return 0;
}

static char *link_path(const char *name, char out[160])
{
	snprintf(out, 160, "names/%.140s", name);
	return out;
}

/* The id that NAME stands for. 0 or -errno. */
static int read_name(int root, const char *name, char id[ID_LENGTH + 1])
{
	char path[160];
	ssize_t n = readlinkat(root, link_path(name, path), id, ID_LENGTH + 1);

	if (n < 0)
		return errno == EINVAL || errno == ENOTDIR ? -ENOENT : -errno; /* something else has the link's place */
	if (n != ID_LENGTH)
		return -ENOENT;
	id[ID_LENGTH] = 0;
	return 0;
}

static bool is_id(const char *s)
{
	return strlen(s) == ID_LENGTH && strspn(s, "0123456789abcdef") == ID_LENGTH;
}

/* 0: there is one; -ENOENT: there is none; another -errno: nobody knows. */
static int find_id(int root, const char *id)
{
	char path[40];

	snprintf(path, sizeof path, "containers/%.*s", ID_LENGTH, id);
	return faccessat(root, path, F_OK, 0) < 0 ? -errno : 0;
}

/* The id of the container that has NAME, as find_id. */
static int find_name(int root, const char *name, char id[ID_LENGTH + 1])
{
	int r = read_name(root, name, id);

	return r ? r : find_id(root, id);
}

static int taken(const char *name, const char *id, struct err *err)
{
	return err_msg(err, -EEXIST, "the name \"%s\" is taken by container %s", name, id);
}

/* -ENOENT, or why NAME can't be taken, told. */
static int check_free(int root, const char *name, struct err *err)
{
	char owner[ID_LENGTH + 1];
	int r = find_name(root, name, owner);

	if (!r)
		return taken(name, owner, err);
	if (r == -ENOENT && is_id(name))
		r = find_id(root, name);
	if (!r)
		return taken(name, name, err);
	return r == -ENOENT ? r : err_sys(err, r, "see whose name \"%s\" is", name);
}

/* Makes the link; one whose container is gone is what a crash left, and is replaced. Under the names' lock. */
static int link_name(int root, const char *name, const char *id, struct err *err)
{
	char path[160];
	int r = dir_make_all(root, "names", 0711);

	if (r < 0)
		return err_sys(err, r, "make names/");
	r = check_free(root, name, err);
	if (r != -ENOENT)
		return r;
	link_path(name, path);
	if (symlinkat(id, root, path) == 0)
		return 0;
	if (errno == EEXIST)
		unlinkat(root, path, 0);
	return symlinkat(id, root, path) < 0 ? err_sys(err, -errno, "take the name \"%s\"", name) : 0;
}

static int claim_name(int root, const char *name, const char *id, struct err *err)
{
	int lock, r;

	if (!strcmp(name, id))
		return 0; /* its directory is found without a link */
	lock = file_lock(root, "lock", -1);
	if (lock < 0)
		return err_sys(err, lock, "lock the store");
	r = link_name(root, name, id, err);
	close(lock);
	return r;
}

static void drop_name(int root, const char *name, const char *id)
{
	char path[160], owner[ID_LENGTH + 1];

	if (read_name(root, name, owner) == 0 && !strcmp(owner, id))
		unlinkat(root, link_path(name, path), 0);
}

static int make_in_containers(const struct store *s, const char *path, mode_t mode)
{
	int code = mkdirat(s->root, path, mode) < 0 ? -errno : 0;

	if (code == -ENOENT && (code = dir_make_all(s->root, "containers", 0700)) == 0)
		code = mkdirat(s->root, path, mode) < 0 ? -errno : 0;
	return code;
}

/* A new directory under its final name. */
static int make_directory(const struct store *s, struct record *r, struct err *err)
{
	mode_t mode = r->spec.auto_remove ? 0700 | RECORD_PASSING : 0700;
	char path[40];
	int code;

	snprintf(path, sizeof path, "containers/%s", r->id);
	do { /* ctr-gc may take it at any moment until it is locked */
		code = make_in_containers(s, path, mode);
		if (code < 0)
			return err_sys(err, code, "make %s/%s", s->root_path, path);
		r->dir = dir_open(s->root, path);
	} while (r->dir == -ENOENT);
	return r->dir < 0 ? err_sys(err, r->dir, "open %s/%s", s->root_path, path) : 0;
}

static int fill_record(const struct store *s, struct record *r, bool sync, int *lock, struct err *err)
{
	struct buf b = { 0 };
	int code;

	do { /* ctr-gc takes a directory without a spec for a crash's remains: then once more */
		if (r->dir >= 0)
			close(r->dir);
		code = make_directory(s, r, err);
		if (code < 0)
			return code;
		*lock = record_lock(r, -1, err);
	} while (*lock == -ENOENT);
	if (*lock < 0)
		return *lock;
	code = idrange_take(s, &r->spec, err);
	if (code < 0)
		return code;
	spec_write(&r->spec, false, &b);
	code = file_replace(r->dir, "spec.json", b.p, b.len, 0600, sync ? FILE_SYNCED : FILE_ORDERED);
	buf_free(&b);
	if (code < 0)
		return err_sys(err, code, "write the container's spec.json");
	return claim_name(s->root, r->spec.name, r->id, err);
}

int record_create(const struct store *s, struct spec *spec, bool sync, struct record *out, int *lock, struct err *err)
{
	char owner[ID_LENGTH + 1];
	int64_t now;
	int r;

	*out = (struct record){ .dir = -1, .run = -1 };
	*lock = -1;
	if (spec->name && find_name(s->root, spec->name, owner) == 0)
		return taken(spec->name, owner, err);
	do
		random_hex(out->id, ID_LENGTH);
	while (strspn(out->id, "0123456789") == ID_LENGTH /* that would be a pid */ || find_id(s->root, out->id) == 0);
	spec->id = xstrdup(out->id);
	if (!spec->name)
		spec->name = xstrdup(out->id);
	if (!spec->hostname)
		spec->hostname = xstrdup(out->id);
	if (!strs_getenv(&spec->process.env, "HOSTNAME"))
		strs_setenv(&spec->process.env, "HOSTNAME", spec->hostname);
	now = clock_wall_ns();
	spec->created = now / 1000000000;
	spec->created_ns = now % 1000000000;
	out->spec = *spec;
	*spec = (struct spec){ 0 };
	r = fill_record(s, out, sync, lock, err);
	if (r < 0) {
		record_remove(s, out, NULL);
		if (*lock >= 0)
			close(*lock);
		*lock = -1;
		record_close(out);
	}
	return r;
}

int record_rename(const struct store *s, struct record *r, const char *name, struct err *err)
{
	char *old = r->spec.name;
	int code = claim_name(s->root, name, r->id, err);

	if (code < 0)
		return code;
	r->spec.name = xstrdup(name);
	code = record_write_spec(r, err);
	if (code < 0) {
		drop_name(s->root, name, r->id);
		free(r->spec.name);
		r->spec.name = old;
		return code;
	}
	drop_name(s->root, old, r->id);
	free(old);
	return 0;
}

int record_mend_name(const struct store *s, const struct record *r)
{
	char owner[ID_LENGTH + 1];

	if (!strcmp(r->spec.name, r->id) || find_name(s->root, r->spec.name, owner) != -ENOENT)
		return 0;
	return claim_name(s->root, r->spec.name, r->id, NULL) == 0;
}

/* Whether the link NAME to ID is what an interrupted removal or renaming left. A container that somebody is busy with is left alone. */
static bool is_stale(const struct store *s, const char *name, const char *id)
{
	struct record r;
	bool stale = false;
	int lock = record_open_id(s, id, &r, NULL);

	if (lock < 0)
		return lock == -ENOENT;
	lock = record_lock(&r, 0, NULL);
	record_close(&r);
	if (lock < 0)
		return lock == -ENOENT;
	if (record_open_id(s, id, &r, NULL) == 0) {
		stale = !r.garbled && strcmp(r.spec.name, name) != 0;
		record_close(&r);
	}
	close(lock);
	return stale;
}

static void sweep_names(const struct store *s, DIR *d, struct strs *freed)
{
	char id[ID_LENGTH + 1];
	struct dirent *e;

	while ((e = readdir(d))) {
		int r = e->d_type == DT_LNK ? read_name(s->root, e->d_name, id) : -EINVAL;

		if ((r == -ENOENT || (r == 0 && is_stale(s, e->d_name, id))) && unlinkat(dirfd(d), e->d_name, 0) == 0)
			strs_fmt(freed, "name %s", e->d_name);
	}
}

int record_sweep_names(const struct store *s, struct strs *freed, struct err *err)
{
	int lock = file_lock(s->root, "lock", -1), fd;
	DIR *d;

	if (lock < 0)
		return err_sys(err, lock, "lock the store");
	fd = dir_open(s->root, "names");
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d) {
		sweep_names(s, d, freed);
		closedir(d);
	}
	close(lock);
	return 0;
}

int record_remove(const struct store *s, struct record *r, struct err *err)
{
	struct buf room = { 0 };
	struct record now;
	char path[40];
	int code;

	record_forget_state(s, r);
	if (r->spec.name)
		drop_name(s->root, r->spec.name, r->id);
	if (record_peek(s, r->id, 0, &room, &now) == 0) { /* it may have been renamed since R was read */
		drop_name(s->root, now.spec.name, r->id);
		record_close(&now);
	}
	buf_free(&room);
	unlinkat(r->dir, "spec.json", 0); /* by this it is gone; the rest ctr-gc would take too */
	snprintf(path, sizeof path, "containers/%s", r->id);
	code = tree_remove(s->root, path);
	if (!code)
		idrange_release(s, &r->spec);
	return code < 0 ? err_sys(err, code, "remove %s/%s", s->root_path, path) : 0;
}

int record_ids_in(int dirfd, struct strs *ids, struct err *err)
{
	int r = dir_names(dirfd, "containers", is_id, ids);

	return r < 0 ? err_sys(err, r, "list containers/") : 0;
}

int record_ids(const struct store *s, struct strs *ids, struct err *err)
{
	return record_ids_in(s->root, ids, err);
}

/* The one id that begins with PREFIX. */
static int by_prefix(const struct store *s, const char *prefix, char id[ID_LENGTH + 1], struct err *err)
{
	struct strs ids = { 0 };
	int r = record_ids(s, &ids, err), found = 0;

	for (size_t i = 0; i < ids.n; i++)
		if (starts_with(ids.v[i], prefix)) {
			memcpy(id, ids.v[i], ID_LENGTH + 1);
			found++;
		}
	strs_free(&ids);
	if (r < 0)
		return r;
	if (found > 1)
		return err_msg(err, -EEXIST, "%d containers' ids begin with \"%s\"", found, prefix);
	return found ? 0 : -ENOENT;
}

/* Whom TARGET, a name, an id or an id's beginning, stands for. 0, -ENOENT or -errno, told. */
static int find(const struct store *s, const char *target, char id[ID_LENGTH + 1], struct err *err)
{
	size_t n = strlen(target);
	int r = strchr(target, '/') || n > 128 ? -ENOENT : find_name(s->root, target, id);

	if (r == -ENOENT && is_id(target) && (r = find_id(s->root, target)) == 0)
		memcpy(id, target, ID_LENGTH + 1);
	if (r == -ENOENT && n >= ID_PREFIX_MIN && n <= ID_LENGTH && strspn(target, "0123456789abcdef") == n)
		r = by_prefix(s, target, id, err);
	else if (r < 0 && r != -ENOENT)
		err_sys(err, r, "look for it");
	return r == -ENOENT ? err_msg(err, r, "no such container") : r;
}

int record_open(const struct store *s, const char *target, struct record *out, struct err *err)
{
	char id[ID_LENGTH + 1];
	int r;

	*out = (struct record){ .dir = -1, .run = -1 };
	r = find(s, target, id, err);
	if (r < 0)
		return r;
	r = record_open_id(s, id, out, err);
	return r == -ENOENT ? err_msg(err, r, "no such container") : r; /* any more */
}

int target_pid(const char *target, struct err *err)
{
	struct store s;
	struct record rec;
	int64_t pid;
	int r;

	if (num_range(target, 1, 1 << 22, &pid) == 0)
		return (int)pid;
	r = store_get(&s, err);
	if (r < 0)
		return r;
	r = record_open(&s, target, &rec, err);
	if (!r) {
		r = record_running(&s, &rec) ? (int)rec.state.pid : err_msg(err, -ESRCH, "container isn't running");
		record_close(&rec);
	}
	store_close(&s);
	return r;
}

int record_each(const struct store *s, void (*see)(const struct record *r, void *arg), void *arg, struct err *err)
{
	struct strs ids = { 0 };
	int r = record_ids(s, &ids, err);

	for (size_t i = 0; r >= 0 && i < ids.n; i++) {
		struct record rec;

		r = record_open_id(s, ids.v[i], &rec, err);
		if (r == 0) {
			see(&rec, arg);
			record_close(&rec);
		} else if (r == -ENOENT) { /* it was removed meanwhile */
			r = 0;
			if (err)
				err->code = 0;
		}
	}
	strs_free(&ids);
	return r;
}

struct images_in_use {
	struct strs *images, *layers;
};

static void see_images(const struct record *r, void *arg)
{
	const struct images_in_use *use = arg;

	if (r->spec.image_id)
		strs_add(use->images, r->spec.image_id);
	for (size_t k = 0; k < r->spec.layers.n; k++)
		strs_add(use->layers, r->spec.layers.v[k]);
}

int record_images_in_use(struct strs *image_ids, struct strs *layer_ids, struct err *err)
{
	struct images_in_use use = { image_ids, layer_ids };
	struct store s;
	int r = store_get(&s, err);

	if (r < 0)
		return r;
	r = record_each(&s, see_images, &use, err);
	store_close(&s);
	return r;
}
