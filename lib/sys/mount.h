/* Mounts, by descriptors wherever a path could be somebody else's: mount(2), open_tree(2), move_mount(2),
 * fsopen(2), mount_setattr(2), pivot_root(2). */
#ifndef SYS_MOUNT_H
#define SYS_MOUNT_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Options as mount(8) spells them ("ro,nosuid,size=64m,rbind,private"). */
struct mount_options {
	unsigned long set, clear;      /* MS_ flags said, and said not to be ("rw", "exec") */
	unsigned long propagation;     /* MS_PRIVATE, MS_SLAVE, .. (| MS_REC), or 0 */
	bool bind, recursive;          /* "bind", "rbind" */
	struct buf data;               /* the file system's own ("size=64m,mode=755"); p may be NULL */
};
void mount_options_parse(const char *options, struct mount_options *out);

/* The whole tree of this mount namespace private: nothing done here is seen elsewhere. The caller is in a namespace of its own. */
int mount_make_private(struct err *err);

/* Mounts a new FSTYPE on the directory DST_FD. 0 or -errno (no text: the caller knows what it was for). */
int mount_fs(const char *fstype, const char *source, int dst_fd, unsigned long flags, const char *data);

/* Makes a new FSTYPE with FLAGS (MS_RDONLY, MS_NOSUID, ..) and its own options DATA, to be put somewhere with mount_attach; after that too the
 * descriptor is its root, whatever becomes of the names that lead there. fd or -errno: fsopen(2), fsmount(2). */
int mount_open(const char *fstype, unsigned long flags, const char *data);

/* Binds what SRC_FD (O_PATH) is onto DST_FD (O_PATH), with the mounts below it if RECURSIVE. */
int mount_bind(int src_fd, int dst_fd, bool recursive);

/* MS_ flags as mount_setattr(2)'s MOUNT_ATTR_ ones. */
uint64_t mount_attrs(unsigned long flags);

/* Adds SET to and takes CLEAR from the flags of the mount at FD's root (and all below it if RECURSIVE): MS_RDONLY, MS_NOSUID, .. */
int mount_flags(int fd, unsigned long set, unsigned long clear, bool recursive);

/* mount_flags of a detached mount TREE, and mount_attach. Before Linux 5.12 (mount_setattr(2)) it is there for a moment without the flags. */
int mount_attach_flags(int tree, int dst_fd, unsigned long set, unsigned long clear, bool recursive);

/* Makes a detached mount (and all below it if RECURSIVE) nobody's peer. */
int mount_set_private(int tree, bool recursive);

/* Decodes in place a name in /proc/self/mountinfo, which has blanks, tabs, newlines and backslashes as \ooo. */
void mountinfo_decode(char *s);

/* Overlay: LOWER directories are named by descriptors, uppermost first; UPPER and WORK are -1 for a read-only one. Safe options of our
 * own always (redirect_dir=nofollow, metacopy=off, index=off). Returns a detached mount's descriptor
 * (fsmount(2)) to be put somewhere with mount_attach, or -errno. SOURCE is what mountinfo shows as that; NULL: "overlay". USERXATTR for a mounter without privileges over the host. */
int overlay_open(const char *source, const int *lower, int n, int upper, int work, bool userxattr, struct err *err);

extern const char overlay_many[]; /* the hint at -E2BIG, for whoever has lost overlay_open's */

/* For fsconfig(2): what FD is by its own path, so that `mount` shows where it is; /proc/self/fd/N where that isn't its name any more (a detached
 * mount, a deleted file), is too long, or has characters that overlay reads otherwise. Returns NAME. */
const char *mount_name(int fd, char name[256]);

/* Appends to ERR the kernel's own words about the refused file system FS, where it has some: fsopen(2). */
void mount_kernel_words(int fs, struct err *err);

/* Attaches a detached mount (open_tree, fsmount) at DST_FD. */
int mount_attach(int mount_fd, int dst_fd);

/* Makes the mount at ROOTFD the root of this mount namespace and of the caller, whose working directory becomes `/`. The old
 * root is gone afterwards. On an initramfs, where pivot_root(2) answers EINVAL, the mount is moved onto `/` after everything else was hidden,
 * and the caller chroots. *FALLBACK (may be NULL) tells so. From inside a chroot: -EINVAL, told as that. */
int root_switch(int rootfd, bool *fallback, struct err *err);

/* The standard /dev of a container in ROOTFD's directory `dev`, made if missing and refused if it is a link (-ELOOP): a tmpfs with null zero
 * full random urandom tty, links fd stdin stdout stderr ptmx core, pts (devpts) and, unless SHM_SIZE is 0, shm. BIND_NODES: from the
 * host (user namespaces). Returns the mount's descriptor, or -errno, told. */
int dev_populate(int rootfd, bool bind_nodes, int64_t shm_size, struct err *err);

#endif
