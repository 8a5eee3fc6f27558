#include "ctr/volume.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/kernel.h"
#include "base/path.h"
#include "ctr/rootfs.h"
#include "image/tar.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fills the new volume's DATA with what the container's root has at TARGET, owners and modes included. */
static int fill(const struct store *s, int data, const struct spec *spec, const char *target, struct err *err)
{
	int root = rootfs_view(s, spec, false, err), from, r = 0;
	struct stat st;

	if (root < 0)
		return root;
	from = path_open(root, target, O_RDONLY | O_DIRECTORY, 0);
	close(root);
	if (from < 0)
		return 0; /* the image has nothing there */
	if (fstat(from, &st) == 0 && (fchown(data, st.st_uid, st.st_gid) < 0 || fchmod(data, st.st_mode & 07777) < 0))
		r = err_sys(err, -errno, "owner and mode");
	if (!r) {
		struct tar_write w = { .rootfd = from };
		struct tar_extract x = { .rootfd = data };

		r = tree_copy(&w, &x, err);
	}
	close(from);
	return r;
}

/* A power cut mustn't leave the name of files that are empty. What goes with its container needn't be there after one. */
static int settle(int dir, const char *name, const struct spec *spec, struct err *err)
{
	if (!spec || (spec->auto_remove && volume_anonymous(name)) || syncfs(dir) == 0)
		return 0;
	return err_sys(err, -errno, "write its files to the disk");
}

/* In a directory of its own that then gets the name, so that a volume is never half filled. */
static int make(const struct store *s, int volumes, const char *name, const struct spec *spec, const char *target, struct err *err)
{
	char tmp[TMP_NAME];
	int dir = folder_tmp(volumes, tmp), data, r;

	if (dir < 0)
		return err_sys(err, dir, "make %s/volumes/.tmp-*", s->root_path);
	r = dir_make_all(dir, "data", 0755);
	data = r < 0 ? r : dir_open(dir, "data");
	r = data < 0 ? err_sys(err, data, "make its directory") : spec ? fill(s, data, spec, target, err) : 0;
	if (data >= 0)
		close(data);
	if (!r && fchmod(dir, 0755) < 0)
		r = err_sys(err, -errno, "mode");
	if (!r)
		r = settle(dir, name, spec, err);
	if (!r && renameat(volumes, tmp, volumes, name) == 0)
		r = 1;
	else if (!r && errno != EEXIST && errno != ENOTEMPTY) /* somebody else's was there first */
		r = err_sys(err, -errno, "rename");
	if (r != 1)
		folder_remove(volumes, tmp);
	close(dir);
	return r;
}

int volume_make(const struct store *s, const char *name, const struct spec *spec, const char *target, struct err *err)
{
	int r = name_check(name, err), volumes;
	char path[200];

	if (r < 0)
		return err_prefix(err, "volume"), r;
	snprintf(path, sizeof path, "volumes/%s/data", name);
	if (file_there(s->root, path))
		return 0;
	r = dir_make_all(s->root, "volumes", 0700);
	volumes = r < 0 ? r : dir_open(s->root, "volumes");
	if (volumes < 0)
		return err_sys(err, volumes, "make %s/volumes", s->root_path);
	r = make(s, volumes, name, spec, target, err);
	if (r == 1 && !volume_anonymous(name))
		fsync(volumes);
	close(volumes);
	return r < 0 ? (err_prefix(err, "make volume %s", name), r) : r;
}

static bool uses(const struct spec *spec, const char *name)
{
	const struct mount_spec *m = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++)
		if (!strcmp(m[i].type, "volume") && m[i].source && !strcmp(m[i].source, name))
			return true;
	return false;
}

struct users {
	const char *name;
	struct strs *who;
};

static void see_user(const struct record *r, void *arg)
{
	const struct users *u = arg;

	if (uses(&r->spec, u->name))
		strs_add(u->who, r->spec.name);
}

int volume_users(const struct store *s, const char *name, struct strs *who, struct err *err)
{
	struct users u = { name, who };
	int r = record_each(s, see_user, &u, err);

	strs_sort(who);
	return r;
}

static int in_use(const struct store *s, const char *name, struct err *err)
{
	struct strs who = { 0 };
	struct buf list = { 0 };
	int r = volume_users(s, name, &who, err);

	for (size_t i = 0; i < who.n; i++)
		buf_fmt(&list, "%s%s", i ? ", " : "", who.v[i]);
	if (!r && who.n)
		r = err_msg(err, -EBUSY, "in use by %s", list.p);
	buf_free(&list);
	strs_free(&who);
	return r;
}

static int drop(int volumes, const char *name, struct err *err)
{
	int r = folder_remove(volumes, name);

	if (r == -ENOENT) /* somebody was faster */
		return err_msg(err, r, "no such volume");
	return r < 0 ? err_sys(err, r, "remove volume %s", name) : 0;
}

int volume_remove(const struct store *s, const char *name, struct err *err)
{
	int r = name_check(name, err), volumes;

	if (r < 0)
		return r;
	volumes = dir_open(s->root, "volumes");
	if (volumes < 0 || !file_there(volumes, name))
		r = err_msg(err, -ENOENT, "no such volume");
	if (!r)
		r = in_use(s, name, err);
	if (!r)
		r = drop(volumes, name, err);
	if (volumes >= 0)
		close(volumes);
	return r;
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
	int r = dir_names(s->root, "volumes", NULL, out);

	return r < 0 ? err_sys(err, r, "list %s/volumes", s->root_path) : 0;
}

void volume_sweep(const struct store *s, struct strs *freed)
{
	int volumes = dir_open(s->root, "volumes");

	if (volumes < 0)
		return;
	folder_sweep(volumes, "half-made volume", freed);
	close(volumes);
}
