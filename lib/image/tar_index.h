/* What of a tar its extracted tree doesn't say: headers, padding, order, what followed the end. With it the tree gives the tar back
 * byte for byte.
 *
 * DIR/tar.idx: TAR_INDEX_MAGIC, then tokens, each a byte and LEB128 numbers:
 *   TAR_INDEX_BLOCK kind runs           512 bytes as a difference to the last ones of that kind (byte 156, a header's type)
 *   TAR_INDEX_PART length kind runs     the same of fewer bytes
 *   TAR_INDEX_ZEROS length
 *   TAR_INDEX_CONTENT shared length bytes inode at length    a piece of a file: its path begins with so many bytes of the last one's;
 *                                       INODE is zigzag and relative to the last one's
 *   TAR_INDEX_END, and the archive's length in 8 bytes, little-endian
 * Runs are: bytes that are the same, bytes that differ, those; until the block is full.
 * DIR/replaced/INODE: files with content that a later entry of the archive took the place of. */
#ifndef IMAGE_TAR_INDEX_H
#define IMAGE_TAR_INDEX_H

#include "base/err.h"
#include "image/tar.h"

#include <stddef.h>
#include <stdint.h>

#define TAR_INDEX_FILE "tar.idx"
#define TAR_INDEX_REPLACED "replaced"
#define TAR_INDEX_MAGIC "ctrbox tar 1\n"
#define TAR_INDEX_MAGIC_LEN (sizeof TAR_INDEX_MAGIC - 1)
#define TAR_INDEX_UNIT 512
#define TAR_INDEX_KIND 156        /* where a header has its type */

enum { TAR_INDEX_END, TAR_INDEX_BLOCK, TAR_INDEX_PART, TAR_INDEX_ZEROS, TAR_INDEX_CONTENT };

/* The last block of each kind. */
typedef unsigned char tar_index_kinds[256][TAR_INDEX_UNIT];

/* Writing: begins DIR/tar.idx. DIR stays the caller's. 0 or -errno, told. */
int tar_index_begin(struct tar_index **out, int dir, struct err *err);

/* The archive's next LEN bytes, but for those that tar_index_content has spoken of. */
void tar_index_bytes(struct tar_index *x, const void *data, size_t len);

/* The next LEN bytes are those at AT of the file FD, whose path in the tree is PATH. */
void tar_index_content(struct tar_index *x, int fd, const char *path, int64_t at, int64_t len);

/* Saves the files of PARENT/NAME, which is about to be removed. 0 or -errno. */
int tar_index_keep(struct tar_index *x, int parent, const char *name);

/* Writes what is left and frees X. 0, or -errno of anything that went wrong since it began, told. */
int tar_index_end(struct tar_index *x, struct err *err);

/* Reading: the length of the archive that DIR/tar.idx describes; -ENOENT: it has none; -errno. */
int64_t tar_index_length(int dir);

/* Writes that archive, with contents from TREE. 0 or -errno, told. */
int tar_index_replay(int dir, int tree, struct sink *to, struct err *err);

#endif
