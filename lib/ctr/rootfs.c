#include "ctr/rootfs.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/release.h"
#include "base/userns.h"
#include "image/image.h"
#include "sys/fsimage.h"
#include "sys/helper.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RECURSIVE = 1, IDMAP = 2 }; /* how a tree is cloned */

/* The detached mount TREE for a container with the user namespace USERNS; -1: without one nothing is to be done. One that is still the peer of the
 * host's mount would show there what the container mounts below it. With IDMAP its files are shown with that namespace's ids:
 * mount_setattr(2), MOUNT_ATTR_IDMAP. */
static int set_apart(int tree, int how, int userns)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	int r;

	if (tree < 0 || userns < 0)
		return tree;
	if (how & IDMAP) {
		attr.attr_set = MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (how & RECURSIVE ? AT_RECURSIVE : 0), &attr);
	if (r < 0)
		close(tree);
	return r < 0 ? r : tree;
}

/* A copy of the mount tree at PATH that nobody sees yet. */
static int clone_tree(int dirfd, const char *path, int how, int userns)
{
	unsigned all = how & RECURSIVE ? AT_RECURSIVE : 0;
	int tree = sys_open_tree(dirfd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH) | all);

	return set_apart(tree, how, userns);
}

/* TREE, or what WHAT couldn't be cloned for. */
static int told(int tree, const char *what, int userns, struct err *err)
{
	if (tree >= 0)
		return tree;
	err_sys(err, tree, "open %s", what);
	if (userns >= 0 && (tree == -EINVAL || tree == -ENOSYS))
		err_hint(err, "for a user namespace: its file system, one mounted below it, or a kernel before 5.19, can't be idmapped");
	return tree;
}

static int open_layer(int store, const char *diff_id, int userns, struct err *err)
{
	int fd = layer_open(store, diff_id), tree;

	if (fd < 0)
		return err_sys(err, fd, "open layer %.12s", diff_id);
	if (userns < 0)
		return fd;
	tree = clone_tree(fd, "", IDMAP, userns);
	close(fd);
	return told(tree, "an image layer", userns, err);
}

static int open_below(const struct store *s, const char *id, const char *name, struct err *err)
{
	char path[60];
	int fd;

	snprintf(path, sizeof path, "containers/%s/%s", id, name);
	fd = openat(s->root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(err, -errno, "open %s/%s", s->root_path, path) : fd;
}

struct stack {
	const struct store *s;
	const struct spec *spec; /* NULL: for reading, nothing of the container's on top */
	const int *lower; /* uppermost first */
	int n;
};

static int stack_up(const struct stack *t, struct err *err)
{
	int upper = t->spec ? open_below(t->s, t->spec->id, "upper", err) : -1;
	int work = t->spec && upper >= 0 ? open_below(t->s, t->spec->id, "work", err) : upper;
	int fd = t->spec && work < 0 ? work : overlay_open(NULL, t->lower, t->n, upper, work, !ns_user_first(), err);

	if (upper >= 0)
		close(upper);
	if (work >= 0)
		close(work);
	return fd;
}

/* Before Linux 6.13 an overlay takes only layers that are mounted somewhere in its mounter's namespace: for a helper, in one of its own. */
static int stack_up_apart(void *arg)
{
	struct stack t = *(struct stack *)arg;
	struct store here = *t.s;
	int r = unshare(CLONE_NEWNS) < 0 ? -errno : mount_make_private(NULL), at;

	if (r < 0)
		return r;
	t.s = &here;
	here.root = dir_open(AT_FDCWD, here.root_path);
	at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); /* stacked there they hide nothing from us */
	for (int i = 0; i < t.n && !r; i++) {
		r = mount_attach(t.lower[i], at);
		if (r == -EINVAL) /* no mount but a directory, which has a name here too */
			r = 0;
	}
	r = r < 0 ? r : stack_up(&t, NULL);
	close(at);
	close(here.root);
	return r;
}

