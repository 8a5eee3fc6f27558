#include "base/json.h"
#include "base/num.h"
#include <stdio.h>
#include <string.h>

const struct json *json_get(const struct json *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *j = object->child; j; j = j->next)
		if (!strcmp(j->key, key))
			return j;
	return NULL;
}

const char *json_str(const struct json *object, const char *key)
{
	const struct json *j = json_get(object, key);

	return j && j->type == JSON_STRING ? j->text : NULL;
}

int64_t json_int(const struct json *object, const char *key, int64_t otherwise)
{
	const struct json *j = json_get(object, key);

	if (j && j->type == JSON_NUMBER)
		num_i64(j->text, &otherwise);
	return otherwise;
}

bool json_truth(const struct json *object, const char *key)
{
	const struct json *j = json_get(object, key);

	return j && j->type == JSON_BOOL && j->truth;
}

void json_strs(const struct json *object, const char *key, struct strs *out)
{
	const struct json *array = json_get(object, key);

	if (!array || array->type != JSON_ARRAY)
		return;
	for (const struct json *j = array->child; j; j = j->next)
		if (j->type == JSON_STRING)
			strs_add(out, j->text);
}

size_t json_count(const struct json *array)
{
	size_t n = 0;

	for (const struct json *j = array ? array->child : NULL; j; j = j->next)
		n++;
	return n;
}

/* Length of the UTF-8 sequence at S (RFC 3629), 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
	int n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	for (int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
	    (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Appends S quoted and escaped; bytes that aren't UTF-8 become U+FFFD. */
static void json_quote(struct buf *b, const char *s)
{
	buf_char(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		int n = utf8_length((const unsigned char *)s);

		if (c == '"' || c == '\\')
			buf_fmt(b, "\\%c", c);
		else if (c == '\n')
			buf_str(b, "\\n");
		else if (c < ' ' || c == 0x7f)
			buf_fmt(b, "\\u%04x", c);
		else if (!n)
			buf_str(b, "\xef\xbf\xbd");
		else
			buf_add(b, s, (size_t)n), s += n - 1;
	}
	buf_char(b, '"');
}

/* Whatever stands before a value: the comma, the line, the key. */
static void lead(struct json_out *o, const char *key)
{
	if (o->comma)
		buf_char(o->b, ',');
	if (o->pretty && o->depth)
		buf_fmt(o->b, "\n%*s", 2 * o->depth, "");
	if (key) {
		json_quote(o->b, key);
		buf_str(o->b, o->pretty ? ": " : ":");
	}
	o->comma = true;
}

void json_begin(struct json_out *o, const char *key, char bracket)
{
	lead(o, key);
	buf_char(o->b, bracket);
	o->depth++;
	o->comma = false;
}

void json_end(struct json_out *o, char bracket)
{
	o->depth--;
	if (o->pretty && o->comma)
		buf_fmt(o->b, "\n%*s", 2 * o->depth, "");
	buf_char(o->b, bracket);
	o->comma = true;
}

void json_put_str(struct json_out *o, const char *key, const char *s)
{
	lead(o, key);
	if (s)
		json_quote(o->b, s);
	else
		buf_str(o->b, "null");
}

void json_put_int(struct json_out *o, const char *key, int64_t n)
{
	lead(o, key);
	buf_fmt(o->b, "%lld", (long long)n);
}

void json_put_bool(struct json_out *o, const char *key, bool b)
{
	lead(o, key);
	buf_str(o->b, b ? "true" : "false");
}

void json_put_strs(struct json_out *o, const char *key, const struct strs *l)
{
	json_begin(o, key, '[');
	for (size_t i = 0; i < l->n; i++)
		json_put_str(o, NULL, l->v[i]);
	json_end(o, ']');
}

void json_put_raw(struct json_out *o, const char *key, const char *json)
{
	lead(o, key);
	buf_str(o->b, json);
}

void json_put_tree(struct json_out *o, const char *key, const struct json *tree)
{
	if (tree->type == JSON_STRING)
		json_put_str(o, key, tree->text);
	else if (tree->type == JSON_NUMBER)
		json_put_raw(o, key, tree->text);
	else if (tree->type == JSON_BOOL)
		json_put_bool(o, key, tree->truth);
	else if (tree->type == JSON_NULL)
		json_put_raw(o, key, "null");
	else {
		bool object = tree->type == JSON_OBJECT;

		json_begin(o, key, object ? '{' : '[');
		for (const struct json *j = tree->child; j; j = j->next)
			json_put_tree(o, j->key, j);
		json_end(o, object ? '}' : ']');
	}
}
