#include "image/zstd.h"

#include "base/buf.h"
#include "image/xxh64.h"
#include "image/zstd_block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0xfd2fb528u
#define SKIPPED 0x184d2a50u       /* and the 15 after it */
#define IN_SIZE (192 << 10)
#define UNKNOWN UINT64_MAX

enum at { AT_FRAME, AT_BLOCK, AT_END };
enum { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED, BLOCK_RESERVED };

struct zstd {
	struct source *from;
	uint64_t max_window;
	enum at at;
	size_t in_pos, in_end;
	int64_t in_offset;            /* in the source, of in[0] */
	/* output: what lies between taken and out_pos waits to be read */
	unsigned char *ring;
	size_t ring_size, taken, out_pos;
	/* this frame */
	uint64_t content, done;       /* bytes that its header promises (or UNKNOWN), and those so far */
	size_t window, block_most;
	size_t old;                   /* end of what the last round through the ring left */
	bool checked;                 /* a checksum follows */
	struct xxh64 sum;
	struct zstd_block block;
	unsigned char *in, space[SLACK + IN_SIZE + SLACK];
};

bool zstd_is(uint32_t magic)
{
	return magic == MAGIC || (magic & ~15u) == SKIPPED;
}

struct zstd *zstd_new(struct source *from, int64_t max_window)
{
	struct zstd *z = xcalloc(1, sizeof *z);

	z->from = from;
	z->in = z->space + SLACK;
	z->max_window = (uint64_t)max_window;
	return z;
}

void zstd_free(struct zstd *z)
{
	if (z)
		free(z->ring);
	free(z);
}

static int wrong(const struct zstd *z, struct err *err, const char *what)
{
	return err_msg(err, -EINVAL, "zstd: %s at byte %lld", what, (long long)(z->in_offset + (int64_t)z->in_pos));
}

static int corrupt(const struct zstd *z, struct err *err, const unsigned char *at, const char *what)
{
	return err_msg(err, -EINVAL, "zstd: corrupt at byte %lld: %s", (long long)(z->in_offset + (at - z->in)), what);
}

/* Sees to N bytes of input being there; 0 if the source ends before any of them and MAY_END; 1. */
static int fill(struct zstd *z, size_t n, bool may_end, struct err *err)
{
	if (z->in_end - z->in_pos >= n)
		return 1;
	z->in_offset += (int64_t)z->in_pos;
	z->in_end -= z->in_pos;
	memmove(z->in, z->in + z->in_pos, z->in_end);
	z->in_pos = 0;
	while (z->in_end < n) {
		ssize_t got = z->from->read(z->from, z->in + z->in_end, IN_SIZE - z->in_end, err);

		if (got < 0)
			return (int)got;
		if (!got && !z->in_end && may_end)
			return 0;
		if (!got)
			return err_msg(err, -EINVAL, "zstd: truncated: it ends at byte %lld", (long long)(z->in_offset + (int64_t)z->in_end));
		z->in_end += (size_t)got;
	}
	return 1;
}

static int skip(struct zstd *z, struct err *err)
{
	uint64_t left = load32(z->in + z->in_pos + 4);

	z->in_pos += 8;
	while (left) {
		size_t n = left < IN_SIZE ? (size_t)left : IN_SIZE;
		int rc = fill(z, n, false, err);

		if (rc < 0)
			return rc;
		z->in_pos += n;
		left -= n;
	}
	return 0;
}

/* Room for what may be referred to and for a block behind it; less where the frame itself is smaller. */
static int make_ring(struct zstd *z, uint64_t window, struct err *err)
{
	uint64_t need = window < z->content ? window : z->content;
	unsigned long long mb = (need >> 20) + !!(need & 0xfffff);

	if (need > z->max_window || need > SIZE_MAX / 2)
		return err_msg(err, -EFBIG, "zstd: decoding needs a window of %lluM (ctr-image's --max-window %lluM grants the memory)", mb, mb);
	z->window = (size_t)need;
	z->block_most = window < BLOCK_MOST ? (size_t)window : BLOCK_MOST;
	z->old = z->out_pos = z->taken = 0;
	if (z->ring_size < z->window + BLOCK_MOST + 2 * SLACK) {
		free(z->ring);
		z->ring_size = z->window + BLOCK_MOST + 2 * SLACK;
		z->ring = xmalloc(z->ring_size);
	}
	return 0;
}

static uint64_t window_of(unsigned descriptor)
{
	uint64_t base = 1ull << (10 + (descriptor >> 3));

	return base + base / 8 * (descriptor & 7);
}

