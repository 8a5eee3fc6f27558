#include "net/xt.h"
#include "net/xt_ports.h"
#include "net/xt_table.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What leads to which chain of ours, and why there are two of some: the first ones, all stores' at the head, see to what goes to a network, so that none
 * lets into another's; the second ones, behind them, to what leaves.
 *	FORWARD: FWD -> NET, what may go to our networks, or must not; OUT, what leaves them; REST, at the end, if the host didn't forward before us
 *	INPUT: IN, without which route_localnet, which 127.0.0.1:PORT needs, would let neighbours at the host's loopback
 *	PREROUTING, OUTPUT: DNAT, a rule a published port
 *	POSTROUTING: BACK, what comes to our networks: masqueraded where the answer must come back to us; MASQ, what leaves them */

#define ESTABLISHED (XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED))

static const struct subnet loopback[2] = { { { AF_INET, { 127 } }, 8 }, { { AF_INET6, { [15] = 1 } }, 128 } };

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
	xt_add(t, "FORWARD", 0, xt_rule(&r, t->six), "FWD");
	xt_add(t, "FORWARD", xt_behind(t, "FORWARD", "-FWD"), xt_rule(&r, t->six), "OUT");
	xt_add(t, "INPUT", 0, xt_rule(&r, t->six), "IN");
	append(t, "NET", xt_verdict(xt_state(xt_rule(&r, t->six), ESTABLISHED), NF_ACCEPT));
	append(t, "NET", xt_verdict(xt_state(xt_rule(&r, t->six), XT_CONNTRACK_STATE_INVALID), NF_DROP));
	append(t, "NET", xt_verdict(xt_from(xt_rule(&r, t->six), &loopback[t->six]), NF_DROP));
	append(t, "IN", xt_return(xt_state(xt_rule(&r, t->six), ESTABLISHED)));
	append(t, "IN", xt_verdict(xt_to(xt_not(xt_in(xt_rule(&r, t->six), "lo"), IPT_INV_VIA_IN), &loopback[t->six]), NF_DROP));
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
	xt_add(t, "PREROUTING", 0, xt_local(xt_to(xt_not(xt_rule(&r, t->six), IPT_INV_DSTIP), &loopback[t->six]), false), "DNAT");
	xt_local(xt_rule(&r, t->six), false);
	if (t->six) /* ::1 can't be forwarded: refused at once */
		xt_to(xt_not(&r, IPT_INV_DSTIP), &loopback[1]);
	xt_add(t, "OUTPUT", 0, &r, "DNAT");
	xt_add(t, "POSTROUTING", 0, xt_rule(&r, t->six), "BACK");
	xt_add(t, "POSTROUTING", xt_behind(t, "POSTROUTING", "-BACK"), xt_rule(&r, t->six), "MASQ");
	return 1;
}

typedef int edit(struct xt_table *t, void *arg);

/* Does an edit to both tables of a family: 1 if one was changed. */
static int change_family(struct firewall *f, int family, edit *filter, edit *nat, const void *arg, struct err *err)
{
	int r = xt_change(family, "filter", f->chains, filter, (void *)(uintptr_t)arg, err), s;

	if (r < 0)
		return r;
	s = xt_change(family, "nat", f->chains, nat, (void *)(uintptr_t)arg, err);
	return s < 0 ? s : r || s;
}

/* The same to IPv4's, and to IPv6's if that is wanted. */
static int change_all(struct firewall *f, bool ipv6, edit *filter, edit *nat, const void *arg, struct err *err)
{
	int r = change_family(f, AF_INET, filter, nat, arg, err), s;

	if (r < 0 || !ipv6)
		return r;
	s = change_family(f, AF_INET6, filter, nat, arg, err);
	return s < 0 ? s : r || s;
}

/* Does an edit to those tables that are in use: those that aren't hold nothing of ours, and asking would make them. */
static int change_used(struct firewall *f, edit *edit, struct err *err)
{
	static const struct {
		int family;
		const char *table;
	} all[] = { { AF_INET, "filter" }, { AF_INET, "nat" }, { AF_INET6, "filter" }, { AF_INET6, "nat" } };
	int r = 0, any = 0;

	for (size_t i = 0; i < sizeof all / sizeof *all && r >= 0; i++) {
		r = xt_in_use(all[i].family, all[i].table) ? xt_change(all[i].family, all[i].table, f->chains, edit, NULL, err) : 0;
		any = any || r > 0;
	}
	return r < 0 ? r : any;
}

/* An edit that changes nothing: an error tells that there are some. */
static int find_chains(struct xt_table *t, void *unused)
{
	(void)unused;
	return xt_has_chains(t) ? -EEXIST : 0;
}

static int stands(struct firewall *f, struct err *err)
{
	int r = change_used(f, find_chains, err);

	return r == -EEXIST ? 1 : r;
}

static int set_up(struct firewall *f, bool ipv6, struct err *err)
{
	return change_all(f, ipv6, set_up_filter, set_up_nat, NULL, err);
}

static int close_rest(struct xt_table *t, void *unused)
{
	struct xt_rule r;

	(void)unused;
	if (xt_leads(t, "FORWARD", "REST"))
		return 0;
	xt_add_chain(t, "REST");
	append(t, "REST", xt_verdict(xt_rule(&r, t->six), NF_DROP));
	xt_add(t, "FORWARD", -1, xt_rule(&r, t->six), "REST");
	return 1;
}

