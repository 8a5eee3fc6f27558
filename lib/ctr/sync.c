#include "ctr/sync.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct packet {
	enum sync_kind kind;
	struct err err;
};

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(SYNC_FDS * sizeof(int))];
};

int sync_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int sync_send(int fd, enum sync_kind kind, const struct err *err, const int *fds, int nfds)
{
	struct packet p = { .kind = kind };
	struct iovec v = { &p, err ? sizeof p : sizeof p.kind };
	union control c = { 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (err)
		p.err = *err;
	if (nfds) {
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c.header.cmsg_level = SOL_SOCKET;
		c.header.cmsg_type = SCM_RIGHTS;
		c.header.cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(&c.header), fds, (size_t)nfds * sizeof(int));
	}
	while (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int sync_receive(int fd, struct sync_message *out)
{
	struct packet p = { .kind = SYNC_CLOSED };
	struct iovec v = { &p, sizeof p };
	union control c;
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c };
	struct cmsghdr *h;
	ssize_t n;

	do /* ECONNRESET, told once: it ended without having read all of ours. What it said before is still to come */
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	out->kind = n > 0 ? p.kind : SYNC_CLOSED;
	out->err = p.err;
	out->nfds = 0;
	h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (h && h->cmsg_type == SCM_RIGHTS) {
		out->nfds = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(out->fds, CMSG_DATA(h), (size_t)out->nfds * sizeof(int));
	}
	return 0;
}
