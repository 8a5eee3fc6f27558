#include "ctr/volume.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/path.h"
#include "ctr/rootfs.h"
#include "image/tar.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int volume_make(const struct store *s, const char *name, struct err *err)
{
	char path[200];
	struct stat st;
	int r = name_check(name, err);

	if (r < 0)
		return err_prefix(err, "volume"), r;
	snprintf(path, sizeof path, "volumes/%s/data", name);
	if (fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	r = dir_make_all(s->root, path, 0755);
	return r < 0 ? err_sys(err, r, "make volume %s", name) : 1;
}

int volume_fill(const struct store *s, const char *name, const struct spec *spec, const char *target, struct err *err)
{
	char path[200];
	int root = rootfs_view(s, spec, false, err), from, to, r;
	struct stat st;

	if (root < 0)
		return root;
	from = path_open(root, target, O_RDONLY | O_DIRECTORY, 0);
	close(root);
	if (from < 0)
		return 0; /* the image has nothing there */
	snprintf(path, sizeof path, "volumes/%s/data", name);
	to = dir_open(s->root, path);
	r = to < 0 ? err_sys(err, to, "open volume %s", name) : 0;
	if (!r && fstat(from, &st) == 0 && (fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 07777) < 0))
		r = err_sys(err, -errno, "volume %s: owner and mode", name);
	if (!r) {
		struct tar_write w = { .rootfd = from };
		struct tar_extract x = { .rootfd = to };

		r = tree_copy(&w, &x, err);
	}
	close(from);
	if (to >= 0)
		close(to);
	return r < 0 ? (err_prefix(err, "fill volume %s", name), r) : 0;
}

static bool uses(const struct spec *spec, const char *name)
{
	const struct mount_spec *m = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++)
		if (!strcmp(m[i].type, "volume") && m[i].source && !strcmp(m[i].source, name))
			return true;
	return false;
}

void volume_users(const struct store *s, const char *name, struct strs *who)
{
	struct strs ids = { 0 };

	record_ids(s, &ids, NULL);
	for (size_t i = 0; i < ids.n; i++) {
		struct record r;

		if (record_open_id(s, ids.v[i], &r, NULL) < 0)
			continue;
		if (uses(&r.spec, name))
			strs_add(who, r.spec.name);
		record_close(&r);
	}
	strs_free(&ids);
	strs_sort(who);
}

static int in_use(const struct store *s, const char *name, struct err *err)
{
	struct strs who = { 0 };
	struct buf list = { 0 };
	int r = 0;

	volume_users(s, name, &who);
	for (size_t i = 0; i < who.n; i++)
		buf_fmt(&list, "%s%s", i ? ", " : "", who.v[i]);
	if (who.n)
		r = err_msg(err, -EBUSY, "in use by %s", list.p);
	buf_free(&list);
	strs_free(&who);
	return r;
}

int volume_remove(const struct store *s, const char *name, struct err *err)
{
	char path[200];
	struct stat st;
	int r = name_check(name, err);

	if (r < 0)
		return r;
	snprintf(path, sizeof path, "volumes/%s", name);
	if (fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_msg(err, -ENOENT, "no such volume");
	r = in_use(s, name, err);
	if (r < 0)
		return r;
	r = tree_remove(s->root, path);
	return r < 0 ? err_sys(err, r, "remove volume %s", name) : 0;
}

void volume_invent(char name[33])
{
	random_hex(name, 32);
	name[0] = 'a'; /* never all digits */
}

bool volume_anonymous(const char *name)
{
	return strlen(name) == 32 && strspn(name, "0123456789abcdef") == 32;
}

int volume_names(const struct store *s, struct strs *out, struct err *err)
{
	int fd = openat(s->root, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(err, -errno, "list %s/volumes", s->root_path);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			strs_add(out, e->d_name);
	closedir(d);
	strs_sort(out);
	return 0;
}
