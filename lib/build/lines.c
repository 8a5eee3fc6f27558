#include "build/lines.h"

#include "image/words.h"

#include <string.h>

bool lines_next(struct lines *in, const char **s, size_t *n)
{
	const char *newline = memchr(in->p, '\n', (size_t)(in->end - in->p));

	if (in->p == in->end)
		return false;
	*s = in->p;
	*n = (size_t)((newline ? newline : in->end) - in->p);
	in->p = newline ? newline + 1 : in->end;
	in->line++;
	return true;
}

/* Whether the line goes on: N becomes its length without the escape. Two escapes are one that is meant. */
static bool goes_on(const char *s, size_t *n, char escape)
{
	size_t end = *n;

	while (end && strchr(" \t", s[end - 1]))
		end--;
	if (!end || s[end - 1] != escape || (end > 1 && s[end - 2] == escape))
		return false;
	*n = end - 1;
	return true;
}

/* Neither blank nor a comment. */
static bool says_something(const char *s, size_t n)
{
	while (n && strchr(WORDS_BLANKS, *s))
		s++, n--;
	return n && *s != '#';
}

bool lines_joined(struct lines *in, char escape, struct buf *out)
{
	bool more = true, any = false;
	const char *s;
	size_t n;

	out->len = 0;
	buf_str(out, "");
	while (more && lines_next(in, &s, &n)) {
		while (n && s[n - 1] == '\r')
			n--;
		more = any;
		any = true;
		if (!says_something(s, n))
			continue;
		more = goes_on(s, &n, escape);
		buf_add(out, s, n);
	}
	return any;
}
