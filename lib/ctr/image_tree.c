#include "ctr/image_tree.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/userns.h"
#include "sys/fsimage.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DIGITS 64 /* an image's id */

static void close_all(int *fds, int n)
{
	while (n)
		if (fds[--n] >= 0)
			close(fds[n]);
	free(fds);
}

/* Its layers, uppermost first as overlay wants them, and room for one more. */
static int open_layers(int store, const struct image *img, int **out, struct err *err)
{
	int *lower, n = 0;

	if (!img->layers.n)
		return err_msg(err, -EINVAL, "the image has no layers");
	lower = xcalloc(img->layers.n + 1, sizeof *lower);
	for (size_t i = img->layers.n; i--;) {
		int fd = lower[n++] = layer_open(store, img->layers.v[i]);

		if (fd < 0) {
			close_all(lower, n);
			return err_sys(err, fd, "layer %.12s", img->layers.v[i]);
		}
	}
	*out = lower;
	return n;
}

int image_tree_open(int store, const struct image *img, struct err *err)
{
	int *lower, n = open_layers(store, img, &lower, err), fd;

	if (n < 0)
		return n;
	if (n > 1) {
		fd = overlay_open(NULL, lower, n, -1, -1, !ns_user_first(), err);
	} else {
		fd = lower[0];
		lower[0] = -1;
	}
	close_all(lower, n);
	return fd;
}

/* The mount's source tells for how long which image is in use: the kernel forgets it with the mount. An empty layer goes below, since
 * overlay takes no fewer than two. */
static int open_noted(const struct store *s, const struct image *img, struct err *err)
{
	int *lower, n = open_layers(s->root, img, &lower, err), fd;
	char *source = xasprintf("ctrbox-%s:%s", s->tag, img->id);

	if (n > 0 && (mkdirat(s->run, "empty", 0555) == 0 || errno == EEXIST)) {
		fd = dir_open(s->run, "empty");
		if (fd >= 0)
			lower[n++] = fd;
	}
	fd = n;
	if (n > 0) {
		fd = overlay_open(source, lower, n, -1, -1, false, err);
		if (fd == -ENODEV && img->layers.n == 1) /* nobody notes it then */
			fd = sys_open_tree(lower[0], "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		close_all(lower, n);
	}
	free(source);
	return fd;
}

static int mount_on(int fd, const char *dir, struct err *err)
{
	int on = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	if (on < 0)
		return err_sys(err, -errno, "%s", dir);
	r = mount_attach_flags(fd, on, MS_RDONLY | MS_NOSUID | MS_NODEV, 0, false);
	close(on);
	return r < 0 ? err_sys(err, r, "mount on %s", dir) : 0;
}

static int mount_and_close(int fd, const char *dir, struct err *err)
{
	int r = fd < 0 ? fd : mount_on(fd, dir, err);

	if (fd >= 0)
		close(fd);
	return r;
}

int image_tree_mount(const struct store *s, const struct image *img, const char *dir, struct err *err)
{
	return mount_and_close(open_noted(s, img, err), dir, err);
}

int image_tree_mount_file(const char *path, const char *dir, struct err *err)
{
	int fd = fsimage_open(path, err);

	return fd < 0 ? (err_prefix(err, "%s", path), fd) : mount_and_close(fd, dir, err);
}

int image_tree_mounted(const struct store *s, struct strs *ids, struct err *err)
{
	char *mark = xasprintf(" - overlay ctrbox-%s:", s->tag);
	size_t n = strlen(mark);
	struct buf b = { 0 };
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", &b, 1 << 26);

	for (const char *at = r < 0 ? NULL : b.p; at && (at = strstr(at, mark)); at += n)
		if (strspn(at + n, "0123456789abcdef") == DIGITS)
			strs_fmt(ids, "%.*s", DIGITS, at + n);
	buf_free(&b);
	free(mark);
	return r < 0 ? err_sys(err, r, "read /proc/self/mountinfo") : 0;
}
