/* SHA-256 (FIPS 180-4), by the processor's own instructions where it has them. */
#ifndef IMAGE_SHA256_H
#define IMAGE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t len;               /* bytes added so far */
	unsigned char block[64];    /* what doesn't fill a block yet */
	bool fast;                  /* the processor has SHA instructions */
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);

/* The digest as 64 lower-case hex digits and a NUL. S is used up. */
void sha256_end(struct sha256 *s, char hex[65]);

/* All of it at once. */
void sha256_hex(const void *data, size_t len, char hex[65]);

/* Whether S is such a digest: 64 lower-case hex digits. */
bool sha256_is_hex(const char *s);

/* For sha256*.c: the round constants; whether this processor has instructions for it; and N blocks of 64 bytes, by them or without. */
extern const uint32_t sha256_k[64];
bool sha256_cpu_has(void);
void sha256_cpu_blocks(uint32_t h[8], const unsigned char *p, size_t n);
void sha256_plain(uint32_t h[8], const unsigned char *p, size_t n);

#endif
