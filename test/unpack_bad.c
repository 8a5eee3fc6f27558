/* What a packed file becomes when it is damaged: `unpack_bad cut|flip|same STEP FILE ORIGINAL`, where ORIGINAL is what FILE unpacks to.
 * cut: FILE ended at every STEPth byte must be said to be truncated there. flip: with a bit turned over, every STEP bytes, it must
 * be refused, or unpack to ORIGINAL all the same. same: read STEP bytes at a time. Exit 0 if so; else a line about each that isn't. */
#include "image/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 4                   /* bytes without which a file isn't taken for a packed one */

struct bytes {
	unsigned char *p;
	size_t n;
};

struct memory {
	struct source s;
	struct bytes left;
};

static ssize_t memory_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct memory *m = (struct memory *)s;
	size_t n = m->left.n < len ? m->left.n : len;

	(void)err;
	n = n < 5000 ? n : 5000; /* as of a pipe */
	memcpy(data, m->left.p, n);
	m->left.p += n;
	m->left.n -= n;
	return (ssize_t)n;
}

static struct bytes read_file(const char *name)
{
	FILE *f = fopen(name, "re");
	struct bytes b = { malloc(64 << 20), 0 };

	if (!f || !b.p) {
		perror(name);
		exit(2);
	}
	b.n = fread(b.p, 1, 64 << 20, f);
	fclose(f);
	return b;
}

/* 1: it unpacks to ORIGINAL, 0: to something else, -1: it is refused. */
static int unpack(struct bytes packed, struct bytes original, size_t chunk, struct err *err)
{
	struct memory m = { { memory_read }, packed };
	struct source *unpacked = unpack_new(&m.s, 0);
	unsigned char *out = malloc(chunk);
	size_t done = 0;
	bool same = true;
	ssize_t n;

	while ((n = unpacked->read(unpacked, out, chunk, err)) > 0) {
		same = same && (size_t)n <= original.n - done && !memcmp(out, original.p + done, (size_t)n);
		done += same ? (size_t)n : 0;
	}
	free(out);
	unpack_free(unpacked);
	return n < 0 ? -1 : same && done == original.n;
}

static bool cut(struct bytes packed, struct bytes original, size_t at, struct err *err)
{
	unsigned char *copy = malloc(at);      /* so that a sanitizer sees what reads on */
	char want[64];
	int rc;

	memcpy(copy, packed.p, at);
	rc = unpack((struct bytes){ copy, at }, original, 100000, err);
	free(copy);
	snprintf(want, sizeof want, "truncated: it ends at byte %zu", at);
	return rc < 0 && strstr(err->text, want);
}

static bool flip(struct bytes packed, struct bytes original, size_t at, struct err *err)
{
	unsigned char bit = (unsigned char)(1u << at % 7);
	int rc;

	packed.p[at] ^= bit;
	rc = unpack(packed, original, 100000, err);
	packed.p[at] ^= bit;
	return rc > 0 || (rc < 0 && strstr(err->text, " at byte "));
}

int main(int argc, char **argv)
{
	struct bytes packed, original;
	size_t step;
	int bad = 0;

	if (argc != 5)
		return 2;
	step = (size_t)atol(argv[2]);
	packed = read_file(argv[3]);
	original = read_file(argv[4]);
	if (!strcmp(argv[1], "same"))
		bad = unpack(packed, original, step, &(struct err){ 0 }) != 1;
	for (size_t at = MAGIC; strcmp(argv[1], "same") && at < packed.n; at += step) {
		struct err err = { 0 };

		if ((argv[1][0] == 'c' ? cut : flip)(packed, original, at, &err))
			continue;
		printf("%s at %zu of %zu: %s\n", argv[1], at, packed.n, err.text);
		bad = 1;
	}
	free(packed.p);
	free(original.p);
	return bad;
}
