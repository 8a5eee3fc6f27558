#include "image/xxh64.h"

#include "image/load.h"

#include <string.h>

#pragma GCC optimize("O2")

#define STRIPE 32
#define P1 0x9e3779b185ebca87u
#define P2 0xc2b2ae3d27d4eb4fu
#define P3 0x165667b19e3779f9u
#define P4 0x85ebca77c2b2ae63u
#define P5 0x27d4eb2f165667c5u

static inline uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static inline uint64_t mixed(uint64_t lane, uint64_t v)
{
	return rotate(lane + v * P2, 31) * P1;
}

void xxh64_init(struct xxh64 *x)
{
	*x = (struct xxh64){ .lane = { P1 + P2, P2, 0, -P1 } };
}

static void stripes(struct xxh64 *x, const unsigned char *p, size_t n)
{
	uint64_t a = x->lane[0], b = x->lane[1], c = x->lane[2], d = x->lane[3];

	for (; n; n--, p += STRIPE) {
		a = mixed(a, load64(p));
		b = mixed(b, load64(p + 8));
		c = mixed(c, load64(p + 16));
		d = mixed(d, load64(p + 24));
	}
	memcpy(x->lane, (uint64_t[4]){ a, b, c, d }, sizeof x->lane);
}

void xxh64_add(struct xxh64 *x, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t have = x->bytes % STRIPE, n = STRIPE - have;

	x->bytes += len;
	if (have) {
		n = n < len ? n : len;
		memcpy(x->rest + have, p, n);
		p += n;
		len -= n;
		if (have + n < STRIPE)
			return;
		stripes(x, x->rest, 1);
	}
	stripes(x, p, len / STRIPE);
	memcpy(x->rest, p + len / STRIPE * STRIPE, len % STRIPE);
}

uint64_t xxh64_end(const struct xxh64 *x)
{
	const uint64_t *l = x->lane;
	const unsigned char *p = x->rest, *end = p + x->bytes % STRIPE;
	uint64_t h = P5;

	if (x->bytes >= STRIPE) {
		h = rotate(l[0], 1) + rotate(l[1], 7) + rotate(l[2], 12) + rotate(l[3], 18);
		for (int i = 0; i < 4; i++)
			h = (h ^ mixed(0, l[i])) * P1 + P4;
	}
	h += x->bytes;
	for (; end - p >= 8; p += 8)
		h = rotate(h ^ mixed(0, load64(p)), 27) * P1 + P4;
	for (; end - p >= 4; p += 4)
		h = rotate(h ^ load32(p) * P1, 23) * P2 + P3;
	for (; p < end; p++)
		h = rotate(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}
