/* JSON (RFC 8259): a bounded parser into a tree, and a writer that keeps the commas. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	const char *key;          /* in an object; else NULL */
	const char *text;         /* string, or the number as it was written */
	bool truth;               /* JSON_BOOL */
	struct json *child;       /* first member or element */
	struct json *next;        /* sibling */
};

/* Parses LEN bytes: UTF-8, at most 64 levels, nothing after the value. Returns the tree, or NULL with ERR set
 * to what is wrong and at which byte. Free it with json_free. */
struct json *json_parse(const char *text, size_t len, struct err *err);
void json_free(struct json *root);

const struct json *json_get(const struct json *object, const char *key);  /* NULL if absent or no object */
const char *json_str(const struct json *object, const char *key);         /* NULL if absent or no string */
int64_t json_int(const struct json *object, const char *key, int64_t otherwise);
bool json_truth(const struct json *object, const char *key);
void json_strs(const struct json *object, const char *key, struct strs *out); /* appends an array's strings */
size_t json_count(const struct json *array);

/* The writer: KEY is NULL inside arrays and at the top. Indented when `pretty`. */
struct json_out {
	struct buf *b;
	bool pretty, comma;
	int depth;
};

void json_begin(struct json_out *o, const char *key, char bracket);      /* '{' or '[' */
void json_end(struct json_out *o, char bracket);                         /* '}' or ']' */
void json_put_str(struct json_out *o, const char *key, const char *s);   /* NULL: null */
void json_put_int(struct json_out *o, const char *key, int64_t n);
void json_put_bool(struct json_out *o, const char *key, bool b);
void json_put_strs(struct json_out *o, const char *key, const struct strs *l);
void json_put_raw(struct json_out *o, const char *key, const char *json);
void json_put_tree(struct json_out *o, const char *key, const struct json *tree);

#endif
