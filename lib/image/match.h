/* What every descendant of LZ77 spends its time with: copying what was written a while ago. All of this may write up to 31 bytes more
 * than it is asked for. */
#ifndef IMAGE_MATCH_H
#define IMAGE_MATCH_H

#include <stddef.h>
#include <string.h>

static inline void copy16(unsigned char *to, const unsigned char *from)
{
	memcpy(to, from, 16);
}

/* LEN bytes, and up to 31 more, which FROM may overlap TO only 16 bytes or more before. */
static inline void copy_wide(unsigned char *to, const unsigned char *from, size_t len)
{
	const unsigned char *end = to + len;

	do {
		copy16(to, from);
		copy16(to + 16, from + 16);
		to += 32;
		from += 32;
	} while (to < end);
}

/* The same from less than 16 bytes back. */
void copy_near(unsigned char *to, size_t distance, size_t len);

/* LEN bytes to TO from DISTANCE before it, which may be within them. */
static inline void copy_match(unsigned char *to, size_t distance, size_t len)
{
	const unsigned char *from = to - distance;

	if (distance < 16) {
		copy_near(to, distance, len);
		return;
	}
	copy16(to, from);
	if (len > 16)
		copy_wide(to + 16, from + 16, len - 16);
}

#endif
