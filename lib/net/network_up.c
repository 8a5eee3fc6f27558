#include "base/clock.h"
#include "base/file.h"
#include "base/say.h"
#include "net/forwarding.h"
#include "net/network.h"
#include "net/nft_blocks.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int put_setting(const char *device, const char *family, const char *key, const char *value)
{
	char path[128];

	snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", family, device, key);
	return file_put(AT_FDCWD, path, value);
}

static bool has_ipv6(const struct network *n)
{
	struct subnet sub;
	struct address gateway;

	return network_subnet(n, AF_INET6, &sub, &gateway);
}

uint32_t network_group(const char *tag, const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *tag; tag++)
		hash = (hash ^ (uint8_t)*tag) * 16777619u;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return LINK_GROUP | ((hash ^ hash >> 24) & ~LINK_GROUP_MASK);
}

struct firewall_net network_rules(const char *tag, const struct network *n, const char *device)
{
	struct firewall_net f = {
		.device = device, .group = network_group(tag, n->name), .ptp = !strcmp(n->driver, "ptp"),
		.nat = !n->internal, .internal = n->internal, .noicc = n->no_icc, .ipv6 = has_ipv6(n),
	};
	struct address gateway;

	for (int i = 0; i < 2; i++)
		if (!network_subnet(n, i ? AF_INET6 : AF_INET, &f.subnets[i], &gateway))
			f.subnets[i] = (struct subnet){ 0 };
	return f;
}

static int put_addresses(struct netlink *nl, const struct network *n, int index, struct err *err)
{
	struct buf b = { 0 };
	int r = 0;

	for (size_t i = 0; i < n->subnets.n && !r; i++) {
		struct subnet sub;
		struct address gateway;

		if (subnet_parse(n->subnets.v[i], &sub, NULL) < 0 || address_parse(n->gateways.v[i], &gateway) < 0)
			continue;
		link_put_address(&b, index, &gateway, sub.prefix);
		r = netlink_talk(nl, &b, "give the bridge its address", NULL, NULL, err);
		b.len = 0;
		if (r == -EEXIST)
			r = 0;
	}
	buf_free(&b);
	return r;
}

/* A MAC of its own, locally administered: it mustn't change as ports come and go. */
static void random_mac(uint8_t mac[6])
{
	char hex[13];

	random_hex(hex, 12);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
}

static int no_bridge(int code, struct err *err)
{
	if (code == -EPERM)
		err_hint(err, "CAP_NET_ADMIN is missing");
	else if (code == -EOPNOTSUPP)
		err_hint(err, "is the bridge driver in this kernel? CONFIG_BRIDGE");
	return code;
}

static int make_bridge(struct netlink *nl, const char *tag, const struct network *n, struct link *l, struct err *err)
{
	uint8_t mac[6];
	int r;

	random_mac(mac);
	r = link_make_bridge(nl, n->device, network_group(tag, n->name), mac, (int)n->mtu, err);
	if (r < 0 && r != -EEXIST)
		return no_bridge(r, err);
	put_setting(n->device, "ipv6", "accept_dad", "0"); /* its own detection delays the first reply by a second */
	r = link_find(nl, n->device, l, err);
	if (!r && strcmp(l->kind, "bridge"))
		r = err_msg(err, -EEXIST, "the host's interface %s is no bridge", n->device);
	if (!r)
		r = put_addresses(nl, n, l->index, err);
	return r;
}

/* 1: the table was missing, and with it whatever else stood in it. */
static int put_rules(struct netlink *nl, const char *tag, const struct network *n, struct err *err)
{
	struct firewall_net rules = network_rules(tag, n, n->device);
	int r = forwarding_on(nl, rules.ipv6, err), made = 0;
	struct firewall f;

	if (!r)
		r = firewall_open(&f, tag, err);
	if (r < 0)
		return r;
	r = made = firewall_set_up(&f, rules.ipv6 || forwarding_is_ours(nl, AF_INET6), err);
	for (int family = AF_INET; r >= 0 && family; family = family == AF_INET ? AF_INET6 : 0)
		if (forwarding_is_ours(nl, family))
			r = firewall_close_family(&f, family, err);
	if (r >= 0 && *n->device)
		r = firewall_add_net(&f, &rules, err);
	firewall_close(&f);
	return r < 0 ? r : made;
}

