/* Names by pattern, as .dockerignore and COPY have them (docker's reference; Go's path/filepath.Match): `*` and `?` stand for what is no slash, [a-z]
 * and [^a-z] for one of those, `**` for any number of directories, a backslash makes what follows it plain. */
#ifndef BUILD_IGNORE_H
#define BUILD_IGNORE_H

#include "base/buf.h"
#include "base/err.h"

bool glob_matches(const char *pattern, const char *path);

/* Whether it has anything but plain characters. */
bool glob_is(const char *pattern);

/* What of a tree is left out: the last pattern that fits a path, or a directory that it is in, decides. Begins as {0}. */
struct ignore {
	struct strs patterns;        /* clean; "!.." brings back */
	bool brings_back;            /* there is one of those */
	struct buf *kept;            /* where all questions are about one tree: what was found last that stays. NULL: isn't noted */
};

/* A line of such a file; blank ones and those that begin with # say nothing. 0 or -EINVAL, told. */
int ignore_add(struct ignore *g, const char *line, struct err *err);

/* Whether PATH (relative, clean) is left out; and whether everything below it is, too, if it is a directory: LAST in DIRFD. */
bool ignore_has(const struct ignore *g, const char *path);
bool ignore_has_all(const struct ignore *g, const char *path, int dirfd, const char *last);

void ignore_free(struct ignore *g);

#endif
