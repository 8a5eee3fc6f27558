#include "image/lexer.h"

#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_one(struct lexer *l, const char *text, size_t n, struct strs *out)
{
	char *word;
	int r = lexer_one(l, text, n, &word);

	if (!r)
		strs_add(out, word);
	free(word);
	return r;
}

int words_one(const char *text, const struct words *how, char **out, struct err *err)
{
	struct lexer l = { .how = how, .err = err };

	return lexer_one(&l, text, strlen(text), out);
}

int words_text(const char *text, const struct words *how, char **out, struct err *err)
{
	struct lexer l = { .how = how, .err = err, .text = text, .p = text };
	struct buf b = { 0 };
	int r = 0;

	buf_str(&b, "");
	while (!r && *l.p) {
		if (*l.p == '$') {
			r = lexer_piece(&l, false, &b);
			continue;
		}
		l.p += *l.p == how->escape && (l.p[1] == '$' || l.p[1] == how->escape);
		r = lexer_put(&l, &b, l.p++, 1);
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
			r = lexer_piece(&l, false, &word);
			continue;
		}
		value.len = 0;
		r = lexer_piece(&l, false, &value);
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
	int r = lexer_one(l, key, klen, &k);

	if (!r && (!*k || strchr(k, '=')))
		r = err_msg(l->err, -EINVAL, "\"%.100s\" is not KEY=VALUE", key);
	if (!r && value)
		r = lexer_one(l, value, vlen, &v);
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
