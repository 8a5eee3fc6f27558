/* Netlink messages: built into a buffer, sent in one piece, answered by acknowledgements whose extended text is
 * told (NETLINK_EXT_ACK). netlink(7), rtnetlink(7); Documentation/userspace-api/netlink. */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include "base/buf.h"
#include "base/err.h"
#include <linux/netlink.h>
#include <stdint.h>

struct netlink {
	int fd;
	uint32_t seq;
};

/* PROTOCOL is NETLINK_ROUTE or NETLINK_NETFILTER. The socket belongs to the caller's network namespace. 0 or -errno, told. */
int netlink_open(struct netlink *nl, int protocol, struct err *err);
void netlink_close(struct netlink *nl);

/* Begins a message: FLAGS besides NLM_F_REQUEST; HEADER is the family's own. Returns what netlink_end needs. */
size_t netlink_begin(struct buf *b, uint16_t type, uint16_t flags, const void *header, size_t n);
void netlink_end(struct buf *b, size_t start);

/* Attributes, padded to four bytes. */
void netlink_put(struct buf *b, uint16_t type, const void *data, size_t n);
void netlink_str(struct buf *b, uint16_t type, const char *s); /* with its NUL */
void netlink_u8(struct buf *b, uint16_t type, uint8_t v);
void netlink_u32(struct buf *b, uint16_t type, uint32_t v);     /* host order */
void netlink_be32(struct buf *b, uint16_t type, uint32_t v);
size_t netlink_nest(struct buf *b, uint16_t type);              /* carries NLA_F_NESTED */
void netlink_nest_end(struct buf *b, size_t start);

/* Sends the messages of B and waits for the answers of all that ask for one (NLM_F_ACK or a dump). REPLY (may be NULL) gets every other message:
 * its type, its payload and its length; a value other than 0 ends it and is returned. The first error of the kernel is returned, -errno, told with the
 * kernel's own words. WHAT names the act. */
int netlink_talk(struct netlink *nl, struct buf *b, const char *what,
		 int (*reply)(void *arg, uint16_t type, const void *payload, size_t n), void *arg, struct err *err);

/* The attribute TYPE among those in N bytes at DATA: its payload and *LEN, or NULL. Never reads past N. */
const void *netlink_attr(const void *data, size_t n, uint16_t type, size_t *len);
/* The same as a number or string; OTHERWISE (NULL) if it is missing or too short. */
uint32_t netlink_attr_u32(const void *data, size_t n, uint16_t type, uint32_t otherwise);
const char *netlink_attr_str(const void *data, size_t n, uint16_t type);

#endif
