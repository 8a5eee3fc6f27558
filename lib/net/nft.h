/* The packet filter and NAT of a store's networks, by nf_tables over netlink: one inet table, named by the store's tag, with
 * fixed chains and rules; what changes are elements of its sets and maps, so that a thousandth port costs a packet what the first did.
 * `nft list ruleset` shows it. Kernel: include/uapi/linux/netfilter/nf_tables.h. */
#ifndef NET_NFT_H
#define NET_NFT_H

#include "net/address.h"
#include "net/link.h"

struct nft {
	struct netlink nl;
	char table[24];
};

int nft_open(struct nft *t, const char *tag, struct err *err);
void nft_close(struct nft *t);

/* Makes the table in one transaction if it isn't there: 1 made, 0 there already, or -errno, told. CLOSED: interfaces that aren't ours must not
 * forward to each other, since it was us who switched forwarding on. */
int nft_set_up(struct nft *t, bool closed, struct err *err);

/* Removes the table with all that is in it; none is fine. */
int nft_tear_down(struct nft *t, struct err *err);

/* What the rules know of a network: its bridge (or, without one, a container's host end). */
struct nft_net {
	const char *device;
	bool nat, internal, noicc;
};
int nft_add_net(struct nft *t, const struct nft_net *n, struct err *err); /* one that is known already is fine */
int nft_remove_net(struct nft *t, const struct nft_net *n, struct err *err);

/* One published port. */
struct publication {
	uint8_t protocol;            /* IPPROTO_TCP, IPPROTO_UDP */
	struct address host;         /* family 0: every address of the host, of the family of `to` */
	uint16_t host_port, to_port;
	struct address to;
};

/* All or none in one transaction. -EEXIST: one of them is published already. */
int nft_publish(struct nft *t, const struct publication *p, int n, struct err *err);

/* Takes them back where they still lead to that container; missing ones are fine. */
int nft_unpublish(struct nft *t, const struct publication *p, int n, struct err *err);

#endif
