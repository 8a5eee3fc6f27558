/* A source that decompresses another: gzip by its magic number (RFC 1951, 1952; several members in a row), anything else as it is.
 * Other compressions are refused by name. */
#ifndef IMAGE_UNPACK_H
#define IMAGE_UNPACK_H

#include "image/tar.h"

struct source *unpack_new(struct source *from);
void unpack_free(struct source *unpacked);

#endif
