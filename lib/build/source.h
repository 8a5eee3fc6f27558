/* Where COPY and ADD take files from: a directory of the host, or the root of another stage or image. */
#ifndef BUILD_SOURCE_H
#define BUILD_SOURCE_H

#include "base/buf.h"
#include "build/ignore.h"
#include "image/sha256.h"
#include "image/tar.h"

struct source_tree {
	int root;                     /* a directory; nothing outside of it is ever read */
	const char *from;             /* for messages: the stage or image; NULL: the context */
	const struct ignore *ignored; /* what of it isn't there; or NULL */
};

/* One thing in it. */
struct source_item {
	char *path;                   /* without symlinks; "" for all of it */
	char *name;                   /* the last component, as it was asked for */
	bool dir;
};
struct source_items {
	struct source_item *v;
	size_t n;
};

/* What PATTERN names, in order of name: several, if it is a pattern. 0; -ENOENT: nothing; or -errno. Told. */
int source_find(const struct source_tree *t, const char *pattern, struct source_items *out, struct err *err);
void source_items_free(struct source_items *l);

/* How an item's files are given on: see tar_write. EXCLUDED are patterns below the item. */
struct source_edit {
	int64_t uid, gid;             /* -1: their own */
	const char *mode;             /* as tar_edit's */
	int64_t latest;               /* as tar_edit's */
	struct ignore excluded;
};

/* An item in an archive: its content if it is a directory. */
struct source_tar {
	const struct source_tree *tree;
	const struct source_item *item;
	const struct source_edit *how;
	struct tar_edit edit;
	struct tar_write write;
};
/* All items, one after the other, as one archive: the first one's WRITE. To be freed; NULL if there are none. */
struct source_tar *source_tar(const struct source_tree *t, const struct source_items *l, const struct source_edit *how);

/* Adds all that is in the items, but for times, to SHA: names, kinds, owners, modes, xattrs, contents. 0 or -errno, told. */
int source_digest(const struct source_tree *t, const struct source_items *l, const struct source_edit *how, struct sha256 *sha, struct err *err);

/* The path of FD from the directory ROOT, to be freed: "" for itself, NULL if it is elsewhere. */
char *source_path(int root, int fd);

#endif
