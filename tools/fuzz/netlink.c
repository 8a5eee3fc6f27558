/* The kernel's answers by netlink: any bytes are read as links, routes, sets and rules, and nothing past their end. The input's first byte says
 * what is asked for; then come datagrams, each behind its length in two bytes. */
#include "check.h"

#include <netinet/in.h> /* before the kernel's, which then leave its names alone */

#include "net/link.h"
#include "net/nft.h"
#include "net/nft_blocks.h"
#include "net/nft_elsewhere.h"
#include "net/nft_list.h"
#include "net/nft_others.h"
#include "net/xt_others.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/socket.h>

typedef int reply_call(void *arg, uint16_t type, const void *payload, size_t n);

/* The linker puts the first of these in the place of the second: nothing is sent to the kernel. */
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t n);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);
int __wrap_netlink_talk(struct netlink *nl, struct buf *b, const char *what, reply_call *reply, void *arg, struct err *err);
int __real_netlink_talk(struct netlink *nl, struct buf *b, const char *what, reply_call *reply, void *arg, struct err *err);

static struct {
	const unsigned char *p;
	size_t len;
	void *room;            /* where the last datagram went, and how much would have gone there */
	size_t room_len;
} in;

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t n)
{
	(void)fd;
	(void)data;
	(void)flags;
	(void)to;
	(void)n;
	return (ssize_t)len;
}

/* Who reads past the datagram's end is noticed. */
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
	size_t n = in.len < 2 ? 0 : in.p[0] | (size_t)in.p[1] << 8;

	(void)fd;
	if (in.len < 2)
		return errno = flags & MSG_DONTWAIT ? EAGAIN : ENOBUFS, -1;
	n = n < in.len - 2 ? n : in.len - 2;
	n = n < len ? n : len;
	in.room = data;
	in.room_len = len;
	ASAN_UNPOISON_MEMORY_REGION(data, len);
	memcpy(data, in.p + 2, n);
	ASAN_POISON_MEMORY_REGION((char *)data + n, len - n);
	in.p += 2 + n;
	in.len -= 2 + n;
	return (ssize_t)n;
}

int __wrap_netlink_talk(struct netlink *nl, struct buf *b, const char *what, reply_call *reply, void *arg, struct err *err)
{
	int r;

	nl->seq = 0;
	r = __real_netlink_talk(nl, b, what, reply, arg, err);
	if (in.room)
		ASAN_UNPOISON_MEMORY_REGION(in.room, in.room_len);
	in.room = NULL;
	return r;
}

/* Legacy xtables are left alone. */
int xt_admit(const char *device, struct err *err)
{
	(void)device;
	(void)err;
	return 0;
}

void xt_dismiss(const char *device)
{
	(void)device;
}

static int look_at_link(void *arg, const struct link *l)
{
	(void)arg;
	CHECK(strlen(l->name) < sizeof l->name && strlen(l->kind) < sizeof l->kind && strlen(l->alias) < sizeof l->alias);
	return 0;
}

static void look_at_port(void *arg, const struct publication *p)
{
	(void)arg;
	CHECK(p->to.family == AF_INET || p->to.family == AF_INET6);
}

static void ask_for_links(struct netlink *nl, struct err *err)
{
	struct link l;

	check_told(link_each(nl, look_at_link, NULL, err), err);
	if (check_told(link_find(nl, "br0", &l, err), err) == 0)
		look_at_link(NULL, &l);
}

static void ask_for_routes(struct netlink *nl, struct err *err)
{
	struct subnet sub;

	CHECK(subnet_parse("10.1.0.0/16", &sub, NULL) == 0);
	check_told(route_overlaps(nl, &sub, err), err);
	CHECK(subnet_parse("fd00:1::/64", &sub, NULL) == 0);
	check_told(route_overlaps(nl, &sub, err), err);
}

static void ask_for_ports(struct firewall *f, struct err *err)
{
	struct strs devices = { 0 };

	check_told(nft_list(f, NFPROTO_INET, AF_INET, look_at_port, NULL, err), err);
	check_told(nft_list(f, NFPROTO_INET, AF_INET6, look_at_port, NULL, err), err);
	nft_list_devices(f, NFPROTO_INET, &devices);
	strs_free(&devices);
}

static void ask_for_others(struct firewall *f, struct err *err)
{
	struct publication p = { .protocol = IPPROTO_TCP, .host_port = 80, .to_port = 8080, .to = { AF_INET, { 10, 1, 0, 2 } } };

	nft_elsewhere(f, NFPROTO_INET, &p);
	nft_firewall.unpublish(f, &p, 1, err);
}

static void ask_for_blocks(struct firewall *f)
{
	struct strs blocks = { 0 };

	nft_blocks(&f->nl, "vc+", true, &blocks);
	strs_free(&blocks);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	struct firewall f = { .kind = &nft_firewall, .nl = { .fd = -1 }, .table = "ctrbox_12345678" };
	struct err err = { 0 };

	if (!len)
		return -1;
	in.p = data + 1;
	in.len = len - 1;
	switch (data[0] % 6) {
	case 0: ask_for_links(&f.nl, &err); break;
	case 1: ask_for_routes(&f.nl, &err); break;
	case 2: ask_for_ports(&f, &err); break;
	case 3: ask_for_others(&f, &err); break;
	case 4: ask_for_blocks(&f); break;
	case 5:
		check_told(nft_admit(&f.nl, "vc0", &err), &err);
		nft_dismiss(&f.nl, "vc0");
	}
	return 0;
}
