#include "ctr/networking.h"
#include "base/clock.h"
#include "base/file.h"
#include "ctr/net_admin.h"
#include "ctr/net_iface.h"
#include "ctr/outside.h"
#include "ctr/ports.h"
#include "net/lease.h"
#include "net/network.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int network_get(const struct store *s, const char *name, struct network *out, struct err *err)
{
	int r = network_load(s->root, name, out, err);

	if (r != -ENOENT || strcmp(name, "bridge"))
		return r;
	*out = (struct network){ .name = xstrdup(name), .driver = xstrdup("bridge") };
	r = network_create(s->root, s->tag, out, false, err);
	if (r == -EEXIST) { /* somebody made it at the same moment */
		network_free(out);
		r = network_load(s->root, name, out, err);
	}
	return r;
}

/* An address of one family, if the network has it. */
static int take(const struct store *s, const struct record *r, const struct network *n, int family, const char *wanted,
		struct attachment *a, struct err *err)
{
	struct address want = address_of(wanted), gateway, got;
	char text[ADDRESS_TEXT], *owner;
	struct subnet sub;
	int code;

	if (!network_subnet(n, family, &sub, &gateway))
		return wanted ? err_msg(err, -EINVAL, "address %s: network %s has no subnet for it", wanted, n->name) : 0;
	owner = networks_owner(r);
	code = lease_take(s->run, n->name, &sub, &gateway, &want, owner, &got, err);
	free(owner);
	if (code < 0)
		return code;
	*(family == AF_INET ? &a->ip : &a->ip6) = xstrdup(address_text(&got, text));
	*(family == AF_INET ? &a->prefix : &a->prefix6) = sub.prefix;
	if (gateway.family && (!n->internal || !strcmp(n->driver, "ptp"))) /* a ptp network's containers reach each other by it */
		*(family == AF_INET ? &a->gateway : &a->gateway6) = xstrdup(address_text(&gateway, text));
	return 0;
}

