/* nf_tables rules as messages: what nft.c and nft_rules.c build them of. */
#ifndef NET_NFT_EXPR_H
#define NET_NFT_EXPR_H

#include "net/netlink.h"
#include <stdbool.h>

/* A batch is a transaction: all of it or nothing. */
void nft_batch_begin(struct buf *b);
void nft_batch_end(struct buf *b);

/* Begins message TYPE (NFT_MSG_..) of family inet; finish with netlink_end. */
size_t nft_begin(struct buf *b, int type, uint16_t flags);
/* Makes that message, begun at MESSAGE, one of FAMILY (NFPROTO_IPV4, ..). */
void nft_set_family(struct buf *b, size_t message, uint8_t family);

/* NFPROTO_INET, or NFPROTO_IPV4 or _IPV6 alone. */
struct nft_table {
	uint8_t family;
	const char *name;
};

/* A rule at the end of CHAIN. */
struct rule {
	struct buf *b;
	size_t message, list;
	uint8_t family; /* the table's */
};
struct rule rule_begin(struct buf *b, const struct nft_table *t, const char *chain);
/* The same at its head; without rule_end the message can be added to. */
struct rule rule_begin_first(struct buf *b, uint8_t family, const char *table, const char *chain);
void rule_end(struct rule *r);

/* Registers 1 to 4 hold 16 bytes each; 8 to 23 are words of 4 (8 is the first of 1). */
void rule_meta(struct rule *r, uint32_t key, uint32_t dreg);
void rule_ct(struct rule *r, uint32_t key, uint32_t dreg);
void rule_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t dreg);
void rule_cmp(struct rule *r, uint32_t sreg, bool equal, const void *data, size_t n);
void rule_mask(struct rule *r, uint32_t reg, uint32_t mask);               /* host order */
void rule_fib_local(struct rule *r);                                       /* destination is an address of the host */
void rule_lookup(struct rule *r, const char *set, uint32_t sreg, int dreg /* -1: a set */, bool inverted);
void rule_nat(struct rule *r, uint32_t family, uint32_t address_reg, uint32_t port_reg);
void rule_masquerade(struct rule *r);
void rule_verdict(struct rule *r, int code, const char *chain);

#endif