/* DETACHED: among the layers are mounts that aren't mounted anywhere. */
static int open_overlay(const struct stack *t, bool detached, struct err *err)
{
	bool direct = !detached || kernel_since(6, 13); /* the attempt would be in the kernel's log */
	int fd = direct ? stack_up(t, err) : -EINVAL;

	if (fd != -EINVAL || !detached)
		return fd;
	fd = helper_open(stack_up_apart, (void *)t);
	if (fd < 0 && !direct)
		err_sys(err, fd, "mount overlay of %d layer%s", t->n, t->n == 1 ? "" : "s");
	if (fd < 0 && t->spec && t->spec->idmaps.n)
		err_hint(err, fd == -E2BIG ? overlay_many : "a user namespace needs overlays of idmapped layers: Linux 5.19");
	return fd;
}

/* An image without layers has nothing: rootfs_prepare's empty directory, since overlay wants something below. */
static int open_layers(const struct store *s, const struct spec *spec, int userns, struct err *err)
{
	int n = (int)spec->layers.n, *lower = xcalloc((size_t)n + 1, sizeof *lower), fd = 0, i;

	for (i = 0; i < n && fd >= 0; i++)
		fd = lower[i] = open_layer(s->root, spec->layers.v[n - 1 - i], userns, err);
	if (!n)
		fd = lower[i++] = open_below(s, spec->id, "lower", err), n = 1;
	if (fd >= 0)
		fd = open_overlay(&(struct stack){ s, spec, lower, n }, userns >= 0, err);
	while (--i >= 0)
		if (lower[i] >= 0)
			close(lower[i]);
	free(lower);
	return fd;
}

int rootfs_image(const struct spec *spec, int *image, struct err *err)
{
	struct stat st;

	*image = -1;
	if (!spec->rootfs || !spec->rootfs_overlay)
		return 0;
	if (stat(spec->rootfs, &st) < 0)
		return err_sys(err, -errno, "root file system %s", spec->rootfs);
	if (S_ISDIR(st.st_mode))
		return 0;
	*image = fsimage_open(spec->rootfs, err);
	return *image < 0 ? (err_prefix(err, "root file system %s", spec->rootfs), *image) : 0;
}

/* A directory's tree, or an overlay on it or on what a file holds, IMAGE. An overlay takes the directory itself, too. */
static int open_given(const struct store *s, const struct spec *spec, int image, int userns, struct err *err)
{
	int how = userns >= 0 ? IDMAP : RECURSIVE, tree, fd;

	if (image >= 0)
		tree = set_apart(image, how, userns);
	else if (userns < 0 && spec->rootfs_overlay)
		tree = dir_open(AT_FDCWD, spec->rootfs);
	else
		tree = clone_tree(AT_FDCWD, spec->rootfs, how, userns);
	if (tree < 0 || !spec->rootfs_overlay)
		return told(tree, spec->rootfs, userns, err);
	fd = open_overlay(&(struct stack){ s, spec, &tree, 1 }, userns >= 0 || image >= 0, err);
	close(tree);
	return fd;
}

int rootfs_open(const struct store *s, const struct spec *spec, int userns, struct err *err)
{
	int image, r = rootfs_image(spec, &image, err);

	if (r < 0)
		return r;
	return spec->rootfs ? open_given(s, spec, image, userns, err) : open_layers(s, spec, userns, err);
}

int rootfs_open_here(const struct store *s, const struct spec *spec, int image, struct err *err)
{
	struct store here = *s;
	int root;

	here.root = dir_open(AT_FDCWD, here.root_path);
	if (here.root < 0)
		return err_sys(err, here.root, "open %s", here.root_path);
	root = spec->rootfs ? open_given(&here, spec, image, -1, err) : open_layers(&here, spec, -1, err);
	close(here.root);
	return root;
}

/* A user namespace with SPEC's maps the other way round: what the host knows as the mapped root is shown as 0. */
static int inverse_namespace(const struct spec *spec, struct err *err)
{
	struct idmaps maps, inverse;
	int r = spec_idmaps(spec, &maps, err);

	inverse.n = maps.n;
	for (int i = 0; i < maps.n; i++)
		inverse.v[i] = (struct idmap){ .host = maps.v[i].inside, .inside = maps.v[i].host, .count = maps.v[i].count };
	return r < 0 ? r : idmap_namespace(&inverse, err);
}

