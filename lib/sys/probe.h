/* What this kernel can do, found out without leaving anything behind. Each probe returns 1 (it can), 0 (it can't),
 * or -errno where the caller isn't allowed to know. */
#ifndef SYS_PROBE_H
#define SYS_PROBE_H

#include <sys/types.h>

int probe_clone3(void);
int probe_clone_into_cgroup(void);
int probe_pidfd(void);
int probe_pidfd_setns(void);
int probe_openat2(void);
int probe_close_range(void);
int probe_mount_api(void);      /* fsopen(2) and its family */
int probe_mount_setattr(void);  /* read-only trees, idmapped mounts */
int probe_seccomp_filter(void);

/* A namespace that /proc/self/ns has ("net"). */
int probe_ns(const char *name);

/* A file system that /proc/filesystems lists ("overlay"). */
int probe_filesystem(const char *name);

int probe_loop(void);

/* Where a module is: MODULE_LOADED and MODULE_LOADABLE mean that it is one; a part that is built in, or missing,
 * is neither. /proc/modules, /lib/modules/RELEASE/modules.dep. */
enum module_state { MODULE_NONE, MODULE_LOADED, MODULE_LOADABLE };
enum module_state probe_module(const char *name);

/* Whether the file system of the directory PATH (or its nearest parent that is there) can hold an overlay's upper
 * layer: tries a whiteout and a trusted.overlay xattr in a directory of its own, which it removes. */
int probe_overlay_upper(const char *path);

/* Whether the file system of PATH (or its nearest parent that is there) can be idmapped, and an overlay takes layers that are (Linux 5.19):
 * mount_setattr(2) is tried on a mount that nobody sees. */
int probe_idmapped(const char *path);

#endif
