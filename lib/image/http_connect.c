#include "image/http.h"

#include "base/interrupt.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int look_up(const struct url *u, struct addrinfo **out, struct err *err)
{
	const struct addrinfo want = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	int rc = getaddrinfo(u->host, u->port, &want, out);

	if (rc == EAI_SYSTEM)
		return err_sys(err, -errno, "look up %.200s", u->host);
	if (rc == EAI_AGAIN)
		return err_msg(err, -ETIMEDOUT, "look up %.200s: no name server answers (/etc/resolv.conf)", u->host);
	return rc ? err_msg(err, -ENXIO, "look up %.200s: %s", u->host, gai_strerror(rc)) : 0;
}

/* SO_SNDTIMEO bounds connect(2) too; a signal ends it. */
static int try(const struct addrinfo *a, int timeout_ms)
{
	struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, rc = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		rc = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int http_connect(const struct url *u, int timeout_ms, struct err *err)
{
	struct addrinfo *list = NULL;
	int rc = look_up(u, &list, err);

	if (rc < 0)
		return rc;
	rc = -EHOSTUNREACH;
	for (const struct addrinfo *a = list; a && rc < 0 && rc != -EINTR; a = a->ai_next)
		rc = interrupted() ? -EINTR : try(a, timeout_ms);
	freeaddrinfo(list);
	return rc < 0 ? err_sys(err, rc, "connect to %.200s port %s", u->host, u->port) : rc;
}