int rootfs_upper(const struct store *s, const struct spec *spec, struct err *err)
{
	int fd = open_below(s, spec->id, "upper", err), userns, tree;

	if (fd < 0 || !spec->idmaps.n)
		return fd;
	userns = inverse_namespace(spec, err);
	if (userns < 0) {
		close(fd);
		return userns;
	}
	tree = told(clone_tree(fd, "", IDMAP, userns), "the container's upper directory", userns, err);
	close(userns);
	close(fd);
	return tree;
}

/* What SPEC's --rootfs names, for reading. */
static int open_rootfs(const struct spec *spec, bool *detached, struct err *err)
{
	int fd, r = rootfs_image(spec, &fd, err);

	if (r < 0)
		return r;
	*detached |= fd >= 0;
	if (fd < 0)
		fd = dir_open(AT_FDCWD, spec->rootfs);
	return fd < 0 ? err_sys(err, fd, "open %s", spec->rootfs) : fd;
}

int rootfs_view(const struct store *s, const struct spec *spec, bool upper, struct err *err)
{
	int fds[130], n = 0, fd = 0, dir;
	bool detached = false;

	if (upper && !(spec->rootfs && !spec->rootfs_overlay)) {
		fd = fds[n++] = rootfs_upper(s, spec, err);
		detached = spec->idmaps.n > 0;
	}
	if (spec->rootfs && fd >= 0)
		fd = fds[n++] = open_rootfs(spec, &detached, err);
	for (size_t i = spec->rootfs ? 0 : spec->layers.n; i-- && fd >= 0 && n < 130;) /* a copied image still names its layers */
		fd = fds[n++] = open_layer(s->root, spec->layers.v[i], -1, err);
	if (fd >= 0 && n > 1) /* one alone needs no overlay */
		fd = open_overlay(&(struct stack){ s, NULL, fds, n }, detached, err);
	dir = fd < 0 ? fd : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		dir = err_sys(err, -errno, "open the container's files");
	if (fd >= 0 && n > 1)
		close(fd);
	while (n--)
		if (fds[n] >= 0)
			close(fds[n]);
	return dir;
}

int rootfs_prepare(const struct record *r, uid_t owner, struct err *err)
{
	static const char *const names[] = { "upper", "work", "lower" };
	int n = r->spec.rootfs || r->spec.layers.n ? 2 : 3;

	if (r->spec.rootfs && !r->spec.rootfs_overlay)
		return 0;
	for (int i = 0; i < n; i++) {
		if (dir_make(r->dir, names[i], 0755) < 0 && errno != EEXIST)
			return err_sys(err, -errno, "make the container's %s directory", names[i]);
		if (owner && fchownat(r->dir, names[i], owner, owner, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, -errno, "give the container's %s directory to user %u", names[i], owner);
	}
	return 0;
}

int tree_open(const struct store *s, const struct mount_spec *m, int userns, struct err *err)
{
	bool volume = !strcmp(m->type, "volume");
	char *path = volume ? xasprintf("%s/volumes/%s/data", s->root_path, m->source) : xstrdup(m->source);
	struct mount_options o = { 0 };
	int how = 0, tree;

	mount_options_parse(m->options, &o);
	if (!volume && (o.recursive || !o.bind))
		how |= RECURSIVE;
	if (volume || (o.data.p && strstr(o.data.p, "idmap")))
		how |= IDMAP;
	tree = told(clone_tree(AT_FDCWD, path, how, userns), path, userns, err);
	buf_free(&o.data);
	free(path);
	return tree;
}

int file_open(int dirfd, const char *path, int userns, struct err *err)
{
	int tree = clone_tree(dirfd, path, 0, userns);

	return tree < 0 ? err_sys(err, tree, "open %s", path) : tree;
}
