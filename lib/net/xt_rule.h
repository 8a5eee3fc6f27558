/* Rules of legacy xtables, put together from matches and a target. The parts and revisions are those that every kernel since 2.6.39 has.
 * IPv4's and IPv6's entries have the same members at different places: what differs is known here alone. */
#ifndef NET_XT_RULE_H
#define NET_XT_RULE_H

#include "net/address.h"
#include <netinet/in.h>
#include <net/if.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>

/* An entry of a table: a struct ipt_entry or, of IPv6, ip6t_entry. */
struct xt_entry {
	char *at;
	bool six;
};

/* The members before an entry's counters. */
struct xt_extent {
	uint16_t target, next; /* where its target begins, and where it ends */
	uint32_t comefrom;
};
struct xt_extent *xt_extent(struct xt_entry e);

/* Whether it is about traffic from or to DEVICE. */
bool xt_names(struct xt_entry e, const char *device);

struct xt_rule {
	bool six;
	union {
		struct ipt_entry entry4;
		struct ip6t_entry entry6;
		char bytes[512];
	};
};

struct xt_entry xt_entry(struct xt_rule *r);

/* Each returns its rule: `xt_verdict(xt_in(xt_rule(&r, false), "eth0"), NF_DROP)`. Addresses are of the rule's family. */
struct xt_rule *xt_rule(struct xt_rule *r, bool six); /* one that matches all */
struct xt_rule *xt_in(struct xt_rule *r, const char *device);
struct xt_rule *xt_out(struct xt_rule *r, const char *device);
struct xt_rule *xt_not(struct xt_rule *r, uint8_t what);                      /* IPT_INV_VIA_IN, .. */
struct xt_rule *xt_from(struct xt_rule *r, const struct subnet *net);
struct xt_rule *xt_to(struct xt_rule *r, const struct subnet *net);
struct xt_rule *xt_local(struct xt_rule *r, bool source);                     /* an address of the host's */
struct xt_rule *xt_group(struct xt_rule *r, uint32_t group, bool in);         /* comes by, or leaves by, a device of that interface group */
struct xt_rule *xt_state(struct xt_rule *r, uint16_t states);                 /* XT_CONNTRACK_STATE_* */
struct xt_rule *xt_port(struct xt_rule *r, uint8_t protocol, uint16_t port);  /* of the destination, TCP or UDP */

/* What ends a rule. DNAT has revision 2 since Linux 4.18, else 0 (IPv4) or 1. */
struct xt_rule *xt_verdict(struct xt_rule *r, int verdict);                   /* NF_DROP, NF_ACCEPT */
struct xt_rule *xt_return(struct xt_rule *r);
struct xt_rule *xt_masquerade(struct xt_rule *r);
struct xt_rule *xt_dnat(struct xt_rule *r, uint8_t revision, const struct address *to, uint16_t port);
struct xt_rule *xt_error(struct xt_rule *r, const char *name);                /* the head of a chain */

/* The offset in its table that E leads to, NULL if it doesn't jump. */
int *xt_jump(struct xt_entry e);
/* Whether E drops: of a chain's end, its policy. */
bool xt_is_drop(struct xt_entry e);
/* The chain that E is the head of, or NULL. */
const char *xt_head(struct xt_entry e);

/* What xt_port and xt_dnat put into E; false if it is no such rule. */
struct publication;
bool xt_read_publication(struct xt_entry e, struct publication *out);

#endif
