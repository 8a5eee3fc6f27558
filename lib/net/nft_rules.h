/* The skeleton of the table: its sets, chains and rules, which never change while it stands. */
#ifndef NET_NFT_RULES_H
#define NET_NFT_RULES_H

#include "base/buf.h"

/* Adds their messages to a batch that has made TABLE. */
void nft_put_table(struct buf *b, const char *table);

#endif
