#include "image/zstd_block.h"

#include <string.h>

#pragma GCC optimize("O2")

#define WEIGHT_BITS 6             /* of the table that weights are coded with, at most */
#define WEIGHT_MOST HUFFMAN_BITS
#define AT_ONCE 5                 /* codes that 56 bits hold */
#define AT_ONCE_BYTES 7           /* input that they take, at most */

/* How often each weight occurs, and the weights of N symbols. */
struct weights {
	unsigned n;
	unsigned char of[256];
};

/* Four bits each. */
static const char *plain_weights(struct weights *w, struct span *in, unsigned n)
{
	if ((size_t)(in->end - in->p) < (n + 1) / 2)
		return "Huffman weights";
	for (w->n = 0; w->n < n; w->n++)
		w->of[w->n] = w->n % 2 ? in->p[w->n / 2] & 15 : in->p[w->n / 2] >> 4;
	in->p += (n + 1) / 2;
	return NULL;
}

/* BITS of a backward stream up to bit *AT of START; there are zeros before its first. */
static unsigned back_bits(const unsigned char *start, int *at, unsigned bits)
{
	*at -= (int)bits;
	if (*at >= 0)
		return (unsigned)(load64(start + *at / 8) >> *at % 8) & ((1u << bits) - 1);
	return *at <= -(int)bits ? 0 : (unsigned)(load64(start) << -*at) & ((1u << bits) - 1);
}

/* Coded by two states in turn, until the bits are used up (4.2.1.2). */
static const char *coded_weights(struct weights *w, struct span *in, unsigned len)
{
	struct fse table[1 << WEIGHT_BITS];
	struct span own = { in->p, in->p + len };
	struct fse_counts counts;
	unsigned state[2];
	const char *wrong;
	int at;

	if ((size_t)(in->end - in->p) < len)
		return "Huffman weights";
	wrong = fse_read(&counts, &own, WEIGHT_BITS, 256);
	if (wrong)
		return wrong;
	if (own.p >= own.end || !own.end[-1])
		return "Huffman weights";
	fse_build(table, &counts);
	at = (int)(8 * (own.end - own.p)) - (int)mark_bits(own.end[-1]);
	state[0] = back_bits(own.p, &at, counts.log);
	state[1] = back_bits(own.p, &at, counts.log);
	if (at < 0)
		return "Huffman weights";
	for (w->n = 0; at >= 0 && w->n < 254; w->n++) {
		const struct fse *e = &table[state[w->n % 2]];

		w->of[w->n] = (unsigned char)e->value;
		state[w->n % 2] = e->next + back_bits(own.p, &at, e->bits);
	}
	if (at >= 0)
		return "Huffman weights";
	w->of[w->n] = (unsigned char)table[state[w->n % 2]].value;
	w->n++;
	in->p += len;
	return NULL;
}

/* The last symbol's weight isn't said: it is what the code lacks. */
static const char *complete(struct weights *w, unsigned *log)
{
	unsigned sum = 0, ones = 0, left;

	for (unsigned i = 0; i < w->n; i++) {
		if (w->of[i] > WEIGHT_MOST)
			return "a Huffman code of more than 11 bits";
		sum += 1u << w->of[i] >> 1;
	}
	if (!sum)
		return "Huffman weights";
	*log = 32 - (unsigned)__builtin_clz(sum);
	if (*log > HUFFMAN_BITS)
		return "a Huffman code of more than 11 bits";
	left = (1u << *log) - sum;
	if (left & (left - 1))
		return "Huffman weights";
	w->of[w->n++] = (unsigned char)(32 - __builtin_clz(left));
	for (unsigned i = 0; i < w->n; i++)
		ones += w->of[i] == 1;
	return ones ? NULL : "Huffman weights";
}

static void fill(uint16_t *to, uint16_t entry, unsigned n)
{
	uint64_t four = entry * 0x0001000100010001u;

	if (n < 4) {
		while (n--)
			*to++ = entry;
		return;
	}
	for (; n; n -= 4, to += 4)
		memcpy(to, &four, sizeof four);
}

/* Longest codes first, then by symbol; each as often as 11 bits begin with it. */
static void build(uint16_t *table, const struct weights *w, unsigned log)
{
	unsigned at[WEIGHT_MOST + 1] = { 0 }, count[WEIGHT_MOST + 1] = { 0 }, next = 0;

	for (unsigned i = 0; i < w->n; i++)
		count[w->of[i]]++;
	for (unsigned weight = 1; weight <= WEIGHT_MOST; weight++) {
		at[weight] = next;
		next += count[weight] << (weight - 1 + HUFFMAN_BITS - log);
	}
	for (unsigned i = 0; i < w->n; i++) {
		unsigned weight = w->of[i], n;

		if (!weight)
			continue;
		n = 1u << (weight - 1 + HUFFMAN_BITS - log);
		fill(table + at[weight], (uint16_t)(i << 8 | (log + 1 - weight)), n);
		at[weight] += n;
	}
}

const char *huffman_read(uint16_t table[HUFFMAN_SIZE], struct span *in)
{
	struct weights w;
	const char *wrong;
	unsigned head, log = 0;

	if (in->p >= in->end)
		return "Huffman weights";
	head = *in->p++;
	wrong = head < 128 ? coded_weights(&w, in, head) : plain_weights(&w, in, head - 127);
	if (!wrong)
		wrong = complete(&w, &log);
	if (!wrong)
		build(table, &w, log);
	return wrong;
}

