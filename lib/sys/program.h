/* What kind of file a program is, as far as the kernel cares: elf(5), execve(2). */
#ifndef SYS_PROGRAM_H
#define SYS_PROGRAM_H

#include "base/err.h"

/* Tells in ERR why execve(2) of PATH answered CODE (-errno; -ELIBBAD stands for an ENOENT although PATH exists):
 * reads the file as far as the caller may. Returns CODE. */
int program_why(const char *path, int code, struct err *err);

#endif
