/* A growing byte buffer and a list of strings. Both start as {0}. Memory that can't be had ends
 * the program ("out of memory", exit 125): the record lets any other command clean up. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* TELL is called first then, by a process whose stderr nobody reads. NULL: nothing is. */
void on_out_of_memory(void (*tell)(void *arg), void *arg);

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s); /* NULL stays NULL */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Always NUL-terminated once something was added; the NUL isn't counted in len. */
struct buf {
	char *p;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *data, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *b, size_t more); /* room for MORE bytes after len */
void buf_free(struct buf *b);                 /* and back to {0} */

/* v[n] is always NULL once something was added: fits argv and envp. The strings are owned. */
struct strs {
	char **v;
	size_t n;
};

void strs_add(struct strs *l, const char *s);
void strs_addn(struct strs *l, const char *s, size_t n);
void strs_append(struct strs *l, const struct strs *more); /* copies */
void strs_fmt(struct strs *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strs_has(const struct strs *l, const char *s);
void strs_split(struct strs *l, const char *s, char sep); /* "a,b" -> two; "" -> none */
size_t strs_bytes(const struct strs *l); /* of all of them, without their NULs */
void strs_sort(struct strs *l);
void strs_free(struct strs *l);

/* Sets KEY=VALUE in an environment-like list, replacing an entry of the same key. */
void strs_setenv(struct strs *l, const char *key, const char *value);
/* The value of KEY in such a list, or NULL. */
const char *strs_getenv(const struct strs *l, const char *key);

bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);

#endif
