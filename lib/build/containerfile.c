#include "build/lines.h"

#include "image/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void containerfile_free(struct containerfile *c)
{
	for (size_t i = 0; i < c->n; i++)
		instruction_free(&c->v[i]);
	free(c->v);
	*c = (struct containerfile){ 0 };
}

/* Directives: comments "# KEY=VALUE" before all else. */

enum { ESCAPE, SYNTAX, CHECK, DIRECTIVES };

/* Which one LINE is, and its value; -1: none, and none follows. */
static int directive(const char *line, const char **value)
{
	static const char keys[DIRECTIVES][7] = { "escape", "syntax", "check" };
	size_t n = 0;

	line += strspn(line, WORDS_BLANKS);
	if (*line++ != '#')
		return -1;
	line += strspn(line, WORDS_BLANKS);
	while (isalnum((unsigned char)line[n]))
		n++;
	*value = line + n + strspn(line + n, WORDS_BLANKS);
	if (*(*value)++ != '=')
		return -1;
	*value += strspn(*value, WORDS_BLANKS);
	for (int i = 0; **value && i < DIRECTIVES; i++)
		if (n == strlen(keys[i]) && strncasecmp(line, keys[i], n) == 0)
			return i;
	return -1;
}

/* SYNTAX names who else could read the file, CHECK what he would complain about. */
static int take_directive(int which, const char *value, bool seen[DIRECTIVES], char *escape, struct err *err)
{
	if (seen[which])
		return err_msg(err, -EINVAL, "that directive was there already");
	seen[which] = true;
	if (which != ESCAPE)
		return 0;
	if (!strchr("\\`", *value) || value[1 + strspn(value + 1, WORDS_BLANKS)])
		return err_msg(err, -EINVAL, "escape=%.20s: is neither \\ nor `", value);
	*escape = *value;
	return 0;
}

static int take_directives(struct lines *in, char *escape, struct err *err)
{
	bool seen[DIRECTIVES] = { false };
	int r = 0;

	for (;;) {
		struct lines ahead = *in;
		const char *s, *value;
		size_t n;
		char *line;
		int which;

		if (!lines_next(&ahead, &s, &n))
			return 0;
		line = xstrndup(s, n);
		which = directive(line, &value);
		if (which >= 0) {
			*in = ahead;
			r = take_directive(which, value, seen, escape, err);
		}
		free(line);
		if (which < 0 || r < 0)
			return r;
	}
}

/* Before the first FROM nothing but ARG has a meaning. */
static int add(struct containerfile *c, struct instruction *i, bool *from, struct err *err)
{
	*from |= i->kind == I_FROM;
	if (!*from && i->kind != I_ARG) {
		err_msg(err, -EINVAL, "%s: before the first FROM there can be only ARG", instruction_word(i->kind));
		instruction_free(i);
		return -EINVAL;
	}
	c->v = xrealloc(c->v, (c->n + 1) * sizeof *c->v);
	c->v[c->n++] = *i;
	return 0;
}

static int take_instructions(struct lines *in, struct containerfile *out, struct err *err)
{
	struct buf line = { 0 };
	bool from = false;
	int r = 0, begins;

	for (begins = in->line + 1; !r && lines_joined(in, out->escape, &line); begins = r ? begins : in->line + 1) {
		struct instruction i = { 0 };

		if (!line.p[strspn(line.p, WORDS_BLANKS)])
			continue;
		r = instruction_read(line.p, in, out->escape, &i, err);
		i.line = begins;
		if (!r)
			r = add(out, &i, &from, err);
	}
	buf_free(&line);
	if (r < 0)
		in->line = begins;
	else if (!from)
		r = err_msg(err, -EINVAL, "no FROM in it");
	return r;
}

int containerfile_parse(const char *name, const char *text, size_t len, struct containerfile *out, struct err *err)
{
	static const char bom[3] = "\xef\xbb\xbf";
	struct lines in = { .p = text, .end = text + len };
	int r;

	*out = (struct containerfile){ .escape = '\\' };
	if (len > CONTAINERFILE_MAX)
		return err_msg(err, -EINVAL, "%s: is larger than 1 MB", name);
	if (memchr(text, 0, len))
		return err_msg(err, -EINVAL, "%s: is no text: there is a NUL in it", name);
	if (len >= sizeof bom && !memcmp(text, bom, sizeof bom))
		in.p += sizeof bom;
	r = take_directives(&in, &out->escape, err);
	if (!r)
		r = take_instructions(&in, out, err);
	if (r < 0) {
		err_prefix(err, "%s:%d", name, in.line ? in.line : 1);
		containerfile_free(out);
	}
	return r;
}
