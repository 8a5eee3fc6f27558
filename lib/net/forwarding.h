/* The host's forwarding of packets, which networks need: switched on where it is off, and put back. That it was us is noted as the alias of lo (`ip link`
 * shows it): like the setting itself it belongs to the network namespace, not to a store, and ends with it. */
#ifndef NET_FORWARDING_H
#define NET_FORWARDING_H

#include "net/link.h"

/* Waits for the lock under which any store changes what is the host's. A descriptor or -errno. */
int forwarding_lock(void);

/* Switches IPv4's, and IPv6's if asked, on. 0 or -errno, told. */
int forwarding_on(struct netlink *nl, bool ipv6, struct err *err);

/* Whether FAMILY's was off before us. */
bool forwarding_is_ours(struct netlink *nl, int family);

/* Switches off what we switched on, unless a network of some store is there. */
void forwarding_back(struct netlink *nl);

#endif
