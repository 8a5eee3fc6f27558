#include "image/inflate.h"
#include "image/inflate_codes.h"
#include "image/load.h"
#include "image/match.h"

#include <errno.h>
#include <string.h>

#pragma GCC optimize("O2")

#define NEAR_END 16               /* input bytes that one step of decoding may look at */
#define STEP_OUT 320              /* output bytes that one step may write: three literals, a match of 258, 31 too many */

void inflate_init(struct inflate *z, struct source *from)
{
	memset(z, 0, offsetof(struct inflate, in));
	z->from = from;
	z->out_pos = z->out_start = INFLATE_HISTORY;
	z->block = BLOCK_NONE;
}

void inflate_start(struct inflate *z)
{
	z->bits = z->nbits = 0;
	z->out_start = z->out_pos;
	z->block = BLOCK_NEXT;
	z->last = false;
}

int64_t inflate_offset(const struct inflate *z)
{
	return z->in_offset + (int64_t)z->in_pos - z->nbits / 8;
}

static int corrupt(const struct inflate *z, struct err *err, const char *what)
{
	return err_msg(err, -EINVAL, "gzip: corrupt at byte %lld: %s", (long long)inflate_offset(z), what);
}

int inflate_truncated(const struct inflate *z, struct err *err)
{
	return err_msg(err, -EINVAL, "gzip: truncated: it ends at byte %lld", (long long)(z->in_offset + (int64_t)z->in_end));
}

/* Reads until there are N bytes or the source is at its end, which zeros follow then. The bytes that `bits` still holds stay,
 * since to_byte() goes back to them. */
static int fill(struct inflate *z, size_t n, struct err *err)
{
	size_t keep = z->nbits / 8 < z->in_pos ? z->nbits / 8 : z->in_pos;

	if (z->in_end - z->in_pos >= n || z->in_eof)
		return 0;
	z->in_offset += (int64_t)(z->in_pos - keep);
	z->in_end -= z->in_pos - keep;
	memmove(z->in, z->in + z->in_pos - keep, z->in_end);
	z->in_pos = keep;
	while (z->in_end < keep + n && !z->in_eof) {
		ssize_t got = z->from->read(z->from, z->in + z->in_end, INFLATE_IN - z->in_end, err);

		if (got < 0)
			return (int)got;
		z->in_eof = got == 0;
		z->in_end += (size_t)got;
	}
	memset(z->in + z->in_end, 0, INFLATE_SLACK);
	return 0;
}

int inflate_bytes(struct inflate *z, size_t n, struct err *err)
{
	int rc = fill(z, n, err);

	return rc < 0 ? rc : z->in_end - z->in_pos >= n;
}

/* To at least 56 bits, without a branch: the bits above nbits may be there already, and are the same. */
#define REFILL(BITS, NBITS, P) \
	do { \
		BITS |= load64(P) << (NBITS); \
		P += (63 - (NBITS)) >> 3; \
		NBITS |= 56; \
	} while (0)

/* Bits that were used although the input had ended before them. */
static bool overrun(const struct inflate *z)
{
	return z->in_pos > z->in_end + z->nbits / 8;
}

static int need_bits(struct inflate *z, struct err *err)
{
	const unsigned char *p;
	int rc;

	if (overrun(z))
		return inflate_truncated(z, err);
	rc = fill(z, NEAR_END, err);
	if (rc < 0)
		return rc;
	p = z->in + z->in_pos;
	REFILL(z->bits, z->nbits, p);
	z->in_pos = (size_t)(p - z->in);
	return 0;
}

static unsigned take_bits(struct inflate *z, unsigned n)
{
	unsigned v = (unsigned)(z->bits & ((1u << n) - 1));

	z->bits >>= n;
	z->nbits -= n;
	return v;
}

