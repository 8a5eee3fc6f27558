/* Structs to JSON and back by one table a struct, so that what is written is what is read. */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include "base/json.h"

enum field_kind { FIELD_BOOL, FIELD_I64, FIELD_STR /* char * */, FIELD_STRS, FIELD_STRUCT, FIELD_ARRAY };

struct field {
	const char *key;             /* snake_case; NULL ends the table */
	enum field_kind kind : 8;
	unsigned offset : 24;
	const struct field *sub;     /* FIELD_STRUCT and FIELD_ARRAY: the element's table */
	unsigned size;               /* FIELD_ARRAY: bytes an element; the member is a struct array */
};

/* A growing array of structs, for FIELD_ARRAY members. */
struct array {
	void *v;
	size_t n;
};
void *array_add(struct array *a, size_t size); /* a zeroed element at the end */

/* Writes the members as an object. Members that are NULL, 0, false or empty are left out. */
void fields_write(struct json_out *o, const char *key, const struct field *table, const void *from);

/* Fills zeroed INTO from an object; unknown keys are ignored, a value of the wrong type is -EINVAL. */
int fields_read(const struct json *object, const struct field *table, void *into, struct err *err);

/* The same from text, for those who read many files and want little of each: no tree is made, and members that TABLE doesn't name are stepped
 * over, not checked. TEXT ends with a NUL. */
int fields_skim(const char *text, const struct field *table, void *into);

/* Frees what the members own and zeroes them; the same for an array of such structs, SIZE bytes each. */
void fields_free(const struct field *table, void *from);
void fields_free_array(const struct field *table, size_t size, struct array *a);

#endif
