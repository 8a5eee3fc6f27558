/* What this kernel's network can do, found out in a network namespace that ends with the probe. Each returns 1 (it
 * can), 0 (it can't), or -errno where the caller isn't allowed to know. They would load modules: ask for those
 * before. */
#ifndef NET_PROBE_H
#define NET_PROBE_H

/* A kind of interface ("bridge", "veth"): rtnetlink(7), RTM_NEWLINK. */
int probe_link_kind(const char *kind);

/* nf_tables, by a question for its generation (NFT_MSG_GETGEN). */
int probe_nftables(void);

#endif
