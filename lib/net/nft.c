#include "net/nft.h"
#include "net/nft_elsewhere.h"
#include "net/nft_expr.h"
#include "net/nft_list.h"
#include "net/nft_others.h"
#include "net/nft_rules.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

/* The families of the tables that rules stand in; returns how many. */
static int tables(const struct firewall *f, bool ipv6, uint8_t out[2])
{
	bool inet = f->kind == &nft_firewall;

	out[0] = inet ? NFPROTO_INET : NFPROTO_IPV4;
	out[1] = NFPROTO_IPV6;
	return inet || !ipv6 ? 1 : 2;
}

/* That of the table for FAMILY (AF_INET, AF_INET6: the same numbers). */
static uint8_t table_for(const struct firewall *f, int family)
{
	return f->kind == &nft_firewall ? NFPROTO_INET : (uint8_t)family;
}

static void put_table_message(struct buf *b, const struct firewall *f, uint8_t family, int type, uint16_t flags)
{
	size_t m = nft_begin(b, type, flags);

	netlink_str(b, NFTA_TABLE_NAME, f->table);
	netlink_end(b, m);
	nft_set_family(b, m, family);
}

/* 1, 0, or -errno. */
static int has_table(struct firewall *f, uint8_t family, struct err *err)
{
	struct buf b = { 0 };
	int r;

	if (f->nl.fd < 0)
		return 0; /* a kernel without netfilter's netlink */
	put_table_message(&b, f, family, NFT_MSG_GETTABLE, NLM_F_ACK);
	r = netlink_talk(&f->nl, &b, "look for the nf_tables table", NULL, NULL, err);
	buf_free(&b);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int stands(struct firewall *f, struct err *err)
{
	return has_table(f, table_for(f, AF_INET), err);
}

/* Sends the batch; frees it. */
static int commit(struct firewall *f, struct buf *b, const char *what, struct err *err)
{
	int r;

	nft_batch_end(b);
	r = netlink_talk(&f->nl, b, what, NULL, NULL, err);
	buf_free(b);
	if (r == -EPROTONOSUPPORT || r == -EINVAL || r == -EOPNOTSUPP)
		err_hint(err, "is nf_tables in this kernel? CONFIG_NF_TABLES_INET, NFT_NAT, NFT_MASQ, NFT_FIB_INET");
	return r;
}

/* 1 made, 0 there already. */
static int make_table(struct firewall *f, uint8_t family, struct err *err)
{
	struct buf b = { 0 };
	size_t m;
	int r;

	nft_batch_begin(&b);
	put_table_message(&b, f, family, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
	nft_put_table(&b, &(struct nft_table){ family, f->table });
	/* one more that changes nothing asks for the answer: the chain again */
	m = nft_begin(&b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK);
	netlink_str(&b, NFTA_CHAIN_TABLE, f->table);
	netlink_str(&b, NFTA_CHAIN_NAME, "publish");
	netlink_end(&b, m);
	nft_set_family(&b, m, family);
	r = commit(f, &b, "make the nf_tables table", err);
	return r == -EEXIST ? 0 : r < 0 ? r : 1;
}

static int set_up(struct firewall *f, bool ipv6, struct err *err)
{
	uint8_t family[2];
	int n = tables(f, ipv6, family), made = 0;
	int r = f->nl.fd < 0 ? netlink_open(&f->nl, NETLINK_NETFILTER, err) : 0;

	for (int i = 0; i < n && r >= 0; i++) {
		r = make_table(f, family[i], err);
		made = made || r > 0;
	}
	return r < 0 ? r : made;
}

static int remove_table(struct firewall *f, uint8_t family, struct err *err)
{
	struct buf b = { 0 };
	int r;

	nft_batch_begin(&b);
	put_table_message(&b, f, family, NFT_MSG_DELTABLE, NLM_F_ACK);
	r = commit(f, &b, "remove the nf_tables table", err);
	return r == -ENOENT ? 0 : r;
}

/* What let a network through another's firewall goes as well. */
static int tear_down(struct firewall *f, struct err *err)
{
	uint8_t family[2];
	int n = tables(f, true, family), r;
	struct strs devices = { 0 };

	nft_list_devices(f, family[0], &devices);
	for (size_t i = 0; i < devices.n; i++)
		nft_dismiss(&f->nl, devices.v[i]);
	strs_free(&devices);
	r = remove_table(f, family[0], err);
	if (!r && n > 1)
		r = has_table(f, family[1], err);
	return r > 0 ? remove_table(f, family[1], err) : r;
}

struct element {
	uint8_t key[32], data[20];
	size_t key_len, data_len;
};

static void put_value(struct buf *b, uint16_t type, const void *data, size_t n)
{
	size_t nest = netlink_nest(b, type);

	netlink_put(b, NFTA_DATA_VALUE, data, n);
	netlink_nest_end(b, nest);
}

/* Adds (MSG NEWSETELEM) or takes (DELSETELEM) one element of SET in the table of FAMILY. */
static void put_element(struct buf *b, const struct firewall *f, uint8_t family, const char *set, int msg, uint16_t flags, const struct element *e)
{
	size_t m = nft_begin(b, msg, flags | NLM_F_ACK), list, one;

	nft_set_family(b, m, family);
	netlink_str(b, NFTA_SET_ELEM_LIST_TABLE, f->table);
	netlink_str(b, NFTA_SET_ELEM_LIST_SET, set);
	list = netlink_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = netlink_nest(b, NFTA_LIST_ELEM);
	put_value(b, NFTA_SET_ELEM_KEY, e->key, e->key_len);
	if (e->data_len && msg == NFT_MSG_NEWSETELEM)
		put_value(b, NFTA_SET_ELEM_DATA, e->data, e->data_len);
	netlink_nest_end(b, one);
	netlink_nest_end(b, list);
	netlink_end(b, m);
}

static void put_net(struct buf *b, const struct firewall *f, uint8_t family, const struct firewall_net *n, int msg)
{
	const struct {
		const char *set;
		bool wanted;
	} in[] = { { "br", true }, { "nat", n->nat }, { "inner", n->internal }, { "noicc", n->noicc } };
	struct element e = { .key_len = 16 }, same = { .key_len = 8 };
	uint16_t flags = msg == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;

	snprintf((char *)e.key, 16, "%s", n->device);
	memcpy(same.key, (uint32_t[]){ n->group, n->group }, 8);
	if (flags || !n->ptp || !*n->device)
		put_element(b, f, family, "same", msg, flags, &same);
	for (size_t i = 0; i < sizeof in / sizeof *in && *n->device; i++)
		if (in[i].wanted)
			put_element(b, f, family, in[i].set, msg, flags, &e);
}

static int change_net(struct firewall *f, const struct firewall_net *n, int msg, struct err *err)
{
	struct buf b = { 0 };
	uint8_t family[2];
	int count = tables(f, n->ipv6, family);

	nft_batch_begin(&b);
	for (int i = 0; i < count; i++)
		put_net(&b, f, family[i], n, msg);
	return commit(f, &b, "tell nf_tables of the network", err);
}

static int close_family(struct firewall *f, int family, struct err *err)
{
	uint16_t type = htons(family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);
	struct element e = { .key_len = sizeof type };
	struct buf b = { 0 };

	memcpy(e.key, &type, sizeof type);
	nft_batch_begin(&b);
	put_element(&b, f, table_for(f, family), "closed", NFT_MSG_NEWSETELEM, NLM_F_CREATE, &e);
	return commit(f, &b, "close forwarding between other interfaces", err);
}

static int add_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	int r = change_net(f, n, NFT_MSG_NEWSETELEM, err);

	return r < 0 ? r : nft_admit(&f->nl, n->device, err);
}

static int remove_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	int r = change_net(f, n, NFT_MSG_DELSETELEM, err);

	nft_dismiss(&f->nl, n->device);
	return r == -ENOENT ? 0 : r;
}

