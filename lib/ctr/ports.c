#include "ctr/ports.h"
#include "base/clock.h"
#include "base/num.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct range {
	int64_t from, to;
};

static int parse_range(const char *s, size_t n, int64_t min, struct range *out)
{
	char text[16], *dash;

	if (!n || n >= sizeof text)
		return -EINVAL;
	memcpy(text, s, n);
	text[n] = 0;
	dash = strchr(text, '-');
	if (dash)
		*dash = 0;
	if (num_range(text, min, 65535, &out->from) < 0 || num_range(dash ? dash + 1 : text, out->from, 65535, &out->to) < 0)
		return -EINVAL;
	return 0;
}

/* "[IP:]" at the beginning: an IPv6 address stands in brackets. Returns its length with the colon, 0 without one. */
static size_t parse_host_ip(const char *s, char **out)
{
	struct address a;
	const char *end = *s == '[' ? strchr(s, ']') : strchr(s, ':');
	char *text;
	bool good;

	if (!end || (*s == '[' && end[1] != ':'))
		return 0;
	text = *s == '[' ? xstrndup(s + 1, (size_t)(end - s - 1)) : xstrndup(s, (size_t)(end - s));
	good = address_parse(text, &a) == 0;
	if (good && strcmp(text, "0.0.0.0") && strcmp(text, "::"))
		*out = xstrdup(text);
	free(text);
	return good ? (size_t)(end - s) + 1 + (*s == '[') : 0;
}

static int refuse(const char *s, struct err *err)
{
	return err_msg(err, -EINVAL, "-p %s: not [IP:][HOST:]CTR[/tcp|/udp]", s);
}

static void add(struct array *out, const char *protocol, const char *host_ip, int64_t host, int64_t port)
{
	struct port *p = array_add(out, sizeof *p);

	p->protocol = xstrdup(protocol);
	p->host_ip = xstrdup(host_ip);
	p->host_port = host;
	p->port = port;
}

int ports_parse(const char *s, struct array *out, struct err *err)
{
	char *host_ip = NULL;
	const char *p = s + parse_host_ip(s, &host_ip), *slash = strchrnul(p, '/'), *colon = memchr(p, ':', (size_t)(slash - p));
	const char *ctr = colon ? colon + 1 : p, *protocol = *slash ? slash + 1 : "tcp";
	struct range inside, host = { 0, 0 };
	int r = 0;

	if (parse_range(ctr, (size_t)(slash - ctr), 1, &inside) < 0 || (strcmp(protocol, "tcp") && strcmp(protocol, "udp")))
		r = refuse(s, err);
	if (!r && colon && colon > p && parse_range(p, (size_t)(colon - p), 0, &host) < 0)
		r = refuse(s, err);
	if (!r && host.from && host.to - host.from != inside.to - inside.from)
		r = err_msg(err, -EINVAL, "-p %s: the ranges differ in length", s);
	for (int64_t i = 0; !r && i <= inside.to - inside.from; i++)
		add(out, protocol, host_ip, host.from ? host.from + i : 0, inside.from + i);
	free(host_ip);
	return r;
}

