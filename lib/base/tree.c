#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_below(int fd, dev_t dev, int depth);

/* Removes one entry; a directory on another device is somebody's mount and stays. */
static int remove_entry(int dirfd, const char *name, dev_t dev, int depth)
{
	struct stat st;
	int fd, r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || (dev && st.st_dev != dev)) {
		close(fd);
		return -EXDEV;
	}
	r = remove_below(fd, st.st_dev, depth + 1);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT && !r)
		r = -errno;
	return r;
}

/* Empties the directory FD, which is closed. Deeper than PATH_MAX allows names to be, nobody made by accident. */
static int remove_below(int fd, dev_t dev, int depth)
{
	DIR *d;
	struct dirent *e;
	int first = 0;

	if (depth > 2048 || !(d = fdopendir(fd))) {
		close(fd);
		return -ELOOP;
	}
	while ((e = readdir(d))) {
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = remove_entry(dirfd(d), e->d_name, dev, depth);
		if (r < 0 && !first)
			first = r;
	}
	closedir(d);
	return first;
}

int tree_remove(int dirfd, const char *path)
{
	return remove_entry(dirfd, path, 0, 0);
}
