#include "ctr/image_tree.h"
#include "base/userns.h"

#include "base/kernel.h"
#include "sys/mount.h"

#include <fcntl.h>
#include <stdlib.h>

int image_tree_open(int store, const struct image *img, struct err *err)
{
	int *lower, n = 0, fd = 0;

	if (!img->layers.n)
		return err_msg(err, -EINVAL, "the image has no layers");
	lower = xcalloc(img->layers.n, sizeof *lower);
	/* overlay wants the uppermost first */
	for (size_t i = img->layers.n; i-- && fd >= 0;) {
		fd = layer_open(store, img->layers.v[i]);
		if (fd < 0)
			err_sys(err, fd, "layer %.12s", img->layers.v[i]);
		else
			lower[n++] = fd;
	}
	if (fd >= 0 && n > 1)
		fd = overlay_open(lower, n, -1, -1, !ns_user_first(), err);
	while (n)
		if (lower[--n] != fd)
			close(lower[n]);
	free(lower);
	return fd;
}

/* A single layer is no mount yet. */
static int as_mount(int fd, size_t layers)
{
	int mount;

	if (layers > 1)
		return fd;
	mount = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	close(fd);
	return mount;
}

int image_tree_mount(int store, const struct image *img, const char *dir, struct err *err)
{
	int fd = image_tree_open(store, img, err), on, rc;

	if (fd < 0)
		return fd;
	on = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (on < 0) {
		rc = err_sys(err, -errno, "%s", dir);
		close(fd);
		return rc;
	}
	rc = fd = as_mount(fd, img->layers.n);
	if (rc >= 0)
		rc = mount_flags(fd, MS_RDONLY | MS_NOSUID | MS_NODEV, 0, false);
	if (rc >= 0)
		rc = mount_attach(fd, on);
	if (fd >= 0)
		close(fd);
	close(on);
	return rc < 0 ? err_sys(err, rc, "mount on %s", dir) : 0;
}
