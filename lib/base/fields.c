#include "base/fields.h"
#include "base/num.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *array_add(struct array *a, size_t size)
{
	if (!(a->n & (a->n - 1))) /* full: there is room up to the next power of two */
		a->v = xrealloc(a->v, (a->n ? 2 * a->n : 1) * size);
	memset((char *)a->v + a->n * size, 0, size);
	return (char *)a->v + a->n++ * size;
}

static void *member(const void *from, const struct field *f)
{
	return (char *)from + f->offset;
}

/* Whether the member says nothing: left out of what is written. */
static bool blank(const struct field *f, const void *at)
{
	switch (f->kind) {
	case FIELD_BOOL:
		return !*(const bool *)at;
	case FIELD_I64:
		return !*(const int64_t *)at;
	case FIELD_STR:
		return !*(char *const *)at;
	case FIELD_STRS:
		return !((const struct strs *)at)->n;
	case FIELD_ARRAY:
		return !((const struct array *)at)->n;
	case FIELD_STRUCT:
		for (const struct field *s = f->sub; s->key; s++)
			if (!blank(s, member(at, s)))
				return false;
		return true;
	}
	return true;
}

static void write_one(struct json_out *o, const struct field *f, const void *at)
{
	const struct array *a = at;

	switch (f->kind) {
	case FIELD_BOOL:
		json_put_bool(o, f->key, *(const bool *)at);
		break;
	case FIELD_I64:
		json_put_int(o, f->key, *(const int64_t *)at);
		break;
	case FIELD_STR:
		json_put_str(o, f->key, *(char *const *)at);
		break;
	case FIELD_STRS:
		json_put_strs(o, f->key, at);
		break;
	case FIELD_STRUCT:
		fields_write(o, f->key, f->sub, at);
		break;
	case FIELD_ARRAY:
		json_begin(o, f->key, '[');
		for (size_t i = 0; i < a->n; i++)
			fields_write(o, NULL, f->sub, (const char *)a->v + i * f->size);
		json_end(o, ']');
		break;
	}
}

void fields_write(struct json_out *o, const char *key, const struct field *table, const void *from)
{
	json_begin(o, key, '{');
	for (const struct field *f = table; f->key; f++)
		if (!blank(f, member(from, f)))
			write_one(o, f, member(from, f));
	json_end(o, '}');
}

static int wrong_type(const struct field *f, struct err *err)
{
	return err_msg(err, -EINVAL, "\"%s\" isn't of its type", f->key);
}

static int read_array(const struct json *j, const struct field *f, struct array *a, struct err *err)
{
	for (const struct json *e = j->child; e; e = e->next) {
		int r = fields_read(e, f->sub, array_add(a, f->size), err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_one(const struct json *j, const struct field *f, void *at, struct err *err)
{
	static const enum json_type wanted[] = {
		[FIELD_BOOL] = JSON_BOOL,   [FIELD_I64] = JSON_NUMBER,    [FIELD_STR] = JSON_STRING,
		[FIELD_STRS] = JSON_ARRAY,  [FIELD_STRUCT] = JSON_OBJECT, [FIELD_ARRAY] = JSON_ARRAY,
	};

	if (j->type == JSON_NULL)
		return 0;
	if (j->type != wanted[f->kind])
		return wrong_type(f, err);
	switch (f->kind) {
	case FIELD_BOOL:
		*(bool *)at = j->truth;
		return 0;
	case FIELD_I64:
		return num_i64(j->text, at) < 0 ? wrong_type(f, err) : 0;
	case FIELD_STR:
		free(*(char **)at);
		*(char **)at = xstrdup(j->text);
		return 0;
	case FIELD_STRS:
		for (const struct json *e = j->child; e; e = e->next) {
			if (e->type != JSON_STRING)
				return wrong_type(f, err);
			strs_add(at, e->text);
		}
		return 0;
	case FIELD_STRUCT:
		return fields_read(j, f->sub, at, err);
	case FIELD_ARRAY:
		return read_array(j, f, at, err);
	}
	return 0;
}

int fields_read(const struct json *object, const struct field *table, void *into, struct err *err)
{
	if (object->type != JSON_OBJECT)
		return err_msg(err, -EINVAL, "not a JSON object");
	for (const struct field *f = table; f->key; f++) {
		const struct json *j = json_get(object, f->key);
		int r = j ? read_one(j, f, member(into, f), err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void fields_free_array(const struct field *table, size_t size, struct array *a)
{
	for (size_t i = 0; i < a->n; i++)
		fields_free(table, (char *)a->v + i * size);
	free(a->v);
	*a = (struct array){ 0 };
}

static void free_one(const struct field *f, void *at)
{
	if (f->kind == FIELD_STR)
		free(*(char **)at), *(char **)at = NULL;
	else if (f->kind == FIELD_STRS)
		strs_free(at);
	else if (f->kind == FIELD_STRUCT)
		fields_free(f->sub, at);
	else if (f->kind == FIELD_ARRAY)
		fields_free_array(f->sub, f->size, at);
}

void fields_free(const struct field *table, void *from)
{
	for (const struct field *f = table; f->key; f++)
		free_one(f, member(from, f));
}
