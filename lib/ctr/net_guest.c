#include "base/file.h"
#include "ctr/net_iface.h"
#include "ctr/networking.h"
#include "net/link.h"
#include "net/loopback.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* What happens in the container's network namespace. */

/* On a ptp network nobody but the gateway is on the link; the neighbours are behind it. */
static void put_ptp_routes(struct buf *b, int index, const char *ip, int64_t prefix, const struct address *gateway)
{
	struct subnet one = { *gateway, 8 * address_length(gateway) }, all;
	char text[64];

	if (!gateway->family)
		return;
	link_put_route(b, index, &one, NULL);
	snprintf(text, sizeof text, "%s/%d", ip, (int)prefix);
	if (subnet_parse(text, &all, NULL) == 0)
		link_put_route(b, index, &all, gateway);
}

static void put_family(struct buf *b, int index, const char *ip, int64_t prefix, const char *gateway, bool ptp, bool way_out)
{
	struct address a = address_of(ip), g = address_of(gateway);

	if (!a.family)
		return;
	link_put_address(b, index, &a, ptp ? 8 * address_length(&a) : (int)prefix);
	if (ptp)
		put_ptp_routes(b, index, ip, prefix, &g);
	if (way_out)
		link_put_default_route(b, index, &g);
}

/* What comes from a LAN by macvlan or ipvlan stays. */
void networks_quiet_one(struct netlink *nl, const struct attachment *a)
{
	if (*a->host && !a->ip6)
		link_be_quiet(nl, a->name);
}

void networks_put_one(struct buf *b, const struct attachment *a, int index, bool way4, bool way6)
{
	bool ptp = !strcmp(a->driver, "ptp");

	link_put_up(b, index, true);
	put_family(b, index, a->ip, a->prefix, a->gateway, ptp, way4 && !a->internal);
	put_family(b, index, a->ip6, a->prefix6, a->gateway6, ptp, way6 && !a->internal);
}

/* Lets packets pass from now on, both ways.
 * A new carrier is acted upon by a worker of the kernel, some time, unless somebody asks for the interface's state (rtnl_getlink, Linux
 * 6.8). What is sent before is lost, and sent again a second later. */
void networks_carry_one(struct netlink *inner, struct netlink *host, const struct attachment *a)
{
	struct address six = address_of(a->ip6);
	struct link l;

	link_find(inner, a->name, &l, NULL);
	if (*a->host && link_find(host, a->host, &l, NULL) == 0 && l.master)
		link_find(host, a->device, &l, NULL);
	if (six.family)
		link_await_address(inner, &six);
}

/* docker's: ping without a capability, ports below 1024 for every user of the container. Absent or refused (an id that
 * isn't mapped): what the kernel has stays. */
void networks_settle(void)
{
	file_put(AT_FDCWD, "/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
	file_put(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}

int networks_configure(const struct state *st, struct netlink *host, struct err *err)
{
	const struct attachment *a = st->attachments.v;
	struct buf b = { 0 };
	struct netlink nl;
	bool way4 = true, way6 = true; /* the first of each family leads out */
	int r;

	if (!st->attachments.n)
		return loopback_up(err);
	r = netlink_open(&nl, NETLINK_ROUTE, err);
	if (r < 0)
		return r;
	link_put_up(&b, 1, true);
	for (size_t i = 0; i < st->attachments.n && !r; i++) {
		struct link l;

		if (iface_attached(&a[i]))
			continue;
		networks_quiet_one(&nl, &a[i]);
		r = link_find(&nl, a[i].name, &l, err); /* no number is certain: tunnel drivers put their own interfaces into a new namespace */
		networks_put_one(&b, &a[i], l.index, way4, way6);
		way4 = way4 && (!a[i].gateway || a[i].internal);
		way6 = way6 && (!a[i].gateway6 || a[i].internal);
	}
	if (!r)
		r = netlink_talk(&nl, &b, "configure the container's interfaces", NULL, NULL, err);
	buf_free(&b);
	for (size_t i = 0; i < st->attachments.n && !r; i++)
		if (!iface_attached(&a[i]))
			networks_carry_one(&nl, host, &a[i]);
	netlink_close(&nl);
	return r;
}
