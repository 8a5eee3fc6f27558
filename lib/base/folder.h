/* Directories that appear and disappear whole: made under a temporary name, renamed when done, and under such a name again while they
 * are removed. Whoever makes one holds its lock, so that a sweep tells what was left from what is being made. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/buf.h"
#include <stdbool.h>

#define TMP_PREFIX ".tmp-"
#define TMP_NAME 24

/* Makes a directory of a new name in FOLDER, locked by the descriptor that is returned. Or -errno. */
int folder_tmp(int folder, char name[TMP_NAME]);

/* Takes NAME's lock: LOCK_EX without waiting, LOCK_SH once nobody has that, which is never for long: who looks whether to remove it.
 * fd; -EWOULDBLOCK: somebody has it; -ENOENT; -errno. */
int folder_lock(int folder, const char *name, int how);

/* folder_lock that waits for whoever has it: -EINTR if a signal came (interrupt.h). */
int folder_wait(int folder, const char *name, int how);

/* Removes NAME, whose lock is held: it disappears at once, then its files go. */
int folder_remove(int folder, const char *name);

/* Removes directories of FOLDER that were left half-made. Appends "WHAT NAME" to REMOVED (may be NULL). */
void folder_sweep(int folder, const char *what, struct strs *removed);

#endif
