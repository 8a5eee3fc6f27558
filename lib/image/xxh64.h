/* XXH64 with seed 0 (the xxHash fast digest algorithm), zstd's checksum. */
#ifndef IMAGE_XXH64_H
#define IMAGE_XXH64_H

#include <stddef.h>
#include <stdint.h>

struct xxh64 {
	uint64_t lane[4], bytes;
	unsigned char rest[32];      /* what didn't fill a stripe yet: bytes % 32 of it */
};

void xxh64_init(struct xxh64 *x);
void xxh64_add(struct xxh64 *x, const void *data, size_t len);
uint64_t xxh64_end(const struct xxh64 *x);

#endif
