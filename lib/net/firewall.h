/* The packet filter and NAT of a store's networks, one way for all who need it. Three kinds: by nf_tables (net/nft.h) in one inet table, or in a table ip and
 * a table ip6 where the kernel's inet tables are missing or can't do NAT; else by legacy xtables (net/xt.h). A store stays with the kind whose rules stand;
 * where none does, the first that the kernel takes is made. CTRBOX_FIREWALL=nft|nft-ip|xt|none chooses instead: what another kind left is taken away
 * then. With none packets are forwarded, and nothing is filtered, masqueraded or published. */
#ifndef NET_FIREWALL_H
#define NET_FIREWALL_H

#include "net/address.h"
#include "net/netlink.h"

/* What the rules know of a network. */
struct firewall_net {
	const char *device;          /* its bridge, or, without one, a container's host end; "": none */
	uint32_t group;              /* of the network's devices (net/link.h) */
	bool ptp;                    /* the device is one of many */
	bool nat, internal, noicc;
	bool ipv6;                   /* it has IPv6 addresses */
	struct subnet subnets[2];    /* its IPv4 and IPv6 ones; family 0: none */
};

/* One published port. */
struct publication {
	uint8_t protocol;            /* IPPROTO_TCP, IPPROTO_UDP */
	struct address host;         /* family 0: every address of the host, of the family of `to` */
	uint16_t host_port, to_port;
	struct address to;
};

/* Whether both would have the same port of the host, as two programs that bind it: also where one has every address. */
bool publications_clash(const struct publication *a, const struct publication *b);

struct firewall {
	const struct firewall_kind *kind; /* NULL: none */
	bool chosen;                 /* by the environment, or because its rules stand */
	struct netlink nl;           /* NETLINK_NETFILTER; fd -1 where the kernel hasn't got it */
	char table[24];              /* of nf_tables */
	char chains[24];             /* what the names of xtables' chains begin with */
};

/* 0 or -errno, told, is what all return where nothing else is said. TAG is the store's. */
int firewall_open(struct firewall *f, const char *tag, struct err *err);
/* The same to take something back or to look: of the kind whose rules stand, whatever the environment wants by now; none stands: none. */
int firewall_open_standing(struct firewall *f, const char *tag, struct err *err);
void firewall_close(struct firewall *f);

/* Makes what all networks share, at once, if it isn't there: 1 made, 0 there already. IPV6: for IPv6 as well. Takes away what another kind left. */
int firewall_set_up(struct firewall *f, bool ipv6, struct err *err);

/* Takes away what another kind left, if this one stands: 1 if there was something. */
int firewall_sweep(struct firewall *f, struct err *err);

/* Interfaces that are no store's must not forward FAMILY (AF_INET, AF_INET6) to each other from now on, since it was us who switched that on. */
int firewall_close_family(struct firewall *f, int family, struct err *err);

/* Removes all of this store's, of every kind; none is fine. */
int firewall_tear_down(struct firewall *f, struct err *err);

/* One that is known already is fine; one that isn't, too. */
int firewall_add_net(struct firewall *f, const struct firewall_net *n, struct err *err);
int firewall_remove_net(struct firewall *f, const struct firewall_net *n, struct err *err);

/* Whether the rules stand as they should for the network: not after somebody's flush. */
bool firewall_has_net(struct firewall *f, const struct firewall_net *n);

/* All or none at once. -EEXIST: one of them is published already, by any store. -ENOENT: somebody's flush took what they stand in. */
int firewall_publish(struct firewall *f, const struct publication *p, int n, struct err *err);

/* Takes them back where they still lead to that container; missing ones are fine. */
int firewall_unpublish(struct firewall *f, const struct publication *p, int n, struct err *err);

/* Calls CALL with each published port, in no order. */
typedef void firewall_call(void *arg, const struct publication *p);
int firewall_list(struct firewall *f, firewall_call *call, void *arg, struct err *err);

/* What each kind does of the above. */
struct firewall_kind {
	const char *name;
	int (*stands)(struct firewall *f, struct err *err); /* 1, 0, or -errno */
	int (*set_up)(struct firewall *f, bool ipv6, struct err *err);
	int (*close_family)(struct firewall *f, int family, struct err *err);
	int (*tear_down)(struct firewall *f, struct err *err);
	int (*add_net)(struct firewall *f, const struct firewall_net *n, struct err *err);
	int (*remove_net)(struct firewall *f, const struct firewall_net *n, struct err *err);
	bool (*has_net)(struct firewall *f, const struct firewall_net *n);
	int (*publish)(struct firewall *f, const struct publication *p, int n, struct err *err);
	int (*unpublish)(struct firewall *f, const struct publication *p, int n, struct err *err);
	int (*list)(struct firewall *f, firewall_call *call, void *arg, struct err *err);
};

#endif
