#include "net/netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALIGN(n) (((n) + 3) & ~(size_t)3)

int netlink_open(struct netlink *nl, int protocol, struct err *err)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int on = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), code;

	*nl = (struct netlink){ .fd = -1 };
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		code = -errno;
		if (fd >= 0)
			close(fd);
		return err_sys(err, code, "open a %s socket", protocol == NETLINK_ROUTE ? "rtnetlink" : "netfilter");
	}
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on); /* Linux 4.12; without it errors are only numbers */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	nl->fd = fd;
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

static void pad(struct buf *b)
{
	buf_add(b, "\0\0\0", ALIGN(b->len) - b->len);
}

size_t netlink_begin(struct buf *b, uint16_t type, uint16_t flags, const void *header, size_t n)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };
	size_t start = b->len;

	buf_add(b, &h, sizeof h);
	buf_add(b, header, n);
	pad(b);
	return start;
}

void netlink_end(struct buf *b, size_t start)
{
	uint32_t len = (uint32_t)(b->len - start);

	memcpy(b->p + start, &len, sizeof len);
}

void netlink_put(struct buf *b, uint16_t type, const void *data, size_t n)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof a + n), .nla_type = type };

	buf_add(b, &a, sizeof a);
	buf_add(b, data, n);
	pad(b);
}

void netlink_str(struct buf *b, uint16_t type, const char *s)
{
	netlink_put(b, type, s, strlen(s) + 1);
}

void netlink_u8(struct buf *b, uint16_t type, uint8_t v)
{
	netlink_put(b, type, &v, sizeof v);
}

void netlink_u32(struct buf *b, uint16_t type, uint32_t v)
{
	netlink_put(b, type, &v, sizeof v);
}

void netlink_be32(struct buf *b, uint16_t type, uint32_t v)
{
	netlink_u32(b, type, htonl(v));
}

size_t netlink_nest(struct buf *b, uint16_t type)
{
	size_t start = b->len;

	netlink_put(b, type | NLA_F_NESTED, NULL, 0);
	return start;
}

void netlink_nest_end(struct buf *b, size_t start)
{
	uint16_t len = (uint16_t)(b->len - start);

	memcpy(b->p + start, &len, sizeof len);
}

/* Numbers the messages; returns how many answers are due. */
static int number(struct netlink *nl, struct buf *b, uint32_t *first)
{
	int due = 0;

	*first = nl->seq + 1;
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= b->len;) {
		struct nlmsghdr h;

		memcpy(&h, b->p + at, sizeof h);
		h.nlmsg_seq = ++nl->seq;
		memcpy(b->p + at, &h, sizeof h);
		if (h.nlmsg_flags & NLM_F_ACK || (h.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) /* half of it is NLM_F_EXCL */
			due++;
		at += ALIGN(h.nlmsg_len);
	}
	return due;
}

/* The kernel's no: its number, and what it says in words where it does. */
static int refusal(const struct nlmsghdr *h, const char *what, struct err *err)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t skip = sizeof *e + (h->nlmsg_flags & NLM_F_CAPPED ? 0 : e->msg.nlmsg_len - sizeof e->msg);
	int code = e->error < 0 && e->error >= -4095 ? e->error : -EPROTO; /* no number of the kernel's */
	const char *words = NULL;

	if (h->nlmsg_flags & NLM_F_ACK_TLVS && h->nlmsg_len >= NLMSG_HDRLEN + ALIGN(skip))
		words = netlink_attr_str((const char *)e + ALIGN(skip), h->nlmsg_len - NLMSG_HDRLEN - ALIGN(skip), NLMSGERR_ATTR_MSG);
	err_sys(err, code, "%s", what);
	if (words)
		err_hint(err, words);
	return code;
}

struct talk {
	struct netlink *nl;
	const char *what;
	int (*reply)(void *arg, uint16_t type, const void *payload, size_t n);
	void *arg;
	struct err *err;
	uint32_t first;
	int due, result;
};

/* One message of an answer; those of an earlier, abandoned request don't count. */
static void take(struct talk *t, const struct nlmsghdr *h)
{
	int r = 0;

	if (h->nlmsg_seq < t->first)
		return;
	if (h->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = NLMSG_DATA(h);

		if (h->nlmsg_len < NLMSG_LENGTH(sizeof *e))
			return;
		t->due--;
		if (e->error && !t->result)
			t->result = refusal(h, t->what, t->err);
		return;
	}
	if (h->nlmsg_type == NLMSG_DONE) {
		t->due--;
		return;
	}
	if (t->reply && !t->result)
		r = t->reply(t->arg, h->nlmsg_type, NLMSG_DATA(h), h->nlmsg_len - NLMSG_HDRLEN);
	if (r)
		t->result = r;
}

/* A batch that netfilter refuses as a whole is answered by one error alone: nothing more is waited for then. */
static int receive(struct talk *t)
{
	char data[32768] __attribute__((aligned(4)));
	ssize_t n;

	while (t->due > 0) {
		n = recv(t->nl->fd, data, sizeof data, t->result ? MSG_DONTWAIT : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && t->result)
			break;
		if (n < 0)
			return err_sys(t->err, -errno, "%s", t->what);
		for (const struct nlmsghdr *h = (void *)data; n > 0 && NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) /* padding may be missing */
			take(t, h);
	}
	return t->result;
}

int netlink_talk(struct netlink *nl, struct buf *b, const char *what,
		 int (*reply)(void *arg, uint16_t type, const void *payload, size_t n), void *arg, struct err *err)
{
	struct talk t = { nl, what, reply, arg, err, 0, 0, 0 };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	t.due = number(nl, b, &t.first);
	do
		n = sendto(nl->fd, b->p, b->len, 0, (struct sockaddr *)&kernel, sizeof kernel);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, -errno, "%s", what);
	return receive(&t);
}

const void *netlink_attr(const void *data, size_t n, uint16_t type, size_t *len)
{
	const char *p = data;

	while (n >= sizeof(struct nlattr)) {
		struct nlattr a;

		memcpy(&a, p, sizeof a);
		if (a.nla_len < sizeof a || a.nla_len > n)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type) {
			if (len)
				*len = a.nla_len - sizeof a;
			return p + sizeof a;
		}
		if (ALIGN(a.nla_len) >= n)
			return NULL;
		p += ALIGN(a.nla_len);
		n -= ALIGN(a.nla_len);
	}
	return NULL;
}

uint32_t netlink_attr_u32(const void *data, size_t n, uint16_t type, uint32_t otherwise)
{
	size_t len;
	const void *p = netlink_attr(data, n, type, &len);

	if (p && len >= sizeof otherwise)
		memcpy(&otherwise, p, sizeof otherwise);
	return otherwise;
}

const char *netlink_attr_str(const void *data, size_t n, uint16_t type)
{
	size_t len;
	const char *p = netlink_attr(data, n, type, &len);

	return p && len && !p[len - 1] ? p : NULL;
}
