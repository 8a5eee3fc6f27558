/* gzip and what is taken for it: any bytes are decoded to their end or refused. The header of a gzip member is put before the
 * input, so that the fuzzer needn't guess it. */
#include "memory.h"

#include "image/unpack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static const unsigned char header[10] = { 0x1f, 0x8b, 8 };
	unsigned char *whole = malloc(len + sizeof header + 1);
	static char out[70000];
	struct memory m;
	struct err err = { 0 };
	struct source *unpacked;
	ssize_t n;

	if (len) {
		whole[0] = data[0];
		memcpy(whole + 1, header, sizeof header);
		memcpy(whole + 1 + sizeof header, data + 1, len - 1);
	}
	memory_init(&m, whole, len ? len + sizeof header : 0);
	unpacked = unpack_new(&m.s, 0);
	while ((n = unpacked->read(unpacked, out, data && len ? 1 + data[0] * 256u : sizeof out, &err)) > 0)
		;
	if (n < 0 && (!err.code || !err.text[0]))
		abort();
	unpack_free(unpacked);
	free(whole);
	return 0;
}
