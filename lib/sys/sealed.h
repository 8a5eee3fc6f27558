/* Our own executable, out of the reach of what runs in a container: CVE-2019-5736. */
#ifndef SYS_SEALED_H
#define SYS_SEALED_H

#include "base/err.h"

/* A program that a container names /proc/self/exe (as its command, as a #! interpreter) or finds as /proc/PID/exe is the one
 * that started it. So that it can't be written, nor its mode be changed, by that name: where the executable isn't on a file
 * system that is never written, executes it again, from a read-only clone of its mount, or else as a sealed copy in memory. To be
 * called first of all by who starts containers or programs in them; ARGV, not yet changed by opt_parse, is given on. Returns 0 as what can't be written, or -errno: nothing may be executed then.
 * open_tree(2), mount_setattr(2), memfd_create(2), proc(5). */
int sealed_program(char **argv, struct err *err);

#endif
