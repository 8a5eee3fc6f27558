/* Interfaces of the host that containers have for themselves: --net iface:DEV[:NAME]. Each moves in under NAME, down and bare as a network appliance wants it,
 * and back under its old name at the container's end. The network namespace is kept by $CTRBOX_RUN/containers/<id>/netns until then, since a virtual interface
 * would be destroyed with it: whoever takes the container's remains back can still fetch it. */
#ifndef CTR_NET_IFACE_H
#define CTR_NET_IFACE_H

#include "ctr/record.h"
#include "net/netlink.h"

bool iface_is(const char *network);       /* "iface:.." */
bool iface_attached(const struct attachment *a);

/* Checks "iface:DEV[:NAME]". 0 or -EINVAL, told. */
int iface_check(const char *network, struct err *err);

/* Notes it in state.attachments. 0 or -errno, told: the host hasn't got it (now). */
int iface_reserve(struct record *r, const char *network, struct err *err);

/* Moves it into the network namespace NETNS. 0 or -errno, told. */
int iface_connect(const struct store *s, struct netlink *nl, const struct record *r, const struct attachment *a, int netns, struct err *err);

/* Fetches all of the container's back; idempotent. What couldn't come back as it was is told in r->last.error. 0, or -errno, told: one couldn't for now,
 * and stays where it is kept. */
int ifaces_return(const struct store *s, struct record *r, struct err *err);

#endif
