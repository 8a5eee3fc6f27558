/* One tar archive, entry by entry: ustar, pax (POSIX.1-2017 pax(1)), GNU's long names, base-256 numbers and sparse files
 * (GNU tar manual, "Basic Tar Format"; libarchive's tar(5)). Everything that an entry may ask for is bounded. */
#ifndef IMAGE_TAR_READ_H
#define IMAGE_TAR_READ_H

#include "base/buf.h"
#include "image/tar.h"

#define TAR_BLOCK 512
#define TAR_NAME_MAX 4095         /* a name that can be opened at once */
#define TAR_PAX_MAX (1 << 20)     /* bytes of one extended header */
#define TAR_SPARSE_MAX (1 << 17)  /* pieces of one sparse file */

/* The header of POSIX.1-1988 ("ustar"); GNU's differs after `prefix`, whose room it uses otherwise. */
struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};

struct tar_piece {
	int64_t at, len;          /* where LEN bytes of content go; between the pieces are holes */
};

struct tar_xattr {
	const char *name;         /* points into the header's text */
	const char *value;
	size_t len;
};

struct tar_entry {
	char type;                /* '0' file, '1' hard link, '2' symlink, '3' and '4' devices, '5' directory, '6' fifo */
	struct buf name, link;    /* as the archive spells them */
	uint32_t mode, uid, gid, major, minor;
	int64_t size;             /* bytes of content that follow in the archive */
	int64_t mtime, mtime_ns;
	int64_t offset;           /* of its first header */
	struct tar_xattr *xattrs;
	size_t nxattrs;
	bool sparse;              /* the content is PIECES of a file of REAL_SIZE bytes */
	bool sparse_name;         /* NAME is a sparse file's own, not the stand-in's for readers that don't know */
	int64_t real_size;
	struct tar_piece *pieces;
	size_t npieces;
};

struct tar_reader {
	struct source *from;
	struct tar_index *index;  /* told of every byte, or NULL */
	char *data;               /* what was read ahead */
	size_t pos, end;
	int64_t offset;           /* in the archive, of data[pos] */
	int64_t left, padding;    /* content of the current entry not taken yet, and what fills its last block */
	struct buf global, local; /* text of pax headers: what holds for all that follow, and for the next entry */
	bool is_tar;              /* a header was seen */
	bool unended;             /* an archive may end without an end mark, between entries */
	struct tar_entry e;
};

void tar_reader_init(struct tar_reader *r, struct source *from);
void tar_reader_free(struct tar_reader *r);

/* The next entry in r->e: 1; 0 at the end mark; -errno (with the offset told). What was left of the last one's content is passed over. */
int tar_next(struct tar_reader *r, struct err *err);

/* Some of the current entry's content, at most MAX bytes, where it lies: its length, 0 after the last, or -errno. */
ssize_t tar_content(struct tar_reader *r, int64_t max, const char **data, struct err *err);

/* Reads on to the end of the source, whatever follows the archive. */
int tar_drain(struct tar_reader *r, struct err *err);

/* "NAME: offset N: ": what every message about the current entry starts with. Returns err->code. */
int tar_blame(const struct tar_reader *r, struct err *err);

/* For tar_read.c and its helpers. */

/* A header's number: octal, or base-256 where the first bit says so. 0 or -EINVAL. */
int tar_number(const char *field, size_t len, int64_t *out);

/* Applies the records of a pax header, "LEN KEY=VALUE\n" each, to E. Values in TEXT end with NUL afterwards. 0 or -errno. */
int tar_pax_apply(struct tar_entry *e, struct buf *text, struct err *err);

/* Reads the pieces of a GNU sparse file of the old form (HEADER and the blocks after it), or of pax form 1.0 (before the content). */
int tar_sparse_old(struct tar_reader *r, const char *header, struct err *err);
int tar_sparse_map(struct tar_reader *r, struct err *err);
int tar_piece_add(struct tar_entry *e, int64_t at, int64_t len);
/* Ascending, within the file, as much as there is content. 0 or -EINVAL. */
int tar_sparse_check(const struct tar_entry *e);

/* The next 512 bytes: 1, 0 at the end of the source, -errno. */
int tar_block(struct tar_reader *r, const char **block, struct err *err);

#endif
