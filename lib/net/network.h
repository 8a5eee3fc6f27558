/* Networks: what one is, its record, and bringing it up. $CTRBOX_ROOT/networks/<name>.json survives a reboot; the bridge and the rules are made
 * again at first use. */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include "base/fields.h"
#include "net/firewall.h"
#include "net/link.h"

struct network {
	char *name;
	char *driver;            /* bridge, ptp, macvlan, ipvlan */
	char *device;            /* the bridge's name; "" for others */
	char *parent;            /* macvlan, ipvlan: the host's interface */
	struct strs subnets, gateways; /* as text, one gateway a subnet */
	bool internal, no_icc;
	int64_t mtu, created;    /* 0: the kernel's; epoch seconds */
};

extern const struct field network_fields[];
void network_free(struct network *n);

/* Reads NAME's record; -ENOENT, told: no such network. ROOT is $CTRBOX_ROOT. */
int network_load(int root, const char *name, struct network *out, struct err *err);
int network_names(int root, struct strs *out, struct err *err);

/* Completes and checks N (subnet chosen where none is given, gateway, device) and writes its record. -EEXIST: the name, or an overlap,
 * told. TAG is the store's. */
int network_create(int root, const char *tag, struct network *n, bool ipv6, struct err *err);
/* Removes what a killed network_create left of a record; names are appended to FREED. Nothing while somebody creates one. */
void network_sweep(int root, struct strs *freed);
int network_forget(int root, const char *name, struct err *err); /* the record alone */

/* The network's subnet and gateway of FAMILY; false if it has none. */
bool network_subnet(const struct network *n, int family, struct subnet *sub, struct address *gateway);

/* Makes bridge, addresses, forwarding and rules where they are missing: idempotent. FORCE: without looking first. 0, -errno (told), or 1: the rules
 * were made anew, so that other networks and published ports of this store may be missing too. */
int network_up(const char *tag, const struct network *n, bool force, struct err *err);

/* Why traffic is dropped all the same, and the cure: a sentence for each firewall of others (net/nft_blocks.h). network_up says them when it has made
 * something. */
void network_blocks(const struct network *n, struct strs *out);

/* Takes bridge and rules away; with the store's last one the table, and forwarding is put back as it was. */
int network_down(int root, const char *tag, const struct network *n, struct err *err);

/* The group of the network's interfaces, its name hashed: two networks have the same by chance in one of 16 million cases. */
uint32_t network_group(const char *tag, const char *name);

/* What the filter has to know of it. */
struct firewall_net network_rules(const char *tag, const struct network *n, const char *device);

#endif
