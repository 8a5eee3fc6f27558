#include "image/words.h"

#include "base/json.h"
#include "image/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 50 /* of ${} in ${} */

struct lexer {
	const struct words *how;
	struct err *err;
	const char *text, *p;        /* all of it, for messages; what is left */
	size_t cost;                 /* bytes made and looked at */
	int depth;
};

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

static int put(struct lexer *l, struct buf *out, const char *s, size_t n)
{
	int r = spend(l, n);

	if (!r)
		buf_add(out, s, n);
	return r;
}

static int put_str(struct lexer *l, struct buf *out, const char *s)
{
	return s ? put(l, out, s, strlen(s)) : 0;
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
		r = put(l, out, value + (end ? 0 : to), n - to);
	free(s);
	return r;
}

/* Every P in S, or the first, becomes WORD. */
static int substitute(struct lexer *l, const struct pattern *p, bool all, const char *s, const struct buf *word, struct buf *out)
{
	size_t n = strlen(s), from, to;
	int r = spend(l, n);

	while (!r && p->n && pattern_find(p, s, n, false, true, &from, &to)) {
		r = put(l, out, s, from);
		if (!r)
			r = put(l, out, word->p, word->len);
		s += to;
		n -= to;
		if (!all || !n)
			break;
	}
	return r ? r : put(l, out, s, n);
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
		return put(l, out, l->p++, 1);
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
	return put(l, out, begin, (size_t)(end - begin));
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
			r = put(l, out, l->p, 1);
		l->p += escapes;
		if (!r)
			r = put(l, out, l->p++, 1);
	}
	if (r)
		return r;
	return *l->p++ ? 0 : bad(l, "a \" without its other");
}

/* One quoted part, variable or character. */
static int piece(struct lexer *l, bool raw, struct buf *out)
{
	int r = 0;

	if (*l->p == '\'')
		return single_quoted(l, out);
	if (*l->p == '"')
		return double_quoted(l, raw, out);
	if (*l->p == '$')
		return variable(l, out);
	if (*l->p == l->how->escape) {
		r = raw ? put(l, out, l->p, 1) : 0;
		l->p++;
	}
	return r || !*l->p ? r : put(l, out, l->p++, 1);
}

static int until(struct lexer *l, char stop, bool raw, struct buf *out)
{
	int r = 0;

	while (!r && *l->p && *l->p != stop)
		r = piece(l, raw, out);
	if (r || !stop)
		return r;
	if (!*l->p)
		return bad(l, stop == '}' ? "a ${ without its }" : "a ${V/ without its second /");
	l->p++;
	return 0;
}

/* N bytes of TEXT as one word. */
static int one(struct lexer *l, const char *text, size_t n, char **out)
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

static int add_one(struct lexer *l, const char *text, size_t n, struct strs *out)
{
	char *word;
	int r = one(l, text, n, &word);

	if (!r)
		strs_add(out, word);
	free(word);
	return r;
}

int words_one(const char *text, const struct words *how, char **out, struct err *err)
{
	struct lexer l = { .how = how, .err = err };

	return one(&l, text, strlen(text), out);
}

int words_text(const char *text, const struct words *how, char **out, struct err *err)
{
	struct lexer l = { .how = how, .err = err, .text = text, .p = text };
	struct buf b = { 0 };
	int r = 0;

	buf_str(&b, "");
	while (!r && *l.p) {
		if (*l.p == '$') {
			r = variable(&l, &b);
			continue;
		}
		l.p += *l.p == how->escape && (l.p[1] == '$' || l.p[1] == how->escape);
		r = put(&l, &b, l.p++, 1);
	}
	if (r < 0)
		buf_free(&b);
	*out = b.p;
	return r;
}

int words_list(const char *text, const struct words *how, struct strs *out, struct err *err)
{
	struct lexer l = { .how = how, .err = err };
	struct strs json = { 0 };
	int r = 0;

	if (words_json(text, &json)) {
		for (size_t i = 0; i < json.n && !r; i++)
			r = add_one(&l, json.v[i], strlen(json.v[i]), out);
	} else {
		for (size_t n; !r && *(text += strspn(text, WORDS_BLANKS)); text += n)
			r = add_one(&l, text, n = strcspn(text, WORDS_BLANKS), out);
	}
	strs_free(&json);
	return r;
}

