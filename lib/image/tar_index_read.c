#include "image/tar_index.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/path.h"
#include "image/load.h"
#include "image/tar_read.h"
#include "image/tar_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL 8                    /* the archive's length */

struct replay {
	int tree, replaced;
	const unsigned char *p, *end;
	int64_t left;                 /* bytes of the archive to come */
	struct tar_out out;
	struct buf path;              /* of the last file with content, and its descriptor */
	uint64_t inode;
	int fd;
	tar_index_kinds last;
};

static int damaged(struct err *err)
{
	return err_msg(err, -EINVAL, "its %s is damaged", TAR_INDEX_FILE);
}

static uint64_t number(struct replay *r)
{
	uint64_t v = 0;

	for (int shift = 0; r->p < r->end && shift < 64; shift += 7) {
		unsigned char c = *r->p++;

		v |= (uint64_t)(c & 127) << shift;
		if (c < 128)
			return v;
	}
	r->p = r->end; /* the next token is missing then */
	return 0;
}

/* N bytes of the index as they are, or NULL. */
static const void *bytes(struct replay *r, uint64_t n)
{
	const void *p = r->p;

	if (n > (uint64_t)(r->end - r->p))
		return NULL;
	r->p += n;
	return p;
}

static bool fits(struct replay *r, uint64_t len)
{
	if (len > (uint64_t)r->left)
		return false;
	r->left -= (int64_t)len;
	return true;
}

static int replay_block(struct replay *r, uint64_t len, struct err *err)
{
	const unsigned char *kind = bytes(r, 1), *differ;
	unsigned char *last;

	if (!kind || len > TAR_INDEX_UNIT || !fits(r, len))
		return damaged(err);
	last = r->last[*kind];
	for (uint64_t at = 0, n; at < len; at += n) {
		n = number(r);
		if (n > len - at)
			return damaged(err);
		at += n;
		n = number(r);
		differ = n > len - at ? NULL : bytes(r, n);
		if (!differ || r->p == r->end)
			return damaged(err);
		memcpy(last + at, differ, n);
	}
	return tar_out_add(&r->out, last, len, err);
}

static int open_file(struct replay *r, struct err *err)
{
	char kept[24];

	if (r->fd >= 0)
		close(r->fd);
	sprintf(kept, "%llu", (unsigned long long)r->inode);
	r->fd = r->replaced < 0 ? -1 : openat(r->replaced, kept, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (r->fd < 0)
		r->fd = path_open(r->tree, r->path.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	return r->fd < 0 ? err_sys(err, r->fd, "%.300s", r->path.p) : 0;
}

static int copy(struct replay *r, int64_t at, int64_t len, struct err *err)
{
	struct tar_out *o = &r->out;
	int rc = 0;

	while (len && rc == 0) {
		size_t room = TAR_OUT - o->len;
		ssize_t n = pread(r->fd, o->data + o->len, (int64_t)room < len ? room : (size_t)len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, -errno, "%.300s: read", r->path.p);
		if (n == 0)
			return err_msg(err, -EINVAL, "%.300s is shorter than it was", r->path.p);
		o->len += (size_t)n;
		at += n;
		len -= n;
		if (o->len == TAR_OUT)
			rc = tar_out_flush(o, err);
	}
	return rc;
}

static int replay_content(struct replay *r, struct err *err)
{
	uint64_t shared = number(r), more = number(r), step, at, len;
	const char *path = bytes(r, more);
	bool same;
	int rc = 0;

	if (!path || shared > r->path.len || more > TAR_NAME_MAX)
		return damaged(err);
	same = shared == r->path.len && !more && r->fd >= 0;
	r->path.len = shared;
	buf_add(&r->path, path, more);
	step = number(r);
	step = step >> 1 ^ -(step & 1);
	at = number(r);
	len = number(r);
	if (r->p == r->end || !fits(r, len) || at > INT64_MAX - len)
		return damaged(err);
	r->inode += step;
	if (!same || step)
		rc = open_file(r, err);
	return rc == 0 ? copy(r, (int64_t)at, (int64_t)len, err) : rc;
}

static int replay_zeros(struct replay *r, struct err *err)
{
	uint64_t len = number(r);

	return fits(r, len) ? tar_out_zeros(&r->out, (int64_t)len, err) : damaged(err);
}

static int replay_all(struct replay *r, struct err *err)
{
	int rc = 0;

	while (rc == 0 && r->p < r->end) {
		switch (*r->p++) {
		case TAR_INDEX_END: return r->p == r->end && !r->left ? tar_out_flush(&r->out, err) : damaged(err);
		case TAR_INDEX_BLOCK: rc = replay_block(r, TAR_INDEX_UNIT, err); break;
		case TAR_INDEX_PART: rc = replay_block(r, number(r), err); break;
		case TAR_INDEX_ZEROS: rc = replay_zeros(r, err); break;
		case TAR_INDEX_CONTENT: rc = replay_content(r, err); break;
		default: return damaged(err);
		}
	}
	return rc ? rc : damaged(err);
}

int64_t tar_index_length(int dir)
{
	int fd = openat(dir, TAR_INDEX_FILE, O_RDONLY | O_CLOEXEC);
	unsigned char tail[TAIL];
	struct stat st;
	int64_t n = fd < 0 ? -errno : -EINVAL;

	if (fd < 0)
		return n;
	if (fstat(fd, &st) == 0 && st.st_size > TAIL && pread(fd, tail, TAIL, st.st_size - TAIL) == TAIL)
		n = (int64_t)load64(tail);
	close(fd);
	return n < 0 ? -EINVAL : n;
}

/* The whole index in memory, as the kernel has it: SIZE bytes. */
static const unsigned char *map(int dir, size_t *size)
{
	int fd = openat(dir, TAR_INDEX_FILE, O_RDONLY | O_CLOEXEC);
	void *p = MAP_FAILED;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > (off_t)(TAR_INDEX_MAGIC_LEN + TAIL)) {
		*size = (size_t)st.st_size;
		p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

int tar_index_replay(int dir, int tree, struct sink *to, struct err *err)
{
	size_t size = 0;
	const unsigned char *index = map(dir, &size);
	struct replay *r;
	int rc;

	if (!index)
		return damaged(err);
	r = xcalloc(1, sizeof *r);
	r->tree = tree;
	r->replaced = dir_open(dir, TAR_INDEX_REPLACED);
	r->fd = -1;
	r->p = index + TAR_INDEX_MAGIC_LEN;
	r->end = index + size - TAIL;
	r->left = (int64_t)load64(r->end);
	r->out = (struct tar_out){ to, xmalloc(TAR_OUT), 0 };
	buf_str(&r->path, "");
	rc = memcmp(index, TAR_INDEX_MAGIC, TAR_INDEX_MAGIC_LEN) || r->left < 0 ? damaged(err) : replay_all(r, err);
	if (r->fd >= 0)
		close(r->fd);
	if (r->replaced >= 0)
		close(r->replaced);
	buf_free(&r->path);
	free(r->out.data);
	free(r);
	munmap((void *)index, size);
	return rc;
}
