#include "image/zstd_block.h"

#pragma GCC optimize("O2")

/* Bits from the lowest of each byte on. */
struct bits {
	const unsigned char *p;
	size_t at, end;
};

static unsigned peek(const struct bits *b)
{
	return (unsigned)(load64(b->p + b->at / 8) >> b->at % 8);
}

/* How many are left of LEFT + 1 values takes a whole number of bits only for the upper ones: those below `spare` take one less. */
static int read_count(struct bits *b, unsigned left)
{
	unsigned width = 32 - (unsigned)__builtin_clz(left + 1), spare = (1u << width) - 2 - left;
	unsigned v = peek(b) & ((1u << width) - 1), low = v & ((1u << (width - 1)) - 1);

	if (low < spare) {
		b->at += width - 1;
		return (int)low - 1;
	}
	b->at += width;
	return (int)(v >= 1u << (width - 1) ? v - spare : v) - 1;
}

/* After a count of none: how many more of them follow. */
static unsigned read_zeros(struct bits *b, unsigned most)
{
	unsigned zeros = 0, more = 3;

	for (; more == 3 && zeros <= most; zeros += more) {
		more = peek(b) & 3;
		b->at += 2;
	}
	return zeros;
}

const char *fse_read(struct fse_counts *c, struct span *in, unsigned max_log, unsigned symbols)
{
	struct bits b = { in->p, 4, 8 * (size_t)(in->end - in->p) };
	unsigned left;

	*c = (struct fse_counts){ .log = 5 + (peek(&(struct bits){ in->p, 0, 0 }) & 15) };
	if (!b.end || c->log > max_log)
		return "a table's size";
	for (left = 1u << c->log; left && b.at < b.end && c->n < symbols; c->n++) {
		int count = read_count(&b, left);

		c->of[c->n] = (int16_t)count;
		left -= (unsigned)(count < 0 ? 1 : count);
		if (!count)
			c->n += read_zeros(&b, symbols);
	}
	if (left || b.at > b.end || c->n > symbols)
		return "a table's description";
	in->p += (b.at + 7) / 8;
	return NULL;
}

/* Each symbol at as many states as it has counts, all over the table; the rare ones at its end. */
static void spread(struct fse *table, const struct fse_counts *c, uint16_t next[256])
{
	unsigned size = 1u << c->log, step = size / 2 + size / 8 + 3, high = size, at = 0;

	for (unsigned s = 0; s < c->n; s++) {
		next[s] = (uint16_t)c->of[s];
		if (c->of[s] < 0) {
			next[s] = 1;
			table[--high].value = s;
		}
	}
	for (unsigned s = 0; s < c->n; s++) {
		for (int i = c->of[s]; i > 0; i--) {
			table[at].value = s;
			do
				at = (at + step) & (size - 1);
			while (at >= high);
		}
	}
}

void fse_build(struct fse *table, const struct fse_counts *c)
{
	uint16_t next[256];

	spread(table, c, next);
	for (unsigned i = 0; i < 1u << c->log; i++) {
		unsigned n = next[table[i].value]++, bits = c->log - (31 - (unsigned)__builtin_clz(n));

		table[i].bits = (uint8_t)bits;
		table[i].next = (uint16_t)((n << bits) - (1u << c->log));
	}
}
