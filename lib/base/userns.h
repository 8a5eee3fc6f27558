/* What differs in a user namespace other than the first. */
#ifndef BASE_USERNS_H
#define BASE_USERNS_H

#include <stdbool.h>

/* Whether the caller is in the first user namespace: only there can devices be made and every file system be
 * mounted. */
bool ns_user_first(void);

/* Overlay's mark on the directory DIRFD: it hides what the layers below have there. trusted.overlay.opaque; in a user namespace, where
 * that can't be written, user.overlay.opaque, which overlay's option `userxattr` has it read. 0 or -errno. overlayfs.rst. */
int opaque_mark(int dirfd);
bool opaque_is(int dirfd);

#endif
