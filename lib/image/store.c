#include "image/store.h"
#include "image/sha256.h"

#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
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

/* Whether NAME in FOLDER still is what FD is open on: it may have been removed before it was locked. */
static bool still_there(int folder, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(folder, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

int store_lock(int folder, const char *name, int how)
{
	int fd = dir_open(folder, name), rc = 0;

	if (fd < 0)
		return fd;
	if (flock(fd, how | LOCK_NB) < 0)
		rc = -errno;
	else if (!still_there(folder, name, fd))
		rc = -ENOENT;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int store_tmp(int folder, char name[TMP_NAME])
{
	int fd;

	do {
		memcpy(name, TMP_PREFIX, sizeof TMP_PREFIX);
		random_hex(name + sizeof TMP_PREFIX - 1, 16);
		if (mkdirat(folder, name, 0700) < 0)
			fd = -errno;
		else
			fd = store_lock(folder, name, LOCK_EX);
		/* a sweep may have found it before it was locked */
	} while (fd == -EEXIST || fd == -ENOENT || fd == -EWOULDBLOCK);
	return fd;
}

int store_remove(int folder, const char *name)
{
	char tmp[TMP_NAME] = TMP_PREFIX;

	if (starts_with(name, TMP_PREFIX))
		return tree_remove(folder, name);
	random_hex(tmp + sizeof TMP_PREFIX - 1, 16);
	if (renameat(folder, name, folder, tmp) < 0)
		return -errno;
	return tree_remove(folder, tmp);
}

void store_sweep(int folder, const char *what, struct strs *removed)
{
	int fd = dir_open(folder, ".");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int lock;

		if (!starts_with(e->d_name, TMP_PREFIX))
			continue;
		lock = store_lock(folder, e->d_name, LOCK_EX);
		if (lock == -ENOTDIR || lock == -ELOOP) /* a symlink that wasn't renamed */
			unlinkat(folder, e->d_name, 0);
		else if (lock >= 0 && store_remove(folder, e->d_name) == 0 && removed)
			strs_fmt(removed, "%s %s", what, e->d_name);
		if (lock >= 0)
			close(lock);
	}
	if (d)
		closedir(d);
}

int store_list(int store, const char *path, struct strs *out)
{
	int fd = dir_open(store, path);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			strs_add(out, e->d_name);
	if (d)
		closedir(d);
	strs_sort(out);
	return 0;
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

int store_image(int store, const char *id, struct image *out, struct err *err)
{
	struct buf text = { 0 };
	char path[sizeof IMAGES + 80];
	int rc;

	snprintf(path, sizeof path, IMAGES "/%s/config.json", id);
	rc = file_read(store, path, &text, CONFIG_MAX);
	if (rc < 0)
		err_sys(err, rc, "%s", path);
	else if ((rc = image_config_read(text.p ? text.p : "", text.len, out, err)) < 0)
		err_prefix(err, "%s", path);
	buf_free(&text);
	if (rc == 0)
		memcpy(out->id, id, sizeof out->id);
	return rc;
}

void store_names_of(int store, const char *id, struct strs *names)
{
	struct strs all = { 0 };
	char of[65];

	store_list(store, NAMES, &all);
	for (size_t i = 0; i < all.n; i++) {
		store_name_of_file(all.v[i]);
		if (store_name_id(store, all.v[i], of) == 0 && strcmp(of, id) == 0)
			strs_add(names, all.v[i]);
	}
	strs_free(&all);
}
