#include "net/conntrack.h"
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

/* Which parts of the tuple count: bits of the kernel's own net/netfilter/nf_conntrack_core.h (CTA_FILTER_F_CTA_PROTO_..), in no header. */
#define FILTER_PROTOCOL (1 << 3)
#define FILTER_DESTINATION_PORT (1 << 5)

void conntrack_forget_udp(struct netlink *nl, int family, uint16_t port)
{
	struct nfgenmsg g = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0 };
	uint16_t be = htons(port);
	struct buf b = { 0 };
	size_t m = netlink_begin(&b, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK, &g, sizeof g), tuple, part;

	tuple = netlink_nest(&b, CTA_TUPLE_ORIG);
	part = netlink_nest(&b, CTA_TUPLE_PROTO);
	netlink_u8(&b, CTA_PROTO_NUM, IPPROTO_UDP);
	netlink_put(&b, CTA_PROTO_DST_PORT, &be, sizeof be);
	netlink_nest_end(&b, part);
	netlink_nest_end(&b, tuple);
	part = netlink_nest(&b, CTA_FILTER);
	netlink_u32(&b, CTA_FILTER_ORIG_FLAGS, FILTER_PROTOCOL | FILTER_DESTINATION_PORT);
	netlink_u32(&b, CTA_FILTER_REPLY_FLAGS, 0);
	netlink_nest_end(&b, part);
	netlink_end(&b, m);
	netlink_talk(nl, &b, "forget UDP flows", NULL, NULL, NULL);
	buf_free(&b);
}
