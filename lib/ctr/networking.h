/* A container's networks from its start to its end. The supervisor calls them in this order; reap calls networks_release. */
#ifndef CTR_NETWORKING_H
#define CTR_NETWORKING_H

#include "ctr/record.h"
#include "net/address.h"

/* Addresses and names of containers change under this lock alone: a descriptor to close, or -errno, told. */
int networks_lock(const struct store *s, struct err *err);

/* Brings the container's networks up and takes an address of each, noted in state.attachments. Under networks_lock. Nothing is left on failure. 0 or -errno, told. */
int networks_reserve(const struct store *s, struct record *r, struct err *err);

/* Opens HOST, the rtnetlink socket of the host's namespace that the next two need; closed (-1) if it has no networks. */
struct netlink;
int networks_open(const struct state *state, struct netlink *host, struct err *err);

/* Puts an interface for each into the network namespace NETNS (a descriptor), and publishes the ports, noted in state.ports. */
int networks_connect(const struct store *s, struct record *r, struct netlink *host, int netns, struct err *err);

/* In the container's network namespace, while the host's /proc can still be written: what its users may do. */
void networks_settle(void);

/* In the container's network namespace, when networks_connect is done: interfaces up, addresses, routes, by one message. Without networks
 * lo alone. */
int networks_configure(const struct state *state, struct netlink *host, struct err *err);

/* Lets those on the same networks find it by name, and it them, once its hosts file is written. Under networks_lock, as networks_reserve was. */
void networks_tell_names(const struct store *s, const struct record *r);

/* Tells a new name of r->spec to those on its networks. 0 or -errno, told. */
int networks_rename(const struct store *s, const struct record *r, struct err *err);

/* Its leases name it as r->spec does, and are made again where they were lost. Under networks_lock. 0 or -errno. */
int networks_rename_leases(const struct store *s, const struct record *r);

/* Gives interfaces of the host's, ports, names, addresses and rules back, by what the state says, which forgets them; idempotent. Interfaces go with
 * the namespace. 0, or -errno, told: then the state stays, and it has to be done again. */
int networks_release(const struct store *s, struct record *r, struct err *err);

/* The network of that name; "bridge", the default one, is made at first use. 0 or -errno, told. */
struct network;
int network_get(const struct store *s, const char *name, struct network *out, struct err *err);

/* What the rules know of the container's own devices, and what it publishes, once more: after somebody's flush. */
int networks_settle_again(const struct store *s, const struct record *r, struct err *err);
int networks_publish_again(const struct store *s, const struct record *r, struct err *err);

/* The parts of the above, for one attachment, under networks_lock: NETNS is the container's. */
int networks_reserve_one(const struct store *s, struct record *r, const struct net_spec *want, struct err *err);
int networks_connect_one(const struct store *s, struct netlink *nl, const struct record *r, const struct attachment *a, int netns,
			 struct err *err);
/* Before it is up, where its network has no IPv6: what it would send about an address of its own making goes to all the bridge's ports. */
void networks_quiet_one(struct netlink *nl, const struct attachment *a);
void networks_put_one(struct buf *b, const struct attachment *a, int index, bool way4, bool way6);
void networks_carry_one(struct netlink *inner, struct netlink *host, const struct attachment *a);
/* With the names that lead to it. */
int networks_release_one(const struct store *s, const struct record *r, const struct attachment *a, struct err *err);
void networks_addresses(const struct state *st, struct address *four, struct address *six);
/* Publishes the ports that it is to have towards these addresses, if there are any: 0 or -errno, told, with none published. */
int networks_publish(const struct store *s, struct record *r, struct err *err);
void networks_withdraw(const struct store *s, const struct record *r);

void networks_tell_one(const struct store *s, const struct record *r, const struct attachment *a);
/* Strikes the names of container ID out of the others' files; those of others out of its own too, if it STAYS alive. */
void networks_forget_one(const struct store *s, const char *id, const char *network, bool stays);
char *networks_owner(const struct record *r); /* a lease's text; malloc'ed */

/* Runs WORK in the network namespace NETNS, in a child: its result. */
int networks_inside(int netns, int (*work)(void *arg, struct err *err), void *arg, struct err *err);

/* Puts a container on another network, or takes it off, now if it runs, and at its later starts. Under its lock. */
int networks_join(const struct store *s, struct record *r, const struct net_spec *n, struct err *err);
int networks_leave(const struct store *s, struct record *r, const char *network, struct err *err);

#endif
