/* What every target wants of what it calls. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

/* Ends the run, and keeps the input. */
#define CHECK(holds)                                                             \
	do {                                                                     \
		if (!(holds)) {                                                  \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                 \
		}                                                                \
	} while (0)

/* A refusal is told; R is returned. */
static inline int check_told(int r, const struct err *err)
{
	CHECK(r >= 0 || (err->code < 0 && err->text[0]));
	return r;
}

#endif
