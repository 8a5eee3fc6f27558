#include "base/folder.h"
#include "base/clock.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether NAME in FOLDER still is what FD is open on: it may have been removed before it was locked. */
static bool still_there(int folder, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(folder, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

int folder_lock(int folder, const char *name, int how)
{
	return folder_wait(folder, name, how == LOCK_SH ? how : how | LOCK_NB);
}

int folder_wait(int folder, const char *name, int how)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, how) < 0)
		rc = -errno;
	else if (!still_there(folder, name, fd))
		rc = -ENOENT;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int folder_tmp(int folder, char name[TMP_NAME])
{
	int fd;

	do {
		memcpy(name, TMP_PREFIX, sizeof TMP_PREFIX);
		random_hex(name + sizeof TMP_PREFIX - 1, 16);
		if (mkdirat(folder, name, 0700) < 0)
			fd = -errno;
		else
			fd = folder_lock(folder, name, LOCK_EX);
		/* a sweep may have found it before it was locked */
	} while (fd == -EEXIST || fd == -ENOENT || fd == -EWOULDBLOCK);
	return fd;
}

int folder_remove(int folder, const char *name)
{
	char tmp[TMP_NAME] = TMP_PREFIX;

	if (starts_with(name, TMP_PREFIX))
		return tree_remove(folder, name);
	random_hex(tmp + sizeof TMP_PREFIX - 1, 16);
	if (renameat(folder, name, folder, tmp) < 0)
		return -errno;
	return tree_remove(folder, tmp);
}

/* A directory whose maker is gone, or a file or symlink that wasn't renamed. */
static bool sweep(int folder, const char *name)
{
	int lock = folder_lock(folder, name, LOCK_EX);
	bool gone;

	if (lock == -ENOTDIR || lock == -ELOOP)
		return unlinkat(folder, name, 0) == 0;
	if (lock < 0)
		return false;
	gone = folder_remove(folder, name) == 0;
	close(lock);
	return gone;
}

void folder_sweep(int folder, const char *what, struct strs *removed)
{
	int fd = dir_open(folder, ".");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (starts_with(e->d_name, TMP_PREFIX) && sweep(folder, e->d_name) && removed)
			strs_fmt(removed, "%s %s", what, e->d_name);
	if (d)
		closedir(d);
}
