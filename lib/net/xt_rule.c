#include "net/xt_rule.h"
#include "net/firewall.h"
#include <arpa/inet.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <stdio.h>
#include <string.h>

/* Matches, and the target after them, are each a header and data, padded. */
#define PART(n) XT_ALIGN(sizeof(struct xt_entry_match) + (n))

struct xt_rule *xt_rule(struct xt_rule *r)
{
	*r = (struct xt_rule){ .entry = { .target_offset = sizeof r->entry, .next_offset = sizeof r->entry } };
	return r;
}

/* A new part at the end, whose data is returned. */
static void *add_part(struct xt_rule *r, const char *name, uint8_t revision, size_t n)
{
	struct xt_entry_match *m = (void *)(r->bytes + r->entry.next_offset);

	m->u.match_size = (uint16_t)PART(n);
	memcpy(m->u.user.name, name, strlen(name));
	m->u.user.revision = revision;
	r->entry.next_offset = (uint16_t)(r->entry.next_offset + m->u.match_size);
	return m->data;
}

static void *add_match(struct xt_rule *r, const char *name, uint8_t revision, size_t n)
{
	void *data = add_part(r, name, revision, n);

	r->entry.target_offset = r->entry.next_offset;
	return data;
}

static void put_device(char *name, unsigned char *mask, const char *device)
{
	memset(mask, 0xff, (size_t)snprintf(name, IFNAMSIZ, "%s", device) + 1);
}

struct xt_rule *xt_in(struct xt_rule *r, const char *device)
{
	put_device(r->entry.ip.iniface, r->entry.ip.iniface_mask, device);
	return r;
}

struct xt_rule *xt_out(struct xt_rule *r, const char *device)
{
	put_device(r->entry.ip.outiface, r->entry.ip.outiface_mask, device);
	return r;
}

struct xt_rule *xt_not(struct xt_rule *r, uint8_t what)
{
	r->entry.ip.invflags |= what;
	return r;
}

static void put_address(struct in_addr *to, struct in_addr *mask, const uint8_t address[4], int prefix)
{
	memcpy(to, address, 4);
	mask->s_addr = prefix ? htonl(~0u << (32 - prefix)) : 0;
}

struct xt_rule *xt_from(struct xt_rule *r, const uint8_t address[4], int prefix)
{
	put_address(&r->entry.ip.src, &r->entry.ip.smsk, address, prefix);
	return r;
}

struct xt_rule *xt_to(struct xt_rule *r, const uint8_t address[4], int prefix)
{
	put_address(&r->entry.ip.dst, &r->entry.ip.dmsk, address, prefix);
	return r;
}

struct xt_rule *xt_local(struct xt_rule *r, bool source)
{
	struct xt_addrtype_info_v1 *a = add_match(r, "addrtype", 1, sizeof *a);

	*(source ? &a->source : &a->dest) = XT_ADDRTYPE_LOCAL;
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

	r->entry.ip.proto = protocol;
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
	struct nf_nat_ipv4_multi_range_compat *n = add_part(r, "MASQUERADE", 0, sizeof *n);

	n->rangesize = 1;
	return r;
}

static void put_dnat(struct nf_nat_ipv4_multi_range_compat *n, const uint8_t address[4], uint16_t port)
{
	struct nf_nat_ipv4_range *range = n->range;

	n->rangesize = 1;
	range->flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
	memcpy(&range->min_ip, address, 4);
	range->max_ip = range->min_ip;
	range->min.all = range->max.all = htons(port);
}

static void put_dnat2(struct nf_nat_range2 *range, const uint8_t address[4], uint16_t port)
{
	range->flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
	memcpy(&range->min_addr, address, 4);
	range->max_addr = range->min_addr;
	range->min_proto.all = range->max_proto.all = htons(port);
}

struct xt_rule *xt_dnat(struct xt_rule *r, uint8_t revision, const uint8_t address[4], uint16_t port)
{
	if (revision)
		put_dnat2(add_part(r, "DNAT", revision, sizeof(struct nf_nat_range2)), address, port);
	else
		put_dnat(add_part(r, "DNAT", 0, sizeof(struct nf_nat_ipv4_multi_range_compat)), address, port);
	return r;
}

struct xt_rule *xt_error(struct xt_rule *r, const char *name)
{
	snprintf(add_part(r, XT_ERROR_TARGET, 0, XT_FUNCTION_MAXNAMELEN), XT_FUNCTION_MAXNAMELEN, "%s", name);
	return r;
}

static struct xt_entry_target *target_of(const struct ipt_entry *e)
{
	return (void *)((char *)(uintptr_t)e + e->target_offset);
}

int *xt_jump(const struct ipt_entry *e)
{
	struct xt_standard_target *t = (void *)target_of(e);

	return *t->target.u.user.name || t->verdict < 0 ? NULL : &t->verdict;
}

const char *xt_head(const struct ipt_entry *e)
{
	struct xt_error_target *t = (void *)target_of(e);

	return strcmp(t->target.u.user.name, XT_ERROR_TARGET) ? NULL : t->errorname;
}

bool xt_read_publication(const struct ipt_entry *e, struct publication *out)
{
	const struct xt_entry_match *m = (const void *)e->elems;
	const struct xt_udp *u = (const void *)m->data;
	const struct xt_entry_target *t = target_of(e);
	const struct nf_nat_ipv4_multi_range_compat *old = (const void *)t->data;
	const struct nf_nat_range2 *range = (const void *)t->data;

	if (e->target_offset != sizeof *e + PART(e->ip.proto == IPPROTO_TCP ? sizeof(struct xt_tcp) : sizeof *u) ||
	    strcmp(t->u.user.name, "DNAT"))
		return false;
	*out = (struct publication){ .protocol = (uint8_t)e->ip.proto, .host_port = u->dpts[0], .to.family = AF_INET };
	out->host.family = e->ip.dmsk.s_addr ? AF_INET : 0;
	memcpy(out->host.b, &e->ip.dst, 4);
	memcpy(out->to.b, t->u.user.revision ? &range->min_addr.ip : &old->range->min_ip, 4);
	out->to_port = ntohs(t->u.user.revision ? range->min_proto.all : old->range->min.all);
	return true;
}
