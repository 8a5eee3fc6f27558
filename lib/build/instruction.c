#include "build/lines.h"

#include "image/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char kinds[][12] = {
	"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER",
	"VOLUME", "WORKDIR",
};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

const char *instruction_word(enum instruction_kind kind)
{
	return kinds[kind];
}

static int kind_of(const char *word, size_t n)
{
	for (int i = 0; i < KINDS; i++)
		if (n == strlen(kinds[i]) && strncasecmp(word, kinds[i], n) == 0)
			return i;
	return -1;
}

void instruction_free(struct instruction *i)
{
	for (size_t k = 0; k < i->nheredocs; k++) {
		free(i->heredocs[k].name);
		free(i->heredocs[k].text);
	}
	free(i->heredocs);
	free(i->text);
	strs_free(&i->flags);
	*i = (struct instruction){ 0 };
}

/* Flags are what begins with "--", up to the first word that doesn't, or to "--". */
static const char *take_flags(const char *text, char escape, struct strs *flags)
{
	while (starts_with(text, "--")) {
		size_t n = words_raw(text, escape);

		if (n > 2)
			strs_addn(flags, text, n);
		text += n + strspn(text + n, WORDS_BLANKS);
		if (n == 2)
			break;
	}
	return text;
}

/* Heredocs */

/* "<<" at the beginning of a raw word, a number before it or not: what is behind it and a '-'. NULL: it is none. */
static const char *behind(const char *word, bool *tabs)
{
	word += strspn(word, "0123456789");
	if (!starts_with(word, "<<"))
		return NULL;
	*tabs = word[2] == '-';
	return word + 2 + *tabs;
}

/* RUN may have blanks before a NAME, as its shell may, where that can't be a number's shift. */
static size_t blanks_before_name(const char *text)
{
	size_t n = strspn(text, " \t");

	return isalpha((unsigned char)text[n]) || (text[n] && strchr("_'\"", text[n])) ? n : 0;
}

/* The lines up to H's name. */
static int read_body(struct heredoc *h, struct lines *in, bool tabs, struct err *err)
{
	struct buf b = { 0 };
	const char *s;
	size_t n, len, skip;

	buf_str(&b, "");
	while (lines_next(in, &s, &n)) {
		for (skip = 0; tabs && skip < n && s[skip] == '\t';)
			skip++;
		for (len = n; len > skip && s[len - 1] == '\r';)
			len--;
		if (len - skip == strlen(h->name) && memcmp(s + skip, h->name, len - skip) == 0) {
			h->text = b.p;
			return 0;
		}
		buf_add(&b, s + skip, n - skip);
		buf_char(&b, '\n');
	}
	buf_free(&b);
	err_msg(err, -EINVAL, "<<%.60s has no end: a line of nothing else", h->name);
	return strpbrk(h->name, "<>|;&)") ? err_hint(err, "what is behind it needs a blank before it") : -EINVAL;
}

/* The N bytes of RAW are a heredoc's name, quotes and all; of one that isn't, nothing comes. */
static int add_heredoc(struct instruction *i, const char *raw, size_t n, bool tabs, struct lines *bodies, struct err *err)
{
	const struct words plain = { .escape = '\\' };
	struct heredoc h = { 0 };
	char *text = xstrndup(raw, n);
	int r = strchr(text, '<') ? 0 : words_one(text, &plain, &h.name, err);

	h.literal = strpbrk(text, "'\"");
	free(text);
	if (!r && h.name && *h.name) {
		r = read_body(&h, bodies, tabs, err);
		if (!r) {
			i->heredocs = xrealloc(i->heredocs, (i->nheredocs + 1) * sizeof h);
			i->heredocs[i->nheredocs++] = h;
			return 0;
		}
	}
	free(h.name);
	return r;
}

