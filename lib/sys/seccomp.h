/* System calls that a process and its descendants may make from now on: seccomp(2). The default profile is lib/sys/seccomp.profile, made into a
 * program while the box is built; others come as docker's JSON. */
#ifndef SYS_SECCOMP_H
#define SYS_SECCOMP_H

#include "base/err.h"
#include <stdint.h>

/* Confines the caller to the default profile as it is for a holder of CAPS. Needs no_new_privs or SYS_ADMIN in its user namespace (else
 * -EACCES). 0 or -errno; seccomp_missing() of it: the kernel has no filters. */
int seccomp_load_default(uint64_t caps);

/* The same to what seccomp_profile made. -EINVAL also if FILTER isn't one. */
int seccomp_load(const char *filter);

/* Whether the code is what a kernel without CONFIG_SECCOMP_FILTER says. */
int seccomp_missing(int code);

/* Compiles the profile in the file PATH (docker's format: moby's profiles/seccomp) for a holder of CAPS. *FILTER is text, malloc'ed, that
 * seccomp_load takes on the same architecture. 0 or -errno, told. */
int seccomp_profile(const char *path, uint64_t caps, char **filter, struct err *err);

/* The number of a system call here; -ENOSYS: only other architectures have it; -EINVAL: there is none of that name. */
long seccomp_number(const char *name);

#endif
