/* A fuzzer's bytes as a source, a few at a time. */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "image/tar.h"

#include <string.h>

struct memory {
	struct source s;
	const unsigned char *data;
	size_t left;
	size_t chunk;          /* bytes of a read at most: the first byte of the input says */
};

static ssize_t memory_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct memory *m = (struct memory *)s;
	size_t n = m->left < len ? m->left : len;

	(void)err;
	if (n > m->chunk)
		n = m->chunk;
	memcpy(data, m->data, n);
	m->data += n;
	m->left -= n;
	return (ssize_t)n;
}

static void memory_init(struct memory *m, const unsigned char *data, size_t len)
{
	*m = (struct memory){ { memory_read }, data, len, 1 << 20 };
	if (len) {
		m->chunk = data[0] ? data[0] * 7u : 1 << 20;
		m->data++;
		m->left--;
	}
}

#endif
