#include "base/fields.h"
#include "base/num.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *blanks(const char *s)
{
	while (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')
		s++;
	return s;
}

/* Past the string whose opening quote S is at; NULL: it has no end. */
static const char *after_string(const char *s)
{
	for (s++; *s != '"'; s++)
		if ((unsigned char)*s < ' ' || (*s == '\\' && !*++s))
			return NULL;
	return s + 1;
}

static bool ends_value(char c)
{
	return !c || c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Past the value at S. Only its strings and brackets are looked at. NULL: it has no end. */
static const char *after_value(const char *s)
{
	int open = 0;

	do {
		if (*s == '"') {
			s = after_string(s);
			if (!s)
				return NULL;
			continue;
		}
		open += *s == '{' || *s == '[';
		open -= *s == '}' || *s == ']';
		if (!*s || open < 0)
			return NULL;
		s++;
	} while (open > 0 || (s[-1] != '"' && s[-1] != '}' && s[-1] != ']' && !ends_value(*s)));
	return s;
}

/* A member of any kind by the parser: FROM to END is its value. */
static int parse_one(const char *from, const char *end, const struct field *f, void *into)
{
	struct field one[2] = { *f, { 0 } };
	struct json *j = json_parse(from, (size_t)(end - from), NULL), object = { .type = JSON_OBJECT, .child = j };
	int r = -EINVAL;

	if (j) {
		j->key = xstrdup(f->key);
		r = fields_read(&object, one, into, NULL);
	}
	json_free(j);
	return r;
}

/* An array of plain strings. Anything else is -EAGAIN, and nothing done. */
static int skim_strings(const char *s, struct strs *out)
{
	const char *first = blanks(s + 1), *end;

	if (*s != '[')
		return -EAGAIN;
	for (s = first; *s == '"'; s = *s == ',' ? blanks(s + 1) : s) {
		end = after_string(s);
		if (!end || memchr(s, '\\', (size_t)(end - s)))
			return -EAGAIN;
		s = blanks(end);
	}
	if (*s != ']')
		return -EAGAIN;
	for (s = first; *s == '"'; s = *s == ',' ? blanks(s + 1) : s) {
		end = after_string(s);
		strs_addn(out, s + 1, (size_t)(end - s) - 2);
		s = blanks(end);
	}
	return 0;
}

static int skim_one(const char *from, const char *end, const struct field *f, void *into)
{
	void *at = (char *)into + f->offset;
	char number[24];

	if (f->kind == FIELD_STRUCT)
		return fields_skim(from, f->sub, at);
	if (f->kind == FIELD_I64 && end - from < (long)sizeof number) {
		memcpy(number, from, (size_t)(end - from));
		number[end - from] = 0;
		return num_i64(number, at);
	}
	if (f->kind == FIELD_STR && *from == '"' && !memchr(from, '\\', (size_t)(end - from))) {
		free(*(char **)at);
		*(char **)at = xstrndup(from + 1, (size_t)(end - from) - 2);
		return 0;
	}
	if (f->kind == FIELD_STRS && skim_strings(from, at) == 0)
		return 0;
	return parse_one(from, end, f, into);
}

static const struct field *find(const struct field *table, const char *key, size_t n)
{
	for (; table->key; table++)
		if (!strncmp(table->key, key, n) && !table->key[n])
			return table;
	return NULL;
}

int fields_skim(const char *text, const struct field *table, void *into)
{
	const char *s = blanks(text), *key, *value;

	if (*s++ != '{')
		return -EINVAL;
	for (s = blanks(s); *s == '"'; s = blanks(s + 1)) {
		const struct field *f;

		key = s + 1;
		s = after_string(s);
		f = s ? find(table, key, (size_t)(s - key) - 1) : NULL;
		value = s && *blanks(s) == ':' ? blanks(blanks(s) + 1) : NULL;
		s = value ? after_value(value) : NULL;
		if (!s || s == value || (f && skim_one(value, s, f, into) < 0))
			return -EINVAL;
		s = blanks(s);
		if (*s != ',')
			break;
	}
	return *s == '}' ? 0 : -EINVAL;
}
