/* A container's changes as an image. */
#ifndef CTR_COMMIT_H
#define CTR_COMMIT_H

#include "ctr/record.h"
#include "image/image.h"

struct commit {
	const struct store *store;
	struct record *record;
	const char *name;           /* of the image */
	const char *comment;        /* in its history; or NULL */
	const struct strs *changes; /* image_change instructions */
};

/* Makes the container's upper directory a layer on those of its image; of one made of a directory all of that becomes
 * the one layer. The command, environment, user and working directory are the container's. It holds the container's
 * lock, and a running one is frozen while it is read, and thawed whatever becomes of us. OUT is the image. 0 or -errno,
 * told; then nothing is left. */
int commit(const struct commit *c, struct image *out, struct err *err);

#endif