static int close_family(struct firewall *f, int family, struct err *err)
{
	int r = xt_change(family, "filter", f->chains, close_rest, NULL, err);

	return r < 0 ? r : 0;
}

static int remove_all(struct xt_table *t, void *unused)
{
	(void)unused;
	return xt_remove_chains(t);
}

static int tear_down(struct firewall *f, struct err *err)
{
	int r = change_used(f, remove_all, err);

	return r < 0 ? r : 0;
}

static bool is_about(struct xt_entry e, const void *device)
{
	return xt_names(e, device);
}

/* Traffic within the network, at the head (0) or the end (-1) of a chain; of a ptp network, which has a device a container, with those of its group. */
static void add_inside(struct xt_table *t, const char *chain, int index, const struct firewall_net *n)
{
	struct xt_rule r;

	if (n->noicc)
		return;
	if (!n->ptp) {
		xt_add(t, chain, index, xt_verdict(xt_out(xt_in(xt_rule(&r, t->six), n->device), n->device), NF_ACCEPT), NULL);
		return;
	}
	xt_add(t, chain, index, xt_verdict(xt_group(xt_out(xt_rule(&r, t->six), n->device), n->group, true), NF_ACCEPT), NULL);
	xt_add(t, chain, index, xt_verdict(xt_group(xt_in(xt_rule(&r, t->six), n->device), n->group, false), NF_ACCEPT), NULL);
}

/* A network of its own decides at once: nothing in, nothing out. */
static void add_internal(struct xt_table *t, const struct firewall_net *n)
{
	struct xt_rule r;

	xt_add(t, "FWD", 0, xt_verdict(xt_out(xt_rule(&r, t->six), n->device), NF_DROP), NULL);
	xt_add(t, "FWD", 0, xt_verdict(xt_in(xt_rule(&r, t->six), n->device), NF_DROP), NULL);
	add_inside(t, "FWD", 0, n);
}

static int add_to_filter(struct xt_table *t, void *arg)
{
	const struct firewall_net *n = arg;
	struct xt_rule r;

	xt_remove(t, is_about, n->device);
	if (append(t, "IN", xt_verdict(xt_from(xt_in(xt_rule(&r, t->six), n->device), &loopback[t->six]), NF_DROP)) < 0)
		return -ENOENT;
	if (n->internal) {
		add_internal(t, n);
		return 1;
	}
	xt_add(t, "FWD", -1, xt_in(xt_rule(&r, t->six), n->device), "NET");
	xt_add(t, "FWD", -1, xt_out(xt_rule(&r, t->six), n->device), "NET");
	add_inside(t, "NET", -1, n);
	append(t, "NET", xt_verdict(xt_state(xt_out(xt_rule(&r, t->six), n->device), XT_CONNTRACK_STATE_DNAT), NF_ACCEPT));
	append(t, "NET", xt_verdict(xt_out(xt_rule(&r, t->six), n->device), NF_DROP));
	append(t, "OUT", xt_verdict(xt_in(xt_rule(&r, t->six), n->device), NF_ACCEPT));
	return 1;
}

/* What the host sends to a published port, or a container to one of its own network, must be answered to the host: masqueraded. */
static int add_to_nat(struct xt_table *t, void *arg)
{
	const struct firewall_net *n = arg;
	const struct subnet *net = &n->subnets[t->six];
	struct xt_rule r;

	xt_remove(t, is_about, n->device);
	if (append(t, "BACK", xt_masquerade(xt_state(xt_local(xt_out(xt_rule(&r, t->six), n->device), true), XT_CONNTRACK_STATE_DNAT))) < 0)
		return -ENOENT;
	if (net->base.family) {
		xt_from(xt_out(xt_rule(&r, t->six), n->device), net);
		append(t, "BACK", xt_masquerade(xt_state(&r, XT_CONNTRACK_STATE_DNAT)));
	}
	append(t, "BACK", xt_verdict(xt_out(xt_rule(&r, t->six), n->device), NF_ACCEPT));
	if (n->nat && net->base.family)
		append(t, "MASQ", xt_masquerade(xt_not(xt_from(xt_out(xt_rule(&r, t->six), n->device), net), IPT_INV_VIA_OUT)));
	return 1;
}

static int add_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	int r = change_all(f, n->ipv6, add_to_filter, add_to_nat, n, err);

	if (r < 0 && n->ptp)
		err_hint(err, "is CONFIG_NETFILTER_XT_MATCH_DEVGROUP in this kernel?");
	return r < 0 ? err_prefix(err, "network with %s", n->device), r : 0;
}

static int remove_net_rules(struct xt_table *t, void *device)
{
	return xt_remove(t, is_about, device);
}

static int remove_net(struct firewall *f, const struct firewall_net *n, struct err *err)
{
	int r = !*n->device ? 0 : change_all(f, n->ipv6, remove_net_rules, remove_net_rules, n->device, err);

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

static bool has_net(struct firewall *f, const struct firewall_net *n)
{
	return change_all(f, n->ipv6, find_in_filter, find_in_nat, n->device, NULL) == 0;
}

const struct firewall_kind xt_firewall = {
	.name = "xt",
	.stands = stands,
	.set_up = set_up,
	.close_family = close_family,
	.tear_down = tear_down,
	.add_net = add_net,
	.remove_net = remove_net,
	.has_net = has_net,
	.publish = xt_publish,
	.unpublish = xt_unpublish,
	.list = xt_list,
};
