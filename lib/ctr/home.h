/* Where the store is, when nobody says it by CTRBOX_ROOT and CTRBOX_RUN: /var/lib/ctrbox and /run/ctrbox. An ordinary user's are below
 * $XDG_DATA_HOME (~/.local/share) and $XDG_RUNTIME_DIR (/tmp, as ctrbox-UID): XDG Base Directory Specification. */
#ifndef CTR_HOME_H
#define CTR_HOME_H

#include "base/err.h"

enum home { HOME_ROOT, HOME_RUN };

/* Its name, malloc'ed; NULL: a user without a home. */
char *home_name(enum home which);

/* Opens it, made if it is missing: for root 0711, for others 0700. Where others chose the place, one that belongs to somebody else, or
 * is open to others, is refused. *PATH (may be NULL) is its absolute path, malloc'ed. A descriptor or -errno, told. */
int home_open(enum home which, char **path, struct err *err);

#endif
