#include "image/inflate_codes.h"

#pragma GCC optimize("O2")

static unsigned reverse(unsigned code, unsigned len)
{
	unsigned r = 0;

	for (; len--; code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

uint32_t inflate_litlen(unsigned sym)
{
	unsigned i = sym - 257, extra = i < 8 || i == 28 ? 0 : (i >> 2) - 1;

	if (sym < 256)
		return LITERAL | sym << 16;
	if (sym == 256)
		return END;
	if (sym > 285)
		return INVALID;
	return (i == 28 ? 258 : 3 + (i < 8 ? i : (4 + (i & 3)) << extra)) << 16 | extra;
}

uint32_t inflate_dist(unsigned sym)
{
	unsigned extra = sym < 4 ? 0 : (sym >> 1) - 1;

	if (sym > 29)
		return INVALID;
	return (1 + (sym < 4 ? sym : (2 + (sym & 1)) << extra)) << 16 | extra;
}

uint32_t inflate_plain(unsigned sym)
{
	return sym << 16;
}

/* Bits that a subtable needs when the codes of LEN bits are the next to be given out. */
static unsigned subtable_bits(const unsigned short count[CODE_MAX + 1], unsigned len, unsigned root)
{
	int left = 1 << (len - root);

	for (;;) {
		left -= count[len];
		if (left <= 0 || len == CODE_MAX)
			return len - root;
		len++;
		left <<= 1;
	}
}

struct builder {
	uint32_t *table;
	unsigned root, next;              /* next free entry */
	unsigned sub, sub_bits, prefix;   /* the subtable that is being filled, and whose it is */
	unsigned short count[CODE_MAX + 1];  /* codes of each length that haven't been given out */
};

static void build_add(struct builder *b, unsigned code, unsigned len, uint32_t entry)
{
	unsigned r = reverse(code, len), prefix = r & ((1u << b->root) - 1);
	uint32_t *to = b->table;
	unsigned size = 1u << b->root, used = len;

	if (len > b->root) {
		used = len - b->root;
		if (prefix != b->prefix || !b->sub) {
			b->prefix = prefix;
			b->sub_bits = subtable_bits(b->count, len, b->root);
			b->sub = b->next;
			b->next += 1u << b->sub_bits;
			b->table[prefix] = b->sub << 16 | SUBTABLE | b->sub_bits << 8 | b->root;
		}
		to += b->sub;
		size = 1u << b->sub_bits;
		r >>= b->root;
	}
	entry += used | used << 8;
	for (; r < size; r += 1u << used)
		to[r] = entry;
}

bool inflate_build(uint32_t *table, size_t entries, unsigned root, const unsigned char *lens, unsigned n, uint32_t (*entry_of)(unsigned))
{
	struct builder b = { .table = table, .root = root, .next = 1u << root };
	unsigned short sorted[288], first[CODE_MAX + 2] = { 0 };
	unsigned code = 0;
	int left = 1;

	for (unsigned i = 0; i < n; i++)
		b.count[lens[i]]++;
	for (unsigned len = 1; len <= CODE_MAX; len++) {
		left = 2 * left - b.count[len];
		if (left < 0)
			return false;
	}
	if (left && !(n - b.count[0] == 0 || (n - b.count[0] == 1 && b.count[1] == 1)))
		return false;
	for (size_t i = 0; left && i < entries; i++)
		table[i] = INVALID;
	for (unsigned len = 1; len <= CODE_MAX; len++)
		first[len + 1] = first[len] + b.count[len];
	for (unsigned i = 0; i < n; i++)
		if (lens[i])
			sorted[first[lens[i]]++] = (unsigned short)i;
	for (unsigned len = 1, i = 0; len <= CODE_MAX; len++, code <<= 1)
		for (; b.count[len]; b.count[len]--, i++)
			build_add(&b, code++, len, entry_of(sorted[i]));
	return true;
}
