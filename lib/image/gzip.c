#include "image/gzip.h"

#include "image/crc32.h"
#include "image/load.h"

#include <errno.h>
#include <string.h>

enum { FLAG_CRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAG_RESERVED = 0xe0 };

void gzip_init(struct gzip *g, struct source *from)
{
	inflate_init(&g->z, from);
	g->taken = g->z.out_pos;
	g->at = GZIP_HEADER;
}

static int wrong(const struct gzip *g, struct err *err, const char *what)
{
	return err_msg(err, -EINVAL, "gzip: %s at byte %lld", what, (long long)inflate_offset(&g->z));
}

/* N bytes of a header or trailer: where they lie, or NULL (*RC tells). */
static const unsigned char *take(struct gzip *g, size_t n, int *rc, struct err *err)
{
	struct inflate *z = &g->z;

	*rc = inflate_bytes(z, n, err);
	if (*rc == 0)
		*rc = inflate_truncated(z, err);
	if (*rc < 0)
		return NULL;
	*rc = 0;
	z->in_pos += n;
	return z->in + z->in_pos - n;
}

static int skip(struct gzip *g, size_t n, struct err *err)
{
	int rc = 0;

	for (; n && take(g, 1, &rc, err); n--)
		;
	return rc;
}

static int skip_text(struct gzip *g, struct err *err)
{
	const unsigned char *p;
	int rc;

	while ((p = take(g, 1, &rc, err)) && *p)
		;
	return rc;
}

static int header(struct gzip *g, struct err *err)
{
	int rc;
	const unsigned char *p = take(g, 1, &rc, err);
	unsigned flags;

	if (!p)
		return rc;
	if (p[0] != 0x1f)
		return wrong(g, err, "a bad header");
	p = take(g, 9, &rc, err);
	if (!p)
		return rc;
	if (p[0] != 0x8b || p[1] != 8 || p[2] & FLAG_RESERVED)
		return wrong(g, err, "a bad header");
	flags = p[2];
	if (flags & FLAG_EXTRA && (p = take(g, 2, &rc, err)))
		rc = skip(g, p[0] | (size_t)p[1] << 8, err);
	if (rc == 0 && flags & FLAG_NAME)
		rc = skip_text(g, err);
	if (rc == 0 && flags & FLAG_COMMENT)
		rc = skip_text(g, err);
	if (rc == 0 && flags & FLAG_CRC)
		rc = skip(g, 2, err);
	if (rc == 0) {
		inflate_start(&g->z);
		g->crc = g->size = 0;
		g->at = GZIP_DATA;
	}
	return rc;
}

/* What follows a member: another one, zeros to the end (a tape's block was filled up), or nothing. */
static int after_member(struct gzip *g, struct err *err)
{
	struct inflate *z = &g->z;
	int rc;

	g->at = GZIP_END;
	while ((rc = inflate_bytes(z, 1, err)) > 0 && !z->in[z->in_pos])
		z->in_pos++;
	if (rc > 0)
		g->at = GZIP_HEADER;
	return rc < 0 ? rc : 0;
}

static int trailer(struct gzip *g, struct err *err)
{
	int rc;
	const unsigned char *p = take(g, 8, &rc, err);

	if (!p)
		return rc;
	if (load32(p) != g->crc || load32(p + 4) != g->size)
		return wrong(g, err, "corrupt: the checksum is wrong");
	return after_member(g, err);
}

static int more(struct gzip *g, struct err *err)
{
	struct inflate *z = &g->z;
	size_t before;
	int rc;

	if (g->at == GZIP_HEADER)
		return header(g, err);
	if (z->out_pos > INFLATE_HISTORY)
		inflate_slide(z);
	before = z->out_pos;
	rc = inflate_run(z, err);
	g->taken = before;
	g->crc = crc32_add(g->crc, z->out + before, z->out_pos - before);
	g->size += (uint32_t)(z->out_pos - before);
	return rc == 0 ? trailer(g, err) : rc < 0 ? rc : 0;
}

ssize_t gzip_read(struct gzip *g, void *data, size_t len, struct err *err)
{
	size_t n;

	while (g->taken == g->z.out_pos && g->at != GZIP_END) {
		int rc = more(g, err);

		if (rc < 0)
			return rc;
	}
	n = g->z.out_pos - g->taken;
	n = n < len ? n : len;
	memcpy(data, g->z.out + g->taken, n);
	g->taken += n;
	return (ssize_t)n;
}
