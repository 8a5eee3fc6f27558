/* A short-lived process for what can't be undone in one's own, such as going to another namespace. */
#ifndef SYS_HELPER_H
#define SYS_HELPER_H

/* Runs WORK in a process that shares nothing with the caller but its descriptors, and isn't dumpable. WORK returns a descriptor that it
 * opened, or -errno; so does this. What else it opened it has to close. clone(2), CLONE_FILES. */
int helper_open(int (*work)(void *arg), void *arg);

#endif
