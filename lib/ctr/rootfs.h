/* A container's root as one detached mount, and the trees that are bound into it. */
#ifndef CTR_ROOTFS_H
#define CTR_ROOTFS_H

#include "ctr/record.h"

/* What the file that SPEC names as its root holds, mounted read-only; *IMAGE is -1 if it names none. It is opened where the container's device
 * rules aren't in force yet: they keep loop devices from it. 0 or -errno, told. */
int rootfs_image(const struct spec *spec, int *image, struct err *err);

/* Opens the root of SPEC: an overlay of its image's layers (or of a file's content) with the upper directory of the container, or a directory's tree. With
 * USERNS, a descriptor, it is for a container whose mapped root may not do it: by a process of the host's, layers idmapped, the
 * upper one owned by the mapped root. A descriptor (move_mount(2)) or -errno, told. */
int rootfs_open(const struct store *s, const struct spec *spec, int userns, struct err *err);

/* The same without a user namespace, in a mount namespace that was made after S was opened: an overlay takes no directory out of
 * another one (EINVAL), and what is mounted below the root later must not come out in the host's. IMAGE is rootfs_image's, and is closed. */
int rootfs_open_here(const struct store *s, const struct spec *spec, int image, struct err *err);

/* The root for reading only, seen from nowhere else: its layers (or directory), with what the container changed on top if UPPER.
 * A directory descriptor or -errno, told. */
int rootfs_view(const struct store *s, const struct spec *spec, bool upper, struct err *err);

/* What the container changed, for reading: its upper directory with the container's ids. A directory descriptor or -errno, told. */
int rootfs_upper(const struct store *s, const struct spec *spec, struct err *err);

/* Makes upper/ and work/ of a new container (and an empty lower/, where its image has no layers), owned by the mapped root OWNER. 0 or -errno, told. */
int rootfs_prepare(const struct record *r, uid_t owner, struct err *err);

/* The tree of a bind, volume or device operation as a detached mount; in a user namespace volumes, and binds with the
 * word "idmap", show its ids. */
int tree_open(const struct store *s, const struct mount_spec *m, int userns, struct err *err);

/* The same of a `file` operation: PATH below DIRFD, the container's run directory. */
int file_open(int dirfd, const char *path, int userns, struct err *err);

#endif
