#include "base/fields.h"
#include "base/num.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *blanks(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Past the string whose opening quote S is at; NULL: it has no end. */
static const char *after_string(const char *s)
{
	for (s++; *s != '"'; s++)
		if ((unsigned char)*s < ' ' || (*s == '\\' && !*++s))
			return NULL;
	return s + 1;
}

/* Past the value at S. Only its strings and brackets are looked at. NULL: it has no end. */
static const char *after_value(const char *s)
{
	int open = 0;

	do {
		s += open ? strcspn(s, "\"{}[]") : 0;
		if (*s == '"') {
			s = after_string(s);
			if (!s)
				return NULL;
		} else if (strchr("{}[]", *s)) {
			if (!*s)
				return NULL;
			open += *s == '{' || *s == '[' ? 1 : -1;
			s++;
		} else {
			s += strcspn(s, ",}] \t\r\n");
		}
	} while (open > 0);
	return open == 0 ? s : NULL;
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
