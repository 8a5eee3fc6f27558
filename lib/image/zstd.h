/* Zstandard (RFC 8878): frames, as many as there are, with their checksums; frames to be skipped are. No dictionaries. */
#ifndef IMAGE_ZSTD_H
#define IMAGE_ZSTD_H

#include "image/tar.h"

#define ZSTD_WINDOW (8 << 20)     /* the largest window of what images are made by; decoding takes that much memory */

struct zstd;

/* Whether a stream of frames may begin with MAGIC, four bytes. */
bool zstd_is(uint32_t magic);

/* A frame that needs a larger window than MAX_WINDOW bytes is refused. */
struct zstd *zstd_new(struct source *from, int64_t max_window);
void zstd_free(struct zstd *z);

/* As a source's read. Truncation and corruption are told with their place in the compressed bytes. */
ssize_t zstd_read(struct zstd *z, void *data, size_t len, struct err *err);

#endif
