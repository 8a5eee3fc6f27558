/* Which ports the table publishes: for those who look for what a crash left. */
#ifndef NET_NFT_LIST_H
#define NET_NFT_LIST_H

#include "net/firewall.h"

/* Calls CALL with each published port of FAMILY (AF_INET, AF_INET6), in no order. TABLE is the family of the table. No table: none. 0 or -errno, told. */
int nft_list(struct firewall *f, uint8_t table, int family, firewall_call *call, void *arg, struct err *err);

/* Appends the devices of the networks. */
void nft_list_devices(struct firewall *f, uint8_t table, struct strs *out);

#endif
