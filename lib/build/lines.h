/* The lines of a Containerfile, and what instruction.c makes of them. */
#ifndef BUILD_LINES_H
#define BUILD_LINES_H

#include "build/containerfile.h"

#include <stdbool.h>

struct lines {
	const char *p, *end;
	int line;                    /* of the one read last, from 1 */
};

/* The next line, without its newline; false at the end. */
bool lines_next(struct lines *in, const char **s, size_t *n);

/* The next line and those that continue it, as one: an escape at a line's end says so, blanks may follow it; comments and blank lines between them don't count.
 * To the start of OUT, carriage returns taken off. False at the end. */
bool lines_joined(struct lines *in, char escape, struct buf *out);

/* The instruction on LINE, its heredocs from the lines behind it in BODIES. 0, or -EINVAL and nothing to be freed. */
int instruction_read(const char *line, struct lines *bodies, char escape, struct instruction *out, struct err *err);

#endif
