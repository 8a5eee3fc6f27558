/* Other tools' firewalls: a FORWARD chain of `ip filter` or `ip6 filter` whose policy is drop (iptables, docker, ufw) wins over any accept
 * of ours. Two plain rules of the kind that iptables-nft can list are put at its head, `iifname DEV accept` and `oifname DEV accept`, with our
 * comment on them; our own table decides then. iptables-legacy's likewise (net/xt_others.h). Nothing else of others is touched. */
#ifndef NET_NFT_OTHERS_H
#define NET_NFT_OTHERS_H

#include "net/netlink.h"

/* Lets DEVICE through where such a chain is and doesn't let it through yet; none is fine. 0 or -errno, told. */
int nft_admit(struct netlink *nl, const char *device, struct err *err);

/* Takes those rules back; missing ones are fine. */
void nft_dismiss(struct netlink *nl, const char *device);

#endif