static bool has_net(struct firewall *f, const struct firewall_net *n)
{
	struct element e = { .key_len = 16 };
	struct buf b = { 0 };
	uint8_t family[2];
	int count = tables(f, n->ipv6, family), r;

	snprintf((char *)e.key, 16, "%s", n->device);
	for (int i = 0; i < count; i++)
		put_element(&b, f, family[i], "br", NFT_MSG_GETSETELEM, 0, &e);
	r = netlink_talk(&f->nl, &b, "look a network up", NULL, NULL, NULL);
	buf_free(&b);
	return r == 0 && nft_admit(&f->nl, n->device, NULL) == 0;
}

static void add_word(uint8_t *to, size_t *n, const void *from, size_t len)
{
	memcpy(to + *n, from, len);
	*n += (len + 3) & ~(size_t)3;
}

/* The map that P belongs to, and its element there. */
static const char *element_of(const struct publication *p, struct element *e)
{
	bool six = p->to.family == AF_INET6;
	uint16_t port = htons(p->host_port), to_port = htons(p->to_port);

	*e = (struct element){ .key_len = 0 };
	if (p->host.family)
		add_word(e->key, &e->key_len, p->host.b, (size_t)address_length(&p->host));
	add_word(e->key, &e->key_len, &p->protocol, 1);
	add_word(e->key, &e->key_len, &port, 2);
	add_word(e->data, &e->data_len, p->to.b, (size_t)address_length(&p->to));
	add_word(e->data, &e->data_len, &to_port, 2);
	if (six)
		return p->host.family ? "pub6a" : "pub6";
	return p->host.family ? "pub4a" : "pub4";
}

