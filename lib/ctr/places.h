/* /proc, /sys and /dev: the file systems that are ours by name. What is done to them later goes by the descriptors of their mounts, whatever
 * somebody who sees the root file system too puts in their places meanwhile. */
#ifndef CTR_PLACES_H
#define CTR_PLACES_H

#include "base/err.h"

enum { PLACES = 3 };
struct places {
	int root;            /* the root file system */
	int fd[PLACES];      /* their mounts; -1: not there yet */
};

/* Opens TARGET ("/proc/kcore") where it is in our own mount (O_PATH, no link is followed at its end): fd or -errno. */
int place_open(const struct places *p, const char *target);

/* The directory TARGET ("/proc", or one in a place that is mounted already), made if it is missing and refused if it is a link. An O_PATH descriptor, or
 * -errno, told. */
int place_directory(const struct places *p, const char *target, struct err *err);

/* Mounts a new FSTYPE there, with flags (MS_) and options as mount_open takes them: the mount's descriptor, or -errno, told. */
int place_mount(const struct places *p, const char *target, const char *fstype, unsigned long flags, const char *data, struct err *err);

/* Gives the descriptor of TARGET's mount away: a place's is kept, another closed. */
void place_keep(struct places *p, const char *target, int mount);

/* -EPERM, told, if TREE (-1: no tree), which isn't of procfs itself, would cover DST, something in procfs that isn't one of the few files that
 * others compute for a container (lxcfs): what is written to /proc later must reach the kernel (CVE-2019-16884, CVE-2025-52881). */
int place_guard(int dst, int tree, const char *target, struct err *err);

#endif
