/* The firewall by legacy xtables, for kernels without nf_tables: IPv4, in chains of our own that begin with "CTR-TAG-" in the tables filter and nat.
 * `iptables-legacy -S` shows them; another's rules stay as they are. A port costs a new connection a rule. */
#ifndef NET_XT_H
#define NET_XT_H

#include "net/firewall.h"

extern const struct firewall_kind xt_firewall;

#endif
