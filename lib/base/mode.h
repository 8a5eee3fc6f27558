/* Modes as chmod(1) takes them. */
#ifndef BASE_MODE_H
#define BASE_MODE_H

#include <sys/types.h>

/* What TEXT makes of *MODE, which has its file type, as st_mode: an octal number is all of it; else changes, "u=rwX,go-w,+x" (POSIX chmod(1), and t).
 * With neither of ugoa a change is for all: no umask counts. 0, or -EINVAL. */
int mode_change(const char *text, mode_t *mode);

#endif
