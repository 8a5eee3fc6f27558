/* A file system that is kept in a file: squashfs, erofs, or ext4 (ext2 and ext3 too), known by its superblock. The kernel that mounts it reads
 * it: it is to be trusted as a disk is. */
#ifndef SYS_FSIMAGE_H
#define SYS_FSIMAGE_H

#include "base/err.h"

/* Whether PATH can be one: a regular file that can be read, with a superblock we know, and as long as that says. 0 or -errno, told without its name. */
int fsimage_check(const char *path, struct err *err);

/* Mounts it read-only. erofs needs no block device where the kernel mounts the file itself
 * (Linux 6.12, not of a tmpfs or an overlay); else it is on a loop device that ends with the mount. A detached mount's descriptor, seen nowhere until somebody
 * attaches it, or -errno, told without its name. */
int fsimage_open(const char *path, struct err *err);

#endif
