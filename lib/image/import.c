/* A root file system becomes an image: because somebody said so, or at the first use of its name. */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int apply_changes(struct image *img, const struct strs *changes, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < changes->n && rc == 0; i++)
		rc = image_change(img, changes->v[i], NULL, err);
	return rc;
}

int image_import(int store, struct source *from, struct image_import *how, struct image *out, struct err *err)
{
	char *name = NULL;
	int rc = image_name_check(how->name, &name, err), hold;

	memset(out, 0, sizeof *out);
	if (rc == 0)
		rc = apply_changes(out, &how->changes, err);
	if (rc == 0) {
		hold = layer_import(store, from, &how->layer, err);
		rc = hold < 0 ? hold : 0;
	}
	if (rc == 0) {
		strs_add(&out->layers, how->layer.diff_id);
		out->created = how->created;
		rc = image_create(store, out, name, how->comment, err);
		close(hold);
	}
	if (rc == 0)
		out->name = name;
	else
		free(name), image_free(out);
	return rc;
}

/* The tar of NAME in $CTRBOX_IMAGES: an open file, its path in PATH (malloc'ed), or -ENOENT. */
static int open_stock(const char *name, char **path)
{
	static const char *const after[] = { ".tar", ".tar.gz", ".tgz", ".tar.zst" };
	const char *dir = getenv("CTRBOX_IMAGES");
	size_t len = strlen(name), latest = sizeof ":latest" - 1;

	if (strchr(name, '/'))
		return -ENOENT; /* a name with a host or a folder was never in there */
	if (len > latest && ends_with(name, ":latest"))
		len -= latest;
	for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
		int fd;

		*path = xasprintf("%s/%.*s%s", dir && *dir ? dir : "/usr/share/ctrbox/images", (int)len, name, after[i]);
		fd = open(*path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		free(*path);
	}
	return -ENOENT;
}

/* The time of the file is the image's, so that two who do this at once make the same image. */
static int import_stock(int store, int fd, const char *path, const char *name, struct image *out, struct err *err)
{
	struct image_import how = { .layer.rootfs = true, .name = name, .comment = "ctr-image import" };
	struct fd_source from;
	struct stat st;
	int rc;

	fd_source_init(&from, fd);
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "%s", path);
	how.created = st.st_mtim.tv_sec > 0 ? st.st_mtim.tv_sec : 1;
	rc = image_import(store, &from.s, &how, out, err);
	if (rc < 0)
		err_prefix(err, "%s", path);
	return rc;
}

int image_find_or_import(int store, const char *name, struct image *out, struct err *err)
{
	char *path = NULL;
	int rc = image_find(store, name, out, err), fd;

	if (rc != -ENOENT)
		return rc;
	fd = open_stock(name, &path);
	if (fd < 0)
		return rc;
	if (err)
		err->code = 0;
	rc = import_stock(store, fd, path, name, out, err);
	free(path);
	close(fd);
	return rc;
}
