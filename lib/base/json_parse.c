#include "base/json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *start, *p, *end;
	const char *fault; /* what is wrong at p */
	int depth;
};

static bool value(struct parser *s, struct json *into);

static bool wrong(struct parser *s, const char *what)
{
	if (!s->fault)
		s->fault = what;
	return false;
}

static void blanks(struct parser *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static bool take(struct parser *s, char c)
{
	blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool word(struct parser *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n))
		return wrong(s, "unknown word");
	s->p += n;
	return true;
}

/* Four hex digits after \u. */
static bool hex4(struct parser *s, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		char c = s->p < s->end ? *s->p++ : 0;
		int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;

		if (digit < 0)
			return wrong(s, "bad \\u escape");
		*out = *out * 16 + (unsigned)digit;
	}
	return true;
}

static void put_utf8(struct buf *b, unsigned c)
{
	char out[4];
	int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (int i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	buf_add(b, out, (size_t)n);
}

static bool unicode(struct parser *s, struct buf *b)
{
	unsigned c, low;

	if (!hex4(s, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'u') {
		s->p += 2;
		if (!hex4(s, &low) || low < 0xdc00 || low > 0xdfff)
			return wrong(s, "bad surrogate");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	if (!c || (c >= 0xd800 && c < 0xe000))
		return wrong(s, "a character no string may hold");
	put_utf8(b, c);
	return true;
}

static bool escape(struct parser *s, struct buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = s->p < s->end ? *s->p++ : 0;
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u')
		return unicode(s, b);
	if (!at)
		return wrong(s, "bad escape");
	buf_char(b, to[at - from]);
	return true;
}

/* A string after its opening quote; malloc'ed. NULL: wrong. */
static char *string(struct parser *s)
{
	struct buf b = { 0 };

	buf_add(&b, "", 0);
	while (s->p < s->end && *s->p != '"') {
		const char *from = s->p;

		while (s->p < s->end && (unsigned char)*s->p >= ' ' && *s->p != '"' && *s->p != '\\')
			s->p++;
		buf_add(&b, from, (size_t)(s->p - from));
		if (s->p == s->end || *s->p == '"')
			break;
		if (*s->p++ != '\\' || !escape(s, &b)) {
			wrong(s, "control character in a string");
			break;
		}
	}
	if (!s->fault && take(s, '"'))
		return b.p;
	wrong(s, "string without an end");
	buf_free(&b);
	return NULL;
}

static bool number(struct parser *s, struct json *into)
{
	const char *from = s->p;
	size_t n;

	while (s->p < s->end && *s->p && strchr("+-.0123456789eE", *s->p))
		s->p++;
	n = (size_t)(s->p - from);
	if (!n || n > 64 || !memchr("-0123456789", *from, 11))
		return wrong(s, "not a value");
	into->type = JSON_NUMBER;
	into->text = xstrndup(from, n);
	return true;
}

static struct json *append(struct json ***tail)
{
	struct json *j = xcalloc(1, sizeof *j);

	**tail = j;
	*tail = &j->next;
	return j;
}

static bool member(struct parser *s, struct json *into)
{
	if (!take(s, '"'))
		return wrong(s, "expected a key");
	into->key = string(s);
	if (!into->key || !take(s, ':'))
		return wrong(s, "expected ':'");
	return value(s, into);
}

static bool members(struct parser *s, struct json *into, enum json_type type)
{
	char close = type == JSON_OBJECT ? '}' : ']';
	struct json **tail = &into->child;

	into->type = type;
	if (++s->depth > 64)
		return wrong(s, "nested too deeply");
	if (!take(s, close)) {
		do {
			struct json *j = append(&tail);

			if (!(type == JSON_OBJECT ? member(s, j) : value(s, j)))
				return false;
		} while (take(s, ','));
		if (!take(s, close))
			return wrong(s, type == JSON_OBJECT ? "expected ',' or '}'" : "expected ',' or ']'");
	}
	s->depth--;
	return true;
}

static bool value(struct parser *s, struct json *into)
{
	blanks(s);
	if (s->p == s->end)
		return wrong(s, "ends too early");
	switch (*s->p) {
	case '{':
		s->p++;
		return members(s, into, JSON_OBJECT);
	case '[':
		s->p++;
		return members(s, into, JSON_ARRAY);
	case '"':
		s->p++;
		into->type = JSON_STRING;
		into->text = string(s);
		return into->text != NULL;
	case 't':
	case 'f':
		into->type = JSON_BOOL;
		into->truth = *s->p == 't';
		return word(s, into->truth ? "true" : "false");
	case 'n':
		return word(s, "null");
	default:
		return number(s, into);
	}
}

struct json *json_parse(const char *text, size_t len, struct err *err)
{
	struct parser s = { text, text, text + len, NULL, 0 };
	struct json *root = xcalloc(1, sizeof *root);

	if (value(&s, root)) {
		blanks(&s);
		if (s.p == s.end)
			return root;
		wrong(&s, "something after the value");
	}
	err_msg(err, -EINVAL, "not JSON: %s at byte %zu", s.fault, (size_t)(s.p - s.start));
	json_free(root);
	return NULL;
}

void json_free(struct json *j)
{
	while (j) {
		struct json *next = j->next;

		json_free(j->child);
		free((char *)j->key);
		free((char *)j->text);
		free(j);
		j = next;
	}
}
