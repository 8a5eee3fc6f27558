/* decode ROUNDS FILE..: how fast each, packed by gzip or zstd, is decoded from memory to memory: by processor time, the
 * best of ROUNDS. */
#include "image/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct memory {
	struct source s;
	const char *data;
	size_t left;
};

static ssize_t memory_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct memory *m = (struct memory *)s;
	size_t n = m->left < len ? m->left : len;

	(void)err;
	memcpy(data, m->data, n);
	m->data += n;
	m->left -= n;
	return (ssize_t)n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds, and the BYTES that came out. */
static double decode(const char *name, const char *data, size_t len, size_t *bytes)
{
	static char out[128 << 10];
	struct memory m = { { memory_read }, data, len };
	struct source *unpacked = unpack_new(&m.s, 1 << 30);
	struct err err = { 0 };
	double from = now();
	ssize_t n;

	for (*bytes = 0; (n = unpacked->read(unpacked, out, sizeof out, &err)) > 0; *bytes += (size_t)n)
		;
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", name, err.text);
		exit(1);
	}
	unpack_free(unpacked);
	return now() - from;
}

static void one(const char *name, int rounds)
{
	FILE *f = fopen(name, "re");
	double best = 1e9;
	size_t len, bytes = 0;
	char *data;

	if (!f || fseek(f, 0, SEEK_END) < 0) {
		perror(name);
		exit(1);
	}
	len = (size_t)ftell(f);
	rewind(f);
	data = malloc(len + 1);
	if (!data || fread(data, 1, len, f) != len)
		exit(1);
	fclose(f);
	for (int i = 0; i < rounds; i++) {
		double took = decode(name, data, len, &bytes);

		best = took < best ? took : best;
	}
	printf("%8.0f MB/s  %s\n", (double)bytes / 1e6 / best, name);
	free(data);
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		one(argv[i], atoi(argv[1]));
	return 0;
}
