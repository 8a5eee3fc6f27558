#include "net/xt.h"
#include "net/xt_table.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What leads to which chain of ours, and why there are two of some: the first ones, all stores' at the head, see to what goes to a network, so that none
 * lets into another's; the second ones, behind them, to what leaves.
 *	FORWARD: FWD -> NET, what may go to our networks, or must not; OUT, what leaves them; REST, at the end, if the host didn't forward before us
 *	INPUT: IN, without which route_localnet, which 127.0.0.1:PORT needs, would let neighbours at the host's loopback
 *	PREROUTING, OUTPUT: DNAT, a rule a published port
 *	POSTROUTING: BACK, what comes to our networks: masqueraded where the answer must come back to us; MASQ, what leaves them */

#define ESTABLISHED (XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED))

static const uint8_t loopback[4] = { 127 };

/* What an edit of a table is about. */
struct ports {
	const struct publication *v;
	int n;
	uint8_t revision; /* of the target DNAT */
};

static int open_socket(struct firewall *f, const char *tag, struct err *err)
{
	snprintf(f->name, sizeof f->name, "CTR-%s-", tag);
	f->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	return f->raw < 0 ? err_sys(err, -errno, "open a socket for xtables") : 0;
}

/* Appends to a chain of ours. */
static int append(struct xt_table *t, const char *chain, struct xt_rule *r)
{
	return xt_add(t, chain, -1, r, NULL);
}

static bool filter_stands(const struct xt_table *t)
{
	return xt_leads(t, "FORWARD", "FWD") && xt_leads(t, "FORWARD", "OUT") && xt_leads(t, "INPUT", "IN");
}

static int set_up_filter(struct xt_table *t, void *unused)
{
	struct xt_rule r;

	(void)unused;
	if (filter_stands(t))
		return 0;
	xt_remove_chains(t);
	xt_add_chain(t, "FWD");
	xt_add_chain(t, "NET");
	xt_add_chain(t, "OUT");
	xt_add_chain(t, "IN");
	xt_add(t, "FORWARD", 0, xt_rule(&r), "FWD");
	xt_add(t, "FORWARD", xt_behind(t, "FORWARD", "-FWD"), xt_rule(&r), "OUT");
	xt_add(t, "INPUT", 0, xt_rule(&r), "IN");
	append(t, "NET", xt_verdict(xt_state(xt_rule(&r), ESTABLISHED), NF_ACCEPT));
	append(t, "NET", xt_verdict(xt_state(xt_rule(&r), XT_CONNTRACK_STATE_INVALID), NF_DROP));
	append(t, "NET", xt_verdict(xt_from(xt_rule(&r), loopback, 8), NF_DROP));
	append(t, "IN", xt_return(xt_state(xt_rule(&r), ESTABLISHED)));
	append(t, "IN", xt_verdict(xt_to(xt_not(xt_in(xt_rule(&r), "lo"), IPT_INV_VIA_IN), loopback, 8), NF_DROP));
	return 1;
}

static bool nat_stands(const struct xt_table *t)
{
	return xt_leads(t, "PREROUTING", "DNAT") && xt_leads(t, "OUTPUT", "DNAT") && xt_leads(t, "POSTROUTING", "BACK") &&
	       xt_leads(t, "POSTROUTING", "MASQ");
}

static int set_up_nat(struct xt_table *t, void *unused)
{
	struct xt_rule r;

	(void)unused;
	if (nat_stands(t))
		return 0;
	xt_remove_chains(t);
	xt_add_chain(t, "DNAT");
	xt_add_chain(t, "BACK");
	xt_add_chain(t, "MASQ");
	xt_add(t, "PREROUTING", 0, xt_local(xt_to(xt_not(xt_rule(&r), IPT_INV_DSTIP), loopback, 8), false), "DNAT");
	xt_add(t, "OUTPUT", 0, xt_local(xt_rule(&r), false), "DNAT");
	xt_add(t, "POSTROUTING", 0, xt_rule(&r), "BACK");
	xt_add(t, "POSTROUTING", xt_behind(t, "POSTROUTING", "-BACK"), xt_rule(&r), "MASQ");
	return 1;
}

