#include "net/nft_blocks.h"
#include "base/fields.h"
#include "net/nft_expr.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

/* A foreign chain that what is forwarded passes. */
struct chain {
	uint8_t family;
	char *table, *name;
	bool drops;
};

typedef int answer(void *arg, uint16_t type, const void *payload, size_t n);

/* Lists the MSG (NFT_MSG_GET..) of a family's table (NULL: all), further named by attribute TYPE where NAME isn't NULL. */
static void list(struct netlink *nl, int msg, uint8_t family, const char *table, uint16_t type, const char *name, answer *reply, void *arg)
{
	struct buf b = { 0 };
	size_t m = nft_begin(&b, msg, NLM_F_DUMP);

	nft_set_family(&b, m, family);
	if (table)
		netlink_str(&b, 1, table); /* NFTA_RULE_TABLE, NFTA_SET_TABLE, NFTA_SET_ELEM_LIST_TABLE */
	if (name)
		netlink_str(&b, type, name);
	netlink_end(&b, m);
	netlink_talk(nl, &b, "look at other firewalls", reply, arg, NULL);
	buf_free(&b);
}

/* The attributes of a message; *N becomes their length. */
static const void *attributes(const void *payload, size_t *n)
{
	size_t skip = sizeof(struct nfgenmsg);

	*n = *n < skip ? 0 : *n - skip;
	return (const char *)payload + skip;
}

static int keep_chain(void *arg, uint16_t type, const void *payload, size_t n)
{
	uint8_t family = n ? *(const uint8_t *)payload : 0;
	const void *a = attributes(payload, &n), *hook;
	const char *table = netlink_attr_str(a, n, NFTA_CHAIN_TABLE), *name = netlink_attr_str(a, n, NFTA_CHAIN_NAME);
	bool iptables, drops = ntohl(netlink_attr_u32(a, n, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT))) == NF_DROP;
	struct chain *c;
	size_t len;

	(void)type;
	hook = netlink_attr(a, n, NFTA_CHAIN_HOOK, &len);
	if (!hook || !table || !name || ntohl(netlink_attr_u32(hook, len, NFTA_HOOK_HOOKNUM, 0)) != NF_INET_FORWARD)
		return 0;
	iptables = family != NFPROTO_INET && !strcmp(table, "filter") && !strcasecmp(name, "forward");
	if ((family != NFPROTO_INET && family != NFPROTO_IPV4 && family != NFPROTO_IPV6) || starts_with(table, "ctrbox_") || (iptables && drops))
		return 0; /* the last are let through already */
	c = array_add(arg, sizeof *c);
	*c = (struct chain){ family, xstrdup(table), xstrdup(name), drops };
	return 0;
}

/* Whether an expression ends a rule that has nothing but such and counters: 1, 0, or -1 for one that takes no part. */
static int rejects(const void *e, size_t n)
{
	const char *name = netlink_attr_str(e, n, NFTA_EXPR_NAME), *target;
	size_t len;
	const void *data = netlink_attr(e, n, NFTA_EXPR_DATA, &len);

	if (!name || !strcmp(name, "counter") || !strcmp(name, "log"))
		return -1;
	if (!strcmp(name, "target") && data) {
		target = netlink_attr_str(data, len, NFTA_TARGET_NAME);
		return target && !strcmp(target, "REJECT");
	}
	if (!strcmp(name, "immediate") && data) {
		data = netlink_attr(data, len, NFTA_IMMEDIATE_DATA, &len);
		data = data ? netlink_attr(data, len, NFTA_DATA_VERDICT, &len) : NULL;
		return data && ntohl(netlink_attr_u32(data, len, NFTA_VERDICT_CODE, htonl(NF_ACCEPT))) == NF_DROP;
	}
	return !strcmp(name, "reject");
}

/* What the chain's last rule does to all that comes there is what counts. */
static int check_last(void *arg, uint16_t type, const void *payload, size_t n)
{
	const void *a = attributes(payload, &n);
	size_t len, step;
	const char *p = netlink_attr(a, n, NFTA_RULE_EXPRESSIONS, &len);
	int verdict = -1;

	(void)type;
	while (p && len >= sizeof(struct nlattr) && verdict < 0) {
		struct nlattr e;

		memcpy(&e, p, sizeof e);
		if (e.nla_len < sizeof e || e.nla_len > len)
			break;
		verdict = rejects(p + sizeof e, e.nla_len - sizeof e);
		step = NLA_ALIGN(e.nla_len);
		len -= step < len ? step : len;
		p += step;
	}
	*(bool *)arg = verdict == 1;
	return 0;
}

