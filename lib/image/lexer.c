#include "image/lexer.h"

#include "image/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 50 /* of ${} in ${} */

static int until(struct lexer *l, char stop, bool raw, struct buf *out);

static int bad(struct lexer *l, const char *what)
{
	return err_msg(l->err, -EINVAL, "\"%.100s\": %s", l->text, what);
}

static int spend(struct lexer *l, size_t n)
{
	l->cost += n;
	return l->cost > WORDS_MAX ? bad(l, "becomes too long (more than 1 MB)") : 0;
}

int lexer_put(struct lexer *l, struct buf *out, const char *s, size_t n)
{
	int r = spend(l, n);

	if (!r)
		buf_add(out, s, n);
	return r;
}

static int put_str(struct lexer *l, struct buf *out, const char *s)
{
	return s ? lexer_put(l, out, s, strlen(s)) : 0;
}

/* The W or P of ${V:-W} or ${V#P}, and the STOP behind it. RAW: with its escapes. */
static int nested(struct lexer *l, char stop, bool raw, struct buf *out)
{
	int r;

	buf_str(out, "");
	if (l->depth == DEPTH_MAX)
		return bad(l, "too many ${ in one another");
	l->depth++;
	r = until(l, stop, raw, out);
	l->depth--;
	return r;
}

/* ${V-W} ${V+W} ${V?W}: VALUE is NULL where W counts as instead of nothing. */
static int instead(struct lexer *l, char c, const char *key, const char *value, struct buf *out)
{
	struct buf word = { 0 };
	int r = nested(l, '}', false, &word);

	if (!r && c == '?' && !value)
		r = err_msg(l->err, -EINVAL, "%s: %s", key, word.len ? word.p : "is not set, or empty");
	else if (!r)
		r = put_str(l, out, c == '+' ? (value ? word.p : NULL) : value ? value : word.p);
	buf_free(&word);
	return r;
}

static int parse_pattern(struct lexer *l, struct pattern *p, char stop, bool backwards)
{
	struct buf text = { 0 };
	int r = nested(l, stop, true, &text);

	if (!r && pattern_parse(p, text.p, l->how->escape, backwards) < 0)
		r = bad(l, "the pattern is too long");
	buf_free(&text);
	return r;
}

/* ${V#P} ${V##P} ${V%P} ${V%%P} */
static int trimmed(struct lexer *l, char c, const char *value, struct buf *out)
{
	size_t n = strlen(value), from, to = 0;
	bool end = c == '%', longest = *l->p == c;
	char *s = xstrdup(value);
	struct pattern p;
	int r;

	l->p += longest;
	for (size_t i = 0; end && i < n; i++)
		s[i] = value[n - 1 - i];
	r = parse_pattern(l, &p, '}', end);
	if (!r)
		r = spend(l, n);
	if (!r && !pattern_find(&p, s, n, true, longest, &from, &to))
		to = 0;
	if (!r)
		r = lexer_put(l, out, value + (end ? 0 : to), n - to);
	free(s);
	return r;
}

/* Every P in S, or the first, becomes WORD. */
static int substitute(struct lexer *l, const struct pattern *p, bool all, const char *s, const struct buf *word, struct buf *out)
{
	size_t n = strlen(s), from, to;
	int r = spend(l, n);

	while (!r && p->n && pattern_find(p, s, n, false, true, &from, &to)) {
		r = lexer_put(l, out, s, from);
		if (!r)
			r = lexer_put(l, out, word->p, word->len);
		s += to;
		n -= to;
		if (!all || !n)
			break;
	}
	return r ? r : lexer_put(l, out, s, n);
}

/* ${V/P/W} ${V//P/W} */
static int replaced(struct lexer *l, const char *value, struct buf *out)
{
	bool all = *l->p == '/';
	struct buf word = { 0 };
	struct pattern p;
	int r;

	l->p += all;
	r = parse_pattern(l, &p, '/', false);
	if (!r)
		r = nested(l, '}', true, &word);
	if (!r)
		r = substitute(l, &p, all, value, &word, out);
	buf_free(&word);
	return r;
}

