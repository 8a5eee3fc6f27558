#include "base/file.h"
#include "base/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* faccessat(2) knows AT_SYMLINK_NOFOLLOW since Linux 5.8 only. */
bool file_there(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int file_read(int dirfd, const char *path, struct buf *out, size_t max)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r = 0;
	size_t start = out->len;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n;

		buf_reserve(out, 1024);
		n = read(fd, out->p + out->len, out->cap - out->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		out->len += (size_t)n;
		if (out->len - start > max) {
			r = -EFBIG;
			break;
		}
	}
	out->p[out->len] = 0;
	close(fd);
	return r;
}

bool file_is_known(int code)
{
	return code == 0 || code == -ENOENT || code == -EINVAL || code == -EFBIG || code == -EISDIR || code == -ENOTDIR || code == -ELOOP;
}

int file_load(int dirfd, const char *path, struct buf *b, size_t max)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	b->len = 0;
	buf_reserve(b, 8192);
	n = read(fd, b->p, b->cap - 1);
	close(fd);
	if (n < 0)
		return -errno;
	if ((size_t)n == b->cap - 1) /* there may be more */
		return file_read(dirfd, path, b, max);
	b->len = (size_t)n;
	b->p[b->len] = 0;
	return 0;
}

int file_put(int dirfd, const char *path, const char *text)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY), r = 0;
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int fill_and_close(int fd, const void *data, size_t len, enum file_sync sync)
{
	int r = write_all(fd, data, len);

	if (!r && sync == FILE_SYNCED && fsync(fd) < 0)
		r = -errno;
	if (!r && sync == FILE_ORDERED)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (close(fd) < 0 && !r)
		r = -errno;
	return r;
}

static void sync_parent(int dirfd, const char *path)
{
	char parent[4096];
	const char *slash = strrchr(path, '/');
	int fd;

	snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	fd = openat(dirfd, *parent ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode, enum file_sync sync)
{
	char temp[4096], random[9];
	int fd, r;

	random_hex(random, 8);
	if (snprintf(temp, sizeof temp, "%s.tmp-%s", path, random) >= (int)sizeof temp)
		return -ENAMETOOLONG;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fill_and_close(fd, data, len, sync);
	if (!r && renameat(dirfd, temp, dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temp, 0);
	else if (sync == FILE_SYNCED)
		sync_parent(dirfd, path);
	return r;
}

int file_overwrite(int dirfd, const char *path, struct buf *data)
{
	int fd = openat(dirfd, path, O_WRONLY | O_DSYNC | O_CLOEXEC | O_NOFOLLOW), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0)
		while (data->len < (size_t)st.st_size)
			buf_char(data, '\n');
	r = write_all(fd, data->p, data->len);
	close(fd);
	return r;
}

int dir_make_all(int dirfd, const char *path, mode_t mode)
{
	char part[4096];
	size_t n = strlen(path);

	if (n >= sizeof part)
		return -ENAMETOOLONG;
	if (mkdirat(dirfd, path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	memcpy(part, path, n + 1);
	for (char *p = part + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = 0;
		if (mkdirat(dirfd, part, mode) < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdirat(dirfd, path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int dir_open(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool is_shown(const char *name)
{
	return *name != '.';
}

int dir_make(int dirfd, const char *name, mode_t mode)
{
	mode_t mask = umask(0);
	int r = mkdirat(dirfd, name, mode);

	umask(mask);
	return r;
}

bool dir_entry(const char *name)
{
	return strcmp(name, ".") && strcmp(name, "..");
}

int dir_names(int dirfd, const char *path, bool (*takes)(const char *name), struct strs *out)
{
	int fd = dir_open(dirfd, path), r;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while (errno = 0, (e = readdir(d)))
		if ((takes ? takes : is_shown)(e->d_name))
			strs_add(out, e->d_name);
	r = -errno;
	closedir(d);
	strs_sort(out);
	return r;
}

static int lock_and_keep(int fd, int timeout_ms)
{
	int64_t end = clock_boot_ms() + timeout_ms;

	while (flock(fd, timeout_ms < 0 ? LOCK_EX : LOCK_EX | LOCK_NB) < 0) {
		int code = errno;

		if (code == EINTR)
			continue;
		if (code != EWOULDBLOCK || clock_boot_ms() >= end) {
			close(fd);
			return -code;
		}
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL); /* flock has no time-out of its own */
	}
	return fd;
}

int file_lock(int dirfd, const char *path, int timeout_ms)
{
	int fd = openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : lock_and_keep(fd, timeout_ms);
}

int dir_lock(int dirfd, const char *path, int timeout_ms)
{
	int fd = dir_open(dirfd, path);

	return fd < 0 ? fd : lock_and_keep(fd, timeout_ms);
}
