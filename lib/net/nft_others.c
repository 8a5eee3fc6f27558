#include "net/nft_others.h"
#include "net/nft_expr.h"
#include "net/xt_others.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TABLE "filter"

static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
static const char *const chains[] = { "FORWARD", "forward" };

/* A comment as nft writes it: its kind (0), its length, its text. */
struct comment {
	uint8_t bytes[40];
	size_t n;
};

static struct comment comment_of(const char *device)
{
	struct comment c = { .n = 0 };

	c.bytes[1] = (uint8_t)(snprintf((char *)c.bytes + 2, sizeof c.bytes - 2, "ctrbox %.15s", device) + 1);
	c.n = c.bytes[1] + 2u;
	return c;
}

static const void *attribute(const void *payload, size_t n, uint16_t type, size_t *len)
{
	size_t skip = sizeof(struct nfgenmsg);

	return n < skip ? NULL : netlink_attr((const char *)payload + skip, n - skip, type, len);
}

/* 1: it is a base chain that drops what it forwards. */
static int is_dropping(void *arg, uint16_t type, const void *payload, size_t n)
{
	uint32_t policy, number;
	size_t len;
	const void *p = attribute(payload, n, NFTA_CHAIN_POLICY, &len), *hook;

	(void)arg;
	(void)type;
	if (!p || len < sizeof policy)
		return 0;
	memcpy(&policy, p, sizeof policy);
	hook = attribute(payload, n, NFTA_CHAIN_HOOK, &len);
	number = hook ? netlink_attr_u32(hook, len, NFTA_HOOK_HOOKNUM, 0) : 0;
	return ntohl(policy) == NF_DROP && ntohl(number) == NF_INET_FORWARD;
}

static bool drops(struct netlink *nl, uint8_t family, const char *chain)
{
	struct buf b = { 0 };
	size_t m = nft_begin(&b, NFT_MSG_GETCHAIN, NLM_F_ACK);
	int r;

	nft_set_family(&b, m, family);
	netlink_str(&b, NFTA_CHAIN_TABLE, TABLE);
	netlink_str(&b, NFTA_CHAIN_NAME, chain);
	netlink_end(&b, m);
	r = netlink_talk(nl, &b, "look for another firewall", is_dropping, NULL, NULL);
	buf_free(&b);
	return r == 1;
}

struct search {
	struct comment comment;
	uint64_t handles[8]; /* big-endian, as they came */
	size_t n;
};

static int check_rule(void *arg, uint16_t type, const void *payload, size_t n)
{
	struct search *s = arg;
	size_t len;
	const void *p = attribute(payload, n, NFTA_RULE_USERDATA, &len);

	(void)type;
	if (!p || len != s->comment.n || memcmp(p, s->comment.bytes, len))
		return 0;
	p = attribute(payload, n, NFTA_RULE_HANDLE, &len);
	if (p && len == sizeof *s->handles && s->n < sizeof s->handles / sizeof *s->handles)
		memcpy(&s->handles[s->n++], p, len);
	return 0;
}

/* The rules of ours in that chain. */
static struct search find(struct netlink *nl, uint8_t family, const char *chain, const char *device)
{
	struct search s = { .comment = comment_of(device) };
	struct buf b = { 0 };
	size_t m = nft_begin(&b, NFT_MSG_GETRULE, NLM_F_DUMP);

	nft_set_family(&b, m, family);
	netlink_str(&b, NFTA_RULE_TABLE, TABLE);
	netlink_str(&b, NFTA_RULE_CHAIN, chain);
	netlink_end(&b, m);
	netlink_talk(nl, &b, "list another firewall's rules", check_rule, &s, NULL);
	buf_free(&b);
	return s;
}

/* At the head of the chain; written as iptables-nft writes `-i DEVICE -j ACCEPT`. */
static void put_accept(struct buf *b, uint8_t family, const char *chain, const char *device, uint32_t key)
{
	struct comment c = comment_of(device);
	struct rule r = rule_begin_first(b, family, TABLE, chain);

	rule_meta(&r, key, NFT_REG_1);
	rule_cmp(&r, NFT_REG_1, true, device, strlen(device) + 1);
	rule_verdict(&r, NF_ACCEPT, NULL);
	netlink_nest_end(b, r.list);
	netlink_put(b, NFTA_RULE_USERDATA, c.bytes, c.n);
	netlink_end(b, r.message);
}

static int admit_at(struct netlink *nl, uint8_t family, const char *chain, const char *device, struct err *err)
{
	struct buf b = { 0 };
	int r;

	if (!drops(nl, family, chain) || find(nl, family, chain, device).n == 2)
		return 0;
	nft_batch_begin(&b);
	put_accept(&b, family, chain, device, NFT_META_OIFNAME);
	put_accept(&b, family, chain, device, NFT_META_IIFNAME);
	nft_batch_end(&b);
	r = netlink_talk(nl, &b, "let containers through another firewall's FORWARD chain", NULL, NULL, err);
	buf_free(&b);
	return r;
}

static void dismiss_at(struct netlink *nl, uint8_t family, const char *chain, const char *device)
{
	struct search s = find(nl, family, chain, device);
	struct buf b = { 0 };

	if (!s.n)
		return;
	nft_batch_begin(&b);
	for (size_t i = 0; i < s.n; i++) {
		size_t m = nft_begin(&b, NFT_MSG_DELRULE, NLM_F_ACK);

		nft_set_family(&b, m, family);
		netlink_str(&b, NFTA_RULE_TABLE, TABLE);
		netlink_str(&b, NFTA_RULE_CHAIN, chain);
		netlink_put(&b, NFTA_RULE_HANDLE, &s.handles[i], sizeof s.handles[i]);
		netlink_end(&b, m);
	}
	nft_batch_end(&b);
	netlink_talk(nl, &b, "take rules back", NULL, NULL, NULL);
	buf_free(&b);
}

int nft_admit(struct netlink *nl, const char *device, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < 4 && !r; i++)
		r = admit_at(nl, families[i / 2], chains[i % 2], device, err);
	return r ? r : xt_admit(device, err);
}

void nft_dismiss(struct netlink *nl, const char *device)
{
	for (size_t i = 0; i < 4; i++)
		dismiss_at(nl, families[i / 2], chains[i % 2], device);
	xt_dismiss(device);
}
