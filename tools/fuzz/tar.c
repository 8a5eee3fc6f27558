/* tar's headers: any bytes are read to their end or refused; names come out clean. */
#include "memory.h"
#include "tar_seal.h"

#include "image/tar_place.h"
#include "image/tar_read.h"

#include <stdlib.h>

static void check_name(const char *name)
{
	const struct tar_extract t = { .into = "into", .strip = 1 };
	struct buf out = { 0 };

	tar_clean(&t, name, &out);
	if (strncmp(out.p, "into", 4) || (out.p[4] && out.p[4] != '/') || strstr(out.p, "//") || strstr(out.p, "/../") || ends_with(out.p, "/.."))
		abort();
	buf_free(&out);
}

static int read_archive(const unsigned char *data, size_t len)
{
	struct memory m;
	struct tar_reader r;
	struct err err = { 0 };
	int rc;

	memory_init(&m, data, len);
	tar_reader_init(&r, &m.s);
	while ((rc = tar_next(&r, &err)) > 0) {
		const char *content;
		ssize_t n = 0;

		check_name(r.e.name.p);
		check_name(r.e.link.p);
		if (r.e.sparse && tar_sparse_check(&r.e) < 0)
			abort();
		if (r.e.offset & 1)
			continue; /* passed over */
		while ((n = tar_content(&r, 1000, &content, &err)) > 0)
			if (content < r.data)
				abort();
		if (n < 0)
			break;
	}
	if (rc < 0 && (!err.code || !err.text[0]))
		abort();
	tar_reader_free(&r);
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	unsigned char *copy = malloc(len + 1);

	memcpy(copy, data, len);
	if (len)
		tar_seal(copy + 1, len - 1);
	read_archive(copy, len);
	free(copy);
	return 0;
}
