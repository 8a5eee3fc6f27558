/* Which ports the table publishes: for those who look for what a crash left. */
#ifndef NET_NFT_LIST_H
#define NET_NFT_LIST_H

#include "net/firewall.h"

/* Calls CALL with each published port, in no order. No table: none. 0 or -errno, told. */
int nft_list(struct firewall *f, firewall_call *call, void *arg, struct err *err);

#endif
