/* Interfaces, addresses and routes by rtnetlink(7). Functions that take a struct buf add a message to a batch; netlink_talk sends it. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net/address.h"
#include "net/netlink.h"
#include <stdbool.h>

#define IFNAME_MAX 15

/* The interface group of every bridge (or host end of a ptp pair) of ctrbox's, whichever store's it is; below the mask is the network's number. */
#define LINK_GROUP 0x63000000u
#define LINK_GROUP_MASK 0xff000000u

struct link {
	int index;
	char name[IFNAME_MAX + 1];
	char kind[16];       /* "bridge", "veth", ..; "" for hardware */
	uint8_t mac[6];
	int master;          /* index of its bridge, or 0 */
	uint32_t group;
	char alias[64];      /* a text for people; longer ones are cut */
	bool up;
};

/* Finds an interface by name. 0, -ENODEV, or -errno; told. */
int link_find(struct netlink *nl, const char *name, struct link *out, struct err *err);
/* Every interface; CALL's non-zero result ends it. */
int link_each(struct netlink *nl, int (*call)(void *arg, const struct link *l), void *arg, struct err *err);

/* Makes a bridge, up, with a MAC of its own (so that it doesn't change as ports come and go). -EEXIST if the name is taken. */
int link_make_bridge(struct netlink *nl, const char *name, uint32_t group, const uint8_t mac[6], int mtu, struct err *err);

/* Interface NAME gives itself no IPv6 address (addr_gen_mode none, ip-sysctl.rst): it asks nobody whether one is free, and tells nobody what it listens
 * to, which a bridge would hand to each of its ports. To be called before it has a carrier. A kernel without IPv6 needs none of it. */
void link_be_quiet(struct netlink *nl, const char *name);

/* Makes a veth pair in one message: NAME here, up, a port of MASTER or (0) one of GROUP; PEER, with MAC, in the network
 * namespace NETNS. */
int link_make_veth(struct netlink *nl, const char *name, int master, uint32_t group, const char *peer, int netns, const uint8_t mac[6],
		   int mtu, struct err *err);

/* Makes a macvlan or ipvlan PEER of PARENT in the network namespace NETNS. */
int link_make_child(struct netlink *nl, const char *kind, int parent, const char *peer, int netns, const uint8_t mac[6], int mtu,
		    struct err *err);

int link_delete(struct netlink *nl, const char *name, struct err *err);    /* blocks for some 30 ms: never on a hot path */
int link_set_alias(struct netlink *nl, int index, const char *alias, struct err *err); /* "": none */
/* Moves an interface into a network namespace under a name (NULL: its own), down. */
int link_move(struct netlink *nl, int index, int netns, const char *name, struct err *err);

/* A bridge port's settings (IFLA_PROTINFO): hairpin mode; isolated from other isolated ports. */
int link_port(struct netlink *nl, int index, bool hairpin, bool isolated, struct err *err);
/* Has br_netfilter show what a bridge passes to the rules of ip and ip6, whatever the host's setting. -EOPNOTSUPP: there is none. */
int link_filter_bridge(struct netlink *nl, int index);

void link_put_up(struct buf *b, int index, bool up);
void link_put_address(struct buf *b, int index, const struct address *a, int prefix); /* without duplicate detection */
/* Waits until A, an IPv6 address just put, is one to the kernel: a worker of its own gives it its local route, before which answers to it are
 * dropped (addrconf_dad_work). 100 ms at most. */
void link_await_address(struct netlink *nl, const struct address *a);
void link_put_default_route(struct buf *b, int index, const struct address *gateway); /* family 0 in GATEWAY: no */
void link_put_route(struct buf *b, int index, const struct subnet *to, const struct address *gateway); /* NULL: it is on the link */

/* Every IPv4 and IPv6 route of the main table: whether SUB overlaps one (the default route doesn't count). 1, 0 or -errno. */
int route_overlaps(struct netlink *nl, const struct subnet *sub, struct err *err);


#endif
