#include "net/nft_rules.h"
#include "net/link.h"
#include "net/nft_expr.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* Key and data types are nft's own numbers, 6 bits a field, so that its listing can show them. */
static const struct {
	const char *name;
	uint32_t key_type, key_len, data_type, data_len;
} sets[] = {
	{ "br", 0x29, 16, 0, 0 },            /* bridges of ours */
	{ "same", 0x8e3, 8, 0, 0 },          /* a network's interface group and itself: traffic within it */
	{ "nat", 0x29, 16, 0, 0 },           /* those whose containers are masqueraded */
	{ "inner", 0x29, 16, 0, 0 },         /* --internal */
	{ "noicc", 0x29, 16, 0, 0 },         /* --no-icc */
	{ "closed", 0xa, 2, 0, 0 },            /* families that we switched the forwarding of on */
	{ "pub4", 0x30d, 8, 0x1cd, 8 },      /* protocol . port : address . port */
	{ "pub4a", 0x730d, 12, 0x1cd, 8 },   /* the same for one address of the host's */
	{ "pub6", 0x30d, 8, 0x20d, 20 },
	{ "pub6a", 0x830d, 24, 0x20d, 20 },
};

/* The map for published ports of one family is of no use in the table of another. */
static bool belongs(size_t i, uint8_t family)
{
	return family == NFPROTO_INET || !sets[i].data_len || (sets[i].data_len == 8) == (family == NFPROTO_IPV4);
}

static void put_set(struct buf *b, const struct nft_table *table, size_t i)
{
	/* a name is compared as bytes: nft shows "" without it */
	static const struct { uint8_t type, len; uint32_t v; } __attribute__((packed)) host_order = { 0, sizeof(uint32_t), 1 };
	size_t m = nft_begin(b, NFT_MSG_NEWSET, NLM_F_CREATE);

	nft_set_family(b, m, table->family);
	netlink_str(b, NFTA_SET_TABLE, table->name);
	netlink_str(b, NFTA_SET_NAME, sets[i].name);
	netlink_be32(b, NFTA_SET_ID, (uint32_t)i + 1);
	netlink_be32(b, NFTA_SET_KEY_TYPE, sets[i].key_type);
	netlink_be32(b, NFTA_SET_KEY_LEN, sets[i].key_len);
	if (sets[i].data_len) {
		netlink_be32(b, NFTA_SET_FLAGS, NFT_SET_MAP);
		netlink_be32(b, NFTA_SET_DATA_TYPE, sets[i].data_type);
		netlink_be32(b, NFTA_SET_DATA_LEN, sets[i].data_len);
	} else if (sets[i].key_len >= IFNAMSIZ) {
		netlink_put(b, NFTA_SET_USERDATA, &host_order, sizeof host_order);
	}
	netlink_end(b, m);
}

static void put_chain(struct buf *b, const struct nft_table *table, const char *name, const char *type, uint32_t hook, int priority)
{
	size_t m = nft_begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE), nest;

	nft_set_family(b, m, table->family);
	netlink_str(b, NFTA_CHAIN_TABLE, table->name);
	netlink_str(b, NFTA_CHAIN_NAME, name);
	if (type) {
		nest = netlink_nest(b, NFTA_CHAIN_HOOK);
		netlink_be32(b, NFTA_HOOK_HOOKNUM, hook);
		netlink_be32(b, NFTA_HOOK_PRIORITY, (uint32_t)priority);
		netlink_nest_end(b, nest);
		netlink_be32(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
		netlink_str(b, NFTA_CHAIN_TYPE, type);
	}
	netlink_end(b, m);
}

/* The parts that rules are put together of. */
static void match_iif(struct rule *r, const char *set, bool inverted)
{
	rule_meta(r, NFT_META_IIFNAME, NFT_REG_1);
	rule_lookup(r, set, NFT_REG_1, -1, inverted);
}

static void match_oif(struct rule *r, const char *set, bool inverted)
{
	rule_meta(r, NFT_META_OIFNAME, NFT_REG_1);
	rule_lookup(r, set, NFT_REG_1, -1, inverted);
}

/* An interface of no store's networks: KEY is NFT_META_IIFGROUP or _OIFGROUP. */
static void match_foreign(struct rule *r, uint32_t key)
{
	uint32_t group = LINK_GROUP;

	rule_meta(r, key, NFT_REG_1);
	rule_mask(r, NFT_REG_1, LINK_GROUP_MASK);
	rule_cmp(r, NFT_REG_1, false, &group, sizeof group);
}

