/* Both ends of the tests of reachability, static, so that it runs in any container:
 *
 *	net_peer serve NAME PORT [ADDRESS]      answers each TCP connection and UDP packet with "NAME from PEER's ADDRESS\n"
 *	net_peer ask tcp|udp HOST PORT [MS]     prints that answer; 1 and a word about it if none comes in MS (2000)
 *	net_peer ping HOST                      an echo by the socket that needs no privilege: 0 if it comes back
 *	net_peer talk HOST PORT                 a line in, a UDP packet out and its answer (or "nothing"), by one socket
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A name's addresses of the family that FAMILY asks for (4, 6), or of any. */
static int family(void)
{
	const char *f = getenv("FAMILY");

	return !f || !*f ? AF_UNSPEC : *f == '6' ? AF_INET6 : AF_INET;
}

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int listener(int type, const char *port, const char *address)
{
	struct addrinfo hints = { .ai_family = address ? AF_UNSPEC : AF_INET6, .ai_socktype = type, .ai_flags = AI_PASSIVE }, *a;
	int on = 1, off = 0, fd;

	if (getaddrinfo(address, port, &hints, &a)) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	fd = socket(a->ai_family, type, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0))
		fd = -1;
	freeaddrinfo(a);
	return fd;
}

static int answer(char *out, size_t size, const char *name, const struct sockaddr *peer, socklen_t len)
{
	char host[64] = "?";

	getnameinfo(peer, len, host, sizeof host, NULL, 0, NI_NUMERICHOST);
	return snprintf(out, size, "%s from %s\n", name, strncmp(host, "::ffff:", 7) ? host : host + 7);
}

static void serve_tcp(int fd, const char *name)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	char text[200];
	int c = accept(fd, (struct sockaddr *)&peer, &len), n;

	if (c < 0)
		return;
	n = answer(text, sizeof text, name, (struct sockaddr *)&peer, len);
	if (write(c, text, (size_t)n) < 0)
		fail("write");
	close(c);
}

static void serve_udp(int fd, const char *name)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	char text[200];

	if (recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&peer, &len) < 0)
		return;
	sendto(fd, text, (size_t)answer(text, sizeof text, name, (struct sockaddr *)&peer, len), 0, (struct sockaddr *)&peer, len);
}

static int serve(const char *name, const char *port, const char *address)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };

	p[0].fd = listener(SOCK_STREAM, port, address);
	p[1].fd = listener(SOCK_DGRAM, port, address);
	if (p[0].fd < 0 || p[1].fd < 0)
		return fail("listen");
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents)
			serve_tcp(p[0].fd, name);
		if (p[1].revents)
			serve_udp(p[1].fd, name);
	}
	return 0;
}

/* Connected, or told why not. */
static int reach(int type, const char *host, const char *port, int ms)
{
	struct addrinfo hints = { .ai_family = family(), .ai_socktype = type }, *a;
	struct pollfd p = { .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof error;

	if (getaddrinfo(host, port, &hints, &a)) {
		printf("%s: no such name\n", host);
		return -1;
	}
	p.fd = socket(a->ai_family, type | SOCK_NONBLOCK, 0);
	if (connect(p.fd, a->ai_addr, a->ai_addrlen) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&p, 1, ms) > 0)
			getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	freeaddrinfo(a);
	if (!error)
		return p.fd;
	errno = error;
	fail("connect");
	return -1;
}

static int hear(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[200];
	ssize_t n;

	if (poll(&p, 1, ms) < 1) {
		printf("nothing\n");
		return 1;
	}
	n = read(fd, text, sizeof text);
	if (n < 1)
		return fail("read");
	return fwrite(text, 1, (size_t)n, stdout) != (size_t)n;
}

static int ask(int type, const char *host, const char *port, int ms)
{
	int fd = reach(type, host, port, ms);

	if (fd < 0)
		return 1;
	if (type == SOCK_DGRAM && write(fd, "?", 1) < 0)
		return fail("write");
	return hear(fd, ms);
}

/* icmp(7): the kernel sees to identifier and checksum. */
static int ping(const char *host)
{
	struct addrinfo hints = { .ai_family = family(), .ai_socktype = SOCK_DGRAM }, *a;
	unsigned char echo[16] = { 0 };
	int fd;

	if (getaddrinfo(host, NULL, &hints, &a))
		return fail(host);
	fd = socket(a->ai_family, SOCK_DGRAM, a->ai_family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	echo[0] = a->ai_family == AF_INET ? 8 : 128;
	if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) < 0 || write(fd, echo, sizeof echo) < 0)
		return fail("ping");
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 2000) == 1 && read(fd, echo, sizeof echo) > 0 ? 0 : fail("ping");
}

static int talk(const char *host, const char *port)
{
	int fd = reach(SOCK_DGRAM, host, port, 1000);
	char line[100];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fd >= 0 && fgets(line, sizeof line, stdin))
		if (write(fd, "?", 1) < 0)
			fail("write");
		else
			hear(fd, 700);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2], argv[3], argc > 4 ? argv[4] : NULL);
	if (argc > 4 && !strcmp(argv[1], "ask"))
		return ask(strcmp(argv[2], "udp") ? SOCK_STREAM : SOCK_DGRAM, argv[3], argv[4], argc > 5 ? atoi(argv[5]) : 2000);
	if (argc == 3 && !strcmp(argv[1], "ping"))
		return ping(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "talk"))
		return talk(argv[2], argv[3]);
	return 2;
}
