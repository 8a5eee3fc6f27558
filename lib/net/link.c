#include "net/link.h"
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NEW (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

static size_t begin_link(struct buf *b, uint16_t type, uint16_t flags, int index, unsigned set, unsigned mask)
{
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = set, .ifi_change = mask };

	return netlink_begin(b, type, flags, &i, sizeof i);
}

/* Sends one finished message; frees it. */
static int send_one(struct netlink *nl, struct buf *b, size_t start, const char *act, const char *name, struct err *err)
{
	char what[80];
	int r;

	netlink_end(b, start);
	snprintf(what, sizeof what, "%s %s", act, name);
	r = netlink_talk(nl, b, what, NULL, NULL, err);
	buf_free(b);
	return r;
}

static void read_link(const void *payload, size_t n, struct link *out)
{
	struct ifinfomsg i;
	const void *attrs = (const char *)payload + NLMSG_ALIGN(sizeof i), *p;
	const char *s;
	size_t len;

	memcpy(&i, payload, sizeof i);
	n -= NLMSG_ALIGN(sizeof i);
	*out = (struct link){ .index = i.ifi_index, .up = i.ifi_flags & IFF_UP };
	out->master = (int)netlink_attr_u32(attrs, n, IFLA_MASTER, 0);
	out->group = netlink_attr_u32(attrs, n, IFLA_GROUP, 0);
	s = netlink_attr_str(attrs, n, IFLA_IFALIAS);
	snprintf(out->alias, sizeof out->alias, "%s", s ? s : "");
	s = netlink_attr_str(attrs, n, IFLA_IFNAME);
	snprintf(out->name, sizeof out->name, "%s", s ? s : "");
	p = netlink_attr(attrs, n, IFLA_ADDRESS, &len);
	if (p && len == 6)
		memcpy(out->mac, p, 6);
	p = netlink_attr(attrs, n, IFLA_LINKINFO, &len);
	s = p ? netlink_attr_str(p, len, IFLA_INFO_KIND) : NULL;
	snprintf(out->kind, sizeof out->kind, "%s", s ? s : "");
}

struct each {
	int (*call)(void *arg, const struct link *l);
	void *arg;
};

static int each_link(void *arg, uint16_t type, const void *payload, size_t n)
{
	struct each *e = arg;
	struct link l;

	if (type != RTM_NEWLINK || n < NLMSG_ALIGN(sizeof(struct ifinfomsg)))
		return 0;
	read_link(payload, n, &l);
	return e->call(e->arg, &l);
}

int link_each(struct netlink *nl, int (*call)(void *arg, const struct link *l), void *arg, struct err *err)
{
	struct each e = { call, arg };
	struct buf b = { 0 };
	int r;

	netlink_end(&b, begin_link(&b, RTM_GETLINK, NLM_F_DUMP, 0, 0, 0));
	r = netlink_talk(nl, &b, "list interfaces", each_link, &e, err);
	buf_free(&b);
	return r;
}

static int keep_link(void *arg, const struct link *l)
{
	*(struct link *)arg = *l;
	return 0;
}

int link_find(struct netlink *nl, const char *name, struct link *out, struct err *err)
{
	struct buf b = { 0 };
	char what[80];
	size_t start = begin_link(&b, RTM_GETLINK, NLM_F_ACK, 0, 0, 0);
	struct each e = { .call = keep_link };
	int r;

	*out = (struct link){ 0 };
	e.arg = out;
	netlink_str(&b, IFLA_IFNAME, name);
	netlink_end(&b, start);
	snprintf(what, sizeof what, "interface %s", name);
	r = netlink_talk(nl, &b, what, each_link, &e, err);
	buf_free(&b);
	return r;
}