static void end_word(struct buf *word, struct strs *out)
{
	if (word->len)
		strs_addn(out, word->p, word->len);
	word->len = 0;
}

/* Blanks end a word wherever they come from. */
static void add_bytes(struct buf *word, const struct buf *bytes, struct strs *out)
{
	for (size_t i = 0; i < bytes->len; i++)
		if (strchr(WORDS_BLANKS, bytes->p[i]))
			end_word(word, out);
		else
			buf_char(word, bytes->p[i]);
}

int words_split(const char *text, const struct words *how, struct strs *out, struct err *err)
{
	struct lexer l = { .how = how, .err = err, .text = text, .p = text };
	struct buf word = { 0 }, value = { 0 };
	int r = 0;

	while (!r && *l.p) {
		if (*l.p != '$' && !strchr(WORDS_BLANKS, *l.p)) {
			r = piece(&l, false, &word);
			continue;
		}
		value.len = 0;
		r = piece(&l, false, &value);
		add_bytes(&word, &value, out);
	}
	if (!r)
		end_word(&word, out);
	buf_free(&word);
	buf_free(&value);
	return r;
}

size_t words_raw(const char *text, char escape)
{
	char quote = 0;
	size_t n = 0;

	for (; text[n] && (quote || !strchr(WORDS_BLANKS, text[n])); n++) {
		if (text[n] == escape && quote != '\'' && text[n + 1])
			n++;
		else if (quote ? text[n] == quote : text[n] == '"' || text[n] == '\'')
			quote = quote ? 0 : text[n];
	}
	return n;
}

/* VALUE may be NULL: K alone. */
static int add_pair(struct lexer *l, const char *key, size_t klen, const char *value, size_t vlen, struct strs *out)
{
	char *k, *v = NULL;
	int r = one(l, key, klen, &k);

	if (!r && (!*k || strchr(k, '=')))
		r = err_msg(l->err, -EINVAL, "\"%.100s\" is not KEY=VALUE", key);
	if (!r && value)
		r = one(l, value, vlen, &v);
	if (!r)
		strs_fmt(out, "%s%s%s", k, v ? "=" : "", v ? v : "");
	free(k);
	free(v);
	return r;
}

/* One of the words of ENV or ARG. */
static int add_word(struct lexer *l, const char *word, size_t n, enum words_pairs kind, struct strs *out)
{
	const char *equals = memchr(word, '=', n);
	size_t key = equals ? (size_t)(equals - word) : n;

	if (!equals && kind != WORDS_ARG)
		return err_msg(l->err, -EINVAL, "\"%.*s\" is not KEY=VALUE", n > 60 ? 60 : (int)n, word);
	return add_pair(l, word, key, equals ? equals + 1 : NULL, equals ? n - key - 1 : 0, out);
}

int words_pairs(const char *text, enum words_pairs kind, const struct words *how, struct strs *out, struct err *err)
{
	struct lexer l = { .how = how, .err = err };
	const char *value;
	size_t n;
	int r = 0;

	text += strspn(text, WORDS_BLANKS);
	n = strcspn(text, WORDS_BLANKS);
	value = text + n + strspn(text + n, WORDS_BLANKS);
	if (kind == WORDS_ENV && *value && !memchr(text, '=', words_raw(text, how->escape)))
		return add_pair(&l, text, n, value, strlen(value), out);
	for (; !r && *text; text += strspn(text, WORDS_BLANKS)) {
		n = words_raw(text, how->escape);
		r = add_word(&l, text, n, kind, out);
		text += n;
	}
	return r;
}

bool words_json(const char *text, struct strs *out)
{
	const char *begin = text + strspn(text, WORDS_BLANKS);
	struct json *j = *begin == '[' ? json_parse(begin, strlen(begin), NULL) : NULL;
	bool ok = j && j->type == JSON_ARRAY;

	for (const struct json *e = ok ? j->child : NULL; e; e = e->next)
		ok &= e->type == JSON_STRING;
	for (const struct json *e = ok ? j->child : NULL; e; e = e->next)
		strs_add(out, e->text);
	json_free(j);
	return ok;
}
