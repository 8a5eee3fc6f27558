/* Flows that the kernel remembers (nf_conntrack), by ctnetlink. */
#ifndef NET_CONNTRACK_H
#define NET_CONNTRACK_H

#include "net/netlink.h"

/* Forgets the UDP flows of FAMILY that were sent to PORT: a peer that goes on sending by the same socket would reach for ever what was there before
 * the port was published, or the container that had it. Kernels that can't filter (before 5.8) or have no ctnetlink
 * (CONFIG_NF_CT_NETLINK) keep them until they time out. NL is a NETLINK_NETFILTER socket. */
void conntrack_forget_udp(struct netlink *nl, int family, uint16_t port);

#endif