int link_make_bridge(struct netlink *nl, const char *name, uint32_t group, const uint8_t mac[6], int mtu, struct err *err)
{
	struct buf b = { 0 };
	size_t start = begin_link(&b, RTM_NEWLINK, NEW, 0, IFF_UP, IFF_UP), info;

	netlink_str(&b, IFLA_IFNAME, name);
	netlink_put(&b, IFLA_ADDRESS, mac, 6);
	netlink_u32(&b, IFLA_GROUP, group);
	if (mtu)
		netlink_u32(&b, IFLA_MTU, (uint32_t)mtu);
	info = netlink_nest(&b, IFLA_LINKINFO);
	netlink_str(&b, IFLA_INFO_KIND, "bridge");
	netlink_nest_end(&b, info);
	return send_one(nl, &b, start, "make bridge", name, err);
}

/* The peer's own ifinfomsg and names inside VETH_INFO_PEER; it is born in its namespace under its final name. */
static void put_peer(struct buf *b, const char *peer, int netns, const uint8_t mac[6], int mtu)
{
	struct ifinfomsg i = { 0 };
	size_t nest = netlink_nest(b, VETH_INFO_PEER);

	buf_add(b, &i, sizeof i);
	netlink_str(b, IFLA_IFNAME, peer);
	netlink_u32(b, IFLA_NET_NS_FD, (uint32_t)netns);
	netlink_put(b, IFLA_ADDRESS, mac, 6);
	if (mtu)
		netlink_u32(b, IFLA_MTU, (uint32_t)mtu);
	netlink_nest_end(b, nest);
}

int link_make_veth(struct netlink *nl, const char *name, int master, uint32_t group, const char *peer, int netns, const uint8_t mac[6],
		   int mtu, struct err *err)
{
	struct buf b = { 0 };
	size_t start = begin_link(&b, RTM_NEWLINK, NEW, 0, IFF_UP, IFF_UP), info, data;

	netlink_str(&b, IFLA_IFNAME, name);
	if (master)
		netlink_u32(&b, IFLA_MASTER, (uint32_t)master);
	else
		netlink_u32(&b, IFLA_GROUP, group);
	if (mtu)
		netlink_u32(&b, IFLA_MTU, (uint32_t)mtu);
	info = netlink_nest(&b, IFLA_LINKINFO);
	netlink_str(&b, IFLA_INFO_KIND, "veth");
	data = netlink_nest(&b, IFLA_INFO_DATA);
	put_peer(&b, peer, netns, mac, mtu);
	netlink_nest_end(&b, data);
	netlink_nest_end(&b, info);
	master = send_one(nl, &b, start, "make veth pair", name, err);
	return master == -EOPNOTSUPP ? err_hint(err, "is veth in this kernel? CONFIG_VETH") : master;
}

