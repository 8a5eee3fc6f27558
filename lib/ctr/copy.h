/* Copying between a container and the host, by docker cp's rules: what exists decides where things go.
 *   a directory that is there takes the source in; SRC/. puts the source's content into it
 *   a name that isn't there becomes the copy's, if its parent is there; with a slash at its end it means a directory
 *   a file replaces a file, never a directory, nor a directory a file */
#ifndef CTR_COPY_H
#define CTR_COPY_H

#include "ctr/record.h"

struct copy {
	const struct store *store;
	struct record *record;
	const char *inside; /* path in the container, from its root */
	const char *host;   /* path on the host; NULL: a tar stream on stdout or stdin */
	bool follow;        /* the source, if it is a symlink, stands for what it points to */
};

/* From the container, and into it. 0 or -errno, told. */
int copy_out(const struct copy *c, struct err *err);
int copy_in(const struct copy *c, struct err *err);

/* The whole root of RECORD's container (with its changes; without what is mounted on it) as a tar to FD. 0 or -errno,
 * told. */
int copy_root(const struct store *s, struct record *r, int fd, struct err *err);

#endif