/* Does an edit to both tables: 1 if one was changed. */
static int change_both(struct firewall *f, int (*filter)(struct xt_table *t, void *arg), int (*nat)(struct xt_table *t, void *arg),
		       const void *arg, struct err *err)
{
	int r = xt_change(f->raw, "filter", f->name, filter, (void *)(uintptr_t)arg, err), s;

	if (r < 0)
		return r;
	s = xt_change(f->raw, "nat", f->name, nat, (void *)(uintptr_t)arg, err);
	return s < 0 ? s : r || s;
}

static int set_up(struct firewall *f, struct err *err)
{
	return change_both(f, set_up_filter, set_up_nat, NULL, err);
}

static int close_rest(struct xt_table *t, void *unused)
{
	struct xt_rule r;

	(void)unused;
	if (xt_leads(t, "FORWARD", "REST"))
		return 0;
	xt_add_chain(t, "REST");
	append(t, "REST", xt_verdict(xt_rule(&r), NF_DROP));
	xt_add(t, "FORWARD", -1, xt_rule(&r), "REST");
	return 1;
}

static int close_family(struct firewall *f, int family, struct err *err)
{
	int r = family == AF_INET ? xt_change(f->raw, "filter", f->name, close_rest, NULL, err) : 0;

	return r < 0 ? r : 0;
}

static int remove_all(struct xt_table *t, void *unused)
{
	(void)unused;
	return xt_remove_chains(t);
}

static int tear_down(struct firewall *f, struct err *err)
{
	int r = change_both(f, remove_all, remove_all, NULL, err);

	return r < 0 ? r : 0;
}

static bool is_about(const struct ipt_entry *e, const void *device)
{
	return !strcmp(e->ip.iniface, device) || !strcmp(e->ip.outiface, device);
}

/* A network of its own decides at once: nothing in, nothing out. */
static void add_internal(struct xt_table *t, const struct firewall_net *n)
{
	struct xt_rule r;

	xt_add(t, "FWD", 0, xt_verdict(xt_out(xt_rule(&r), n->device), NF_DROP), NULL);
	xt_add(t, "FWD", 0, xt_verdict(xt_in(xt_rule(&r), n->device), NF_DROP), NULL);
	if (!n->noicc)
		xt_add(t, "FWD", 0, xt_verdict(xt_out(xt_in(xt_rule(&r), n->device), n->device), NF_ACCEPT), NULL);
}

static int add_to_filter(struct xt_table *t, void *arg)
{
	const struct firewall_net *n = arg;
	struct xt_rule r;

	xt_remove(t, is_about, n->device);
	if (append(t, "IN", xt_verdict(xt_from(xt_in(xt_rule(&r), n->device), loopback, 8), NF_DROP)) < 0)
		return -ENOENT;
	if (n->internal) {
		add_internal(t, n);
		return 1;
	}
	xt_add(t, "FWD", -1, xt_in(xt_rule(&r), n->device), "NET");
	xt_add(t, "FWD", -1, xt_out(xt_rule(&r), n->device), "NET");
	if (!n->noicc)
		append(t, "NET", xt_verdict(xt_out(xt_in(xt_rule(&r), n->device), n->device), NF_ACCEPT));
	append(t, "NET", xt_verdict(xt_state(xt_out(xt_rule(&r), n->device), XT_CONNTRACK_STATE_DNAT), NF_ACCEPT));
	append(t, "NET", xt_verdict(xt_out(xt_rule(&r), n->device), NF_DROP));
	append(t, "OUT", xt_verdict(xt_in(xt_rule(&r), n->device), NF_ACCEPT));
	return 1;
}

/* What the host sends to a published port, or a container to one of its own network, must be answered to the host: masqueraded. */
static int add_to_nat(struct xt_table *t, void *arg)
{
	const struct firewall_net *n = arg;
	const uint8_t *base = n->subnet.base.b;
	struct xt_rule r;

	xt_remove(t, is_about, n->device);
	if (append(t, "BACK", xt_masquerade(xt_state(xt_local(xt_out(xt_rule(&r), n->device), true), XT_CONNTRACK_STATE_DNAT))) < 0)
		return -ENOENT;
	if (n->subnet.base.family) {
		xt_from(xt_out(xt_rule(&r), n->device), base, n->subnet.prefix);
		append(t, "BACK", xt_masquerade(xt_state(&r, XT_CONNTRACK_STATE_DNAT)));
	}
	append(t, "BACK", xt_verdict(xt_out(xt_rule(&r), n->device), NF_ACCEPT));
	if (n->nat && n->subnet.base.family)
		append(t, "MASQ", xt_masquerade(xt_not(xt_from(xt_out(xt_rule(&r), n->device), base, n->subnet.prefix), IPT_INV_VIA_OUT)));
	return 1;
}

