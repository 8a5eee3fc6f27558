/* The firewall by nf_tables over netlink: one inet table, named by the store's tag, with fixed chains and rules; what changes are elements of
 * its sets and maps, so that a thousandth port costs a packet what the first did. Where the kernel has no inet tables (CONFIG_NF_TABLES_INET), or none
 * with NAT (before 5.2), there are two of that name, ip and, with the first network that has IPv6, ip6.
 * `nft list ruleset` shows it. Kernel: include/uapi/linux/netfilter/nf_tables.h. */
#ifndef NET_NFT_H
#define NET_NFT_H

#include "net/firewall.h"

extern const struct firewall_kind nft_firewall, nft_ip_firewall;

#endif
