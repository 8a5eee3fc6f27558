/* Rules of legacy xtables, put together from matches and a target. The parts and revisions are those that every kernel since 2.6.39 has. */
#ifndef NET_XT_RULE_H
#define NET_XT_RULE_H

#include "net/address.h"
#include <netinet/in.h>
#include <net/if.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>

struct xt_rule {
	union {
		struct ipt_entry entry;
		char bytes[512];
	};
};

/* Each returns its rule: `xt_verdict(xt_in(xt_rule(&r), "eth0"), NF_DROP)`. */
struct xt_rule *xt_rule(struct xt_rule *r); /* one that matches all */
struct xt_rule *xt_in(struct xt_rule *r, const char *device);
struct xt_rule *xt_out(struct xt_rule *r, const char *device);
struct xt_rule *xt_not(struct xt_rule *r, uint8_t what);                      /* IPT_INV_VIA_IN, .. */
struct xt_rule *xt_from(struct xt_rule *r, const uint8_t address[4], int prefix);
struct xt_rule *xt_to(struct xt_rule *r, const uint8_t address[4], int prefix);
struct xt_rule *xt_local(struct xt_rule *r, bool source);                     /* an address of the host's */
struct xt_rule *xt_state(struct xt_rule *r, uint16_t states);                 /* XT_CONNTRACK_STATE_* */
struct xt_rule *xt_port(struct xt_rule *r, uint8_t protocol, uint16_t port);  /* of the destination, TCP or UDP */

/* What ends a rule. DNAT has revision 2 since Linux 4.18, else 0. */
struct xt_rule *xt_verdict(struct xt_rule *r, int verdict);                   /* NF_DROP, NF_ACCEPT */
struct xt_rule *xt_return(struct xt_rule *r);
struct xt_rule *xt_masquerade(struct xt_rule *r);
struct xt_rule *xt_dnat(struct xt_rule *r, uint8_t revision, const uint8_t address[4], uint16_t port);
struct xt_rule *xt_error(struct xt_rule *r, const char *name);                /* the head of a chain */

/* The offset in its table that E leads to, NULL if it doesn't jump. */
int *xt_jump(const struct ipt_entry *e);
/* The chain that E is the head of, or NULL. */
const char *xt_head(const struct ipt_entry *e);

/* What xt_port and xt_dnat put into E; false if it is no such rule. */
struct publication;
bool xt_read_publication(const struct ipt_entry *e, struct publication *out);

#endif
