/* gzip (RFC 1952), as many members as there are, with their checks. */
#ifndef IMAGE_GZIP_H
#define IMAGE_GZIP_H

#include "image/inflate.h"

struct gzip {
	struct inflate z;
	size_t taken;             /* output before it has been handed out */
	uint32_t crc, size;       /* of the current member so far */
	enum { GZIP_HEADER, GZIP_DATA, GZIP_END } at;
};

void gzip_init(struct gzip *g, struct source *from);

/* As a source's read. */
ssize_t gzip_read(struct gzip *g, void *data, size_t len, struct err *err);

#endif
