/* The kernel's version, for what can't be found out otherwise at a bearable cost. */
#ifndef BASE_RELEASE_H
#define BASE_RELEASE_H

#include <stdbool.h>

/* Whether it is MAJOR.MINOR or newer; true if it can't be told. uname(2). */
bool kernel_since(long major, long minor);

#endif