static void match_same(struct rule *r)
{
	rule_meta(r, NFT_META_IIFGROUP, NFT_REG32_00);
	rule_meta(r, NFT_META_OIFGROUP, NFT_REG32_01);
	rule_lookup(r, "same", NFT_REG_1, -1, false);
}

static void match_status_dnat(struct rule *r)
{
	uint32_t zero = 0;

	rule_ct(r, NFT_CT_STATUS, NFT_REG_1);
	rule_mask(r, NFT_REG_1, IPS_DST_NAT);
	rule_cmp(r, NFT_REG_1, false, &zero, sizeof zero);
}

static void match_state(struct rule *r, uint32_t states)
{
	uint32_t zero = 0;

	rule_ct(r, NFT_CT_STATE, NFT_REG_1);
	rule_mask(r, NFT_REG_1, states);
	rule_cmp(r, NFT_REG_1, false, &zero, sizeof zero);
}

/* In a table of one family it goes without saying, and nft couldn't list it. */
static void match_family(struct rule *r, uint8_t family)
{
	if (r->family != NFPROTO_INET)
		return;
	rule_meta(r, NFT_META_NFPROTO, NFT_REG_1);
	rule_cmp(r, NFT_REG_1, true, &family, 1);
}

static void match_loopback(struct rule *r, uint32_t offset)
{
	uint8_t net = 127;

	match_family(r, NFPROTO_IPV4);
	rule_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, 1, NFT_REG_1);
	rule_cmp(r, NFT_REG_1, true, &net, 1);
}

static void publish_rule(struct buf *b, const struct nft_table *table, uint8_t family, const char *map, bool by_address)
{
	struct rule r = rule_begin(b, table, "publish");
	uint32_t words = !by_address ? 0 : family == NFPROTO_IPV4 ? 1 : 4, first = NFT_REG32_00;

	match_family(&r, family);
	if (by_address)
		rule_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, family == NFPROTO_IPV4 ? 16 : 24, words * 4, NFT_REG_1);
	rule_meta(&r, NFT_META_L4PROTO, first + words);
	rule_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, first + words + 1);
	rule_lookup(&r, map, NFT_REG_1, NFT_REG_1, false);
	rule_nat(&r, family, NFT_REG_1, family == NFPROTO_IPV4 ? first + 1 : NFT_REG_2);
	rule_end(&r);
}

/* route_localnet, without which 127.0.0.1:PORT can't be published, would let neighbours at the host's loopback. */
static void guard_rules(struct buf *b, const struct nft_table *table)
{
	char lo[IFNAMSIZ] = "lo";
	struct rule r = rule_begin(b, table, "guard");

	rule_meta(&r, NFT_META_IIFNAME, NFT_REG_1);
	rule_cmp(&r, NFT_REG_1, false, lo, sizeof lo);
	match_loopback(&r, 16);
	rule_verdict(&r, NF_DROP, NULL);
	rule_end(&r);
	r = rule_begin(b, table, "guard");
	match_iif(&r, "br", false);
	match_loopback(&r, 12);
	rule_verdict(&r, NF_DROP, NULL);
	rule_end(&r);
}

/* ::1 can't be forwarded: refused at once. */
static void guard_rules6(struct buf *b, const struct nft_table *table)
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	struct rule r = rule_begin(b, table, "output");

	match_family(&r, NFPROTO_IPV6);
	rule_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 24, 16, NFT_REG_1);
	rule_cmp(&r, NFT_REG_1, true, loopback6, sizeof loopback6);
	rule_verdict(&r, NFT_RETURN, NULL);
	rule_end(&r);
}

static void dnat_rules(struct buf *b, const struct nft_table *table)
{
	struct rule r = rule_begin(b, table, "prerouting");

	rule_fib_local(&r);
	rule_verdict(&r, NFT_GOTO, "publish");
	rule_end(&r);
	r = rule_begin(b, table, "output");
	rule_fib_local(&r);
	rule_verdict(&r, NFT_GOTO, "publish");
	rule_end(&r);
}

