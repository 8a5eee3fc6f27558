/* The loopback interface of a new network namespace. */
#ifndef NET_LOOPBACK_H
#define NET_LOOPBACK_H

#include "base/err.h"

/* Sets lo up in the caller's network namespace: 127.0.0.1 and ::1 answer from then on. netdevice(7). 0 or -errno, told. */
int loopback_up(struct err *err);

#endif
