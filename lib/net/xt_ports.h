/* The published ports of the firewall by xtables: rules of its chain DNAT. */
#ifndef NET_XT_PORTS_H
#define NET_XT_PORTS_H

#include "net/firewall.h"

/* As firewall_publish, firewall_unpublish and firewall_list. */
int xt_publish(struct firewall *f, const struct publication *p, int n, struct err *err);
int xt_unpublish(struct firewall *f, const struct publication *p, int n, struct err *err);
int xt_list(struct firewall *f, firewall_call *call, void *arg, struct err *err);

#endif
