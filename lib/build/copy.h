/* What COPY and ADD do in a container's root: inside copy*.c only. */
#ifndef BUILD_COPY_H
#define BUILD_COPY_H

#include "build/work.h"

/* A file that isn't in a tree: a heredoc, or what a URL gave. */
struct copy_file {
	char *name;
	int fd;                   /* its content, from the beginning */
	int64_t mode, mtime;      /* MTIME -1: now */
	bool unpack;              /* it is an archive: its content is what comes */
};

struct copy {
	const struct work *work;
	const struct instruction *from;
	bool add;                 /* ADD: archives are unpacked */
	struct source_tree tree;
	struct source_items items;
	char *seen;               /* what they were, for the key */
	struct act *act;
	struct copy_file *files;
	size_t nfiles;
	char *dest;               /* from the root */
	bool dest_dir;            /* it is a directory, be it there or not */
	char *owner;              /* --chown; NULL: root, or, from another stage, as it was there */
	char *chmod;              /* --chmod; or NULL */
	struct source_edit how;
};

/* Puts all of C below ROOT. Fits step_work: ARG is a struct copy. */
int copy_put(int root, void *arg, struct err *err);

/* Makes directory PATH below ROOT, and the ones it is in, for UID and GID. 0 or -errno, told. */
int copy_dirs(int root, const char *path, uid_t uid, gid_t gid, struct err *err);

/* Whether FD's content is an archive that ADD unpacks; it is at its beginning then. 1, 0, or -errno, told. NAME is for messages. */
int copy_is_archive(int fd, const char *name, struct err *err);

/* Whether NAME may become a file's in whatever directory: nothing that leads elsewhere. */
bool copy_is_name(const char *name);

/* A file that is to be put, at the end of C's: FD is its then. */
struct copy_file *copy_add_file(struct copy *c, const char *name, int fd, int64_t mode);

/* What URL gives, at the end of C's files. 0 or -errno, told. */
int copy_fetch(struct copy *c, const char *url, struct err *err);

#endif