static uint8_t number_of(const char *protocol)
{
	return !strcmp(protocol, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
}

/* The publications that one port means: one a family. Returns how many. */
static int expand(const struct port *p, const struct address *to4, const struct address *to6, struct publication out[2])
{
	const struct address *to[2] = { to4, to6 };
	struct address host = { 0 };
	int n = 0;

	if (p->host_ip)
		address_parse(p->host_ip, &host);
	for (int i = 0; i < 2; i++)
		if (to[i]->family && (!host.family || host.family == to[i]->family))
			out[n++] = (struct publication){ number_of(p->protocol), host, (uint16_t)p->host_port, (uint16_t)p->port, *to[i] };
	return n;
}

/* A program of the host that listens there would be hidden (moby#40065): binding as it did finds out. */
static int probe(const struct publication *p)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(p->host_port) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(p->host_port) };
	bool six = p->to.family == AF_INET6;
	int on = 1, r, fd = socket(six ? AF_INET6 : AF_INET, (p->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (p->host.family == AF_INET)
		memcpy(&a4.sin_addr, p->host.b, 4);
	if (p->host.family == AF_INET6)
		memcpy(&a6.sin6_addr, p->host.b, 16);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (p->protocol == IPPROTO_TCP) /* a connection that lingers isn't a listener */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	r = bind(fd, six ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4, six ? sizeof a6 : sizeof a4);
	if (!r && p->protocol == IPPROTO_TCP)
		r = listen(fd, 1);
	r = r < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int taken(const struct port *p, int code, struct err *err)
{
	if (code == -EADDRNOTAVAIL)
		return err_msg(err, code, "port %s:%d/%s: the host has no such address", p->host_ip, (int)p->host_port, p->protocol);
	return err_msg(err, -EADDRINUSE, "port %d/%s of the host is %s", (int)p->host_port, p->protocol,
		       code == -EEXIST ? "published already" : "used by a program of the host");
}

/* One port whose number is known. */
static int publish_one(struct firewall *f, const struct port *p, const struct address *to4, const struct address *to6, struct err *err)
{
	struct publication pub[2];
	int n = expand(p, to4, to6, pub), r = 0;

	for (int i = 0; i < n && !r; i++)
		r = probe(&pub[i]);
	if (r == -EADDRINUSE || r == -EADDRNOTAVAIL)
		return taken(p, r, err);
	r = firewall_publish(f, pub, n, err);
	return r == -EEXIST ? taken(p, r, err) : r;
}

/* Of the range that isn't handed out by the kernel itself. */
static int64_t random_port(void)
{
	uint16_t random;

	random_bytes(&random, sizeof random);
	return 49152 + random % 16384;
}

/* A free one. */
static int pick(struct firewall *f, struct port *p, const struct address *to4, const struct address *to6, struct err *err)
{
	int r = -EADDRINUSE;

	for (int i = 0; i < 64 && r == -EADDRINUSE; i++) {
		p->host_port = random_port();
		r = publish_one(f, p, to4, to6, err);
	}
	return r;
}

int ports_publish(struct firewall *f, struct array *ports, const struct address *to4, const struct address *to6, struct err *err)
{
	struct port *p = ports->v;
	int r = 0;

	for (size_t i = 0; i < ports->n && !r; i++) {
		r = p[i].host_port ? publish_one(f, &p[i], to4, to6, err) : pick(f, &p[i], to4, to6, err);
		if (r < 0) {
			struct array done = { ports->v, i };

			ports_withdraw(f, &done, to4, to6);
		}
	}
	return r;
}

void ports_withdraw(struct firewall *f, const struct array *ports, const struct address *to4, const struct address *to6)
{
	const struct port *p = ports->v;

	for (size_t i = 0; i < ports->n; i++) {
		struct publication pub[2];

		firewall_unpublish(f, pub, expand(&p[i], to4, to6, pub), NULL);
	}
}

void ports_copy(const struct array *from, struct array *to)
{
	const struct port *p = from->v;

	for (size_t i = 0; i < from->n; i++) {
		struct port *q = array_add(to, sizeof *q);

		*q = (struct port){ xstrdup(p[i].protocol), xstrdup(p[i].host_ip), p[i].host_port, p[i].port };
	}
}

static int take_one(const struct port *p, struct err *err)
{
	struct address to[2] = { { .family = AF_INET }, { .family = AF_INET6 } };
	struct publication pub[2];
	int r = expand(p, &to[0], &to[1], pub) ? probe(&pub[0]) : 0;

	if (r == -EACCES) {
		err_sys(err, r, "port %d/%s of the host", (int)p->host_port, p->protocol);
		return err_hint(err, "users have those from sysctl net.ipv4.ip_unprivileged_port_start on");
	}
	return r == -EADDRINUSE || r == -EADDRNOTAVAIL ? taken(p, r, err) : 0;
}

int ports_take(struct array *ports, struct err *err)
{
	struct port *p = ports->v;
	int r = 0;

	for (size_t i = 0; i < ports->n && !r; i++) {
		bool any = !p[i].host_port;

		do {
			if (any)
				p[i].host_port = random_port();
			r = take_one(&p[i], err);
		} while (any && r == -EADDRINUSE);
	}
	return r;
}

char *ports_text(const struct array *ports)
{
	const struct port *p = ports->v;
	struct buf b = { 0 };

	for (size_t i = 0; i < ports->n; i++) {
		const char *ip = p[i].host_ip ? p[i].host_ip : "0.0.0.0";

		buf_fmt(&b, strchr(ip, ':') ? "%s[%s]:%d->%d/%s" : "%s%s:%d->%d/%s", i ? "," : "", ip, (int)p[i].host_port, (int)p[i].port,
			p[i].protocol);
	}
	return b.p;
}
