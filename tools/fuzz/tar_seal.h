/* Checksums that a fuzzer would never find. */
#ifndef FUZZ_TAR_SEAL_H
#define FUZZ_TAR_SEAL_H

#include "image/tar_read.h"

#include <stdio.h>
#include <string.h>

/* Every block that calls itself a header gets the checksum that it should have. */
static inline void tar_seal(unsigned char *data, size_t len)
{
	for (unsigned char *p = data; len >= TAR_BLOCK; p += TAR_BLOCK, len -= TAR_BLOCK) {
		unsigned sum = 0;
		char text[8];

		if (memcmp(p + 257, "ustar", 5))
			continue;
		memset(p + 148, ' ', 8);
		for (int i = 0; i < TAR_BLOCK; i++)
			sum += p[i];
		snprintf(text, sizeof text, "%06o", sum);
		memcpy(p + 148, text, 7);
	}
}

#endif
