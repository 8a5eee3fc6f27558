/* The skeleton of the table: its sets, chains and rules, which never change while it stands. */
#ifndef NET_NFT_RULES_H
#define NET_NFT_RULES_H

#include "base/buf.h"
#include <stdbool.h>

/* Adds their messages to a batch that has made TABLE. CLOSED as in nft_set_up. */
void nft_put_table(struct buf *b, const char *table, bool closed);

#endif