static bool is_routed(const struct network *n)
{
	return !strcmp(n->driver, "bridge") || !strcmp(n->driver, "ptp");
}

void network_blocks(const struct network *n, struct strs *out)
{
	struct netlink nl;

	if (!is_routed(n) || netlink_open(&nl, NETLINK_NETFILTER, NULL) < 0)
		return;
	nft_blocks(&nl, *n->device ? n->device : "vc+", has_ipv6(n), out);
	netlink_close(&nl);
}

static void say_blocks(const struct network *n)
{
	struct strs blocks = { 0 };

	network_blocks(n, &blocks);
	for (size_t i = 0; i < blocks.n; i++)
		say("network %s: %s", n->name, blocks.v[i]);
	strs_free(&blocks);
}

/* Of two containers that bring it up at the same moment the second waits: what it finds is whole. */
static int bring_up(const char *tag, const struct network *n, struct netlink *nl, struct err *err)
{
	int lock = forwarding_lock(), r = 0;
	struct link l = { 0 };

	if (lock < 0)
		return err_sys(err, lock, "lock /proc/sys/net");
	if (*n->device)
		r = make_bridge(nl, tag, n, &l, err);
	if (!r)
		r = put_rules(nl, tag, n, err);
	close(lock);
	return r;
}

/* Bridge and rules stand as they should, other firewalls' included; somebody may have flushed ours or set up theirs. */
static bool stands(struct netlink *nl, const char *tag, const struct network *n)
{
	struct firewall_net rules = network_rules(tag, n, n->device);
	struct link l;
	struct firewall f;
	bool good;

	if (!*n->device || link_find(nl, n->device, &l, NULL) < 0 || !l.up || firewall_open(&f, tag, NULL) < 0)
		return false;
	good = firewall_has_net(&f, &rules);
	firewall_close(&f);
	return good;
}

int network_up(const char *tag, const struct network *n, bool force, struct err *err)
{
	struct netlink nl;
	int r;

	if (!is_routed(n))
		return 0;
	r = netlink_open(&nl, NETLINK_ROUTE, err);
	if (r < 0)
		return r;
	if (force || !stands(&nl, tag, n)) {
		r = bring_up(tag, n, &nl, err);
		if (!r || (r > 0 && force)) /* else the caller goes on to reload it */
			say_blocks(n);
	}
	netlink_close(&nl);
	return r;
}

/* Whether there is no other: 1, 0, or -errno, told. */
static int is_last(int root, const struct network *n, struct err *err)
{
	struct strs names = { 0 };
	int r = network_names(root, &names, err), last = 1;

	for (size_t i = 0; i < names.n; i++)
		last = last && !strcmp(names.v[i], n->name);
	strs_free(&names);
	return r < 0 ? r : last;
}

static int take_rules(const char *tag, const struct network *n, bool all, struct err *err)
{
	struct firewall_net rules = network_rules(tag, n, n->device);
	struct firewall f;
	int r = firewall_open_standing(&f, tag, err);

	if (r < 0)
		return r;
	if (*n->device || rules.ptp)
		r = firewall_remove_net(&f, &rules, err);
	if (!r && all)
		r = firewall_tear_down(&f, err);
	firewall_close(&f);
	return r;
}

int network_down(int root, const char *tag, const struct network *n, struct err *err)
{
	int last = is_last(root, n, err), lock, r;
	struct netlink nl;

	if (last < 0)
		return last;
	lock = forwarding_lock();
	if (lock < 0)
		return err_sys(err, lock, "lock /proc/sys/net");
	r = netlink_open(&nl, NETLINK_ROUTE, err);
	if (!r)
		r = take_rules(tag, n, last, err);
	if (*n->device) { /* whatever became of the rules */
		int d = link_delete(&nl, n->device, r ? NULL : err);

		r = r || d == -ENODEV ? r : d;
	}
	if (last)
		forwarding_back(&nl);
	netlink_close(&nl);
	close(lock);
	return r;
}
