/* Writing one archive: inside tar_write.c and its helpers only. */
#ifndef IMAGE_TAR_WRITE_H
#define IMAGE_TAR_WRITE_H

#include "base/buf.h"
#include "image/tar.h"

#include <sys/stat.h>

/* What goes out, gathered into large writes. */
struct tar_out {
	struct sink *to;
	char *data;
	size_t len;
};

#define TAR_OUT (128 << 10)

int tar_out_add(struct tar_out *o, const void *data, size_t len, struct err *err);
int tar_out_zeros(struct tar_out *o, int64_t len, struct err *err);
int tar_out_flush(struct tar_out *o, struct err *err);

/* One entry's headers: ustar's, and pax's before it where ustar can't say it. ST's type, owner, mode, size and time. XATTRS holds
 * records "NAME NUL LENGTH VALUE" (see tar_xattrs). 0 or -errno. */
struct tar_headers {
	const char *name, *link;      /* LINK: of a symlink, or of a hard link (HARD) */
	const struct stat *st;
	bool hard;
	int64_t size;                 /* of the content that follows */
	const struct strs *xattr_names;
	const struct buf *xattr_values;   /* one after the other */
	const size_t *xattr_lens;
};
int tar_headers_put(struct tar_out *o, const struct tar_headers *h, struct err *err);

/* Files with several names: the first one's name, by device and inode. */
struct tar_inodes {
	struct tar_inode *v;          /* hash table, open addressing */
	size_t n, cap;
};
/* The name under which ST's inode has been written, or NULL: then it is remembered as NAME. */
const char *tar_inode_seen(struct tar_inodes *t, const struct stat *st, const char *name);
void tar_inodes_free(struct tar_inodes *t);

#endif
