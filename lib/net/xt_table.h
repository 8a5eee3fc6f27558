/* One table of legacy xtables, IPv4's or IPv6's: read whole, edited here, put back whole. What others have in it stays as it is, counters included.
 * Kernel: include/uapi/linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h: the same requests and structures but for an entry's. */
#ifndef NET_XT_TABLE_H
#define NET_XT_TABLE_H

#include "base/buf.h"
#include "base/err.h"
#include "net/xt_rule.h"

struct xt_table {
	bool six;                /* IPv6's */
	struct ipt_getinfo info; /* as it was read, but for where the chains begin and end */
	const char *prefix;      /* what the names of our own chains begin with; below they are named without it */
	struct buf entries;      /* while it is edited, an entry's `comefrom` is its number in the kernel's table plus 1, or 0 */
};

/* Reads TABLE ("filter", "nat") of FAMILY, lets EDIT change it and puts it back if that returned more than 0, which is returned. Begins anew if another
 * program changed it meanwhile. EDIT's result, or -errno; told, but for -EEXIST and -ENOENT of EDIT's. */
int xt_change(int family, const char *table, const char *prefix, int (*edit)(struct xt_table *t, void *arg), void *arg, struct err *err);

/* Whether FAMILY's table is in use in this network namespace: the first who asks for one makes it. */
bool xt_in_use(int family, const char *table);

/* The revision of the target DNAT that iptables(8) would take on this kernel: it shows no other. */
uint8_t xt_dnat_revision(int family);

/* Makes an empty chain of ours. */
void xt_add_chain(struct xt_table *t, const char *name);

/* Puts a rule into a chain (of ours, or "FORWARD" and so on) before the one numbered INDEX; from the end for a negative one (-1: after the last). JUMP, if
 * not NULL, is the chain it leads to. 0, or -ENOENT without that chain. */
int xt_add(struct xt_table *t, const char *chain, int index, struct xt_rule *r, const char *jump);

/* Whether CHAIN's policy drops. */
bool xt_drops(const struct xt_table *t, const char *chain);

/* Whether CHAIN leads to the chain TO. */
bool xt_leads(const struct xt_table *t, const char *chain, const char *to);

/* The index behind the last rule of CHAIN that leads to a chain of that name (with any store's prefix); 0 if none does. */
int xt_behind(const struct xt_table *t, const char *chain, const char *name);

/* The rules in chains of ours that are WANTED, counted or removed. */
typedef bool xt_wanted(struct xt_entry e, const void *arg);
int xt_count(const struct xt_table *t, xt_wanted *wanted, const void *arg);
int xt_remove(struct xt_table *t, xt_wanted *wanted, const void *arg);

bool xt_has_chains(const struct xt_table *t);

/* Removes every chain of ours and every rule that leads there. Whether there was one. */
bool xt_remove_chains(struct xt_table *t);

#endif