static int take_heredocs(struct instruction *i, struct lines *bodies, struct err *err)
{
	struct strs json = { 0 };
	const char *text = i->text;
	bool tabs, exec = words_json(text, &json);
	int r = 0;

	strs_free(&json);
	for (size_t n; !exec && !r && *text; text += strspn(text, WORDS_BLANKS)) {
		const char *name = behind(text, &tabs);

		n = words_raw(text, '\\');
		if (name && name == text + n && i->kind == I_RUN) {
			name += blanks_before_name(name);
			n = (size_t)(name - text) + words_raw(name, '\\');
		}
		if (name && name < text + n)
			r = add_heredoc(i, name, n - (size_t)(name - text), tabs, bodies, err);
		text += n;
	}
	return r;
}

const struct heredoc *instruction_heredoc(const struct instruction *i, const char *word)
{
	const struct words plain = { .escape = '\\' };
	const struct heredoc *found = NULL;
	bool tabs;
	const char *raw = behind(word, &tabs);
	char *name = NULL;

	if (!raw || words_one(raw, &plain, &name, NULL) < 0)
		return NULL;
	for (size_t k = 0; k < i->nheredocs && !found; k++)
		if (!strcmp(i->heredocs[k].name, name))
			found = &i->heredocs[k];
	free(name);
	return found;
}

/* Of one instruction */

/* ONBUILD: what it keeps is checked now; heredocs become part of its text. */
static int take_trigger(struct instruction *i, struct lines *bodies, char escape, struct err *err)
{
	int kind = kind_of(i->text, strcspn(i->text, WORDS_BLANKS));
	struct buf text = { 0 };
	struct instruction inner;
	int r;

	if (kind == I_FROM || kind == I_MAINTAINER || kind == I_ONBUILD)
		return err_msg(err, -EINVAL, "ONBUILD %s: is not allowed", kinds[kind]);
	r = instruction_read(i->text, bodies, escape, &inner, err);
	if (r < 0)
		return r;
	buf_str(&text, i->text);
	for (size_t k = 0; k < inner.nheredocs; k++)
		buf_fmt(&text, "\n%s%s", inner.heredocs[k].text, inner.heredocs[k].name);
	free(i->text);
	i->text = text.p;
	instruction_free(&inner);
	return 0;
}

static char *trimmed(const char *s)
{
	size_t n = strlen(s);

	while (n && strchr(WORDS_BLANKS, s[n - 1]))
		n--;
	return xstrndup(s, n);
}

int instruction_read(const char *line, struct lines *bodies, char escape, struct instruction *out, struct err *err)
{
	size_t n;
	int kind, r = 0;

	line += strspn(line, WORDS_BLANKS);
	n = strcspn(line, WORDS_BLANKS);
	kind = kind_of(line, n);
	if (kind < 0)
		return err_msg(err, -EINVAL, "\"%.*s\" is no instruction", n > 60 ? 60 : (int)n, line);
	*out = (struct instruction){ .kind = (enum instruction_kind)kind };
	line += n + strspn(line + n, WORDS_BLANKS);
	if (kind == I_ADD || kind == I_COPY || kind == I_FROM || kind == I_RUN)
		line = take_flags(line, escape, &out->flags);
	out->text = trimmed(line);
	if (!*out->text)
		r = err_msg(err, -EINVAL, "%s: nothing behind it", kinds[kind]);
	else if (kind == I_ADD || kind == I_COPY || kind == I_RUN)
		r = take_heredocs(out, bodies, err);
	else if (kind == I_ONBUILD)
		r = take_trigger(out, bodies, escape, err);
	if (r < 0)
		instruction_free(out);
	return r;
}

int instruction_parse(const char *text, char escape, struct instruction *out, struct err *err)
{
	struct lines in = { .p = text, .end = text + strlen(text) };
	const char *s = "";
	size_t n = 0;
	char *line;
	int r;

	lines_next(&in, &s, &n);
	line = xstrndup(s, n);
	r = instruction_read(line, &in, escape, out, err);
	free(line);
	if (!r && in.p[strspn(in.p, WORDS_BLANKS)]) {
		r = err_msg(err, -EINVAL, "\"%.60s\": more than one instruction", text);
		instruction_free(out);
	}
	return r;
}
