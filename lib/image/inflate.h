/* DEFLATE (RFC 1951), streaming: input is pulled from a source, output appears in a window that the reader empties. */
#ifndef IMAGE_INFLATE_H
#define IMAGE_INFLATE_H

#include "image/tar.h"

#define INFLATE_IN (64 << 10)
#define INFLATE_HISTORY (32 << 10)
#define INFLATE_OUT (256 << 10)
#define INFLATE_SLACK 1024        /* behind both buffers: what a step may read or write past the end */

#define LITLEN_BITS 11
#define LITLEN_ENTRIES 2400       /* 2342 is the most that 288 codes of up to 15 bits need with 11 at first sight */
#define DIST_BITS 8
#define DIST_ENTRIES 402          /* the same for 32 codes and 8 bits */
#define PRECODE_BITS 7

struct inflate {
	struct source *from;
	uint64_t bits;                /* the next nbits of input, lowest first */
	unsigned nbits;
	size_t in_pos, in_end;        /* in `in` */
	bool in_eof;
	int64_t in_offset;            /* in the source, of in[0] */
	size_t out_pos;               /* where output goes on */
	size_t out_start;             /* of the current stream: nothing before it may be referred to */
	enum { BLOCK_NEXT, BLOCK_STORED, BLOCK_CODED, BLOCK_NONE } block;
	bool last;                    /* this block is the stream's last */
	unsigned stored;              /* bytes left of a stored block */
	uint32_t litlen[LITLEN_ENTRIES], dist[DIST_ENTRIES];
	unsigned char in[INFLATE_IN + INFLATE_SLACK];
	unsigned char out[INFLATE_HISTORY + INFLATE_OUT + INFLATE_SLACK];
};

void inflate_init(struct inflate *z, struct source *from);

/* A new stream begins at the next byte of input. */
void inflate_start(struct inflate *z);

/* Decodes until the window is full (1) or the stream ends (0), or -errno, told. */
int inflate_run(struct inflate *z, struct err *err);

/* Keeps the history and makes room; all output before out_pos has been taken. */
void inflate_slide(struct inflate *z);

/* Between streams: sees to N bytes of input being there from in[in_pos] on. 1, 0 if the source ends before, -errno. */
int inflate_bytes(struct inflate *z, size_t n, struct err *err);

/* Tells that the source ended too early, and where. -EINVAL. */
int inflate_truncated(const struct inflate *z, struct err *err);

/* The position in the source of the next byte that isn't used up. */
int64_t inflate_offset(const struct inflate *z);

#endif