static void fixed_codes(struct inflate *z)
{
	unsigned char lens[288];

	for (unsigned i = 0; i < 288; i++)
		lens[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	inflate_build(z->litlen, LITLEN_ENTRIES, LITLEN_BITS, lens, 288, inflate_litlen);
	memset(lens, 5, 32);
	inflate_build(z->dist, DIST_ENTRIES, DIST_BITS, lens, 32, inflate_dist);
}

/* The code lengths of a dynamic block, themselves coded with TABLE. */
static int read_lengths(struct inflate *z, const uint32_t *table, unsigned char *lens, unsigned n, struct err *err)
{
	for (unsigned i = 0; i < n;) {
		uint32_t e;
		unsigned sym, repeat = 1;
		int rc = need_bits(z, err);

		if (rc < 0)
			return rc;
		e = table[z->bits & ((1u << PRECODE_BITS) - 1)];
		if (e & ODD)
			return corrupt(z, err, "bad code lengths");
		take_bits(z, e & 0xff);
		sym = VALUE(e);
		if (sym == 16)
			repeat = 3 + take_bits(z, 2);
		else if (sym == 17)
			repeat = 3 + take_bits(z, 3);
		else if (sym == 18)
			repeat = 11 + take_bits(z, 7);
		if (repeat > n - i || (sym == 16 && !i))
			return corrupt(z, err, "bad code lengths");
		memset(lens + i, sym < 16 ? (int)sym : sym == 16 ? lens[i - 1] : 0, repeat);
		i += repeat;
	}
	return 0;
}

static int dynamic_codes(struct inflate *z, struct err *err)
{
	static const unsigned char order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	unsigned char lens[288 + 32] = { 0 };
	uint32_t table[1 << PRECODE_BITS];
	unsigned nlit = 257 + take_bits(z, 5), ndist = 1 + take_bits(z, 5), n = 4 + take_bits(z, 4);
	int rc = 0;

	for (unsigned i = 0; i < n && rc == 0; i++) {
		rc = need_bits(z, err);
		lens[order[i]] = (unsigned char)take_bits(z, 3);
	}
	if (rc < 0)
		return rc;
	if (!inflate_build(table, 1 << PRECODE_BITS, PRECODE_BITS, lens, 19, inflate_plain))
		return corrupt(z, err, "bad code lengths");
	memset(lens, 0, sizeof lens);
	rc = read_lengths(z, table, lens, nlit + ndist, err);
	if (rc < 0)
		return rc;
	if (!lens[256] || !inflate_build(z->litlen, LITLEN_ENTRIES, LITLEN_BITS, lens, nlit, inflate_litlen) ||
	    !inflate_build(z->dist, DIST_ENTRIES, DIST_BITS, lens + nlit, ndist, inflate_dist))
		return corrupt(z, err, "bad codes");
	return 0;
}

static void to_byte(struct inflate *z)
{
	take_bits(z, z->nbits % 8);
	z->in_pos -= z->nbits / 8;
	z->bits = z->nbits = 0;
}

static int stored_header(struct inflate *z, struct err *err)
{
	const unsigned char *p;
	int rc;

	to_byte(z);
	rc = inflate_bytes(z, 4, err);
	if (rc <= 0)
		return rc < 0 ? rc : inflate_truncated(z, err);
	p = z->in + z->in_pos;
	z->stored = p[0] | (unsigned)p[1] << 8;
	if ((z->stored ^ 0xffff) != (p[2] | (unsigned)p[3] << 8))
		return corrupt(z, err, "bad length of a stored block");
	z->in_pos += 4;
	z->block = BLOCK_STORED;
	return 0;
}

static int block_header(struct inflate *z, struct err *err)
{
	unsigned type;
	int rc = need_bits(z, err);

	if (rc < 0)
		return rc;
	z->last = take_bits(z, 1);
	type = take_bits(z, 2);
	if (overrun(z))
		return inflate_truncated(z, err);
	if (type == 0)
		return stored_header(z, err);
	if (type == 3)
		return corrupt(z, err, "no such type of block");
	if (type == 1)
		fixed_codes(z);
	else
		rc = dynamic_codes(z, err);
	z->block = BLOCK_CODED;
	return rc;
}

static int stored_block(struct inflate *z, struct err *err)
{
	size_t room = INFLATE_HISTORY + INFLATE_OUT - z->out_pos, n;
	int rc = z->stored ? inflate_bytes(z, 1, err) : 1;

	if (rc <= 0)
		return rc < 0 ? rc : inflate_truncated(z, err);
	n = z->in_end - z->in_pos;
	n = n < z->stored ? n : z->stored;
	n = n < room ? n : room;
	memcpy(z->out + z->out_pos, z->in + z->in_pos, n);
	z->out_pos += n;
	z->in_pos += n;
	z->stored -= (unsigned)n;
	if (!z->stored)
		z->block = z->last ? BLOCK_NONE : BLOCK_NEXT;
	return 0;
}

/* Why decoding stopped. */
enum stop { STOP_ROOM, STOP_END, STOP_CODE, STOP_DISTANCE };

/* Decodes symbols while P is at most IN_LIMIT and there is room for a step's output. */
static enum stop decode(struct inflate *z, const unsigned char *in_limit)
{
	const unsigned char *p = z->in + z->in_pos;
	unsigned char *out = z->out + z->out_pos;
	unsigned char *const out_limit = z->out + INFLATE_HISTORY + INFLATE_OUT - STEP_OUT, *const start = z->out + z->out_start;
	const uint32_t *const litlen = z->litlen, *const dists = z->dist;
	uint64_t bits = z->bits, saved;
	unsigned nbits = z->nbits, len, dist;
	enum stop stop = STOP_ROOM;
	uint32_t e;

#define LOOK(TABLE, WIDTH) TABLE[bits & ((1u << (WIDTH)) - 1)]
#define USE(E) (bits >>= (unsigned char)(E), nbits -= (unsigned char)(E))
/* The value of entry E, whose bits, still in S, are its code's and then its extra ones. */
#define EXTRA(E, S) (VALUE(E) + (unsigned)(((S) & (((uint64_t)1 << (unsigned char)(E)) - 1)) >> CODE_BITS(E)))

	while (p <= in_limit && out <= out_limit) {
		REFILL(bits, nbits, p);
		e = LOOK(litlen, LITLEN_BITS);
		if (e & LITERAL) {
			USE(e);
			*out++ = (unsigned char)(e >> 16);
			e = LOOK(litlen, LITLEN_BITS);
			if (e & LITERAL) {
				USE(e);
				*out++ = (unsigned char)(e >> 16);
				e = LOOK(litlen, LITLEN_BITS);
				if (e & LITERAL) {
					USE(e);
					*out++ = (unsigned char)(e >> 16);
					continue;
				}
			}
			REFILL(bits, nbits, p);
		}
		if (e & ODD) {
			if (e & SUBTABLE) {
				USE(e);
				e = litlen[VALUE(e) + (bits & ((1u << CODE_BITS(e)) - 1))];
			}
			if (e & LITERAL) {
				USE(e);
				*out++ = (unsigned char)(e >> 16);
				continue;
			}
			if (e & ODD) {
				stop = e & END ? STOP_END : STOP_CODE;
				USE(e);
				break;
			}
		}
		saved = bits;
		USE(e);
		len = EXTRA(e, saved);
		e = LOOK(dists, DIST_BITS);
		if (e & ODD) {
			if (e & SUBTABLE) {
				USE(e);
				e = dists[VALUE(e) + (bits & ((1u << CODE_BITS(e)) - 1))];
			}
			if (e & ODD) {
				stop = STOP_CODE;
				break;
			}
		}
		saved = bits;
		USE(e);
		dist = EXTRA(e, saved);
		if (dist > (size_t)(out - start)) {
			stop = STOP_DISTANCE;
			break;
		}
		copy_match(out, dist, len);
		out += len;
	}
	z->in_pos = (size_t)(p - z->in);
	z->out_pos = (size_t)(out - z->out);
	z->bits = bits;
	z->nbits = nbits;
	return stop;
#undef LOOK
#undef USE
#undef EXTRA
}

static int coded_block(struct inflate *z, struct err *err)
{
	const unsigned char *limit;
	enum stop stop;
	int rc = 0;

	if (z->in_pos <= z->in_end)
		rc = fill(z, NEAR_END + 1, err);
	if (rc < 0)
		return rc;
	/* zeros follow the last input: a step or two into them show that it ended too early */
	limit = z->in_eof ? z->in + z->in_end + NEAR_END : z->in + z->in_end - NEAR_END;
	stop = decode(z, limit);
	if (overrun(z) || (z->in_eof && z->in + z->in_pos > limit))
		return inflate_truncated(z, err);
	if (stop == STOP_CODE)
		return corrupt(z, err, "a code that isn't one");
	if (stop == STOP_DISTANCE)
		return corrupt(z, err, "a reference to before the beginning");
	if (stop == STOP_END)
		z->block = z->last ? BLOCK_NONE : BLOCK_NEXT;
	return 0;
}

int inflate_run(struct inflate *z, struct err *err)
{
	while (z->block != BLOCK_NONE && z->out_pos <= INFLATE_HISTORY + INFLATE_OUT - STEP_OUT) {
		int rc;

		if (z->block == BLOCK_NEXT)
			rc = block_header(z, err);
		else if (z->block == BLOCK_STORED)
			rc = stored_block(z, err);
		else
			rc = coded_block(z, err);
		if (rc < 0)
			return rc;
	}
	if (z->block != BLOCK_NONE)
		return 1;
	if (overrun(z))
		return inflate_truncated(z, err);
	to_byte(z);
	return 0;
}

void inflate_slide(struct inflate *z)
{
	size_t by = z->out_pos - INFLATE_HISTORY;

	memmove(z->out, z->out + by, INFLATE_HISTORY);
	z->out_pos = INFLATE_HISTORY;
	z->out_start = z->out_start > by ? z->out_start - by : 0;
}
