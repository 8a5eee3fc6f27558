#include "image/store.h"

#include "base/clock.h"
#include "base/file.h"
#include "image/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The image's directory made whole under another name, then renamed; the same image is there already as often as not. */
static int write_image(int folder, const char *id, const struct buf *config, struct err *err)
{
	char tmp[TMP_NAME];
	struct stat st;
	int fd, rc;

	if (fstatat(folder, id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fd = folder_tmp(folder, tmp);
	if (fd < 0)
		return err_sys(err, fd, "write the image's config");
	rc = file_replace(fd, "config.json", config->p, config->len, 0644, true);
	if (rc == 0 && renameat(folder, tmp, folder, id) < 0)
		rc = errno == EEXIST || errno == ENOTEMPTY ? 1 : -errno;
	if (rc)
		folder_remove(folder, tmp);
	close(fd);
	fsync(folder);
	return rc < 0 ? err_sys(err, rc, "write the image's config") : 0;
}

int store_link(int folder, const char *name, const char *target)
{
	char tmp[TMP_NAME] = TMP_PREFIX;
	int rc = -ENOENT;

	random_hex(tmp + sizeof TMP_PREFIX - 1, 16);
	for (int tries = 0; rc == -ENOENT && tries < 100; tries++) { /* a sweep may take it for a killed one's */
		rc = symlinkat(target, folder, tmp) == 0 && renameat(folder, tmp, folder, name) == 0 ? 0 : -errno;
		if (rc < 0)
			unlinkat(folder, tmp, 0);
	}
	return rc;
}

/* Points the canonical NAME at ID, away from where it pointed. */
static int write_name(int store, const char *name, const char *id, struct err *err)
{
	char file[256], target[80];
	int folder = store_folder(store, NAMES, err), rc;

	if (folder < 0)
		return folder;
	store_name_file(name, file);
	snprintf(target, sizeof target, "../%s", id);
	rc = store_link(folder, file, target);
	fsync(folder);
	close(folder);
	return rc < 0 ? err_sys(err, rc, "name %s", name) : 0;
}

int store_image_tag(int store, const struct image *img, const char *name, struct err *err)
{
	char *canonical = NULL, is[65];
	int rc = image_name_check(name, &canonical, err);

	if (rc == 0 && (store_name_id(store, canonical, is) < 0 || strcmp(is, img->id))) /* no write where nothing changes */
		rc = write_name(store, canonical, img->id, err);
	free(canonical);
	return rc;
}

int image_tag(int store, const struct image *img, const char *name, struct err *err)
{
	int lock = store_images_lock(store, LOCK_SH, err), rc = lock;
	struct image now = { 0 };

	if (lock >= 0)
		rc = store_image(store, img->id, &now, err); /* it may have gone meanwhile */
	if (rc == 0)
		rc = store_image_tag(store, img, name, err);
	image_free(&now);
	if (lock >= 0)
		close(lock);
	return rc;
}

int store_image_write(int store, const struct image *img, const struct buf *config, struct err *err)
{
	int folder = store_folder(store, IMAGES, err), rc;

	if (folder < 0)
		return folder;
	rc = write_image(folder, img->id, config, err);
	close(folder);
	return rc;
}

void image_flatten(struct image *img)
{
	strs_free(&img->layers);
	for (size_t i = 0; i < img->nhistory; i++)
		img->history[i].empty = true;
}

static void add_step(struct image *img, const char *created_by)
{
	img->history = xrealloc(img->history, (img->nhistory + 1) * sizeof *img->history);
	img->history[img->nhistory++] = (struct image_step){ .created_by = xstrdup(created_by), .created = img->created };
}

int image_create(int store, struct image *img, const char *name, const char *history, struct err *err)
{
	struct buf config = { 0 };
	char machine[66];
	int rc, lock;

	if (!img->created)
		img->created = clock_wall_ns() / 1000000000;
	if (!img->os)
		img->os = xstrdup("linux");
	if (!img->architecture)
		img->architecture = xstrdup(image_host_architecture(machine));
	if (history)
		add_step(img, history);
	image_config_write(img, &config);
	sha256_hex(config.p, config.len, img->id);
	rc = lock = store_images_lock(store, LOCK_SH, err);
	if (rc >= 0)
		rc = store_image_write(store, img, &config, err);
	buf_free(&config);
	if (rc == 0 && name)
		rc = store_image_tag(store, img, name, err);
	if (lock >= 0)
		close(lock);
	return rc;
}