/* A backward stream. The next bits are the highest of `bits`; below the last ones stands a one, which tells how many were used. */
struct stream {
	uint64_t bits;
	const unsigned char *p, *start;
	unsigned char *out, *end;
};

static bool begin(struct stream *s, const unsigned char *start, size_t len, unsigned char *out, size_t n)
{
	if (!len || !start[len - 1])
		return false;
	s->p = start + len - 8;
	s->start = start;
	s->bits = (load64(s->p) | 1) << mark_bits(start[len - 1]);
	s->out = out;
	s->end = out + n;
	return true;
}

#define REFILL(BITS, P) \
	do { \
		unsigned used = (unsigned)__builtin_ctzll(BITS); \
		P -= used >> 3; \
		BITS = (load64(P) | 1) << (used & 7); \
	} while (0)

#define DECODE(BITS, TO) \
	do { \
		unsigned e = table[BITS >> (64 - HUFFMAN_BITS)]; \
		BITS <<= e & 63; \
		TO = (unsigned char)(e >> 8); \
	} while (0)

/* What is left of a stream; true if it ends with its last literal. */
static bool finish(struct stream *s, const uint16_t *table)
{
	uint64_t bits = s->bits;
	const unsigned char *p = s->p;
	unsigned char *out = s->out;

	while (s->end - out >= AT_ONCE && p - s->start >= AT_ONCE_BYTES) {
		for (int i = 0; i < AT_ONCE; i++)
			DECODE(bits, *out++);
		REFILL(bits, p);
	}
	while (out < s->end && p - s->start >= -8) {
		DECODE(bits, *out++);
		REFILL(bits, p);
	}
	return out == s->end && 8 * (p - s->start) + 64 == __builtin_ctzll(bits);
}

const char *huffman_1(const uint16_t table[HUFFMAN_SIZE], struct span in, unsigned char *out, size_t n)
{
	struct stream s;

	return begin(&s, in.p, (size_t)(in.end - in.p), out, n) && finish(&s, table) ? NULL : "Huffman-coded literals";
}

/* How many times five literals can be decoded from each of the streams S without looking where they end. */
static size_t safe_rounds(const struct stream s[4])
{
	size_t rounds = (size_t)(s[3].end - s[3].out) / AT_ONCE;

	for (int i = 0; i < 4; i++) {
		size_t own = s[i].p < s[i].start ? 0 : (size_t)(s[i].p - s[i].start) / AT_ONCE_BYTES;

		rounds = own < rounds ? own : rounds;
	}
	return rounds;
}

static void four(struct stream s[4], const uint16_t *table, size_t rounds)
{
	uint64_t b0 = s[0].bits, b1 = s[1].bits, b2 = s[2].bits, b3 = s[3].bits;
	const unsigned char *p0 = s[0].p, *p1 = s[1].p, *p2 = s[2].p, *p3 = s[3].p;
	unsigned char *o0 = s[0].out, *o1 = s[1].out, *o2 = s[2].out, *o3 = s[3].out, *end = o0 + AT_ONCE * rounds;

	while (o0 < end) {
#define ONE(I) \
		DECODE(b0, o0[I]); \
		DECODE(b1, o1[I]); \
		DECODE(b2, o2[I]); \
		DECODE(b3, o3[I])
		ONE(0);
		ONE(1);
		ONE(2);
		ONE(3);
		ONE(4);
#undef ONE
		o0 += AT_ONCE, o1 += AT_ONCE, o2 += AT_ONCE, o3 += AT_ONCE;
		REFILL(b0, p0);
		REFILL(b1, p1);
		REFILL(b2, p2);
		REFILL(b3, p3);
	}
	s[0] = (struct stream){ b0, p0, s[0].start, o0, s[0].end };
	s[1] = (struct stream){ b1, p1, s[1].start, o1, s[1].end };
	s[2] = (struct stream){ b2, p2, s[2].start, o2, s[2].end };
	s[3] = (struct stream){ b3, p3, s[3].start, o3, s[3].end };
}

const char *huffman_4(const uint16_t table[HUFFMAN_SIZE], struct span in, unsigned char *out, size_t n)
{
	size_t each = (n + 3) / 4, left = (size_t)(in.end - in.p), rounds;
	const unsigned char *jump = in.p;
	struct stream s[4];

	if (n < 6 || left < 10)
		return "Huffman-coded literals";
	in.p += 6;
	left -= 6;
	for (int i = 0; i < 4; i++) {
		size_t len = i < 3 ? jump[2 * i] | (size_t)jump[2 * i + 1] << 8 : left;

		if (len > left || !begin(&s[i], in.p, len, out, i < 3 ? each : n - 3 * each))
			return "Huffman-coded literals";
		in.p += len;
		left -= len;
		out += each;
	}
	while ((rounds = safe_rounds(s)) > 0)
		four(s, table, rounds);
	for (int i = 0; i < 4; i++)
		if (!finish(&s[i], table))
			return "Huffman-coded literals";
	return NULL;
}