void link_be_quiet(struct netlink *nl, const char *name)
{
	struct buf b = { 0 };
	size_t start = begin_link(&b, RTM_SETLINK, NLM_F_ACK, 0, 0, 0), families, inet6;

	netlink_str(&b, IFLA_IFNAME, name);
	families = netlink_nest(&b, IFLA_AF_SPEC);
	inet6 = netlink_nest(&b, AF_INET6);
	netlink_u8(&b, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	netlink_nest_end(&b, inet6);
	netlink_nest_end(&b, families);
	send_one(nl, &b, start, "set the IPv6 of", name, NULL);
}

int link_make_child(struct netlink *nl, const char *kind, int parent, const char *peer, int netns, const uint8_t mac[6], int mtu,
		    struct err *err)
{
	struct buf b = { 0 };
	size_t start = begin_link(&b, RTM_NEWLINK, NEW, 0, 0, 0), info, data;
	bool macvlan = !strcmp(kind, "macvlan");

	netlink_str(&b, IFLA_IFNAME, peer);
	netlink_u32(&b, IFLA_LINK, (uint32_t)parent);
	netlink_u32(&b, IFLA_NET_NS_FD, (uint32_t)netns);
	if (macvlan)
		netlink_put(&b, IFLA_ADDRESS, mac, 6);
	if (mtu)
		netlink_u32(&b, IFLA_MTU, (uint32_t)mtu);
	info = netlink_nest(&b, IFLA_LINKINFO);
	netlink_str(&b, IFLA_INFO_KIND, kind);
	data = netlink_nest(&b, IFLA_INFO_DATA);
	if (macvlan)
		netlink_u32(&b, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	netlink_nest_end(&b, data);
	netlink_nest_end(&b, info);
	return send_one(nl, &b, start, macvlan ? "make macvlan" : "make ipvlan", peer, err);
}

int link_delete(struct netlink *nl, const char *name, struct err *err)
{
	struct buf b = { 0 };
	size_t start = begin_link(&b, RTM_DELLINK, NLM_F_ACK, 0, 0, 0);

	netlink_str(&b, IFLA_IFNAME, name);
	return send_one(nl, &b, start, "delete interface", name, err);
}

int link_set_alias(struct netlink *nl, int index, const char *alias, struct err *err)
{
	struct buf b = { 0 };
	size_t start = begin_link(&b, RTM_NEWLINK, NLM_F_ACK, index, 0, 0);

	netlink_str(&b, IFLA_IFALIAS, alias);
	return send_one(nl, &b, start, "set the alias", alias, err);
}

int link_move(struct netlink *nl, int index, int netns, const char *name, struct err *err)
{
	struct buf b = { 0 };
	size_t start = begin_link(&b, RTM_NEWLINK, NLM_F_ACK, index, 0, IFF_UP);
	char text[16];

	netlink_u32(&b, IFLA_NET_NS_FD, (uint32_t)netns);
	if (name)
		netlink_str(&b, IFLA_IFNAME, name);
	snprintf(text, sizeof text, "%d", index);
	return send_one(nl, &b, start, "move interface", name ? name : text, err);
}

int link_port(struct netlink *nl, int index, bool hairpin, bool isolated, struct err *err)
{
	struct ifinfomsg i = { .ifi_family = AF_BRIDGE, .ifi_index = index };
	struct buf b = { 0 };
	size_t start = netlink_begin(&b, RTM_SETLINK, NLM_F_ACK, &i, sizeof i), info;

	info = netlink_nest(&b, IFLA_PROTINFO);
	netlink_u8(&b, IFLA_BRPORT_MODE, hairpin);
	netlink_u8(&b, IFLA_BRPORT_ISOLATED, isolated);
	netlink_nest_end(&b, info);
	return send_one(nl, &b, start, "set bridge port of", "a container", err);
}

int link_filter_bridge(struct netlink *nl, int index)
{
	struct buf b = { 0 };
	size_t start, info, data;

	if (access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) < 0)
		return -EOPNOTSUPP;
	start = begin_link(&b, RTM_NEWLINK, NLM_F_ACK, index, 0, 0);
	info = netlink_nest(&b, IFLA_LINKINFO);
	netlink_str(&b, IFLA_INFO_KIND, "bridge");
	data = netlink_nest(&b, IFLA_INFO_DATA);
	netlink_u8(&b, IFLA_BR_NF_CALL_IPTABLES, 1);
	netlink_u8(&b, IFLA_BR_NF_CALL_IP6TABLES, 1);
	netlink_nest_end(&b, data);
	netlink_nest_end(&b, info);
	return send_one(nl, &b, start, "filter", "a bridge", NULL);
}

void link_put_up(struct buf *b, int index, bool up)
{
	netlink_end(b, begin_link(b, RTM_NEWLINK, NLM_F_ACK, index, up ? IFF_UP : 0, IFF_UP));
}

void link_put_address(struct buf *b, int index, const struct address *a, int prefix)
{
	struct ifaddrmsg m = {
		.ifa_family = (uint8_t)a->family,
		.ifa_prefixlen = (uint8_t)prefix,
		.ifa_flags = a->family == AF_INET6 ? IFA_F_NODAD : 0, /* nobody else has it: a tentative one is deaf for 1.7 s */
		.ifa_index = (uint32_t)index,
	};
	size_t start = netlink_begin(b, RTM_NEWADDR, NEW, &m, sizeof m);

	netlink_put(b, IFA_LOCAL, a->b, (size_t)address_length(a));
	netlink_put(b, IFA_ADDRESS, a->b, (size_t)address_length(a));
	netlink_end(b, start);
}

static size_t begin_route(struct buf *b, int family, int prefix, unsigned char scope)
{
	struct rtmsg m = {
		.rtm_family = (uint8_t)family,
		.rtm_dst_len = (uint8_t)prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = scope,
		.rtm_type = RTN_UNICAST,
	};

	return netlink_begin(b, RTM_NEWROUTE, NEW, &m, sizeof m);
}

void link_put_default_route(struct buf *b, int index, const struct address *gateway)
{
	size_t start;

	if (!gateway->family)
		return;
	start = begin_route(b, gateway->family, 0, RT_SCOPE_UNIVERSE);
	netlink_put(b, RTA_GATEWAY, gateway->b, (size_t)address_length(gateway));
	netlink_u32(b, RTA_OIF, (uint32_t)index);
	netlink_end(b, start);
}

void link_put_route(struct buf *b, int index, const struct subnet *to, const struct address *gateway)
{
	size_t start = begin_route(b, to->base.family, to->prefix, gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);

	netlink_put(b, RTA_DST, to->base.b, (size_t)address_length(&to->base));
	if (gateway)
		netlink_put(b, RTA_GATEWAY, gateway->b, (size_t)address_length(gateway));
	netlink_u32(b, RTA_OIF, (uint32_t)index);
	netlink_end(b, start);
}

static int keep_type(void *arg, uint16_t type, const void *payload, size_t n)
{
	struct rtmsg m;

	if (type != RTM_NEWROUTE || n < sizeof m)
		return 0;
	memcpy(&m, payload, sizeof m);
	*(unsigned char *)arg = m.rtm_type;
	return 0;
}

static bool is_local(struct netlink *nl, const struct address *a)
{
	struct rtmsg m = { .rtm_family = (unsigned char)a->family, .rtm_dst_len = (unsigned char)(8 * address_length(a)) };
	unsigned char type = RTN_UNSPEC;
	struct buf b = { 0 };
	size_t start = netlink_begin(&b, RTM_GETROUTE, NLM_F_ACK, &m, sizeof m);

	netlink_put(&b, RTA_DST, a->b, (size_t)address_length(a));
	netlink_end(&b, start);
	netlink_talk(nl, &b, "ask for a route", keep_type, &type, NULL);
	buf_free(&b);
	return type == RTN_LOCAL;
}

void link_await_address(struct netlink *nl, const struct address *a)
{
	for (int i = 0; i < 500 && !is_local(nl, a); i++)
		nanosleep(&(struct timespec){ 0, 200000 }, NULL);
}

static int check_route(void *arg, uint16_t type, const void *payload, size_t n)
{
	const struct subnet *wanted = arg;
	struct subnet to = { 0 };
	struct rtmsg m;
	const void *dst;
	size_t len;

	if (type != RTM_NEWROUTE || n < sizeof m)
		return 0;
	memcpy(&m, payload, sizeof m);
	dst = netlink_attr((const char *)payload + NLMSG_ALIGN(sizeof m), n - NLMSG_ALIGN(sizeof m), RTA_DST, &len);
	if (!dst || !m.rtm_dst_len || m.rtm_type == RTN_BROADCAST || m.rtm_family != wanted->base.family || len > 16)
		return 0;
	to.base.family = m.rtm_family;
	to.prefix = m.rtm_dst_len;
	memcpy(to.base.b, dst, len);
	return subnet_overlap(&to, wanted);
}

int route_overlaps(struct netlink *nl, const struct subnet *sub, struct err *err)
{
	struct rtmsg m = { .rtm_family = (uint8_t)sub->base.family };
	struct buf b = { 0 };
	int r;

	netlink_end(&b, netlink_begin(&b, RTM_GETROUTE, NLM_F_DUMP, &m, sizeof m));
	r = netlink_talk(nl, &b, "list routes", check_route, (void *)sub, err);
	buf_free(&b);
	return r;
}
