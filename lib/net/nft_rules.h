/* The skeleton of the table: its sets, chains and rules, which never change while it stands. */
#ifndef NET_NFT_RULES_H
#define NET_NFT_RULES_H

#include "net/nft_expr.h"

/* Adds their messages to a batch that has made TABLE; what is IPv6's alone has no place in IPv4's table, and inversely. */
void nft_put_table(struct buf *b, const struct nft_table *table);

#endif