/* Names of host ends never come again, so that a restart doesn't meet its last one, which the kernel removes late. */
static char *host_end(const struct store *s, const struct record *r, const char *network)
{
	uint64_t hash = 14695981039346656037ull; /* FNV-1a */
	char *all = xasprintf("%s %s %s %lld", s->tag, r->id, network, (long long)clock_boot_ms());
	char *name;

	for (const char *p = all; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 1099511628211ull;
	free(all);
	name = xasprintf("vc%012llx", (unsigned long long)(hash & 0xffffffffffffull));
	return name;
}

/* 02:42 and the IPv4 address, as docker has it: a neighbour's ARP entry stays right when the address comes again. */
static char *mac_of(const struct attachment *a)
{
	struct address ip = address_of(a->ip);
	char hex[9];

	if (ip.family)
		return xasprintf("02:42:%02x:%02x:%02x:%02x", ip.b[0], ip.b[1], ip.b[2], ip.b[3]);
	random_hex(hex, 8);
	return xasprintf("02:43:%.2s:%.2s:%.2s:%.2s", hex, hex + 2, hex + 4, hex + 6);
}

/* A name that no interface of the container has. */
static char *free_name(const struct record *r)
{
	const struct attachment *a = r->state.attachments.v;
	char *name = NULL;
	bool used = true;

	for (int i = 0; used; i++) {
		free(name);
		name = xasprintf("eth%d", i);
		used = false;
		for (size_t k = 0; k < r->state.attachments.n; k++)
			used = used || (a[k].name && !strcmp(a[k].name, name));
	}
	return name;
}

int networks_reserve_one(const struct store *s, struct record *r, const struct net_spec *want, struct err *err)
{
	char *name = free_name(r);
	struct attachment *a;
	struct network n;
	int code = network_get(s, want->network, &n, err);

	if (code < 0) {
		free(name);
		return code;
	}
	code = network_up(s->tag, &n, false, err);
	if (code > 0) /* a reboot, or somebody's flush: the other networks and ports too */
		code = net_put_back(s, err);
	a = array_add(&r->state.attachments, sizeof *a);
	a->network = xstrdup(n.name);
	a->driver = xstrdup(n.driver);
	a->device = xstrdup(*n.device || !n.parent ? n.device : n.parent);
	a->name = name;
	a->mtu = n.mtu;
	a->internal = n.internal;
	if (code >= 0)
		code = take(s, r, &n, AF_INET, want->ip, a, err);
	if (!code)
		code = take(s, r, &n, AF_INET6, want->ip6, a, err);
	a->host = !strcmp(n.driver, "bridge") || !strcmp(n.driver, "ptp") ? host_end(s, r, n.name) : xstrdup("");
	a->mac = want->mac ? xstrdup(want->mac) : mac_of(a);
	network_free(&n);
	return code;
}

/* The addresses that ports are published towards: those of the first network that has any. */
void networks_addresses(const struct state *st, struct address *four, struct address *six)
{
	const struct attachment *a = st->attachments.v;

	*four = *six = (struct address){ 0 };
	for (size_t i = 0; i < st->attachments.n; i++) {
		if (!four->family)
			*four = address_of(a[i].ip);
		if (!six->family)
			*six = address_of(a[i].ip6);
	}
}

void networks_withdraw(const struct store *s, const struct record *r)
{
	struct address four, six;
	struct firewall fw;

	if (!r->state.ports.n || firewall_open_standing(&fw, s->tag, NULL) < 0) /* ctr-gc finds what leads nowhere */
		return;
	networks_addresses(&r->state, &four, &six);
	ports_withdraw(&fw, &r->state.ports, &four, &six);
	firewall_close(&fw);
}

/* Tells the rules of the host's end of a ptp pair, or takes it back. */
static int change_ptp(const struct store *s, const struct attachment *a, bool add, struct err *err)
{
	struct firewall_net rules;
	struct firewall fw;
	struct network n;
	int r;

	if (!a->driver || strcmp(a->driver, "ptp"))
		return 0;
	r = network_load(s->root, a->network, &n, err);
	if (r < 0)
		return r;
	r = (add ? firewall_open : firewall_open_standing)(&fw, s->tag, err);
	rules = network_rules(s->tag, &n, a->host);
	rules.subnets[0] = (struct subnet){ address_of(a->ip), 32 };
	rules.subnets[1] = (struct subnet){ address_of(a->ip6), 128 };
	if (!r) {
		r = (add ? firewall_add_net : firewall_remove_net)(&fw, &rules, err);
		firewall_close(&fw);
	}
	network_free(&n);
	return r;
}

int networks_release_one(const struct store *s, const struct record *r, const struct attachment *a, struct err *err)
{
	int code;

	if (!a->ip && !a->ip6)
		return 0;
	code = change_ptp(s, a, false, err);
	if (code < 0 && code != -ENOENT && code != -EINVAL) /* no such network, or a damaged record: no later attempt would do better */
		return code;
	networks_forget_one(s, r->id, a->network, false);
	code = a->ip ? lease_release(s->run, a->network, a->ip, r->id) : 0;
	if (a->ip6 && !code)
		code = lease_release(s->run, a->network, a->ip6, r->id);
	return code < 0 ? err_sys(err, code, "give back its address of network %s", a->network) : 0;
}

/* Under networks_lock. What fails can be done again. */
static int release_all(const struct store *s, struct record *r, struct err *err)
{
	const struct attachment *a = r->state.attachments.v;
	int code = 0;

	networks_withdraw(s, r);
	for (size_t i = 0; i < r->state.attachments.n && !code; i++)
		code = networks_release_one(s, r, &a[i], err);
	if (code < 0)
		return code;
	fields_free_array(attachment_fields, sizeof(struct attachment), &r->state.attachments);
	fields_free_array(port_fields, sizeof(struct port), &r->state.ports);
	return 0;
}

int networks_reserve(const struct store *s, struct record *r, struct err *err)
{
	const struct net_spec *want = r->spec.nets.v;
	int code = 0;

	for (size_t i = 0; i < r->spec.nets.n && !code; i++) /* first, since their names are the user's */
		code = iface_is(want[i].network) ? iface_reserve(r, want[i].network, err) : 0;
	for (size_t i = 0; i < r->spec.nets.n && !code; i++)
		code = iface_is(want[i].network) ? 0 : networks_reserve_one(s, r, &want[i], err);
	if (code < 0)
		release_all(s, r, NULL);
	return code;
}

/* The host's end of a ptp pair is the gateway: it has that address and a route to the one container. */
static int settle_ptp(const struct store *s, struct netlink *nl, const struct attachment *a, struct err *err)
{
	const struct {
		const char *ip, *gateway;
	} pair[] = { { a->ip, a->gateway }, { a->ip6, a->gateway6 } };
	struct buf b = { 0 };
	char path[80];
	struct link l;
	int r = link_find(nl, a->host, &l, err);

	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/accept_dad", a->host);
	if (a->ip6)
		file_put(AT_FDCWD, path, "0"); /* else nothing is forwarded to the container for a second or two */
	for (int i = 0; i < 2 && !r; i++) {
		struct address ip = address_of(pair[i].ip), gateway = address_of(pair[i].gateway);
		struct subnet one = { ip, 8 * address_length(&ip) };

		if (!ip.family)
			continue;
		if (gateway.family)
			link_put_address(&b, l.index, &gateway, one.prefix);
		link_put_route(&b, l.index, &one, NULL);
	}
	if (!r)
		r = netlink_talk(nl, &b, "give the host's end its address", NULL, NULL, err);
	buf_free(&b);
	return r ? r : change_ptp(s, a, true, err);
}

/* With ports published, the bridge must send a frame back where it came from (with br_netfilter a container reaches its own
 * published port so). Without traffic between containers, bridge ports are isolated from each other; where br_netfilter is, that would keep
 * neighbours from what is published too, since it turns their packets round within the bridge: there our rules judge those instead. */
static int settle_port(const struct store *s, struct netlink *nl, const struct record *r, const struct attachment *a, int bridge,
		       struct err *err)
{
	struct network n;
	struct link l;
	bool isolated = network_load(s->root, a->network, &n, NULL) == 0 && n.no_icc, publishes = r->spec.ports.n > 0;
	int code;

	network_free(&n);
	if (!isolated && !publishes)
		return 0;
	if (isolated && publishes)
		isolated = link_filter_bridge(nl, bridge) < 0;
	code = link_find(nl, a->host, &l, err);
	return code ? code : link_port(nl, l.index, publishes, isolated, err);
}

int networks_connect_one(const struct store *s, struct netlink *nl, const struct record *r, const struct attachment *a, int netns,
			 struct err *err)
{
	bool bridge = !strcmp(a->driver, "bridge");
	uint8_t mac[6] = { 0 };
	struct link l = { 0 };
	int code = *a->device ? link_find(nl, a->device, &l, err) : 0;

	if (code < 0)
		return code;
	mac_parse(a->mac, mac);
	if (!*a->host)
		return link_make_child(nl, a->driver, l.index, a->name, netns, mac, (int)a->mtu, err);
	code = link_make_veth(nl, a->host, bridge ? l.index : 0, network_group(s->tag, a->network), a->name, netns, mac, (int)a->mtu, err);
	if (code < 0)
		return code;
	if (bridge)
		link_be_quiet(nl, a->host); /* the bridge has the addresses */
	return bridge ? settle_port(s, nl, r, a, l.index, err) : settle_ptp(s, nl, a, err);
}

int networks_publish(const struct store *s, struct record *r, struct err *err)
{
	struct address four, six;
	struct firewall fw;
	int code;

	networks_addresses(&r->state, &four, &six);
	if (!r->spec.ports.n || (!four.family && !six.family))
		return 0;
	if (!r->state.ports.n)
		ports_copy(&r->spec.ports, &r->state.ports);
	code = firewall_open(&fw, s->tag, err);
	if (code < 0)
		return code;
	code = ports_publish(&fw, &r->state.ports, &four, &six, err);
	firewall_close(&fw);
	if (code < 0)
		fields_free_array(port_fields, sizeof(struct port), &r->state.ports);
	return code;
}

int networks_open(const struct state *st, struct netlink *host, struct err *err)
{
	*host = (struct netlink){ .fd = -1 };
	return st->attachments.n ? netlink_open(host, NETLINK_ROUTE, err) : 0;
}

int networks_connect(const struct store *s, struct record *r, struct netlink *host, int netns, struct err *err)
{
	const struct attachment *a = r->state.attachments.v;
	int code = 0;

	for (size_t i = 0; i < r->state.attachments.n && !code; i++)
		code = iface_attached(&a[i]) ? iface_connect(s, host, r, &a[i], netns, err)
				       : networks_connect_one(s, host, r, &a[i], netns, err);
	return code ? code : networks_publish(s, r, err);
}

int networks_settle_again(const struct store *s, const struct record *r, struct err *err)
{
	const struct attachment *a = r->state.attachments.v;
	int code = 0;

	for (size_t i = 0; i < r->state.attachments.n && !code; i++)
		code = change_ptp(s, &a[i], true, err);
	return code;
}

int networks_release(const struct store *s, struct record *r, struct err *err)
{
	int lock, code;

	outside_release(r);
	if (!r->state.attachments.n)
		return 0;
	code = ifaces_return(s, r, err);
	lock = code ? code : networks_lock(s, err);
	if (lock < 0)
		return lock;
	code = release_all(s, r, err);
	close(lock);
	return code;
}
