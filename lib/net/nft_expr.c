#include "net/nft_expr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

static void batch_mark(struct buf *b, uint16_t type)
{
	struct nfgenmsg g = { .nfgen_family = AF_UNSPEC, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	netlink_end(b, netlink_begin(b, type, 0, &g, sizeof g));
}

void nft_batch_begin(struct buf *b)
{
	batch_mark(b, NFNL_MSG_BATCH_BEGIN);
}

void nft_batch_end(struct buf *b)
{
	batch_mark(b, NFNL_MSG_BATCH_END);
}

size_t nft_begin(struct buf *b, int type, uint16_t flags)
{
	struct nfgenmsg g = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	return netlink_begin(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, &g, sizeof g);
}

void nft_set_family(struct buf *b, size_t message, uint8_t family)
{
	b->p[message + NLMSG_HDRLEN + offsetof(struct nfgenmsg, nfgen_family)] = (char)family;
}

static struct rule begin_rule(struct buf *b, uint16_t flags, uint8_t family, const char *table, const char *chain)
{
	struct rule r = { .b = b, .message = nft_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | flags), .family = family };

	nft_set_family(b, r.message, family);
	netlink_str(b, NFTA_RULE_TABLE, table);
	netlink_str(b, NFTA_RULE_CHAIN, chain);
	r.list = netlink_nest(b, NFTA_RULE_EXPRESSIONS);
	return r;
}

struct rule rule_begin(struct buf *b, const struct nft_table *t, const char *chain)
{
	return begin_rule(b, NLM_F_APPEND, t->family, t->name, chain);
}

struct rule rule_begin_first(struct buf *b, uint8_t family, const char *table, const char *chain)
{
	return begin_rule(b, NLM_F_ACK, family, table, chain);
}

void rule_end(struct rule *r)
{
	netlink_nest_end(r->b, r->list);
	netlink_end(r->b, r->message);
}

struct nests {
	size_t element, data;
};

static struct nests expr_begin(struct rule *r, const char *name)
{
	struct nests n = { .element = netlink_nest(r->b, NFTA_LIST_ELEM) };

	netlink_str(r->b, NFTA_EXPR_NAME, name);
	n.data = netlink_nest(r->b, NFTA_EXPR_DATA);
	return n;
}

static void expr_end(struct rule *r, struct nests n)
{
	netlink_nest_end(r->b, n.data);
	netlink_nest_end(r->b, n.element);
}

static void put_value(struct buf *b, uint16_t type, const void *data, size_t n)
{
	size_t nest = netlink_nest(b, type);

	netlink_put(b, NFTA_DATA_VALUE, data, n);
	netlink_nest_end(b, nest);
}

void rule_meta(struct rule *r, uint32_t key, uint32_t dreg)
{
	struct nests n = expr_begin(r, "meta");

	netlink_be32(r->b, NFTA_META_KEY, key);
	netlink_be32(r->b, NFTA_META_DREG, dreg);
	expr_end(r, n);
}

void rule_ct(struct rule *r, uint32_t key, uint32_t dreg)
{
	struct nests n = expr_begin(r, "ct");

	netlink_be32(r->b, NFTA_CT_KEY, key);
	netlink_be32(r->b, NFTA_CT_DREG, dreg);
	expr_end(r, n);
}

void rule_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t dreg)
{
	struct nests n = expr_begin(r, "payload");

	netlink_be32(r->b, NFTA_PAYLOAD_DREG, dreg);
	netlink_be32(r->b, NFTA_PAYLOAD_BASE, base);
	netlink_be32(r->b, NFTA_PAYLOAD_OFFSET, offset);
	netlink_be32(r->b, NFTA_PAYLOAD_LEN, len);
	expr_end(r, n);
}

void rule_cmp(struct rule *r, uint32_t sreg, bool equal, const void *data, size_t len)
{
	struct nests n = expr_begin(r, "cmp");

	netlink_be32(r->b, NFTA_CMP_SREG, sreg);
	netlink_be32(r->b, NFTA_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
	put_value(r->b, NFTA_CMP_DATA, data, len);
	expr_end(r, n);
}

void rule_mask(struct rule *r, uint32_t reg, uint32_t mask)
{
	struct nests n = expr_begin(r, "bitwise");
	uint32_t zero = 0;

	netlink_be32(r->b, NFTA_BITWISE_SREG, reg);
	netlink_be32(r->b, NFTA_BITWISE_DREG, reg);
	netlink_be32(r->b, NFTA_BITWISE_LEN, sizeof mask);
	put_value(r->b, NFTA_BITWISE_MASK, &mask, sizeof mask);
	put_value(r->b, NFTA_BITWISE_XOR, &zero, sizeof zero);
	expr_end(r, n);
}

void rule_fib_local(struct rule *r)
{
	struct nests n = expr_begin(r, "fib");
	uint32_t local = RTN_LOCAL;

	netlink_be32(r->b, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	netlink_be32(r->b, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	netlink_be32(r->b, NFTA_FIB_DREG, NFT_REG_1);
	expr_end(r, n);
	rule_cmp(r, NFT_REG_1, true, &local, sizeof local);
}

void rule_lookup(struct rule *r, const char *set, uint32_t sreg, int dreg, bool inverted)
{
	struct nests n = expr_begin(r, "lookup");

	netlink_str(r->b, NFTA_LOOKUP_SET, set);
	netlink_be32(r->b, NFTA_LOOKUP_SREG, sreg);
	if (dreg >= 0)
		netlink_be32(r->b, NFTA_LOOKUP_DREG, (uint32_t)dreg);
	if (inverted)
		netlink_be32(r->b, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	expr_end(r, n);
}

void rule_nat(struct rule *r, uint32_t family, uint32_t address_reg, uint32_t port_reg)
{
	struct nests n = expr_begin(r, "nat");

	netlink_be32(r->b, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	netlink_be32(r->b, NFTA_NAT_FAMILY, family);
	netlink_be32(r->b, NFTA_NAT_REG_ADDR_MIN, address_reg);
	netlink_be32(r->b, NFTA_NAT_REG_PROTO_MIN, port_reg);
	expr_end(r, n);
}

void rule_masquerade(struct rule *r)
{
	expr_end(r, expr_begin(r, "masq"));
}

void rule_verdict(struct rule *r, int code, const char *chain)
{
	struct nests n = expr_begin(r, "immediate");
	size_t data, verdict;

	netlink_be32(r->b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = netlink_nest(r->b, NFTA_IMMEDIATE_DATA);
	verdict = netlink_nest(r->b, NFTA_DATA_VERDICT);
	netlink_be32(r->b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		netlink_str(r->b, NFTA_VERDICT_CHAIN, chain);
	netlink_nest_end(r->b, verdict);
	netlink_nest_end(r->b, data);
	expr_end(r, n);
}
