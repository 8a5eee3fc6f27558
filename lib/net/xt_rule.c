#include "net/xt_rule.h"
#include "net/firewall.h"
#include <arpa/inet.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_devgroup.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Matches, and the target after them, are each a header and data, padded. */
#define PART(n) XT_ALIGN(sizeof(struct xt_entry_match) + (n))

/* What an entry begins with: four addresses (source, destination, their masks), then this. */
struct match {
	char in[IFNAMSIZ], out[IFNAMSIZ];
	uint8_t in_mask[IFNAMSIZ], out_mask[IFNAMSIZ];
	uint16_t protocol;
};

enum { SOURCE, DESTINATION, SOURCE_MASK, DESTINATION_MASK };

static size_t address_size(struct xt_entry e)
{
	return e.six ? sizeof(struct in6_addr) : sizeof(struct in_addr);
}

static uint8_t *address_at(struct xt_entry e, int which)
{
	return (uint8_t *)e.at + (size_t)which * address_size(e);
}

static struct match *match_of(struct xt_entry e)
{
	return (void *)address_at(e, 4);
}

static size_t entry_size(struct xt_entry e)
{
	return e.six ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
}

struct xt_extent *xt_extent(struct xt_entry e)
{
	return (void *)(e.at + (e.six ? offsetof(struct ip6t_entry, target_offset) : offsetof(struct ipt_entry, target_offset)));
}

bool xt_names(struct xt_entry e, const char *device)
{
	return !strncmp(match_of(e)->in, device, IFNAMSIZ) || !strncmp(match_of(e)->out, device, IFNAMSIZ);
}

struct xt_entry xt_entry(struct xt_rule *r)
{
	return (struct xt_entry){ r->bytes, r->six };
}

struct xt_rule *xt_rule(struct xt_rule *r, bool six)
{
	*r = (struct xt_rule){ .six = six };
	*xt_extent(xt_entry(r)) = (struct xt_extent){ .target = (uint16_t)entry_size(xt_entry(r)), .next = (uint16_t)entry_size(xt_entry(r)) };
	return r;
}

/* A new part at the end, whose data is returned. */
static void *add_part(struct xt_rule *r, const char *name, uint8_t revision, size_t n)
{
	struct xt_extent *x = xt_extent(xt_entry(r));
	struct xt_entry_match *m = (void *)(r->bytes + x->next);

	m->u.match_size = (uint16_t)PART(n);
	memcpy(m->u.user.name, name, strlen(name));
	m->u.user.revision = revision;
	x->next = (uint16_t)(x->next + m->u.match_size);
	return m->data;
}

static void *add_match(struct xt_rule *r, const char *name, uint8_t revision, size_t n)
{
	void *data = add_part(r, name, revision, n);
	struct xt_extent *x = xt_extent(xt_entry(r));

	x->target = x->next;
	return data;
}

static void put_device(char *name, uint8_t *mask, const char *device)
{
	memset(mask, 0xff, (size_t)snprintf(name, IFNAMSIZ, "%s", device) + 1);
}

struct xt_rule *xt_in(struct xt_rule *r, const char *device)
{
	struct match *m = match_of(xt_entry(r));

	put_device(m->in, m->in_mask, device);
	return r;
}

struct xt_rule *xt_out(struct xt_rule *r, const char *device)
{
	struct match *m = match_of(xt_entry(r));

	put_device(m->out, m->out_mask, device);
	return r;
}

struct xt_rule *xt_not(struct xt_rule *r, uint8_t what)
{
	*(r->six ? &r->entry6.ipv6.invflags : &r->entry4.ip.invflags) |= what;
	return r;
}

static struct xt_rule *put_subnet(struct xt_rule *r, int address, int mask, const struct subnet *net)
{
	struct xt_entry e = xt_entry(r);

	memcpy(address_at(e, address), net->base.b, address_size(e));
	for (int i = 0; i < net->prefix; i++)
		address_at(e, mask)[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return r;
}

struct xt_rule *xt_from(struct xt_rule *r, const struct subnet *net)
{
	return put_subnet(r, SOURCE, SOURCE_MASK, net);
}

struct xt_rule *xt_to(struct xt_rule *r, const struct subnet *net)
{
	return put_subnet(r, DESTINATION, DESTINATION_MASK, net);
}

struct xt_rule *xt_local(struct xt_rule *r, bool source)
{
	struct xt_addrtype_info_v1 *a = add_match(r, "addrtype", 1, sizeof *a);

	*(source ? &a->source : &a->dest) = XT_ADDRTYPE_LOCAL;
	return r;
}

struct xt_rule *xt_group(struct xt_rule *r, uint32_t group, bool in)
{
	struct xt_devgroup_info *d = add_match(r, "devgroup", 0, sizeof *d);

	d->flags = in ? XT_DEVGROUP_MATCH_SRC : XT_DEVGROUP_MATCH_DST;
	d->src_group = d->dst_group = group;
	d->src_mask = d->dst_mask = ~0u;
	return r;
}

struct xt_rule *xt_state(struct xt_rule *r, uint16_t states)
{
	struct xt_conntrack_mtinfo3 *c = add_match(r, "conntrack", 3, sizeof *c);

