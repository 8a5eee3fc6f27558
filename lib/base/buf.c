#include "base/buf.h"
#include "base/say.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xmalloc's callers have nothing to do with it. */
static struct {
	void (*tell)(void *arg);
	void *arg;
} last_words;

void on_out_of_memory(void (*tell)(void *arg), void *arg)
{
	last_words.tell = tell;
	last_words.arg = arg;
}

static void *got(void *p)
{
	if (!p && last_words.tell)
		last_words.tell(last_words.arg);
	if (!p)
		die(125, "out of memory");
	return p;
}

void *xmalloc(size_t n)
{
	return got(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return got(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n)
{
	return got(realloc(p, n ? n : 1));
}

char *xstrdup(const char *s)
{
	return s ? got(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	return got(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return got(n < 0 ? NULL : s);
}

void buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;

	if (need < more)
		got(NULL);
	if (need <= b->cap)
		return;
	b->cap = need < 64 ? 64 : need + need / 2;
	b->p = xrealloc(b->p, b->cap);
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	buf_reserve(b, n);
	if (n)
		memcpy(b->p + b->len, data, n);
	b->len += n;
	b->p[b->len] = 0;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	buf_reserve(b, 63);
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= b->cap - b->len) {
		buf_reserve(b, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

/* Takes over S. */
static void strs_take(struct strs *l, char *s)
{
	l->v = xrealloc(l->v, (l->n + 2) * sizeof *l->v);
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void strs_add(struct strs *l, const char *s)
{
	strs_take(l, xstrdup(s));
}

void strs_addn(struct strs *l, const char *s, size_t n)
{
	strs_take(l, xstrndup(s, n));
}

void strs_append(struct strs *l, const struct strs *more)
{
	for (size_t i = 0; i < more->n; i++)
		strs_add(l, more->v[i]);
}

void strs_fmt(struct strs *l, const char *fmt, ...)
{
	char *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	strs_take(l, got(n < 0 ? NULL : s));
}

bool strs_has(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], s))
			return true;
	return false;
}

void strs_split(struct strs *l, const char *s, char sep)
{
	while (*s) {
		const char *end = strchrnul(s, sep);

		strs_addn(l, s, (size_t)(end - s));
		s = *end ? end + 1 : end;
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t strs_bytes(const struct strs *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += strlen(l->v[i]);
	return n;
}

void strs_sort(struct strs *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, compare);
}

void strs_free(struct strs *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strs){ 0 };
}

static char **find_key(const struct strs *l, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < l->n; i++)
		if (!strncmp(l->v[i], key, n) && l->v[i][n] == '=')
			return &l->v[i];
	return NULL;
}

void strs_setenv(struct strs *l, const char *key, const char *value)
{
	char **entry = find_key(l, key);

	if (!entry) {
		strs_fmt(l, "%s=%s", key, value);
		return;
	}
	free(*entry);
	*entry = xasprintf("%s=%s", key, value);
}

const char *strs_getenv(const struct strs *l, const char *key)
{
	char **entry = find_key(l, key);

	return entry ? *entry + strlen(key) + 1 : NULL;
}

bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}
