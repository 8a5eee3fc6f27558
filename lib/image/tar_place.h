/* Where entries of an archive land: inside tar_extract.c and its helpers only. */
#ifndef IMAGE_TAR_PLACE_H
#define IMAGE_TAR_PLACE_H

#include "image/tar_read.h"

#include <sys/stat.h>
#include <time.h>

/* Makes an archive's NAME safe and ours: no `.`, no `..` (it stops at the top), no leading or double slash; STRIP and RENAME
 * of T done, T's INTO before it. 1, or 0 when nothing is left after stripping. */
int tar_clean(const struct tar_extract *t, const char *name, struct buf *out);

/* Directories that entries are being placed in, each inside the one before it. Placing something changes a directory's mtime:
 * it is put back when the directory is left, so that no list of all of them is needed. */
struct tar_dirs {
	int rootfd;
	bool through_link;        /* some path led through a symlink: an entry's path isn't always where it is */
	bool whiteouts;           /* a whiteout in the way becomes an opaque directory */
	size_t untimed;           /* directories with paths of at most this length keep their new mtime (0: none do) */
	struct buf path;          /* of the innermost */
	struct tar_dir {
		int fd;
		size_t len;       /* its path is path.p[0..len) */
		struct timespec mtime;
	} v[16];
	int n;
	int failed;               /* first -errno of putting an mtime back */
};

/* The directory PATH[0..LEN), made (0755) where it is missing: a descriptor that stays the stack's, or -errno. */
int tar_dirs_enter(struct tar_dirs *d, const char *path, size_t len);

/* Takes over FD, the directory PATH just made, which is to have MTIME. */
void tar_dirs_push(struct tar_dirs *d, int fd, const char *path, size_t len, struct timespec mtime);

/* Leaves all of them: something was removed or replaced, and paths may lead elsewhere now. */
void tar_dirs_leave(struct tar_dirs *d);

bool tar_is_whiteout(const struct stat *st);

/* The work on one archive. */
struct place {
	struct tar_extract *t;
	struct tar_reader r;
	struct tar_dirs dirs;
	struct buf path;              /* the entry's own, clean */
	size_t top;                   /* length of the clean `into`: a path of that length is the top directory's */
	const char *name;             /* its last component */
	int parent;                   /* borrowed from dirs */
	struct buf target;            /* of a hard link, clean */
	struct buf links;             /* NAME NUL TARGET NUL ..: hard links to what hasn't come yet */
	bool acls;                    /* some directory has a default ACL: what is made in it inherits, wrongly */
};

/* Owner, mode, xattrs and mtime of the current entry for its open FD. 0 or -errno told. SET_TIME false: the stack will. In a user
 * namespace an owner without a place in its map is root's, and what only the host may set (trusted.*) is left out. */
int tar_meta_fd(struct place *p, int fd, bool set_mode, bool set_time, struct err *err);
/* The same for what can't be opened (symlinks, devices): by its name in its parent, never followed. */
int tar_meta_at(struct place *p, struct err *err);

/* Puts the current entry, whose parent is open, in its place. 0 or -errno told. */
int tar_place_file(struct place *p, struct err *err);
int tar_place_special(struct place *p, struct err *err);   /* symlinks, devices, fifos */
int tar_place_dir(struct place *p, struct err *err);
int tar_place_top(struct place *p, struct err *err);       /* "./": the top directory's own owner and mode */
int tar_place_link(struct place *p, struct err *err);
int tar_place_whiteout(struct place *p, struct err *err);

/* Makes the hard links that waited for their target. */
int tar_links_finish(struct place *p, struct err *err);

/* Removes what has the entry's name, since the last of two entries wins; -EISDIR where it mustn't. */
int tar_make_way(struct place *p, struct err *err);

/* After something was replaced a path may lead elsewhere than to the directories that are open. */
static inline void tar_replaced(struct place *p)
{
	tar_dirs_leave(&p->dirs);
}

/* The length of PATH's directory part, and its last component. */
size_t tar_parent_len(const char *path);
const char *tar_last_of(const char *path);

#endif
