/* The firewall by nf_tables over netlink: one inet table, named by the store's tag, with fixed chains and rules; what changes are elements of
 * its sets and maps, so that a thousandth port costs a packet what the first did.
 * `nft list ruleset` shows it. Kernel: include/uapi/linux/netfilter/nf_tables.h. */
#ifndef NET_NFT_H
#define NET_NFT_H

#include "net/firewall.h"

extern const struct firewall_kind nft_firewall;

/* Whether the kernel has nf_tables: by asking for its generation. NL is a NETLINK_NETFILTER socket. */
bool nft_is_there(struct netlink *nl);

#endif
