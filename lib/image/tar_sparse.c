/* GNU's sparse files: GNU tar manual, "Storing Sparse Files". */
#include "image/tar_read.h"

#include <errno.h>
#include <string.h>

enum { OLD_TABLE = 386, OLD_MORE = 482, OLD_REAL_SIZE = 483, NEXT_MORE = 504 };

int tar_piece_add(struct tar_entry *e, int64_t at, int64_t len)
{
	if (e->npieces == TAR_SPARSE_MAX)
		return -E2BIG;
	if ((e->npieces & (e->npieces - 1)) == 0)
		e->pieces = xrealloc(e->pieces, (e->npieces ? 2 * e->npieces : 1) * sizeof *e->pieces);
	e->pieces[e->npieces++] = (struct tar_piece){ at, len };
	return 0;
}

int tar_sparse_check(const struct tar_entry *e)
{
	int64_t end = 0, content = e->size;

	for (size_t i = 0; i < e->npieces; i++) {
		const struct tar_piece *p = &e->pieces[i];

		if (p->at < end || p->len < 0 || p->len > content || p->at > e->real_size - p->len)
			return -EINVAL;
		end = p->at + p->len;
		content -= p->len;
	}
	return content == 0 ? 0 : -EINVAL;
}

/* COUNT pairs of 12-byte numbers; one that begins with NUL ends the table. */
static int old_table(struct tar_entry *e, const char *p, int count)
{
	for (int64_t at, len; count-- && *p; p += 24)
		if (tar_number(p, 12, &at) < 0 || tar_number(p + 12, 12, &len) < 0 || tar_piece_add(e, at, len) < 0)
			return -EINVAL;
	return 0;
}

int tar_sparse_old(struct tar_reader *r, const char *header, struct err *err)
{
	struct tar_entry *e = &r->e;
	bool more = header[OLD_MORE];
	int rc = tar_number(header + OLD_REAL_SIZE, 12, &e->real_size);

	e->sparse = true;
	if (rc == 0)
		rc = old_table(e, header + OLD_TABLE, 4);
	while (rc == 0 && more) {
		const char *block;

		rc = tar_block(r, &block, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return err_msg(err, -EINVAL, "truncated in a sparse file's table");
		more = block[NEXT_MORE];
		rc = old_table(e, block, 21);
	}
	return rc < 0 ? err_msg(err, rc, "bad table of a sparse file") : 0;
}

/* The next decimal number of the table, a line each; BLOCK and *POS move on. */
static int map_number(struct tar_reader *r, const char **block, int *pos, int64_t *out, struct err *err)
{
	int64_t v = 0;

	for (int digits = 0;; digits++) {
		int rc = 1;
		char c;

		if (*pos == TAR_BLOCK) {
			if (r->left < TAR_BLOCK)
				return -EINVAL;
			rc = tar_block(r, block, err);
			r->left -= TAR_BLOCK;
			r->e.size -= TAR_BLOCK;
			*pos = 0;
		}
		if (rc <= 0)
			return rc ? rc : -EINVAL;
		c = (*block)[(*pos)++];
		if (c == '\n' && digits) {
			*out = v;
			return 0;
		}
		if (c < '0' || c > '9' || digits == 18)
			return -EINVAL;
		v = v * 10 + (c - '0');
	}
}

int tar_sparse_map(struct tar_reader *r, struct err *err)
{
	const char *block = NULL;
	int pos = TAR_BLOCK;
	int64_t n, at, len;
	int rc = map_number(r, &block, &pos, &n, err);

	for (; rc == 0 && n; n--) {
		rc = map_number(r, &block, &pos, &at, err);
		if (rc == 0)
			rc = map_number(r, &block, &pos, &len, err);
		if (rc == 0)
			rc = tar_piece_add(&r->e, at, len);
	}
	return rc < 0 && !(err && err->code) ? err_msg(err, rc, "bad table of a sparse file") : rc;
}
