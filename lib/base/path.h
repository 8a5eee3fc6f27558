/* The only functions that may touch a path which an image or a container controls.
 *
 * Each resolves PATH below ROOTFD with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): symlinks are followed as
 * a process chrooted there would, `..` stops at the root, and what comes back is a descriptor that later
 * renames can't move elsewhere. See openat2(2). */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <sys/types.h>

/* open(2) below ROOTFD; O_CLOEXEC is added. fd or -errno. */
int path_open(int rootfd, const char *path, int flags, mode_t mode);

/* The parent directory of PATH as an O_PATH descriptor, its last component in NAME (never "", "." or "..":
 * -EINVAL for those). Parents are made with MODE when MAKE is not 0. fd or -errno. */
int path_parent(int rootfd, const char *path, mode_t make, char name[256]);

/* The directory PATH as an O_PATH descriptor, each missing component made with MODE. fd or -errno. */
int path_mkdirs(int rootfd, const char *path, mode_t mode);

/* The directory PATH (no slash before it) as an O_PATH descriptor, without following any link; its last component is made with MODE if it
 * is missing. fd or -errno: -ELOOP for a link. */
int path_mkdir_plain(int rootfd, const char *path, mode_t mode);

/* The file PATH as an O_PATH descriptor, made empty (parents too) if it is missing. fd or -errno. */
int path_mkfile(int rootfd, const char *path, mode_t mode);

/* The place of what is to be called PATH: where the symlink that has this name leads (to something or not), and so on; its directory may be reached
 * through others still, and its last component be `..`. malloc'ed; NULL after too many. */
char *path_follow(int rootfd, const char *path);

/* PATH without `.`, empty components and a slash at either end, at the end of OUT, which is empty; `..` stops at the top. No file system is asked. */
struct buf;
void path_clean(const char *path, struct buf *out);

/* "/proc/self/fd/N": a name for FD that old system calls take. OUT holds 32 bytes. Returns OUT. */
char *path_of_fd(int fd, char out[32]);

#endif
