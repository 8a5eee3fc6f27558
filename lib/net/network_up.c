#include "base/clock.h"
#include "base/file.h"
#include "net/network.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was switched on by us, so that it can be put back: a file a setting, with its old value. */
#define OLD_FORWARDING "networks/.forwarding"

static int put_setting(const char *device, const char *family, const char *key, const char *value)
{
	char path[128];

	snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", family, device, key);
	return file_put(AT_FDCWD, path, value);
}

static bool is_on(const char *path)
{
	struct buf b = { 0 };
	bool on = file_read(AT_FDCWD, path, &b, 16) == 0 && b.len && *b.p == '1';

	buf_free(&b);
	return on;
}

/* Switches forwarding on. *CLOSED: it was off before us, so that nothing but ours may be forwarded. */
static int forwarding(int root, bool ipv6, bool *closed, struct err *err)
{
	bool was4 = is_on("/proc/sys/net/ipv4/ip_forward"), was6 = is_on("/proc/sys/net/ipv6/conf/all/forwarding");
	int r = 0;

	*closed = faccessat(root, OLD_FORWARDING, F_OK, 0) == 0;
	if (!was4) {
		*closed = true;
		r = file_replace(root, OLD_FORWARDING, was6 ? "01\n" : "00\n", 3, 0644, false);
		if (!r)
			r = file_put(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", "1");
	}
	if (r < 0)
		return err_sys(err, r, "switch IPv4 forwarding on");
	if (ipv6 && !was6)
		r = file_put(AT_FDCWD, "/proc/sys/net/ipv6/conf/all/forwarding", "1");
	return r < 0 && r != -ENOENT ? err_sys(err, r, "switch IPv6 forwarding on") : 0;
}

static void forwarding_back(int root)
{
	struct buf b = { 0 };

	if (file_read(root, OLD_FORWARDING, &b, 16) == 0 && b.len >= 2) {
		file_put(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", b.p[0] == '1' ? "1" : "0");
		if (b.p[1] == '0')
			file_put(AT_FDCWD, "/proc/sys/net/ipv6/conf/all/forwarding", "0");
	}
	unlinkat(root, OLD_FORWARDING, 0);
	buf_free(&b);
}

struct nft_net network_rules(const struct network *n, const char *device)
{
	return (struct nft_net){ device, !n->internal, n->internal, n->no_icc };
}

static bool has_ipv6(const struct network *n)
{
	struct subnet sub;
	struct address gateway;

	return network_subnet(n, AF_INET6, &sub, &gateway);
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

static int make_bridge(struct netlink *nl, const struct network *n, struct link *l, struct err *err)
{
	uint8_t mac[6];
	int r;

	random_mac(mac);
	r = link_make_bridge(nl, n->device, mac, (int)n->mtu, err);
	if (r < 0 && r != -EEXIST)
		return err_hint(err, "is the bridge driver in this kernel? CONFIG_BRIDGE"), r;
	put_setting(n->device, "ipv6", "accept_dad", "0"); /* its own detection delays the first reply by a second */
	r = link_find(nl, n->device, l, err);
	if (!r && strcmp(l->kind, "bridge"))
		r = err_msg(err, -EEXIST, "the host's interface %s is no bridge", n->device);
	if (!r)
		r = put_addresses(nl, n, l->index, err);
	put_setting(n->device, "ipv4", "route_localnet", "1");
	return r;
}

static int put_rules(int root, const char *tag, const struct network *n, struct err *err)
{
	struct nft_net rules = network_rules(n, n->device);
	struct nft t;
	bool closed = false;
	int r = forwarding(root, has_ipv6(n), &closed, err);

	if (!r)
		r = nft_open(&t, tag, err);
	if (r < 0)
		return r;
	r = nft_set_up(&t, closed, err);
	if (r >= 0 && *n->device)
		r = nft_add_net(&t, &rules, err);
	nft_close(&t);
	return r < 0 ? r : 0;
}

/* Of two containers that bring it up at the same moment the second waits: what it finds is whole. */
static int bring_up(int root, const char *tag, const struct network *n, struct netlink *nl, struct link *l, struct err *err)
{
	int lock = file_lock(root, "networks.lock", -1), r = 0;

	if (lock < 0)
		return err_sys(err, lock, "lock the networks");
	if (*n->device)
		r = make_bridge(nl, n, l, err);
	if (!r)
		r = put_rules(root, tag, n, err);
	close(lock);
	return r;
}

int network_up(int root, const char *tag, const struct network *n, bool force, struct err *err)
{
	bool bridge = !strcmp(n->driver, "bridge");
	struct link l = { 0 };
	struct netlink nl;
	int r;

	if (!bridge && strcmp(n->driver, "ptp"))
		return 0;
	r = netlink_open(&nl, NETLINK_ROUTE, err);
	if (r < 0)
		return r;
	if (force || !bridge || link_find(&nl, n->device, &l, NULL) < 0 || !l.up)
		r = bring_up(root, tag, n, &nl, &l, err);
	netlink_close(&nl);
	return r < 0 ? r : l.index;
}

static bool is_last(int root, const struct network *n)
{
	struct strs names = { 0 };
	bool last = true;

	network_names(root, &names, NULL);
	for (size_t i = 0; i < names.n; i++)
		last = last && !strcmp(names.v[i], n->name);
	strs_free(&names);
	return last;
}

static int take_rules(const char *tag, const struct network *n, bool all, struct err *err)
{
	struct nft_net rules = network_rules(n, n->device);
	struct nft t;
	int r = nft_open(&t, tag, err);

	if (r < 0)
		return r;
	r = all ? nft_tear_down(&t, err) : *n->device ? nft_remove_net(&t, &rules, err) : 0;
	nft_close(&t);
	return r;
}

int network_down(int root, const char *tag, const struct network *n, struct err *err)
{
	bool last = is_last(root, n);
	struct netlink nl;
	int r = take_rules(tag, n, last, err);

	if (!r && *n->device && netlink_open(&nl, NETLINK_ROUTE, err) == 0) {
		r = link_delete(&nl, n->device, err);
		netlink_close(&nl);
	}
	if (last)
		forwarding_back(root);
	return r == -ENODEV ? 0 : r;
}
