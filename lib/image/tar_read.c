#include "image/tar_read.h"

#include "image/tar_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_AHEAD (256 * 1024)

void tar_reader_init(struct tar_reader *r, struct source *from)
{
	memset(r, 0, sizeof *r);
	r->from = from;
	r->data = xmalloc(READ_AHEAD);
}

void tar_reader_free(struct tar_reader *r)
{
	free(r->data);
	free(r->e.xattrs);
	free(r->e.pieces);
	buf_free(&r->e.name);
	buf_free(&r->e.link);
	buf_free(&r->global);
	buf_free(&r->local);
}

int tar_blame(const struct tar_reader *r, struct err *err)
{
	if (r->e.name.len)
		return err_prefix(err, "offset %lld: %.300s", (long long)r->e.offset, r->e.name.p);
	return err_prefix(err, "offset %lld", (long long)r->e.offset);
}

/* Reads more behind what is there. The count, 0 at the end, -errno. */
static ssize_t fill(struct tar_reader *r, struct err *err)
{
	ssize_t n;

	memmove(r->data, r->data + r->pos, r->end - r->pos);
	r->end -= r->pos;
	r->pos = 0;
	n = r->from->read(r->from, r->data + r->end, READ_AHEAD - r->end, err);
	if (n > 0)
		r->end += (size_t)n;
	return n;
}

static void take(struct tar_reader *r, size_t n)
{
	if (r->index)
		tar_index_bytes(r->index, r->data + r->pos, n);
	r->pos += n;
	r->offset += (int64_t)n;
}

static int truncated(struct tar_reader *r, struct err *err)
{
	return err_msg(err, -EINVAL, "truncated: the archive ends at byte %lld", (long long)(r->offset + (int64_t)(r->end - r->pos)));
}

int tar_block(struct tar_reader *r, const char **block, struct err *err)
{
	while (r->end - r->pos < TAR_BLOCK) {
		ssize_t n = fill(r, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return r->end == r->pos ? 0 : truncated(r, err);
	}
	*block = r->data + r->pos;
	take(r, TAR_BLOCK);
	return 1;
}

/* Up to MAX bytes where they lie; 0 only where an archive without an end mark lacks its last padding too. */
static ssize_t some(struct tar_reader *r, int64_t max, const char **data, struct err *err)
{
	size_t n;

	if (r->pos == r->end) {
		ssize_t rc = fill(r, err);

		if (rc <= 0)
			return rc < 0 || (r->unended && !r->left) ? rc : truncated(r, err);
	}
	n = r->end - r->pos;
	if ((int64_t)n > max)
		n = (size_t)max;
	*data = r->data + r->pos;
	take(r, n);
	return (ssize_t)n;
}

ssize_t tar_content(struct tar_reader *r, int64_t max, const char **data, struct err *err)
{
	ssize_t n;

	if (!r->left)
		return 0;
	n = some(r, max < r->left ? max : r->left, data, err);
	if (n > 0)
		r->left -= n;
	return n;
}

static int skip_content(struct tar_reader *r, struct err *err)
{
	const char *data;
	ssize_t n;

	while (r->left || r->padding) {
		int64_t *from = r->left ? &r->left : &r->padding;

		n = some(r, *from, &data, err);
		if (n < 0)
			return (int)n;
		*from -= n ? n : *from;
	}
	return 0;
}

int tar_drain(struct tar_reader *r, struct err *err)
{
	ssize_t n;

	do {
		take(r, r->end - r->pos);
		n = fill(r, err);
	} while (n > 0);
	return (int)n;
}

/* The sum of the header's bytes, its own field counted as blanks; some old tars summed signed bytes. */
static bool sum_holds(const struct tar_header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	int64_t want, sum = 0, high = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++) {
		sum += p[i];
		high += p[i] >> 7;
	}
	for (size_t i = 0; i < sizeof h->sum; i++) {
		unsigned char c = (unsigned char)h->sum[i];

		sum += ' ' - c;
		high -= c >> 7;
	}
	return tar_number(h->sum, sizeof h->sum, &want) == 0 && (want == sum || want == sum - 256 * high);
}

