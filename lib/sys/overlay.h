/* Inside overlay*.c only: what overlay_open (sys/mount.h) and its way round fsconfig(2) share. */
#ifndef SYS_OVERLAY_H
#define SYS_OVERLAY_H

#include <stdbool.h>

/* A kernel whose defaults differ must not let copy-up store empty files (metacopy) or follow an upper's redirects. */
#define OVERLAY_SAFE_OPTIONS 3
extern const char *const overlay_safe_options[OVERLAY_SAFE_OPTIONS][2];

/* LOWER, the uppermost first, without those that are there again: the kernel wants each once (ELOOP), and the uppermost says all that the
 * others would. Returns how many; OUT has room for N. */
int overlay_each_once(const int *lower, int n, int *out);

/* overlay_open by mount(2), whose options are a page: for more layers than fsconfig(2) takes where it doesn't know `lowerdir+` (before Linux
 * 6.8). It wants a place for the mount: that is in a mount namespace of a helper's own, where directories are found by their names. -E2BIG: one has none. */
int overlay_by_mount(const char *source, const int *lower, int n, int upper, int work, bool userxattr);

#endif