/* What is behind the name in ${V..}. */
static int modified(struct lexer *l, const char *key, struct buf *out)
{
	const char *value = strs_getenv(l->how->env, key);
	bool colon = *l->p == ':';
	char c = *(l->p += colon);

	if (!c)
		return bad(l, "a ${ without its }");
	l->p++;
	if (strchr("-+?", c))
		return instead(l, c, key, colon && value && !*value ? NULL : value, out);
	if (colon || !strchr("}#%/", c))
		return bad(l, "no such substitution");
	if (c == '}')
		return put_str(l, out, value);
	value = value ? value : "";
	return c == '/' ? replaced(l, value, out) : trimmed(l, c, value, out);
}

/* Of a variable: digits, or a word, or one of the shell's, which are never set here. */
static size_t name_length(const char *s)
{
	size_t n = 0;

	if (isdigit((unsigned char)*s))
		return strspn(s, "0123456789");
	if (*s && strchr("@*#?-$!", *s))
		return 1;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

static int variable(struct lexer *l, struct buf *out)
{
	bool braces = l->p[1] == '{';
	const char *name = l->p + 1 + braces;
	size_t n = name_length(name);
	char *key;
	int r;

	if (!l->how->env || (!n && !braces))
		return lexer_put(l, out, l->p++, 1);
	if (!n)
		return bad(l, name[0] ? "no such substitution" : "a ${ without its }");
	key = xstrndup(name, n);
	l->p = name + n;
	r = braces ? modified(l, key, out) : put_str(l, out, strs_getenv(l->how->env, key));
	free(key);
	return r;
}

static int single_quoted(struct lexer *l, struct buf *out)
{
	const char *begin = l->p + 1, *end = strchr(begin, '\'');

	if (!end)
		return bad(l, "a ' without its other");
	l->p = end + 1;
	return lexer_put(l, out, begin, (size_t)(end - begin));
}

static int double_quoted(struct lexer *l, bool raw, struct buf *out)
{
	int r = 0;

	l->p++;
	while (!r && *l->p && *l->p != '"') {
		bool escape = *l->p == l->how->escape, escapes = escape && l->p[1] && (strchr("\"$", l->p[1]) || l->p[1] == *l->p);

		if (*l->p == '$') {
			r = variable(l, out);
			continue;
		}
		if (raw && escape) /* also one that is itself only: a pattern's would take what follows */
			r = lexer_put(l, out, l->p, 1);
		l->p += escapes;
		if (!r)
			r = lexer_put(l, out, l->p++, 1);
	}
	if (r)
		return r;
	return *l->p++ ? 0 : bad(l, "a \" without its other");
}

int lexer_piece(struct lexer *l, bool raw, struct buf *out)
{
	int r = 0;

	if (*l->p == '\'')
		return single_quoted(l, out);
	if (*l->p == '"')
		return double_quoted(l, raw, out);
	if (*l->p == '$')
		return variable(l, out);
	if (*l->p == l->how->escape) {
		r = raw ? lexer_put(l, out, l->p, 1) : 0;
		l->p++;
	}
	return r || !*l->p ? r : lexer_put(l, out, l->p++, 1);
}

static int until(struct lexer *l, char stop, bool raw, struct buf *out)
{
	int r = 0;

	while (!r && *l->p && *l->p != stop)
		r = lexer_piece(l, raw, out);
	if (r || !stop)
		return r;
	if (!*l->p)
		return bad(l, stop == '}' ? "a ${ without its }" : "a ${V/ without its second /");
	l->p++;
	return 0;
}

int lexer_one(struct lexer *l, const char *text, size_t n, char **out)
{
	struct buf word = { 0 };
	char *copy = xstrndup(text, n);
	int r;

	buf_str(&word, "");
	l->text = l->p = copy;
	r = until(l, 0, false, &word);
	free(copy);
	if (r < 0)
		buf_free(&word);
	*out = word.p;
	return r;
}
