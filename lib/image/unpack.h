/* A source that decompresses another: gzip (RFC 1951, 1952) and zstd (RFC 8878) by their magic numbers, several members or frames in a row;
 * anything else as it is. Other compressions are refused by name. */
#ifndef IMAGE_UNPACK_H
#define IMAGE_UNPACK_H

#include "image/tar.h"

/* MAX_WINDOW: bytes of the largest zstd window that is taken; 0: ZSTD_WINDOW. */
struct source *unpack_new(struct source *from, int64_t max_window);

/* Whether it is compressed: 1, 0, or -errno (told). Reads as far as it takes to know. */
int unpack_packed(struct source *unpacked, struct err *err);

void unpack_free(struct source *unpacked);

#endif
