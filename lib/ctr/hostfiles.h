/* hostname, hosts and resolv.conf of a container: files in its run directory, bind-mounted into it and rewritten in place. */
#ifndef CTR_HOSTFILES_H
#define CTR_HOSTFILES_H

#include "ctr/record.h"

/* Writes all three; OWNER is the mapped root's id on the host. 0 or -errno, told. */
int hostfiles_write(const struct record *r, uid_t owner, struct err *err);

#endif
