#include "net/firewall.h"
#include "base/file.h"
#include "net/conntrack.h"
#include "net/nft.h"
#include "net/xt.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static int find_named(const char *name, const struct firewall_kind **out, struct err *err)
{
	if (!strcmp(name, "nft"))
		*out = &nft_firewall;
	else if (!strcmp(name, "xt"))
		*out = &xt_firewall;
	else if (strcmp(name, "none"))
		return err_msg(err, -EINVAL, "CTRBOX_FIREWALL=%s: none of nft, xt, none", name);
	return 0;
}

/* Whether inet tables can do NAT: asking for that would cost a transaction, so the version tells. */
static bool is_recent(void)
{
	struct utsname u;
	char *dot;
	long major = uname(&u) < 0 ? LONG_MAX : strtol(u.release, &dot, 10);

	return major > 5 || (major == 5 && *dot == '.' && strtol(dot + 1, NULL, 10) >= 2);
}

int firewall_open(struct firewall *f, const char *tag, struct err *err)
{
	const char *name = getenv("CTRBOX_FIREWALL");
	int r = 0;

	*f = (struct firewall){ .raw = -1 };
	netlink_open(&f->nl, NETLINK_NETFILTER, NULL);
	if (name && *name)
		r = find_named(name, &f->kind, err);
	else
		f->kind = is_recent() && nft_is_there(&f->nl) ? &nft_firewall : &xt_firewall;
	if (!r && f->kind)
		r = f->kind->open(f, tag, err);
	if (r < 0)
		firewall_close(f);
	return r;
}

void firewall_close(struct firewall *f)
{
	netlink_close(&f->nl);
	if (f->raw >= 0)
		close(f->raw);
}

int firewall_set_up(struct firewall *f, struct err *err)
{
	return f->kind ? f->kind->set_up(f, err) : 0;
}

int firewall_close_family(struct firewall *f, int family, struct err *err)
{
	return f->kind ? f->kind->close_family(f, family, err) : 0;
}

int firewall_tear_down(struct firewall *f, struct err *err)
{
	return f->kind ? f->kind->tear_down(f, err) : 0;
}

/* A port published on 127.0.0.1 needs route_localnet, which is safe behind the rules alone. */
int firewall_add_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	char path[80];
	int r;

	if (!f->kind)
		return 0;
	if (n->ipv6 && !f->kind->ipv6)
		return err_msg(err, -EOPNOTSUPP, "IPv6 networks need nf_tables (CONFIG_NF_TABLES_INET, Linux 5.2); xtables is used here");
	r = f->kind->add_net(f, n, err);
	snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%.15s/route_localnet", n->device);
	if (!r)
		file_put(AT_FDCWD, path, "1");
	return r;
}

int firewall_remove_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	return f->kind ? f->kind->remove_net(f, n, err) : 0;
}

bool firewall_has_net(struct firewall *f, const char *device)
{
	return !f->kind || f->kind->has_net(f, device);
}

static void forget_flows(struct firewall *f, const struct publication *p, int n)
{
	for (int i = 0; i < n; i++)
		if (p[i].protocol == IPPROTO_UDP)
			conntrack_forget_udp(&f->nl, p[i].to.family, p[i].host_port);
}

int firewall_publish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	int r;

	if (!n)
		return 0;
	if (!f->kind)
		return err_msg(err, -EOPNOTSUPP, "no port can be published with CTRBOX_FIREWALL=none");
	r = f->kind->publish(f, p, n, err);
	if (!r)
		forget_flows(f, p, n);
	return r;
}

int firewall_unpublish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	int r = f->kind ? f->kind->unpublish(f, p, n, err) : 0;

	forget_flows(f, p, n);
	return r;
}

int firewall_list(struct firewall *f, firewall_call *call, void *arg, struct err *err)
{
	return f->kind ? f->kind->list(f, call, arg, err) : 0;
}
