/* Ports that another store of this host publishes: their tables are looked at, since rules are what a crash can't make untrue. */
#ifndef NET_NFT_ELSEWHERE_H
#define NET_NFT_ELSEWHERE_H

#include "net/firewall.h"

/* Whether a table of another store's, of the family TABLE (NFPROTO_..), has the port of P. To be asked once P is published: of two stores that do so at the
 * same moment one sees the other at least. */
bool nft_elsewhere(struct firewall *f, uint8_t table, const struct publication *p);

#endif
