#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int remove_below(int fd, dev_t dev, int depth);

/* Removes one entry; a directory on another device is somebody's mount and stays. */
static int remove_entry(int dirfd, const char *name, unsigned char type, dev_t dev, int depth)
{
	struct stat st;
	int fd, r;

	if (type != DT_DIR) {
		if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
			return 0;
		if (errno != EISDIR && errno != EPERM)
			return -errno;
	}
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

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Empties the directory FD, which is closed. Deeper than PATH_MAX allows names to be, nobody made by accident. */
static int remove_below(int fd, dev_t dev, int depth)
{
	_Alignas(struct dirent) char room[1024];
	int first = depth > 2048 ? -ELOOP : 0;
	long n;

	while (depth <= 2048 && (n = syscall(SYS_getdents64, fd, room, sizeof room)) > 0)
		for (char *at = room; at < room + n; at += ((struct dirent *)at)->d_reclen) {
			const struct dirent *e = (const struct dirent *)at;
			int r = is_dot(e->d_name) ? 0 : remove_entry(fd, e->d_name, e->d_type, dev, depth);

			if (r < 0 && !first)
				first = r;
		}
	close(fd);
	return first;
}

int tree_remove(int dirfd, const char *path)
{
	return remove_entry(dirfd, path, DT_UNKNOWN, 0, 0);
}