	c->match_flags = XT_CONNTRACK_STATE;
	c->state_mask = states;
	return r;
}

/* Both have the ports at the same place. */
struct xt_rule *xt_port(struct xt_rule *r, uint8_t protocol, uint16_t port)
{
	bool tcp = protocol == IPPROTO_TCP;
	struct xt_udp *u = add_match(r, tcp ? "tcp" : "udp", 0, tcp ? sizeof(struct xt_tcp) : sizeof *u);

	match_of(xt_entry(r))->protocol = protocol;
	if (r->six)
		r->entry6.ipv6.flags |= IP6T_F_PROTO;
	u->spts[1] = 0xffff;
	u->dpts[0] = u->dpts[1] = port;
	return r;
}

static struct xt_rule *standard(struct xt_rule *r, int verdict)
{
	memcpy(add_part(r, XT_STANDARD_TARGET, 0, sizeof verdict), &verdict, sizeof verdict);
	return r;
}

struct xt_rule *xt_verdict(struct xt_rule *r, int verdict)
{
	return standard(r, -verdict - 1);
}

struct xt_rule *xt_return(struct xt_rule *r)
{
	return standard(r, XT_RETURN);
}

struct xt_rule *xt_masquerade(struct xt_rule *r)
{
	if (r->six)
		add_part(r, "MASQUERADE", 0, sizeof(struct nf_nat_range));
	else
		((struct nf_nat_ipv4_multi_range_compat *)add_part(r, "MASQUERADE", 0, sizeof(struct nf_nat_ipv4_multi_range_compat)))->rangesize = 1;
	return r;
}

#define MAP (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED)

static void put_dnat(struct nf_nat_ipv4_multi_range_compat *n, const struct address *to, uint16_t port)
{
	struct nf_nat_ipv4_range *range = n->range;

	n->rangesize = 1;
	range->flags = MAP;
	memcpy(&range->min_ip, to->b, 4);
	range->max_ip = range->min_ip;
	range->min.all = range->max.all = htons(port);
}

/* Revision 1's struct nf_nat_range is the beginning of 2's. */
static void put_dnat2(struct nf_nat_range *range, const struct address *to, uint16_t port)
{
	range->flags = MAP;
	memcpy(&range->min_addr, to->b, (size_t)address_length(to));
	range->max_addr = range->min_addr;
	range->min_proto.all = range->max_proto.all = htons(port);
}

struct xt_rule *xt_dnat(struct xt_rule *r, uint8_t revision, const struct address *to, uint16_t port)
{
	if (revision)
		put_dnat2(add_part(r, "DNAT", revision, revision == 2 ? sizeof(struct nf_nat_range2) : sizeof(struct nf_nat_range)), to, port);
	else
		put_dnat(add_part(r, "DNAT", 0, sizeof(struct nf_nat_ipv4_multi_range_compat)), to, port);
	return r;
}

struct xt_rule *xt_error(struct xt_rule *r, const char *name)
{
	snprintf(add_part(r, XT_ERROR_TARGET, 0, XT_FUNCTION_MAXNAMELEN), XT_FUNCTION_MAXNAMELEN, "%s", name);
	return r;
}

static struct xt_entry_target *target_of(struct xt_entry e)
{
	return (void *)(e.at + xt_extent(e)->target);
}

int *xt_jump(struct xt_entry e)
{
	struct xt_standard_target *t = (void *)target_of(e);

	return *t->target.u.user.name || t->verdict < 0 ? NULL : &t->verdict;
}

bool xt_is_drop(struct xt_entry e)
{
	struct xt_standard_target *t = (void *)target_of(e);

	return !*t->target.u.user.name && t->verdict == -NF_DROP - 1;
}

const char *xt_head(struct xt_entry e)
{
	struct xt_error_target *t = (void *)target_of(e);

	return strcmp(t->target.u.user.name, XT_ERROR_TARGET) ? NULL : t->errorname;
}

bool xt_read_publication(struct xt_entry e, struct publication *out)
{
	const struct xt_entry_match *m = (void *)(e.at + entry_size(e));
	const struct xt_udp *u = (const void *)m->data;
	const struct xt_entry_target *t = target_of(e);
	const struct nf_nat_ipv4_multi_range_compat *old = (const void *)t->data;
	const struct nf_nat_range *range = (const void *)t->data;
	uint16_t protocol = match_of(e)->protocol;
	static const uint8_t any[16];

	if (xt_extent(e)->target != entry_size(e) + PART(protocol == IPPROTO_TCP ? sizeof(struct xt_tcp) : sizeof *u) ||
	    strcmp(t->u.user.name, "DNAT"))
		return false;
	*out = (struct publication){ .protocol = (uint8_t)protocol, .host_port = u->dpts[0], .to.family = e.six ? AF_INET6 : AF_INET };
	if (memcmp(address_at(e, DESTINATION_MASK), any, address_size(e)))
		out->host.family = out->to.family;
	memcpy(out->host.b, address_at(e, DESTINATION), address_size(e));
	memcpy(out->to.b, t->u.user.revision ? (const void *)&range->min_addr : &old->range->min_ip, address_size(e));
	out->to_port = ntohs(t->u.user.revision ? range->min_proto.all : old->range->min.all);
	return true;
}
