#include "image/pattern.h"

#include <string.h>

enum { STAR = 256, ANY };

int pattern_parse(struct pattern *p, const char *text, char escape, bool backwards)
{
	p->n = 0;
	p->backwards = backwards;
	for (; *text; text++) {
		bool plain = *text == escape && text[1];

		if (p->n == PATTERN_MAX)
			return -1;
		text += plain;
		p->v[p->n++] = !plain && *text == '*' ? STAR : !plain && *text == '?' ? ANY : (unsigned char)*text;
	}
	for (size_t i = 0; backwards && i < p->n / 2; i++) {
		unsigned short v = p->v[i];

		p->v[i] = p->v[p->n - 1 - i];
		p->v[p->n - 1 - i] = v;
	}
	return 0;
}

/* A byte of UTF-8 that begins no character. */
static bool inside(char c)
{
	return (c & 0xc0) == 0x80;
}

/* The part [a, b) of a pattern, without stars, at byte I of S: where it ends there, in *END. */
static bool part_at(const struct pattern *p, size_t a, size_t b, const char *s, size_t n, size_t i, size_t *end)
{
	for (; a < b; a++) {
		if (i == n || (p->v[a] != ANY && p->v[a] != (unsigned char)s[i]))
			return false;
		i++;
		while (p->v[a] == ANY && i < n && inside(p->backwards ? s[i - 1] : s[i]))
			i++;
	}
	*end = i;
	return true;
}

/* The first, or last, place at or behind FROM. */
static bool part_find(const struct pattern *p, size_t a, size_t b, const char *s, size_t n, size_t from, bool last, size_t *begin, size_t *end)
{
	for (size_t left = n - from + 1; left--;) {
		size_t i = last ? from + left : n - left;

		if (part_at(p, a, b, s, n, i, end)) {
			*begin = i;
			return true;
		}
	}
	return false;
}

/* Where the next star is, or the end. */
static size_t star(const struct pattern *p, size_t i)
{
	while (i < p->n && p->v[i] != STAR)
		i++;
	return i;
}

/* What is between the stars is looked for one after the other, each as early as it can be: if that doesn't do, nothing does. */
bool pattern_find(const struct pattern *p, const char *s, size_t n, bool beginning, bool longest, size_t *from, size_t *to)
{
	size_t b = star(p, 0), begin;

	*from = 0;
	if (beginning ? !part_at(p, 0, b, s, n, 0, to) : !part_find(p, 0, b, s, n, 0, false, from, to))
		return false;
	while (b < p->n) {
		size_t a = b + 1;

		b = star(p, a);
		if (!part_find(p, a, b, s, n, *to, longest && b == p->n, &begin, to))
			return false;
	}
	return true;
}
