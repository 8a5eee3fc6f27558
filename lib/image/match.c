#include "image/match.h"

#pragma GCC optimize("O2")

/* What is repeated is doubled first, to 8 bytes and more. */
void copy_near(unsigned char *to, size_t distance, size_t len)
{
	static const unsigned char whole[8] = { 0, 8, 8, 9, 8, 10, 12, 14 }; /* the least multiple of 8 and more */
	const unsigned char *from = to - distance, *end = to + len;

	if (distance < 8) {
		for (int i = 0; i < 8; i++)
			to[i] = from[i];
		to += 8;
		from = to - whole[distance];
	}
	while (to < end) {
		memcpy(to, from, 8);
		to += 8;
		from += 8;
	}
}
