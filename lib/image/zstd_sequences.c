#include "image/zstd_block.h"

#include "image/match.h"

#include <string.h>

#pragma GCC optimize("O2")

enum { PREDEFINED, RLE, DESCRIBED, REPEATED };

#define SAFE_BITS 56              /* that are there after a refill */
#define STATE_BITS 26             /* that the three states take at most */

/* Each kind of number: its alphabet and what its tables may be (3.1.1.3.2.2). */
static const struct kind {
	unsigned char symbols, max_log, log, n;
	signed char counts[53];
} kinds[KINDS] = {
	[LITERAL_LENGTHS] = { 36, 9, 6, 36, { 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1 } },
	[OFFSETS] = { 32, 8, 5, 29, { 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1 } },
	[MATCH_LENGTHS] = { 53, 9, 6, 53, { 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1 } },
};

/* Extra bits of the lengths' last codes; those before are the lengths themselves. */
static const unsigned char literal_extra[] = { 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static const unsigned char match_extra[] = { 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* What symbol stands for what, as states without a next one. An offset's value of 0 to 2 is one of the repeated ones. */
static void alphabet(unsigned kind, struct fse symbols[53])
{
	const unsigned char *extra = kind == LITERAL_LENGTHS ? literal_extra : match_extra;
	unsigned n = kinds[kind].symbols, plain = kind == LITERAL_LENGTHS ? 16 : 32, value = kind == MATCH_LENGTHS ? 3 : 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned bits = kind == OFFSETS ? i : i < plain ? 0 : extra[i - plain];

		symbols[i].extra = (uint8_t)bits;
		symbols[i].value = kind == OFFSETS ? (i < 2 ? i : (1u << i) - 3) : value;
		value += 1u << bits;
	}
}

static const char *described(struct fse_counts *counts, unsigned mode, const struct kind *k, struct span *in)
{
	if (mode == DESCRIBED)
		return fse_read(counts, in, k->max_log, k->symbols);
	counts->log = k->log;
	counts->n = k->n;
	for (unsigned i = 0; i < k->n; i++)
		counts->of[i] = k->counts[i];
	return NULL;
}

static const char *read_table(struct zstd_block *b, unsigned kind, unsigned mode, struct span *in)
{
	struct fse symbols[53], *table = b->table[kind];
	const struct kind *k = &kinds[kind];
	struct fse_counts counts;
	const char *wrong;

	if (mode == REPEATED)
		return b->log[kind] < 0 ? "a table that isn't there is to be used again" : NULL;
	b->log[kind] = -1;
	alphabet(kind, symbols);
	if (mode == RLE) {
		if (in->p >= in->end || *in->p >= k->symbols)
			return "a table's only symbol";
		table[0] = (struct fse){ .extra = symbols[*in->p].extra, .value = symbols[*in->p].value };
		in->p++;
		b->log[kind] = 0;
		return NULL;
	}
	wrong = described(&counts, mode, k, in);
	if (wrong)
		return wrong;
	fse_build(table, &counts);
	for (unsigned i = 0; i < 1u << counts.log; i++) {
		table[i].extra = symbols[table[i].value].extra;
		table[i].value = symbols[table[i].value].value;
	}
	b->log[kind] = (int)counts.log;
	return NULL;
}

/* A match that begins in what the ring's last round left. */
static bool copy_old(const struct zstd_out *o, unsigned char *to, size_t distance, size_t len)
{
	size_t here = (size_t)(to - o->base), before = distance - here, n = before < len ? before : len;

	if (distance > o->window || before > o->old)
		return false;
	memmove(to, o->base + o->old - before, n);
	if (n < len)
		copy_match(to + n, here + n, len - n);
	return true;
}

/* The stream of states and extra bits: the next bits are the highest of `bits` but for the `used` ones. */
struct reader {
	uint64_t bits;
	unsigned used;            /* of the 64 from p on */
	const unsigned char *p;
};

static inline void refill(struct reader *r)
{
	r->p -= r->used >> 3;
	r->used &= 7;
	r->bits = load64(r->p);
}

static inline unsigned take(struct reader *r, unsigned n)
{
	unsigned v = (unsigned)(r->bits << r->used >> 1 >> (~n & 63));

	r->used += n;
	return v;
}

/* The distance that VALUE, one of the first few, stands for (3.1.1.5). */
static inline uint32_t repeated(uint32_t repeat[3], uint32_t value)
{
	uint32_t distance = value == 3 ? repeat[0] - 1 : repeat[value];

	repeat[2] = value > 1 ? repeat[1] : repeat[2];
	repeat[1] = value ? repeat[0] : repeat[1];
	return repeat[0] = distance;
}

/* Where a sequence's bytes come from and go to. */
struct place {
	unsigned char *out, *end, *base;
	const unsigned char *lit, *lit_end;
};

static inline const char *put(struct place *at, size_t literal, size_t match, size_t distance, const struct zstd_out *o)
{
	if (literal > (size_t)(at->lit_end - at->lit) || literal + match > (size_t)(at->end - at->out))
		return "a sequence that is too long";
	copy16(at->out, at->lit);
	if (literal > 16)
		copy_wide(at->out + 16, at->lit + 16, literal - 16);
	at->out += literal;
	at->lit += literal;
	if (distance - 1 < (size_t)(at->out - at->base))
		copy_match(at->out, distance, match);
	else if (!distance || !copy_old(o, at->out, distance, match))
		return "a reference to before the window";
	at->out += match;
	return NULL;
}

/* N sequences from IN; what of LITERALS they leave is left there. */
static const char *execute(struct zstd_block *b, size_t n, struct span in, struct span *literals, struct zstd_out *o)
{
	const struct fse *const lengths = b->table[LITERAL_LENGTHS], *const offsets = b->table[OFFSETS], *const matches = b->table[MATCH_LENGTHS];
	struct reader r = { load64(in.end - 8), mark_bits(in.end[-1]), in.end - 8 };
	struct place at = { o->at, o->at + o->room, o->base, literals->p, literals->end };
	unsigned sl = take(&r, (unsigned)b->log[LITERAL_LENGTHS]), so = take(&r, (unsigned)b->log[OFFSETS]), sm = take(&r, (unsigned)b->log[MATCH_LENGTHS]);
	uint32_t repeat[3] = { b->repeat[0], b->repeat[1], b->repeat[2] };
	const char *wrong;

	do {
		const struct fse l = lengths[sl], m = matches[sm], f = offsets[so];
		size_t literal, match, distance;

		refill(&r);
		if (r.p < in.p - 8)
			return "the sequences end too early";
		if (f.extra > 1) {
			distance = f.value + take(&r, f.extra);
			repeat[2] = repeat[1];
			repeat[1] = repeat[0];
			repeat[0] = (uint32_t)distance;
		} else {
			distance = repeated(repeat, f.value + take(&r, f.extra) + !l.value);
		}
		match = m.value + take(&r, m.extra);
		if (__builtin_expect(f.extra + m.extra + l.extra > SAFE_BITS - STATE_BITS, 0))
			refill(&r);
		literal = l.value + take(&r, l.extra);
		if (--n) {
			sl = l.next + take(&r, l.bits);
			sm = m.next + take(&r, m.bits);
			so = f.next + take(&r, f.bits);
		}
		wrong = put(&at, literal, match, distance, o);
	} while (n && !wrong);
	if (!wrong && 8 * (r.p - in.p) + 64 != (ptrdiff_t)r.used)
		return "the sequences don't end where they should";
	memcpy(b->repeat, repeat, sizeof repeat);
	literals->p = at.lit;
	o->room -= (size_t)(at.out - o->at);
	o->at = at.out;
	return wrong;
}

/* How many sequences follow, and how their three tables are made. */
static const char *sequences_header(struct zstd_block *b, struct span *in, size_t *n)
{
	uint64_t v = load64(in->p);
	unsigned first = v & 255, bytes = first < 128 ? 1 : first < 255 ? 2 : 3;
	const char *wrong = NULL;

	if ((size_t)(in->end - in->p) < bytes + (first > 0))
		return "the number of sequences";
	*n = bytes == 1 ? first : bytes == 2 ? (first - 128) << 8 | (v >> 8 & 255) : (v >> 8 & 0xffff) + 0x7f00;
	in->p += bytes;
	if (!*n)
		return in->p == in->end ? NULL : "bytes after the literals";
	v = *in->p++;
	if (v & 3)
		return "the sequences' tables";
	for (unsigned kind = 0; kind < KINDS && !wrong; kind++)
		wrong = read_table(b, kind, v >> (6 - 2 * kind) & 3, in);
	return wrong;
}

const char *zstd_sequences(struct zstd_block *b, struct span *in, struct span literals, struct zstd_out *out)
{
	size_t n = 0, rest;
	const char *wrong = sequences_header(b, in, &n);

	if (!wrong && n)
		wrong = in->p < in->end && in->end[-1] ? execute(b, n, *in, &literals, out) : "the sequences' end";
	if (wrong)
		return wrong;
	rest = (size_t)(literals.end - literals.p);
	if (rest > out->room)
		return "too many literals";
	memcpy(out->at, literals.p, rest);
	out->at += rest;
	out->room -= rest;
	in->p = in->end;
	return NULL;
}