/* A frame's header behind its magic (RFC 8878, 3.1.1.1), which is P, all of it there. */
static int frame_header(struct zstd *z, const unsigned char *p, struct err *err)
{
	static const unsigned char content_len[4] = { 0, 2, 4, 8 }, dictionary_len[4] = { 0, 1, 2, 4 };
	unsigned flags = *p++, dictionary;
	bool single = flags & 0x20;
	uint64_t window = 0;
	size_t len = content_len[flags >> 6];

	if (!single)
		window = window_of(*p++);
	else if (!len)
		len = 1;
	dictionary = load32(p) & (uint32_t)((1ull << 8 * dictionary_len[flags & 3]) - 1);
	if (dictionary)
		return err_msg(err, -ENOTSUP, "zstd: it was compressed with dictionary %u, and dictionaries are not supported", dictionary);
	p += dictionary_len[flags & 3];
	z->content = !len ? UNKNOWN : len == 8 ? load64(p) : (load32(p) & (uint32_t)((1ull << 8 * len) - 1)) + (len == 2 ? 256 : 0);
	z->checked = flags & 4;
	z->done = 0;
	z->at = AT_BLOCK;
	xxh64_init(&z->sum);
	zstd_block_init(&z->block);
	return make_ring(z, single ? z->content : window, err);
}

static int frame(struct zstd *z, struct err *err)
{
	int rc = fill(z, 1, true, err);
	const unsigned char *p;
	size_t len;

	if (rc == 0)
		z->at = AT_END;
	if (rc > 0)
		rc = fill(z, 5, false, err);
	if (rc <= 0)
		return rc;
	p = z->in + z->in_pos;
	if ((load32(p) & ~15u) == SKIPPED) {
		rc = fill(z, 8, false, err);
		return rc < 0 ? rc : skip(z, err);
	}
	if (load32(p) != MAGIC || p[4] & 8)
		return wrong(z, err, "a bad header");
	len = 5 + !(p[4] & 0x20) + ((1u << (p[4] & 3)) >> 1) + (p[4] >> 6 ? 1u << (p[4] >> 6) : p[4] >> 5 & 1);
	rc = fill(z, len, false, err);
	if (rc < 0)
		return rc;
	z->in_pos += len;
	return frame_header(z, z->in + z->in_pos - len + 4, err);
}

/* The frame is over: it holds what it promised. */
static int frame_end(struct zstd *z, struct err *err)
{
	int rc;

	z->at = AT_FRAME;
	if (z->content != UNKNOWN && z->done != z->content)
		return wrong(z, err, "corrupt: less than the promised size");
	if (!z->checked)
		return 0;
	rc = fill(z, 4, false, err);
	if (rc < 0)
		return rc;
	if (load32(z->in + z->in_pos) != (uint32_t)xxh64_end(&z->sum))
		return wrong(z, err, "corrupt: the checksum is wrong");
	z->in_pos += 4;
	return 0;
}

/* LEN bytes of input, or one for LEN bytes of output, make a block of TYPE. */
static int decode(struct zstd *z, unsigned type, size_t len, struct err *err)
{
	size_t packed = type == BLOCK_RLE ? 1 : len;
	const unsigned char *p = z->in + z->in_pos;
	struct span in = { p, p + packed };
	struct zstd_out out = { z->ring, z->ring + z->out_pos, z->block_most, z->old, z->window };
	const char *what = NULL;

	if (type == BLOCK_RAW)
		memcpy(out.at, p, len);
	else if (type == BLOCK_RLE)
		memset(out.at, *p, len);
	else
		what = zstd_block_decode(&z->block, &in, &out);
	if (what)
		return corrupt(z, err, in.p, what);
	z->out_pos = type == BLOCK_COMPRESSED ? (size_t)(out.at - z->ring) : z->out_pos + len;
	z->in_pos += packed;
	return 0;
}

/* Accounts for the block that was decoded. */
static int account(struct zstd *z, struct err *err)
{
	size_t n = z->out_pos - z->taken;

	z->done += n;
	if (z->done > z->content)
		return wrong(z, err, "corrupt: more than the promised size");
	if (z->checked)
		xxh64_add(&z->sum, z->ring + z->taken, n);
	return 0;
}

static int block(struct zstd *z, struct err *err)
{
	int rc = fill(z, 3, false, err);
	unsigned head, type;
	size_t len;

	if (rc < 0)
		return rc;
	head = load32(z->in + z->in_pos) & 0xffffff;
	type = head >> 1 & 3;
	len = head >> 3;
	if (type == BLOCK_RESERVED || len > z->block_most)
		return wrong(z, err, "corrupt: a bad block");
	z->in_pos += 3;
	rc = fill(z, type == BLOCK_RLE ? 1 : len, false, err);
	if (rc < 0)
		return rc;
	if (z->ring_size - z->out_pos < BLOCK_MOST + SLACK) {
		z->old = z->out_pos;
		z->out_pos = 0;
	}
	z->taken = z->out_pos;
	rc = decode(z, type, len, err);
	if (rc == 0)
		rc = account(z, err);
	return rc < 0 || !(head & 1) ? rc : frame_end(z, err);
}

ssize_t zstd_read(struct zstd *z, void *data, size_t len, struct err *err)
{
	size_t n;

	while (z->taken == z->out_pos && z->at != AT_END) {
		int rc = z->at == AT_FRAME ? frame(z, err) : block(z, err);

		if (rc < 0)
			return rc;
	}
	n = z->out_pos - z->taken;
	n = n < len ? n : len;
	if (n)
		memcpy(data, z->ring + z->taken, n);
	z->taken += n;
	return (ssize_t)n;
}
