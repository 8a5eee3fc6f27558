/* zstd: any bytes are decoded to their end or refused, and what is decoded is what libzstd makes of them. The magic number is put
 * before the input, so that the fuzzer needn't guess it; a first frame's checksum, which it can't guess, isn't asked for. */
#include "memory.h"

#include "image/zstd.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#define MOST (1 << 20)            /* bytes of output that are looked at */

static char ours[MOST], theirs[MOST];

/* What libzstd takes and we don't. It decodes what no encoder writes: the format forbids it, or has another way to say it. */
static const char *const stricter[] = {
	"dictionaries",                              /* it doesn't mind a number if nothing is taken from there */
	"needs a window",
	"more than 11 bits",
	"a reference to before the window",          /* it keeps more, and takes a repeated distance of 0 as 1 */
	"sequences don't end",
	"sequences end too early",
	"the sequences' tables",                     /* reserved bits */
	"bytes after the literals",
	"an empty block",
	"a bad block",                               /* one larger than all that its frame may hold, if it is the frame's only one */
	"less than the promised size",               /* it doesn't look if the last block is empty */
	"more than the promised size",               /* it looks at the end alone */
};

static bool is_stricter(const struct err *err)
{
	for (size_t i = 0; i < sizeof stricter / sizeof stricter[0]; i++)
		if (strstr(err->text, stricter[i]))
			return true;
	return false;
}

/* Bytes decoded, MOST at most, or -1. */
static ssize_t decode_theirs(const unsigned char *data, size_t len)
{
	static ZSTD_DCtx *d;
	ZSTD_inBuffer in = { data, len, 0 };
	ZSTD_outBuffer out = { theirs, MOST, 0 };
	size_t left = 1, before;

	if (!d)
		d = ZSTD_createDCtx();
	ZSTD_DCtx_reset(d, ZSTD_reset_session_and_parameters);
	do {
		before = in.pos + out.pos;
		left = ZSTD_decompressStream(d, &out, &in);
		if (ZSTD_isError(left))
			return -1;
	} while (out.pos < MOST && in.pos + out.pos > before && (left || in.pos < in.size));
	return left && out.pos < MOST ? -1 : (ssize_t)out.pos;
}

static ssize_t decode_ours(const unsigned char *data, size_t len, size_t chunk, struct err *err)
{
	struct memory m = { { memory_read }, data, len, chunk };
	struct zstd *z = zstd_new(&m.s, 1 << 20);
	size_t done = 0;
	ssize_t n = 1;

	while (done < MOST && (n = zstd_read(z, ours + done, MOST - done, err)) > 0)
		done += (size_t)n;
	zstd_free(z);
	return n < 0 ? -1 : (ssize_t)done;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static const unsigned char magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	unsigned char *whole = malloc(len + 4);
	struct err err = { 0 };
	ssize_t us, them;

	if (len < 2)
		return free(whole), -1;
	memcpy(whole, magic, 4);
	memcpy(whole + 4, data + 1, len - 1);
	whole[4] &= (unsigned char)~4;
	us = decode_ours(whole, len + 3, data[0] ? data[0] * 7u : 1 << 20, &err);
	them = decode_theirs(whole, len + 3);
	if (us < 0 && (!err.code || !err.text[0]))
		abort();
	if (us < 0 ? them >= 0 && !is_stricter(&err) : them != us || memcmp(ours, theirs, (size_t)us)) {
		fprintf(stderr, "ours %zd, libzstd's %zd: %s\n", us, them, err.text);
		abort();
	}
	free(whole);
	return 0;
}
