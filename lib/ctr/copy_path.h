/* What copying means by its two paths: inside copy.c only. Both are resolved below a root directory, the container's or
 * the host's own. */
#ifndef CTR_COPY_PATH_H
#define CTR_COPY_PATH_H

#include "base/err.h"
#include <stdbool.h>

struct copy_source {
	char *path;
	char *name; /* in the archive */
	bool dir;
	bool content; /* SRC/. : not the directory but what is in it */
	bool whole;   /* the root itself: what is mounted below isn't copied */
};

/* 0 or -errno, told. */
int copy_source(int root, const char *path, bool follow, struct copy_source *out, struct err *err);

/* The source's name and `content`, which its path alone tells. */
void copy_source_name(const char *path, struct copy_source *out);

struct copy_target {
	char *into;   /* a directory that is there */
	char *rename; /* what the source is called there; NULL: its own name */
	bool strip;   /* the source's content only */
};

/* 0 or -errno, told. */
int copy_target(int root, const char *path, const struct copy_source *from, struct copy_target *out, struct err *err);

#endif
