#include "image/tar_index.h"

#include "base/buf.h"
#include "base/file.h"
#include "image/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH (64 << 10)
#define UNIT TAR_INDEX_UNIT
#define SHORT_RUN 3               /* equal bytes that cost less among the different ones */

struct tar_index {
	int dir, fd, replaced;        /* REPLACED -1: nothing was yet */
	int failed;                   /* the first -errno */
	int64_t offset;               /* in the archive */
	int64_t content;              /* bytes of the archive to come that a file has */
	int64_t zeros;                /* bytes not written yet */
	size_t have;                  /* in `part` */
	uint64_t inode;               /* of the last content, and its path */
	struct buf path, out;
	unsigned char part[UNIT];     /* up to the archive's next block boundary */
	tar_index_kinds last;
};

int tar_index_begin(struct tar_index **out, int dir, struct err *err)
{
	int fd = openat(dir, TAR_INDEX_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct tar_index *x;

	if (fd < 0)
		return err_sys(err, -errno, "create %s", TAR_INDEX_FILE);
	*out = x = xcalloc(1, sizeof *x);
	x->dir = dir;
	x->fd = fd;
	x->replaced = -1;
	buf_str(&x->out, TAR_INDEX_MAGIC);
	return 0;
}

static void fail(struct tar_index *x, int rc)
{
	if (rc < 0 && !x->failed)
		x->failed = rc;
}

static void flush(struct tar_index *x)
{
	if (!x->failed)
		fail(x, write_all(x->fd, x->out.p, x->out.len));
	x->out.len = 0;
}

static void put_number(struct tar_index *x, uint64_t v)
{
	for (; v > 127; v >>= 7)
		buf_char(&x->out, (char)(v | 128));
	buf_char(&x->out, (char)v);
}

/* Begins another token. */
static void token(struct tar_index *x, char kind)
{
	if (x->out.len > FLUSH)
		flush(x);
	if (x->zeros) {
		buf_char(&x->out, TAR_INDEX_ZEROS);
		put_number(x, (uint64_t)x->zeros);
		x->zeros = 0;
	}
	buf_char(&x->out, kind);
}

static size_t equal(const unsigned char *a, const unsigned char *b, size_t len)
{
	size_t n = 0;

	while (n + 8 <= len && load64(a + n) == load64(b + n))
		n += 8;
	while (n < len && a[n] == b[n])
		n++;
	return n;
}

static size_t different(const unsigned char *a, const unsigned char *b, size_t len)
{
	size_t n = 0, same = 0;

	while (n < len && same < SHORT_RUN) {
		same = a[n] == b[n] ? same + 1 : 0;
		n++;
	}
	return n - same;
}

/* LEN bytes that end at a block's end, or where content or the archive's end follows. */
static void put_block(struct tar_index *x, const unsigned char *p, size_t len)
{
	unsigned char kind = len > TAR_INDEX_KIND ? p[TAR_INDEX_KIND] : 0, *last = x->last[kind];

	if (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0) {
		x->zeros += (int64_t)len;
		return;
	}
	token(x, len == UNIT ? TAR_INDEX_BLOCK : TAR_INDEX_PART);
	if (len != UNIT)
		put_number(x, len);
	buf_char(&x->out, (char)kind);
	for (size_t at = 0, n; at < len; at += n) {
		n = equal(p + at, last + at, len - at);
		put_number(x, n);
		at += n;
		n = different(p + at, last + at, len - at);
		put_number(x, n);
		buf_add(&x->out, p + at, n);
	}
	memcpy(last, p, len);
}

static void put_part(struct tar_index *x)
{
	if (x->have)
		put_block(x, x->part, x->have);
	x->have = 0;
}

void tar_index_bytes(struct tar_index *x, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t n = (int64_t)len < x->content ? len : (size_t)x->content;

	x->content -= (int64_t)n;
	x->offset += (int64_t)n;
	for (p += n, len -= n; len; p += n, len -= n) {
		n = UNIT - (size_t)(x->offset & (UNIT - 1));
		n = n < len ? n : len;
		x->offset += (int64_t)n;
		if (n == UNIT) {
			put_block(x, p, n);
			continue;
		}
		memcpy(x->part + x->have, p, n);
		x->have += n;
		if (!(x->offset & (UNIT - 1)))
			put_part(x);
	}
}

void tar_index_content(struct tar_index *x, int fd, const char *path, int64_t at, int64_t len)
{
	struct stat st = { 0 };
	size_t shared = 0, path_len = strlen(path);
	int64_t step;

	if (!len)
		return;
	if (fstat(fd, &st) < 0)
		fail(x, -errno);
	put_part(x);
	token(x, TAR_INDEX_CONTENT);
	while (shared < x->path.len && path[shared] == x->path.p[shared])
		shared++;
	put_number(x, shared);
	put_number(x, path_len - shared);
	buf_str(&x->out, path + shared);
	step = (int64_t)((uint64_t)st.st_ino - x->inode);
	put_number(x, (uint64_t)step << 1 ^ (step < 0 ? ~(uint64_t)0 : 0));
	put_number(x, (uint64_t)at);
	put_number(x, (uint64_t)len);
	x->path.len = shared;
	buf_str(&x->path, path + shared);
	x->inode = st.st_ino;
	x->content = len;
}

static int keep_file(struct tar_index *x, int parent, const char *name, ino_t inode)
{
	char to[24];

	if (x->replaced < 0) {
		if (mkdirat(x->dir, TAR_INDEX_REPLACED, 0700) < 0)
			return -errno;
		x->replaced = dir_open(x->dir, TAR_INDEX_REPLACED);
		if (x->replaced < 0)
			return x->replaced;
	}
	sprintf(to, "%llu", (unsigned long long)inode);
	return renameat(parent, name, x->replaced, to) < 0 ? -errno : 0;
}

static int keep_all(struct tar_index *x, int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!d) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (rc == 0 && (errno = 0, e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = tar_index_keep(x, dirfd(d), e->d_name);
	rc = rc ? rc : -errno;
	closedir(d);
	return rc;
}

int tar_index_keep(struct tar_index *x, int parent, const char *name)
{
	struct stat st;
	int fd;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode) && st.st_size)
		return keep_file(x, parent, name, st.st_ino);
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : keep_all(x, fd);
}

int tar_index_end(struct tar_index *x, struct err *err)
{
	int rc;

	put_part(x);
	token(x, TAR_INDEX_END);
	for (int i = 0; i < 64; i += 8)
		buf_char(&x->out, (char)(x->offset >> i));
	flush(x);
	rc = x->failed;
	close(x->fd);
	if (x->replaced >= 0)
		close(x->replaced);
	buf_free(&x->path);
	buf_free(&x->out);
	free(x);
	return rc < 0 ? err_sys(err, rc, "write %s", TAR_INDEX_FILE) : 0;
}
