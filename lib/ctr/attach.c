#include "ctr/attach.h"
#include "base/path.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* The run directory by its descriptor: sun_path holds 108 bytes, a store's path may be longer. */
static void address(const struct record *r, struct sockaddr_un *a)
{
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/attach", r->run);
}

int attach_listen(const struct record *r, struct err *err)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

	if (fd < 0)
		return err_sys(err, -errno, "make the attach socket");
	address(r, &a);
	unlinkat(r->run, "attach", 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0) {
		code = -errno;
		close(fd);
		return err_sys(err, code, "make the attach socket");
	}
	return fd;
}

int attach_send(int fd, enum attach_word word, const void *data, size_t n)
{
	char kind = (char)word;
	struct iovec v[2] = { { &kind, 1 }, { (void *)data, n } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = n ? 2 : 1 };
	ssize_t r;

	do
		r = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int attach_connect(const struct record *r, enum attach_word word, struct err *err)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), code = 0;

	if (fd < 0)
		return err_sys(err, -errno, "make a socket");
	address(r, &a);
	if (r->run < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		code = r->run < 0 ? -ENOENT : -errno;
	if (!code)
		code = attach_send(fd, word, NULL, 0);
	if (code < 0) {
		close(fd);
		return err_sys(err, code, "connect to the container's supervisor");
	}
	return fd;
}
