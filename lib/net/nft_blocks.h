/* Other tools' tables that drop what is forwarded: firewalld's, fw4's, a user's own. An accept of ours can't outvote them and their rules are theirs (a
 * table `filter` of iptables' kind is the exception: net/nft_others.h), so they are found and the cure is told. */
#ifndef NET_NFT_BLOCKS_H
#define NET_NFT_BLOCKS_H

#include "base/buf.h"
#include "net/netlink.h"
#include <stdbool.h>

/* Appends to OUT a sentence with the cure for each forward chain that drops by its policy or its last rule, in a table that doesn't mention
 * DEVICE ("vc+": all that begin so) in any rule or set. IPv6: those of ip6 count. */
void nft_blocks(struct netlink *nl, const char *device, bool ipv6, struct strs *out);

#endif