/* A device's name as a value: whole, with its NUL, or (vc+) as the beginning of one. */
static int mentions(void *arg, uint16_t type, const void *payload, size_t n)
{
	const char *device = arg, *p = payload, *end = p + n, *at;
	size_t len = strcspn(device, "+");

	(void)type;
	for (; (at = memmem(p, (size_t)(end - p), device, len)); p = at + 1) {
		struct nlattr a;

		if (at - (const char *)payload < (ptrdiff_t)sizeof a)
			continue;
		memcpy(&a, at - sizeof a, sizeof a);
		if (a.nla_type == NFTA_DATA_VALUE && (a.nla_len == sizeof a + len || (at + len < end && !at[len])))
			return 1;
	}
	return 0;
}

struct search {
	const char *device;
	struct strs sets;
	bool found;
};

static int search_rule(void *arg, uint16_t type, const void *payload, size_t n)
{
	struct search *s = arg;

	s->found = s->found || mentions((void *)(uintptr_t)s->device, type, payload, n);
	return 0;
}

/* Sets of names of interfaces: 16 bytes. */
static int keep_set(void *arg, uint16_t type, const void *payload, size_t n)
{
	const void *a = attributes(payload, &n);
	const char *name = netlink_attr_str(a, n, NFTA_SET_NAME);
	struct search *s = arg;

	(void)type;
	if (name && ntohl(netlink_attr_u32(a, n, NFTA_SET_KEY_LEN, 0)) == 16)
		strs_add(&s->sets, name);
	return 0;
}

/* Whoever names the device there has thought of it. */
static bool knows(struct netlink *nl, const struct chain *c, const char *device)
{
	struct search s = { .device = device };

	list(nl, NFT_MSG_GETRULE, c->family, c->table, 0, NULL, search_rule, &s);
	if (!s.found)
		list(nl, NFT_MSG_GETSET, c->family, c->table, 0, NULL, keep_set, &s);
	for (size_t i = 0; i < s.sets.n && !s.found; i++)
		list(nl, NFT_MSG_GETSETELEM, c->family, c->table, NFTA_SET_ELEM_LIST_SET, s.sets.v[i], search_rule, &s);
	strs_free(&s.sets);
	return s.found;
}

static void tell(const struct chain *c, const char *device, struct strs *out)
{
	const char *family = c->family == NFPROTO_INET ? "inet" : c->family == NFPROTO_IPV4 ? "ip" : "ip6", *star = strchr(device, '+') ? "*" : "";
	int n = (int)strcspn(device, "+");

	if (!strcmp(c->table, "firewalld"))
		strs_fmt(out, "firewalld drops what is forwarded (firewall-cmd --permanent --zone=trusted --add-interface=%s && firewall-cmd --reload)",
			 device);
	else if (!strcmp(c->table, "fw4"))
		strs_fmt(out, "fw4 drops what is forwarded (uci add_list firewall.@zone[0].device=%s && uci commit firewall && fw4 reload)", device);
	else
		strs_fmt(out, "chain %s of table %s %s drops what is forwarded (nft 'insert rule %s %s %s iifname %.*s%s accept; "
			 "insert rule %s %s %s oifname %.*s%s accept')", c->name, family, c->table, family, c->table, c->name, n, device, star,
			 family, c->table, c->name, n, device, star);
}

void nft_blocks(struct netlink *nl, const char *device, bool ipv6, struct strs *out)
{
	struct array chains = { 0 };
	struct chain *c;

	list(nl, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NULL, 0, NULL, keep_chain, &chains);
	c = chains.v;
	for (size_t i = 0; i < chains.n; i++) {
		bool drops = c[i].drops;

		if (!drops)
			list(nl, NFT_MSG_GETRULE, c[i].family, c[i].table, NFTA_RULE_CHAIN, c[i].name, check_last, &drops);
		if (drops && (ipv6 || c[i].family != NFPROTO_IPV6) && !knows(nl, &c[i], device))
			tell(&c[i], device, out);
		free(c[i].table);
		free(c[i].name);
	}
	free(chains.v);
}
