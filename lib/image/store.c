#include "image/store.h"
#include "image/sha256.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MAX (4 << 20)

int store_folder(int store, const char *path, struct err *err)
{
	int fd = dir_open(store, path);

	if (fd == -ENOENT) {
		fd = dir_make_all(store, path, 0700);
		if (fd == 0)
			fd = dir_open(store, path);
	}
	return fd < 0 ? err_sys(err, fd, "%s", path) : fd;
}

int store_images_lock(int store, int how, struct err *err)
{
	int folder = how == LOCK_SH ? store_folder(store, IMAGES, err) : dir_open(store, IMAGES), r = 0;

	while (folder >= 0 && (r = flock(folder, how) < 0 ? -errno : 0) == -EINTR)
		;
	if (r < 0) {
		close(folder);
		folder = r;
	}
	return folder < 0 && folder != -ENOENT ? err_sys(err, folder, "lock the images") : folder;
}

int store_list(int store, const char *path, struct strs *out)
{
	return dir_names(store, path, NULL, out);
}

void store_name_file(const char *name, char out[256])
{
	snprintf(out, 256, "%s", name);
	for (char *p = out; *p; p++)
		if (*p == '/')
			*p = '%';
}

void store_name_of_file(char *file)
{
	for (char *p = file; *p; p++)
		if (*p == '%')
			*p = '/';
}

int store_name_id(int store, const char *name, char id[65])
{
	char file[256], path[sizeof NAMES + sizeof file], link[80];
	ssize_t n;

	store_name_file(name, file);
	snprintf(path, sizeof path, NAMES "/%s", file);
	n = readlinkat(store, path, link, sizeof link - 1);
	if (n < 0)
		return -errno;
	link[n] = 0;
	if (!starts_with(link, "../") || !sha256_is_hex(link + 3))
		return -ENOENT;
	memcpy(id, link + 3, 65);
	return 0;
}

int store_config(int store, const char *id, struct buf *text, struct err *err)
{
	char path[sizeof IMAGES + 80];
	int rc;

	snprintf(path, sizeof path, IMAGES "/%s/config.json", id);
	buf_str(text, "");
	rc = file_read(store, path, text, CONFIG_MAX);
	return rc < 0 ? err_sys(err, rc, "%s", path) : 0;
}

int store_image(int store, const char *id, struct image *out, struct err *err)
{
	struct buf text = { 0 };
	int rc = store_config(store, id, &text, err);

	if (rc == 0 && (rc = image_config_read(text.p, text.len, out, err)) < 0)
		err_prefix(err, IMAGES "/%s/config.json", id);
	buf_free(&text);
	if (rc == 0)
		memcpy(out->id, id, sizeof out->id);
	return rc;
}

int store_names_of(int store, const char *id, struct strs *names, struct err *err)
{
	struct strs all = { 0 };
	char of[65];
	int rc = store_list(store, NAMES, &all);

	for (size_t i = 0; i < all.n && file_is_known(rc); i++) {
		store_name_of_file(all.v[i]);
		rc = store_name_id(store, all.v[i], of);
		if (rc == 0 && strcmp(of, id) == 0)
			strs_add(names, all.v[i]);
	}
	strs_free(&all);
	return file_is_known(rc) ? 0 : err_sys(err, rc, "read the images' names");
}