static bool is_zero(const char *block)
{
	return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

/* Appends the current entry's whole content to OUT. */
static int read_text(struct tar_reader *r, struct buf *out, struct err *err)
{
	if (r->left > TAR_PAX_MAX - (int64_t)out->len)
		return err_msg(err, -E2BIG, "extended header of %lld bytes", (long long)r->left);
	buf_str(out, "");
	while (r->left) {
		const char *data;
		ssize_t n = tar_content(r, r->left, &data, err);

		if (n < 0)
			return (int)n;
		buf_add(out, data, (size_t)n);
	}
	return 0;
}

/* GNU's 'L' and 'K': the next entry's name or link, NUL-terminated. */
static int read_long(struct tar_reader *r, struct buf *out, struct err *err)
{
	int rc;

	out->len = 0;
	rc = read_text(r, out, err);
	if (rc == 0 && out->len)
		out->len = strlen(out->p);
	return rc;
}

static int id_field(const char *field, uint32_t *out)
{
	int64_t v;

	if (tar_number(field, 8, &v) < 0 || v < 0 || v >= UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}

static void name_field(struct buf *out, const struct tar_header *h)
{
	out->len = 0;
	/* GNU's magic is "ustar  ": times stand where the prefix would */
	if (memcmp(h->magic, "ustar", 6) == 0 && h->prefix[0]) {
		size_t room = memcmp(h->rest + 8, "tar", 4) == 0 ? 131 : sizeof h->prefix; /* star's own */

		buf_add(out, h->prefix, strnlen(h->prefix, room));
		buf_char(out, '/');
	}
	buf_add(out, h->name, strnlen(h->name, sizeof h->name));
}

static int plain_fields(struct tar_entry *e, const struct tar_header *h)
{
	int64_t mode;

	if (tar_number(h->mode, 8, &mode) < 0 || id_field(h->uid, &e->uid) < 0 || id_field(h->gid, &e->gid) < 0 ||
	    tar_number(h->mtime, 12, &e->mtime) < 0)
		return -EINVAL;
	e->mode = mode & 07777;
	e->mtime_ns = 0;
	e->major = e->minor = 0;
	if ((h->type == '3' || h->type == '4') && (id_field(h->major, &e->major) < 0 || id_field(h->minor, &e->minor) < 0))
		return -EINVAL;
	return 0;
}

/* Old spellings become today's; what has no content has size 0, whatever its header says. */
static int type_settle(struct tar_entry *e, struct err *err)
{
	if (e->type == 0 || e->type == '7' || e->type == 'S')
		e->type = '0';
	if (e->type == '0' && e->name.len && e->name.p[e->name.len - 1] == '/')
		e->type = '5';
	if (e->type == 'D')
		e->type = '5'; /* GNU's incremental: a directory, with a list of names as content */
	else if (e->type >= '1' && e->type <= '6')
		e->size = 0;
	else if (e->type != '0')
		return err_msg(err, -ENOTSUP, "entries of type '%c' are not supported", e->type > ' ' && e->type < 127 ? e->type : '?');
	return 0;
}

static int settle_sparse(struct tar_reader *r, struct err *err)
{
	struct tar_entry *e = &r->e;
	int rc = 0;

	if (!e->sparse)
		return 0;
	if (!e->npieces && e->size)
		rc = tar_sparse_map(r, err);
	if (rc == 0 && tar_sparse_check(e) < 0)
		rc = err_msg(err, -EINVAL, "bad table of a sparse file");
	return rc;
}

/* Everything said about the entry whose own header is H; LONG_NAME and LONG_LINK: GNU's said it before. */
static int entry_settle(struct tar_reader *r, const struct tar_header *h, bool long_name, bool long_link, struct err *err)
{
	struct tar_entry *e = &r->e;
	int rc = 0;

	if (!long_name)
		name_field(&e->name, h);
	if (!long_link) {
		e->link.len = 0;
		buf_add(&e->link, h->link, strnlen(h->link, sizeof h->link));
	}
	e->type = h->type;
	e->size = r->left;
	if (plain_fields(e, h) < 0)
		return err_msg(err, -EINVAL, "bad number in a header");
	if (h->type == 'S')
		rc = tar_sparse_old(r, (const char *)h, err);
	if (rc == 0 && r->global.len)
		rc = tar_pax_apply(e, &r->global, err);
	if (rc == 0 && r->local.len)
		rc = tar_pax_apply(e, &r->local, err);
	if (rc == 0)
		rc = type_settle(e, err);
	if (rc < 0)
		return rc;
	if (e->name.len > TAR_NAME_MAX || e->link.len > TAR_NAME_MAX)
		return err_msg(err, -ENAMETOOLONG, "a name of %zu bytes", e->name.len > e->link.len ? e->name.len : e->link.len);
	r->left = e->size;
	r->padding = -e->size & (TAR_BLOCK - 1);
	return settle_sparse(r, err);
}

/* A block that should be a header: checked, its size taken as what follows. */
static int header_check(struct tar_reader *r, const struct tar_header *h, struct err *err)
{
	if (!sum_holds(h))
		return r->is_tar ? err_msg(err, -EINVAL, "garbled: a header's checksum is wrong") : err_msg(err, -EINVAL, "not a tar archive");
	r->is_tar = true;
	if (tar_number(h->size, 12, &r->left) < 0 || r->left < 0)
		return err_msg(err, -EINVAL, "bad size in a header");
	r->padding = -r->left & (TAR_BLOCK - 1);
	return 0;
}

static int end_of_source(struct tar_reader *r, struct err *err)
{
	if (r->offset == 0)
		return err_msg(err, -EINVAL, "empty input");
	return err_msg(err, -EINVAL, "truncated: the archive ends at byte %lld, without an end mark", (long long)r->offset);
}

static void entry_reset(struct tar_reader *r)
{
	struct tar_entry *e = &r->e;

	e->name.len = e->link.len = 0;
	e->nxattrs = e->npieces = 0;
	e->sparse = e->sparse_name = false;
	e->real_size = 0;
	e->offset = r->offset;
	r->local.len = 0;
}

static int next(struct tar_reader *r, struct err *err)
{
	bool long_name = false, long_link = false;

	for (;;) {
		struct tar_header h;
		const char *block;
		int rc = tar_block(r, &block, err);

		if (rc <= 0)
			return rc < 0 || (r->unended && r->is_tar) ? rc : end_of_source(r, err);
		if (is_zero(block))
			return 0;
		memcpy(&h, block, sizeof h);
		rc = header_check(r, &h, err);
		if (rc == 0 && (h.type == 'x' || h.type == 'X'))
			rc = read_text(r, &r->local, err);
		else if (rc == 0 && h.type == 'g')
			rc = read_text(r, &r->global, err);
		else if (rc == 0 && h.type == 'L')
			rc = read_long(r, &r->e.name, err), long_name = true;
		else if (rc == 0 && h.type == 'K')
			rc = read_long(r, &r->e.link, err), long_link = true;
		else if (rc == 0 && h.type != 'V') /* a volume's label says nothing */
			return (rc = entry_settle(r, &h, long_name, long_link, err)) < 0 ? rc : 1;
		if (rc == 0)
			rc = skip_content(r, err);
		if (rc < 0)
			return rc;
	}
}

int tar_next(struct tar_reader *r, struct err *err)
{
	int rc = skip_content(r, err);

	if (rc == 0) {
		entry_reset(r);
		rc = next(r, err);
	}
	if (rc < 0 && r->offset)
		tar_blame(r, err);
	return rc;
}
