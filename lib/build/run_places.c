#include "build/run_mount.h"

#include "base/file.h"
#include "base/path.h"
#include "ctr/image_tree.h"
#include "ctr/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* TARGET and the directories it is in, as far as ROOT (-1: nothing at all) hasn't them. */
static int note(int root, const char *target, struct strs *missing)
{
	char *real = root < 0 ? xstrdup(target) : path_follow(root, target), *path; /* where a link leads nowhere something will be made */
	struct buf clean = { 0 };
	int fd = -ENOENT;

	if (!real)
		return -ELOOP;
	path_clean(real, &clean);
	path = xasprintf("/%s", clean.p);
	buf_free(&clean);
	free(real);
	for (char *slash = path + strlen(path); slash > path; slash = strrchr(path, '/')) {
		*slash = 0;
		fd = root < 0 ? -ENOENT : path_open(root, path, O_PATH | O_NOFOLLOW, 0);
		if (fd != -ENOENT)
			break;
		if (!strs_has(missing, path))
			strs_add(missing, path);
	}
	free(path);
	if (fd >= 0)
		close(fd);
	return fd < 0 && fd != -ENOENT ? fd : 0;
}

int run_places_note(const struct work *w, const struct spec *spec, struct strs *missing, struct err *err)
{
	const struct mount_spec *m = spec->mounts.v;
	int root = w->image.layers.n ? image_tree_open(w->plan->build->store->root, &w->image, err) : -1, rc = 0;

	if (root < 0 && w->image.layers.n)
		return root;
	for (size_t i = 0; i < spec->mounts.n && !rc; i++)
		if ((rc = note(root, m[i].target, missing)) < 0)
			err_sys(err, rc, "look for %s", m[i].target);
	if (root >= 0)
		close(root);
	strs_sort(missing);
	return rc;
}

static bool is_absent(int rc)
{
	return rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP;
}

/* What something was put into stays; so do directories of that. */
static int clean(int upper, const char *path)
{
	char name[256];
	struct stat st;
	int dir = path_parent(upper, path, 0, name), rc = 0;

	if (dir < 0)
		return is_absent(dir) ? 0 : dir;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		rc = -errno;
	else if (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && !st.st_size))
		rc = unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
	close(dir);
	return is_absent(rc) || rc == -ENOTEMPTY ? 0 : rc;
}

int run_places_clean(const struct step *s, const struct strs *missing, struct err *err)
{
	const struct spec *spec = &s->record.spec;
	int upper = spec->rootfs ? dir_open(AT_FDCWD, spec->rootfs) : rootfs_upper(s->store, spec, err), rc = 0;

	if (upper < 0)
		return spec->rootfs ? err_sys(err, upper, "open %s", spec->rootfs) : upper;
	for (size_t i = missing->n; i-- && !rc;) /* what is in a directory comes after it */
		if ((rc = clean(upper, missing->v[i])) < 0)
			err_sys(err, rc, "remove %s, which the step doesn't leave", missing->v[i]);
	close(upper);
	return rc;
}
