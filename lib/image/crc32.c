#include "image/crc32.h"

#include <string.h>

/* Eight bytes at a time: table[k] is a byte's CRC after k more zero bytes. Filled at first use. */
static uint32_t table[8][256];
static bool fast; /* the processor helps: to ask it again and again costs much in a virtual machine */

static void prepare(void)
{
	fast = crc32_cpu_has();
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
		table[0][i] = c;
	}
	for (int i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
}

/* Processors without a crc32_*.c of their own have these two. */
__attribute__((weak)) bool crc32_cpu_has(void)
{
	return false;
}

__attribute__((weak)) uint32_t crc32_cpu_blocks(uint32_t crc, const unsigned char *p, size_t n)
{
	return crc32_plain(crc, p, 64 * n);
}

__attribute__((optimize("O2"))) uint32_t crc32_plain(uint32_t c, const unsigned char *p, size_t len)
{
	for (; len >= 8; len -= 8, p += 8) {
		uint32_t a = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

		c = table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^ table[5][a >> 16 & 0xff] ^ table[4][a >> 24] ^
		    table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	}
	while (len--)
		c = c >> 8 ^ table[0][(c ^ *p++) & 0xff];
	return c;
}

uint32_t crc32_add(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t c = ~crc;

	if (!table[0][1])
		prepare();
	if (len >= 256 && fast) {
		c = crc32_cpu_blocks(c, p, len / 64);
		p += len & ~(size_t)63;
		len &= 63;
	}
	return ~crc32_plain(c, p, len);
}
