#include "net/firewall.h"
#include "base/file.h"
#include "net/conntrack.h"
#include "net/nft.h"
#include "net/xt.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct firewall_kind *const kinds[] = { &nft_firewall, &nft_ip_firewall, &xt_firewall };
#define KINDS (sizeof kinds / sizeof *kinds)

static int find_named(const char *name, const struct firewall_kind **out, struct err *err)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(name, kinds[i]->name)) {
			*out = kinds[i];
			return 0;
		}
	return strcmp(name, "none") ? err_msg(err, -EINVAL, "CTRBOX_FIREWALL=%s: none of nft, nft-ip, xt, none", name) : 0;
}

/* What a kernel says of something that it hasn't got; net/netfilter/nfnetlink.c and nf_tables_api.c. */
static bool is_missing(int r)
{
	return r == -ENOENT || r == -EINVAL || r == -EOPNOTSUPP || r == -EAFNOSUPPORT || r == -EPROTONOSUPPORT;
}

/* 1, 0, or -errno, told, where it can't be known for the moment. */
static int stands(struct firewall *f, const struct firewall_kind *kind, struct err *err)
{
	const struct firewall_kind *mine = f->kind;
	struct err why = { 0 };
	int r;

	f->kind = kind;
	r = kind->stands(f, &why);
	f->kind = mine;
	if (r < 0 && !is_missing(r) && err)
		*err = why;
	return is_missing(r) ? 0 : r;
}

/* F becomes of that kind; of none where none stands. 0 or -errno. */
static int find_standing(struct firewall *f, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < KINDS && !r; i++) {
		r = stands(f, kinds[i], err);
		f->kind = r > 0 ? kinds[i] : NULL;
	}
	return r < 0 ? r : 0;
}

static int start(struct firewall *f, const char *tag, struct err *err)
{
	int r;

	*f = (struct firewall){ .kind = NULL };
	snprintf(f->table, sizeof f->table, "ctrbox_%s", tag);
	snprintf(f->chains, sizeof f->chains, "CTR-%s-", tag);
	r = netlink_open(&f->nl, NETLINK_NETFILTER, err);
	return is_missing(r) ? 0 : r;
}

int firewall_open(struct firewall *f, const char *tag, struct err *err)
{
	const char *name = getenv("CTRBOX_FIREWALL");
	int r = start(f, tag, err);

	if (r < 0)
		return r;
	f->chosen = name && *name;
	r = f->chosen ? find_named(name, &f->kind, err) : find_standing(f, err);
	if (r < 0)
		firewall_close(f);
	if (r < 0 || f->chosen)
		return r;
	f->chosen = f->kind;
	if (!f->kind)
		f->kind = kinds[0];
	return 0;
}

int firewall_open_standing(struct firewall *f, const char *tag, struct err *err)
{
	int r = start(f, tag, err);

	if (r < 0)
		return r;
	r = find_standing(f, err);
	f->chosen = true;
	if (r < 0)
		firewall_close(f);
	return r;
}

void firewall_close(struct firewall *f)
{
	netlink_close(&f->nl);
}

static int take_away(struct firewall *f, bool mine_too, struct err *err)
{
	const struct firewall_kind *mine = f->kind;
	int r = 0, any = 0;

	for (size_t i = 0; i < KINDS && r >= 0; i++) {
		if (!mine_too && kinds[i] == mine)
			continue;
		r = stands(f, kinds[i], err);
		if (r <= 0)
			continue;
		f->kind = kinds[i];
		r = f->kind->tear_down(f, err);
		any = 1;
	}
	f->kind = mine;
	return r < 0 ? r : any;
}

/* Nothing says which kind it is to be: the first that can be made. Whether the kernel can is asked by doing it. */
static int choose(struct firewall *f, bool ipv6, struct err *err)
{
	int r = -ENOENT;

	for (size_t i = 0; i < KINDS && is_missing(r); i++) {
		f->kind = kinds[i];
		r = f->kind->set_up(f, ipv6, err);
	}
	return r;
}

int firewall_set_up(struct firewall *f, bool ipv6, struct err *err)
{
	int made = 0, r;

	if (!f->chosen)
		made = choose(f, ipv6, err);
	else if (f->kind)
		made = f->kind->set_up(f, ipv6, err);
	r = made < 0 ? made : take_away(f, false, err);
	return r < 0 ? r : made;
}

int firewall_sweep(struct firewall *f, struct err *err)
{
	int r = f->kind ? stands(f, f->kind, err) : 0;

	return r > 0 ? take_away(f, false, err) : r;
}

int firewall_close_family(struct firewall *f, int family, struct err *err)
{
	return f->kind ? f->kind->close_family(f, family, err) : 0;
}

int firewall_tear_down(struct firewall *f, struct err *err)
{
	int r = take_away(f, true, err);

	return r < 0 ? r : 0;
}

/* A port published on 127.0.0.1 needs route_localnet, which is safe behind the rules alone. */
int firewall_add_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	char path[80];
	int r;

	if (!f->kind)
		return 0;
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

bool firewall_has_net(struct firewall *f, const struct firewall_net *n)
{
	return !f->kind || f->kind->has_net(f, n);
}

bool publications_clash(const struct publication *a, const struct publication *b)
{
	return a->protocol == b->protocol && a->host_port == b->host_port && a->to.family == b->to.family &&
	       (!a->host.family || !b->host.family || address_equal(&a->host, &b->host));
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
