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
static void note(int root, const char *target, struct strs *missing)
{
	char *path = xstrdup(target);

	for (char *slash = path + strlen(path); slash > path; slash = strrchr(path, '/')) {
		int fd;

		*slash = 0;
		fd = root < 0 ? -ENOENT : path_open(root, path, O_PATH | O_NOFOLLOW, 0);
		if (fd >= 0) {
			close(fd);
			break;
		}
		if (!strs_has(missing, path))
			strs_add(missing, path);
	}
	free(path);
}

int run_places_note(const struct work *w, const struct spec *spec, struct strs *missing, struct err *err)
{
	const struct mount_spec *m = spec->mounts.v;
	int root = w->image.layers.n ? image_tree_open(w->plan->build->store->root, &w->image, err) : -1;

	if (root < 0 && w->image.layers.n)
		return root;
	for (size_t i = 0; i < spec->mounts.n; i++)
		note(root, m[i].target, missing);
	if (root >= 0)
		close(root);
	strs_sort(missing);
	return 0;
}

/* What something was put into stays; so do directories of that. */
static void clean(int upper, const char *path)
{
	char name[256];
	struct stat st;
	int dir = path_parent(upper, path, 0, name);

	if (dir < 0)
		return;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && !st.st_size)))
		unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	close(dir);
}

void run_places_clean(const struct step *s, const struct strs *missing)
{
	const struct spec *spec = &s->record.spec;
	int upper = spec->rootfs ? dir_open(AT_FDCWD, spec->rootfs) : rootfs_upper(s->store, spec, NULL);

	for (size_t i = missing->n; i-- && upper >= 0;) /* what is in a directory comes after it */
		clean(upper, missing->v[i]);
	if (upper >= 0)
		close(upper);
}
