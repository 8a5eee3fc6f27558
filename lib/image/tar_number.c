#include "image/tar_read.h"

#include <errno.h>

/* Two's complement, big-endian, after the flag bit 0x80 (0x40 is then the sign). */
static int base256(const unsigned char *p, size_t len, int64_t *out)
{
	bool negative = p[0] & 0x40;
	uint64_t v = negative ? ~(uint64_t)0x3f | (p[0] & 0x3f) : p[0] & 0x3f;

	for (size_t i = 1; i < len; i++) {
		int64_t before = (int64_t)v;

		if (before > INT64_MAX >> 8 || before < INT64_MIN >> 8)
			return -EINVAL;
		v = v << 8 | p[i];
	}
	*out = (int64_t)v;
	return 0;
}

int tar_number(const char *field, size_t len, int64_t *out)
{
	int64_t v = 0;
	size_t i = 0;

	if (field[0] & 0x80)
		return base256((const unsigned char *)field, len, out);
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
		if (v > INT64_MAX >> 3)
			return -EINVAL;
		v = v << 3 | (field[i] - '0');
	}
	for (; i < len; i++)
		if (field[i] != ' ' && field[i] != 0)
			return -EINVAL;
	*out = v;
	return 0;
}
