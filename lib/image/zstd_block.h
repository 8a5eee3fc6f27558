/* A compressed block of a Zstandard frame (RFC 8878, 3.1.1.3): inside zstd*.c only. What fails returns a text that says what is
 * wrong, else NULL, and leaves the input where that is. */
#ifndef IMAGE_ZSTD_BLOCK_H
#define IMAGE_ZSTD_BLOCK_H

#include "image/load.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_MOST (128 << 10)    /* bytes that a block may hold, compressed and not */
#define SLACK 64                  /* what may be read behind input and literals, and written behind output, and read before input */

/* Input: p up to end. */
struct span {
	const unsigned char *p, *end;
};

/* A state of a decoding table (4.1): what it stands for, and how the next one is found. */
struct fse {
	uint16_t next;            /* + the bits read */
	uint8_t bits;
	uint8_t extra;            /* bits to be added to value */
	uint32_t value;
};

/* A distribution of symbols: how often each occurs among 1 << log; -1 is less than once. */
struct fse_counts {
	unsigned log, n;
	int16_t of[256];
};

/* Reads a description (4.1.1) of at most MAX_LOG bits and SYMBOLS symbols. */
const char *fse_read(struct fse_counts *c, struct span *in, unsigned max_log, unsigned symbols);

/* TABLE of 1 << c->log states; a state's value is its symbol. */
void fse_build(struct fse *table, const struct fse_counts *c);

#define HUFFMAN_BITS 11
#define HUFFMAN_SIZE (1 << HUFFMAN_BITS)

/* Huffman-coded literals: an entry holds the code's bits in its low byte and the literal in its high one. huffman_read reads the
 * description of a code (4.2.1); huffman_1 and huffman_4 decode N literals from all of IN, in one or four streams (4.2.2). */
const char *huffman_read(uint16_t table[HUFFMAN_SIZE], struct span *in);
const char *huffman_1(const uint16_t table[HUFFMAN_SIZE], struct span in, unsigned char *out, size_t n);
const char *huffman_4(const uint16_t table[HUFFMAN_SIZE], struct span in, unsigned char *out, size_t n);

/* A backward stream's END byte: bits that are used up, the mark included. */
static inline unsigned mark_bits(unsigned char end)
{
	return (unsigned)__builtin_clz(end) - 23;
}

enum { LITERAL_LENGTHS, OFFSETS, MATCH_LENGTHS, KINDS };

/* What one block leaves for the next of its frame. */
struct zstd_block {
	bool coded;                          /* `huffman` is there */
	uint16_t huffman[HUFFMAN_SIZE];
	int log[KINDS];                      /* of `table`; -1: there is none */
	struct fse table[KINDS][512];
	uint32_t repeat[3];
	unsigned char literals[BLOCK_MOST + SLACK];
};

/* Where output goes: a ring whose data goes on at `base` when the end is near. */
struct zstd_out {
	unsigned char *base, *at;
	size_t room;              /* bytes that this block may hold */
	size_t old;               /* bytes of the frame from base on that were written in the last round, up to their end */
	size_t window;
};

void zstd_block_init(struct zstd_block *b);

/* All of IN is a block's content. */
const char *zstd_block_decode(struct zstd_block *b, struct span *in, struct zstd_out *out);

/* Its second half: LITERALS are what its first half held. */
const char *zstd_sequences(struct zstd_block *b, struct span *in, struct span literals, struct zstd_out *out);

#endif
