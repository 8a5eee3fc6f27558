/* Addresses in use: $CTRBOX_RUN/net/<network>/<address> is a symlink to "<id> <name> <alias>..". Made by symlinkat(2), so that two can't take the same; a
 * reboot forgets them all; one names its owner, so that a late release doesn't free the next owner's. */
#ifndef NET_LEASE_H
#define NET_LEASE_H

#include "net/address.h"
#include "base/buf.h"

/* Takes WANTED (family 0: the next free one, from the lowest upward; those given back come last) of SUB for OWNER ("<id> <name>.."). The gateway is never given. RUN is $CTRBOX_RUN. -EEXIST: taken; -ENOSPC: none free;
 * told. */
int lease_take(int run, const char *network, const struct subnet *sub, const struct address *gateway, const struct address *wanted,
	       const char *owner, struct address *out, struct err *err);

/* Gives it back if its owner still begins with ID. 0 (nobody's, or somebody else's, too), or -errno: it may be taken still. */
int lease_release(int run, const char *network, const char *address, const char *id);

/* Gives its owner, whose first word stays, other names. A lease that was lost is made again. 0 or -errno. */
int lease_rename(int run, const char *network, const char *address, const char *owner);

/* Removes what a lease_rename that was killed left; nobody may be in one. */
void lease_sweep(int run, const char *network);

/* Every lease: CALL with the address and the owner's text. 0, or -errno if it may not have been all. */
int lease_each(int run, const char *network, void (*call)(void *arg, const char *address, const char *owner), void *arg);

#endif
