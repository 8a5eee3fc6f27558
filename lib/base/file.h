/* Small files and directories, by directory descriptor: state, cgroup and proc files. For paths that
 * an image or a container controls, see path.h: nothing here may touch those. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/io.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Appends the file's content, at most MAX bytes (-EFBIG beyond). Returns 0 or -errno. */
int file_read(int dirfd, const char *path, struct buf *out, size_t max);

/* Whether reading gave CODE because of the file: it is there (0), it isn't, or it isn't what it should be. Any other error says nothing about it. */
bool file_is_known(int code);

/* The same as file_read of a regular file, to the start of B, whose room is used again. */
int file_load(int dirfd, const char *path, struct buf *b, size_t max);

/* One write(2) to an existing file (a control file of proc or a cgroup). 0 or -errno. */
int file_put(int dirfd, const char *path, const char *text);

/* After a power cut: FILE_LAZY: there may be an empty file; FILE_SYNCED: it is there; FILE_ORDERED: if its name is, then so is what is in it
 * (ext4's data=ordered, where the blocks are chosen before the rename; elsewhere nearly always). Nobody waits for the disk but with SYNCED. */
enum file_sync { FILE_LAZY, FILE_SYNCED, FILE_ORDERED };

/* Replaces PATH whole: a temporary beside it, then rename; with FILE_SYNCED fsync of both. 0 or -errno. */
int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode, enum file_sync sync);

/* Puts DATA, lengthened by newlines to the old length, over the beginning of a small file that is there: a full disk has room for that, where
 * file_replace gets -ENOSPC. 0 or -errno. */
int file_overwrite(int dirfd, const char *path, struct buf *data);

/* Whether PATH is there, be it a link that leads nowhere. */
bool file_there(int dirfd, const char *path);

/* The number that /proc/self/fdinfo/FD has for KEY ("mnt_id", "Pid"), or -errno. */
int64_t fd_info(int fd, const char *key);

/* mkdirat(2) whatever the umask. */
int dir_make(int dirfd, const char *name, mode_t mode);

/* mkdir -p relative to DIRFD; existing directories are left alone. 0 or -errno. */
int dir_make_all(int dirfd, const char *path, mode_t mode);

/* Appends the names in a directory that TAKES wants (NULL: those that don't begin with a dot), sorted. 0, also if there is no such directory, or
 * -errno: then some may be missing. */
int dir_names(int dirfd, const char *path, bool (*takes)(const char *name), struct strs *out);

/* For dir_names: every entry but the directory itself and its parent. */
bool dir_entry(const char *name);

/* Opens a directory O_PATH-less, CLOEXEC; fd or -errno. */
int dir_open(int dirfd, const char *path);

/* Removes a tree: never follows a symlink, never crosses into another mount. Goes on past failures and
 * returns the first one. -ENOENT counts as done. 0 or -errno. */
int tree_remove(int dirfd, const char *path);

/* Opens (making it if need be) and locks PATH exclusively, waiting at most TIMEOUT_MS (0: don't wait, -1: for
 * ever). Returns the descriptor that holds the lock (close it to let go), -EWOULDBLOCK, or -errno. */
int file_lock(int dirfd, const char *path, int timeout_ms);

/* The same on a directory that is there. */
int dir_lock(int dirfd, const char *path, int timeout_ms);

#endif