static void masquerade_rules(struct buf *b, const struct nft_table *table)
{
	uint32_t none = 0;
	struct rule r = rule_begin(b, table, "postrouting"); /* what the host itself sends to its own published port */

	rule_meta(&r, NFT_META_IIF, NFT_REG_1);
	rule_cmp(&r, NFT_REG_1, true, &none, sizeof none);
	match_oif(&r, "br", false);
	match_status_dnat(&r);
	rule_masquerade(&r);
	rule_end(&r);
	r = rule_begin(b, table, "postrouting"); /* a container to its own network's published port */
	match_same(&r);
	match_status_dnat(&r);
	rule_masquerade(&r);
	rule_end(&r);
	r = rule_begin(b, table, "postrouting");
	match_iif(&r, "nat", false);
	match_foreign(&r, NFT_META_OIFGROUP);
	rule_masquerade(&r);
	rule_end(&r);
}

static void simple(struct buf *b, const struct nft_table *table, const char *set, bool in, int verdict)
{
	struct rule r = rule_begin(b, table, "forward");

	(in ? match_iif : match_oif)(&r, set, false);
	rule_verdict(&r, verdict, NULL);
	rule_end(&r);
}

/* Neither side is of this store's networks. On a host that didn't forward before us, neither must it now, but for other stores' networks. */
static void foreign_rules(struct buf *b, const struct nft_table *table)
{
	struct rule r = rule_begin(b, table, "forward");

	match_foreign(&r, NFT_META_IIFGROUP);
	match_foreign(&r, NFT_META_OIFGROUP);
	rule_meta(&r, NFT_META_PROTOCOL, NFT_REG_1); /* not nfproto, which nft knows in inet tables only */
	rule_lookup(&r, "closed", NFT_REG_1, -1, false);
	rule_verdict(&r, NF_DROP, NULL);
	rule_end(&r);
	r = rule_begin(b, table, "forward");
	match_iif(&r, "br", true);
	match_oif(&r, "br", true);
	rule_verdict(&r, NF_ACCEPT, NULL);
	rule_end(&r);
}

static void forward_rules(struct buf *b, const struct nft_table *table)
{
	struct rule r = rule_begin(b, table, "forward");

	match_state(&r, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
	rule_verdict(&r, NF_ACCEPT, NULL);
	rule_end(&r);
	r = rule_begin(b, table, "forward");
	match_state(&r, NF_CT_STATE_INVALID_BIT);
	rule_verdict(&r, NF_DROP, NULL);
	rule_end(&r);
	r = rule_begin(b, table, "forward");
	match_same(&r);
	match_iif(&r, "noicc", true);
	rule_verdict(&r, NF_ACCEPT, NULL);
	rule_end(&r);
	simple(b, table, "inner", true, NF_DROP);
	simple(b, table, "inner", false, NF_DROP);
	r = rule_begin(b, table, "forward");
	match_status_dnat(&r);
	rule_verdict(&r, NF_ACCEPT, NULL);
	rule_end(&r);
	simple(b, table, "br", false, NF_DROP);
}

static void rules4(struct buf *b, const struct nft_table *table)
{
	publish_rule(b, table, NFPROTO_IPV4, "pub4a", true);
	publish_rule(b, table, NFPROTO_IPV4, "pub4", false);
	put_chain(b, table, "guard", "filter", NF_INET_PRE_ROUTING, -300);
	guard_rules(b, table);
}

static void rules6(struct buf *b, const struct nft_table *table)
{
	publish_rule(b, table, NFPROTO_IPV6, "pub6a", true);
	publish_rule(b, table, NFPROTO_IPV6, "pub6", false);
	guard_rules6(b, table);
}

void nft_put_table(struct buf *b, const struct nft_table *table)
{
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		if (belongs(i, table->family))
			put_set(b, table, i);
	put_chain(b, table, "publish", NULL, 0, 0);
	put_chain(b, table, "prerouting", "nat", NF_INET_PRE_ROUTING, -100);
	put_chain(b, table, "output", "nat", NF_INET_LOCAL_OUT, -100);
	put_chain(b, table, "postrouting", "nat", NF_INET_POST_ROUTING, 100);
	put_chain(b, table, "forward", "filter", NF_INET_FORWARD, 0);
	if (table->family != NFPROTO_IPV6)
		rules4(b, table);
	if (table->family != NFPROTO_IPV4)
		rules6(b, table);
	dnat_rules(b, table);
	masquerade_rules(b, table);
	foreign_rules(b, table);
	forward_rules(b, table);
}
