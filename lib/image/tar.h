/* tar archives (POSIX ustar and pax, GNU's long names, base-256 numbers, sparse files): reading into a tree and
 * writing from one. Used for images, ctr-cp, ctr-export, ctr-commit and copying trees. */
#ifndef IMAGE_TAR_H
#define IMAGE_TAR_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where an archive comes from. READ returns the count, 0 at the end, or -errno (with ERR told). */
struct source {
	ssize_t (*read)(struct source *s, void *data, size_t len, struct err *err);
};

/* What becomes of entries that aren't taken as they are: ctr-image build. Reading takes the owner alone. */
struct tar_edit {
	int64_t uid, gid;     /* -1: each entry's own */
	const char *mode;     /* NULL, or what becomes of each mode (base/mode.h), but for symlinks */
	int64_t latest;       /* no mtime is after this one, epoch seconds; INT64_MAX: any may be, INT64_MIN: all are 0 */
	bool (*takes)(void *arg, const char *name, int dirfd, const char *last); /* NULL, or whether NAME, LAST in DIRFD, is to be there, and what is below it */
	void *arg;
};

struct tar_index;

struct tar_extract {
	int rootfd;           /* the tree: nothing is ever written outside it (openat2 RESOLVE_IN_ROOT) */
	const char *into;     /* directory below rootfd that names are relative to; NULL or "" for the root */
	int strip;            /* leading components to drop; entries with fewer are skipped */
	const char *rename;   /* the archive's first component becomes this (ctr-cp); NULL: kept */
	bool unended;         /* an end mark may be missing: some other check shows whether the archive is whole */
	bool whiteouts;       /* .wh.X and .wh..wh..opq become overlay's whiteouts; false: plain files */
	struct tar_index *index; /* told what the tree won't say of the archive (tar_index.h); NULL: nobody asks */
	bool merge_dirs;      /* ctr-cp: an existing directory, or symlink to one, stays as it is; a file never replaces a directory */
	bool settle_dirs;     /* with it: but for the top an existing directory gets the entry's owner, mode and so on, and a symlink to one isn't one */
	bool keep_top;        /* what the archive says of its top is passed over */
	const struct tar_edit *owner; /* NULL, or whose uid and gid everything gets */
	int64_t bytes;        /* out: bytes of file content written */
	uint64_t entries;     /* out */
	uint64_t unmapped;    /* out, in a user namespace: entries whose owner it has no id for; they are root's */
	uint64_t left_out;    /* out, in a user namespace: device nodes, which can't be made there */
};

/* Reads until the end of the source, also past the archive's end mark. Owners, modes, times, xattrs (never trusted.overlay.* nor
 * security.selinux, which belong to the host), hard links, devices, fifos are kept; of two entries of one name the last wins. The
 * umask is 0 meanwhile. 0 or -errno: truncation, corruption and refusal name the entry and the offset. */
int tar_extract(struct tar_extract *t, struct source *from, struct err *err);

/* All of S, which should be a short text, at the end of OUT. 0; -EFBIG: it has more than MAX bytes; or -errno. Told. */
struct buf;
int source_text(struct source *s, size_t max, struct buf *out, struct err *err);

/* Where an archive goes. WRITE takes everything or returns -errno. */
struct sink {
	int (*write)(struct sink *s, const void *data, size_t len, struct err *err);
};

struct tar_write {
	int rootfd;           /* the tree */
	const char *from;     /* what below rootfd to write; NULL or "" for all */
	const char *name;     /* the name it gets in the archive; NULL: the tree's own names, without a leading "./" */
	bool whiteouts;       /* overlay's whiteouts become .wh.X and .wh..wh..opq; false: they are left out */
	bool cross_mounts;    /* go on into other mounts (false: their mount points are empty directories or files) */
	const struct tar_edit *edit; /* NULL: everything as it is */
	const struct tar_write *next; /* is written behind it, into the same archive; a hard link between the two becomes two files. NULL: none */
};

/* Writes entries in a canonical order (sorted names), pax headers only where ustar can't say it; hard links found by inode.
 * Sockets are left out. A file that shrinks while it is read is padded, one that grows is cut. 0 or -errno. */
int tar_write(const struct tar_write *t, struct sink *to, struct err *err);

/* Plain descriptors as source and sink. */
struct fd_source { struct source s; int fd; };
struct fd_sink { struct sink s; int fd; };
void fd_source_init(struct fd_source *s, int fd);
void fd_sink_init(struct fd_sink *s, int fd);

/* A tree read as an archive, written by a process of its own: from `from.s`. The end is told RC, what came of the reading, and
 * returns it, or the writer's -errno, told, if that is the cause. */
struct tree_source { struct fd_source from; pid_t pid; int tell; };
int tree_source_begin(struct tree_source *s, const struct tar_write *from, struct err *err);
int tree_source_end(struct tree_source *s, int rc, struct err *err);

/* Copies a tree into another through the two above, in two processes with a pipe between. 0 or -errno. */
int tree_copy(const struct tar_write *from, struct tar_extract *to, struct err *err);

#endif