static int add_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	int r = change_both(f, add_to_filter, add_to_nat, n, err);

	return r < 0 ? err_prefix(err, "network with %s", n->device), r : 0;
}

static int remove_net_rules(struct xt_table *t, void *device)
{
	return xt_remove(t, is_about, device);
}

static int remove_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	int r = change_both(f, remove_net_rules, remove_net_rules, n->device, err);

	return r < 0 ? r : 0;
}

/* An edit that changes nothing: 0 if it is there. */
static int find_in_filter(struct xt_table *t, void *device)
{
	return filter_stands(t) && xt_count(t, is_about, device) ? 0 : -ENOENT;
}

static int find_in_nat(struct xt_table *t, void *device)
{
	return nat_stands(t) && xt_count(t, is_about, device) ? 0 : -ENOENT;
}

static bool has_net(struct firewall *f, const char *device)
{
	return change_both(f, find_in_filter, find_in_nat, device, NULL) == 0;
}

static bool same_port(const struct publication *a, const struct publication *b)
{
	return a->protocol == b->protocol && a->host_port == b->host_port && a->host.family == b->host.family &&
	       (!a->host.family || address_equal(&a->host, &b->host));
}

static bool is_taken(const struct ipt_entry *e, const void *arg)
{
	struct publication p;

	return xt_read_publication(e, &p) && same_port(&p, arg);
}

static bool is_ours(const struct ipt_entry *e, const void *arg)
{
	const struct publication *want = arg;
	struct publication p;

	return xt_read_publication(e, &p) && same_port(&p, want) && address_equal(&p.to, &want->to) && p.to_port == want->to_port;
}

/* Those for one address of the host come before those for all. */
static int add_ports(struct xt_table *t, void *arg)
{
	const struct ports *ports = arg;

	for (int i = 0; i < ports->n; i++) {
		const struct publication *p = &ports->v[i];
		struct xt_rule r;
		int code;

		if (xt_count(t, is_taken, p))
			return -EEXIST;
		xt_port(xt_rule(&r), p->protocol, p->host_port);
		if (p->host.family)
			xt_to(&r, p->host.b, 32);
		code = xt_add(t, "DNAT", p->host.family ? 0 : -1, xt_dnat(&r, ports->revision, p->to.b, p->to_port), NULL);
		if (code < 0)
			return code;
	}
	return ports->n;
}

/* The one that iptables(8) would take on this kernel: it shows no other. */
static uint8_t dnat_revision(int fd)
{
	struct xt_get_revision want = { .name = "DNAT", .revision = 2 };
	socklen_t n = sizeof want;

	return getsockopt(fd, IPPROTO_IP, IPT_SO_GET_REVISION_TARGET, &want, &n) < 0 ? 0 : 2;
}

static int publish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	struct ports ports = { p, n, dnat_revision(f->raw) };
	int r = xt_change(f->raw, "nat", f->name, add_ports, &ports, err);

	return r < 0 ? r : 0;
}

static int remove_ports(struct xt_table *t, void *arg)
{
	const struct ports *ports = arg;
	int n = 0;

	for (int i = 0; i < ports->n; i++)
		n += xt_remove(t, is_ours, &ports->v[i]);
	return n;
}

static int unpublish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	struct ports ports = { .v = p, .n = n };
	int r = xt_change(f->raw, "nat", f->name, remove_ports, &ports, err);

	return r < 0 ? r : 0;
}

struct lister {
	firewall_call *call;
	void *arg;
};

static bool tell(const struct ipt_entry *e, const void *arg)
{
	const struct lister *l = arg;
	struct publication p;

	if (xt_read_publication(e, &p))
		l->call(l->arg, &p);
	return false;
}

static int list_ports(struct xt_table *t, void *arg)
{
	return xt_count(t, tell, arg);
}

static int list(struct firewall *f, firewall_call *call, void *arg, struct err *err)
{
	return xt_change(f->raw, "nat", f->name, list_ports, &(struct lister){ call, arg }, err);
}

const struct firewall_kind xt_firewall = {
	.open = open_socket,
	.set_up = set_up,
	.close_family = close_family,
	.tear_down = tear_down,
	.add_net = add_net,
	.remove_net = remove_net,
	.has_net = has_net,
	.publish = publish,
	.unpublish = unpublish,
	.list = list,
};
