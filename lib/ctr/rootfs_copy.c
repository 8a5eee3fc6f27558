#include "ctr/rootfs_copy.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/release.h"
#include "base/userns.h"
#include "ctr/rootfs.h"
#include "image/image.h"
#include "sys/probe.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define XFS_MAGIC 0x58465342

/* File systems that hold an upper layer whatever they were made with; the others are tried. */
static bool is_known(const struct statfs *fs)
{
	return fs->f_type == EXT4_SUPER_MAGIC || fs->f_type == XFS_MAGIC || fs->f_type == BTRFS_SUPER_MAGIC;
}

const char *rootfs_needs_copy(const struct store *s)
{
	struct statfs fs;
	int fd = sys_fsopen("overlay", FSOPEN_CLOEXEC);

	if (fd == -ENODEV)
		return "this kernel has no overlay (CONFIG_OVERLAY_FS)";
	if (fd >= 0)
		close(fd);
	if (s->rootless && !kernel_since(5, 11))
		return "this kernel's overlay isn't for ordinary users (Linux 5.11)";
	if ((fstatfs(s->root, &fs) == 0 && is_known(&fs)) || probe_overlay_upper(s->root_path) != 0)
		return NULL;
	return "the store's file system can't hold an overlay's changes";
}

static int remove_marked(int layer, int into);

/* Takes away what the layers before had and a whiteout, or something that is no directory, hides. */
static int remove_entry(int layer, int into, const char *name)
{
	struct stat st, old;
	int above, below, r;

	if (fstatat(layer, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fstatat(into, name, &old, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode) || !S_ISDIR(old.st_mode))
		return tree_remove(into, name);
	above = openat(layer, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	below = openat(into, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (above < 0 || below < 0)
		r = -errno;
	else if (opaque_is(above))
		r = tree_remove(into, name);
	else
		r = remove_marked(above, below);
	if (above >= 0)
		close(above);
	if (below >= 0)
		close(below);
	return r;
}

static int remove_marked(int layer, int into)
{
	int copy = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!d)
		return -errno;
	while (!r && (errno = 0, e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = remove_entry(layer, into, e->d_name);
	r = r ? r : -errno;
	closedir(d);
	return r;
}

static int add_tree(int from, int into, struct err *err)
{
	int r = remove_marked(from, into);

	if (r < 0)
		return err_sys(err, r, "copy a layer");
	return tree_copy(&(struct tar_write){ .rootfd = from }, &(struct tar_extract){ .rootfd = into }, err);
}

static int add_layers(const struct store *s, const struct spec *spec, int into, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < spec->layers.n && !r; i++) {
		int layer = layer_open(s->root, spec->layers.v[i]);

		if (layer < 0)
			return err_sys(err, layer, "open layer %.12s", spec->layers.v[i]);
		r = add_tree(layer, into, err);
		close(layer);
	}
	return r;
}

static int add_given(const struct store *s, const struct spec *spec, int into, struct err *err)
{
	int from = rootfs_view(s, spec, false, err), r;

	if (from < 0)
		return from;
	r = add_tree(from, into, err);
	close(from);
	return r;
}

int rootfs_copy(const struct store *s, struct record *r, struct err *err)
{
	struct spec *spec = &r->spec;
	int into, code;

	if (mkdirat(r->dir, "copy", 0755) < 0)
		return err_sys(err, -errno, "make the container's copy of its image");
	into = dir_open(r->dir, "copy");
	if (into < 0)
		return err_sys(err, into, "open the container's copy of its image");
	code = spec->rootfs ? add_given(s, spec, into, err) : add_layers(s, spec, into, err);
	close(into);
	if (code < 0)
		return err_prefix(err, "copy the image"), code;
	free(spec->rootfs);
	spec->rootfs = xasprintf("%s/containers/%s/copy", s->root_path, r->id);
	spec->rootfs_overlay = false;
	return record_write_spec(r, err);
}
