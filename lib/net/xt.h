/* The firewall by legacy xtables, for kernels without nf_tables: chains of our own that begin with "CTR-TAG-" in the tables filter and nat of IPv4 and,
 * with the first network that has IPv6, of IPv6. `iptables-legacy -S` and `ip6tables-legacy -S` show them; another's rules stay as they are. A port costs a new connection a rule. */
#ifndef NET_XT_H
#define NET_XT_H

#include "net/firewall.h"

extern const struct firewall_kind xt_firewall;

#endif
