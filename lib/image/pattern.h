/* The patterns of ${V#p} ${V%p} ${V/p/w}: * any bytes, ? one character, all else itself. No sets in brackets. */
#ifndef IMAGE_PATTERN_H
#define IMAGE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX 1000

struct pattern {
	unsigned short v[PATTERN_MAX]; /* a byte, or one of the two */
	size_t n;
	bool backwards;              /* for a text whose bytes are backwards too: so an end is found as a beginning is */
};

/* 0, or -1 for a text of more than PATTERN_MAX characters. ESCAPE before a character: that one. */
int pattern_parse(struct pattern *p, const char *text, char escape, bool backwards);

/* The first place in the N bytes of S, with BEGINNING only that at 0, where P matches: [*FROM, *TO), with LONGEST as much as can be there.
 * Takes N steps times P's length at most. */
bool pattern_find(const struct pattern *p, const char *s, size_t n, bool beginning, bool longest, size_t *from, size_t *to);

#endif