static int add_ports(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	struct buf b = { 0 };

	nft_batch_begin(&b);
	for (int i = 0; i < n; i++) {
		struct element e;
		const char *map = element_of(&p[i], &e);

		put_element(&b, f, table_for(f, p[i].to.family), map, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, &e);
	}
	return commit(f, &b, "publish ports", err);
}

static int compare_data(void *arg, uint16_t type, const void *payload, size_t n)
{
	const struct element *e = arg;
	size_t skip = sizeof(struct nfgenmsg), len;
	const void *p;

	(void)type;
	if (n < skip)
		return 0;
	p = netlink_attr((const char *)payload + skip, n - skip, NFTA_SET_ELEM_LIST_ELEMENTS, &len);
	p = p ? netlink_attr(p, len, NFTA_LIST_ELEM, &len) : NULL;
	p = p ? netlink_attr(p, len, NFTA_SET_ELEM_DATA, &len) : NULL;
	p = p ? netlink_attr(p, len, NFTA_DATA_VALUE, &len) : NULL;
	return p && len == e->data_len && !memcmp(p, e->data, len);
}

/* Whether the element is there and leads where we think: 1, 0. */
static int is_ours(struct firewall *f, uint8_t family, const char *map, const struct element *e)
{
	struct buf b = { 0 };
	int r;

	put_element(&b, f, family, map, NFT_MSG_GETSETELEM, 0, e);
	r = netlink_talk(&f->nl, &b, "look a published port up", compare_data, (void *)e, NULL);
	buf_free(&b);
	return r == 1;
}

static int unpublish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	int first = 0;

	for (int i = 0; i < n; i++) { /* one by one: a missing one must not keep the others */
		struct element e;
		struct buf b = { 0 };
		const char *map = element_of(&p[i], &e);
		int r;

		if (!is_ours(f, table_for(f, p[i].to.family), map, &e))
			continue;
		nft_batch_begin(&b);
		put_element(&b, f, table_for(f, p[i].to.family), map, NFT_MSG_DELSETELEM, 0, &e);
		r = commit(f, &b, "take a published port back", err);
		if (r < 0 && r != -ENOENT && !first)
			first = r;
	}
	return first;
}

static int publish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	int r = add_ports(f, p, n, err);

	for (int i = 0; i < n && !r; i++)
		if (nft_elsewhere(f, table_for(f, p[i].to.family), &p[i])) {
			unpublish(f, p, n, NULL);
			r = err_msg(err, -EEXIST, "another store has the port");
		}
	return r;
}

static int list(struct firewall *f, firewall_call *call, void *arg, struct err *err)
{
	int r = nft_list(f, table_for(f, AF_INET), AF_INET, call, arg, err);

	return r ? r : nft_list(f, table_for(f, AF_INET6), AF_INET6, call, arg, err);
}

#define BY_NF_TABLES                 \
	.stands = stands,             \
	.set_up = set_up,             \
	.close_family = close_family, \
	.tear_down = tear_down,       \
	.add_net = add_net,           \
	.remove_net = remove_net,     \
	.has_net = has_net,           \
	.publish = publish,           \
	.unpublish = unpublish,       \
	.list = list

const struct firewall_kind nft_firewall = { .name = "nft", BY_NF_TABLES };
const struct firewall_kind nft_ip_firewall = { .name = "nft-ip", BY_NF_TABLES };
