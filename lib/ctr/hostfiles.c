#include "ctr/hostfiles.h"
#include "base/file.h"
#include "base/say.h"
#include "ctr/networking.h"
#include "ctr/outside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In place: a rename would leave the container with the old file. */
static int put(const struct record *r, const char *name, const struct buf *text, uid_t owner, struct err *err)
{
	int fd = openat(r->run, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644), code;

	code = fd < 0 ? -errno : write_all(fd, text->p, text->len);
	if (!code && owner && fchown(fd, owner, owner) < 0)
		code = -errno;
	if (fd >= 0)
		close(fd);
	return code < 0 ? err_sys(err, code, "write the container's %s", name) : 0;
}

/* "host-gateway" stands for the host as the container's first network that has one sees it. */
static const char *host_address(const struct record *r, const char *address)
{
	const struct attachment *a = r->state.attachments.v;

	if (strcmp(address, "host-gateway"))
		return address;
	for (size_t i = 0; i < r->state.attachments.n; i++)
		if (a[i].gateway || a[i].gateway6)
			return a[i].gateway ? a[i].gateway : a[i].gateway6;
	return "127.0.0.1";
}

static bool has_address(const struct state *st)
{
	struct address four, six;

	networks_addresses(st, &four, &six);
	return four.family || six.family;
}

static void hosts_text(const struct record *r, struct buf *b)
{
	const struct spec *s = &r->spec;

	buf_str(b, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (s->hostname && !ns_is_host(s->uts) && !has_address(&r->state)) /* else its own address names it */
		buf_fmt(b, "127.0.1.1\t%s\n", s->hostname);
	for (size_t i = 0; i < s->add_hosts.n; i++) {
		const char *entry = s->add_hosts.v[i], *colon = strchr(entry, ':');

		if (colon)
			buf_fmt(b, "%s\t%.*s\n", host_address(r, colon + 1), (int)(colon - entry), entry);
	}
}

/* A server on the host's own loopback can't be reached from another network namespace. */
static bool usable_line(const char *line, bool host_net)
{
	if (host_net || !starts_with(line, "nameserver"))
		return true;
	line += strlen("nameserver");
	line += strspn(line, " \t");
	return !starts_with(line, "127.") && !starts_with(line, "::1");
}

/* The lines of a resolv.conf that serve a container. Returns how many name servers there were to use, or -errno; *DROPPED: some weren't. */
static int copy_resolv(const char *path, bool host_net, struct buf *b, bool *dropped)
{
	struct buf host = { 0 };
	int servers = file_read(AT_FDCWD, path, &host, 1 << 16);

	if (servers == -EACCES || file_is_known(servers))
		servers = 0;
	if (servers == 0 && host.p)
		for (char *line = host.p; *line;) {
			size_t n = strcspn(line, "\n");

			if (usable_line(line, host_net)) {
				servers += starts_with(line, "nameserver");
				buf_add(b, line, n);
				buf_char(b, '\n');
			} else {
				*dropped = true;
			}
			line += n + (line[n] == '\n');
		}
	buf_free(&host);
	return servers;
}

/* The servers that a resolver on the host's loopback asks itself are taken in its place: systemd-resolved's, OpenWrt's dnsmasq's. */
static int host_resolv(const struct record *r, struct buf *b)
{
	static const char *const places[] = {
		"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/tmp/resolv.conf.d/resolv.conf.auto",
	};
	bool host_net = ns_is_host(r->spec.net), dropped = false;

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int servers;

		b->len = 0;
		servers = copy_resolv(places[i], host_net, b, &dropped);
		if (servers)
			return servers < 0 ? servers : 0;
	}
	if (r->spec.outside)
		buf_str(b, "nameserver " OUTSIDE_DNS "\n");
	else if (dropped && r->state.attachments.n)
		say("%s: no name server of the host's can be reached from a network (see --dns)", r->spec.name);
	return 0;
}

static int resolv_text(const struct record *r, struct buf *b)
{
	const struct spec *s = &r->spec;
	int code = s->dns.n || s->dns_search.n ? 0 : host_resolv(r, b);

	for (size_t i = 0; i < s->dns_search.n; i++)
		buf_fmt(b, "%s%s%s", i ? " " : "search ", s->dns_search.v[i], i + 1 == s->dns_search.n ? "\n" : "");
	for (size_t i = 0; i < s->dns.n; i++)
		buf_fmt(b, "nameserver %s\n", s->dns.v[i]);
	return code;
}

int hostfiles_write(const struct record *r, uid_t owner, struct err *err)
{
	struct buf hosts = { 0 }, resolv = { 0 }, name = { 0 };
	int code;

	buf_fmt(&name, "%s\n", r->spec.hostname);
	hosts_text(r, &hosts);
	buf_add(&resolv, "", 0);
	code = resolv_text(r, &resolv);
	if (code < 0)
		err_sys(err, code, "read the host's resolv.conf");
	else
		code = put(r, "hostname", &name, owner, err);
	if (!code)
		code = put(r, "hosts", &hosts, owner, err);
	if (!code)
		code = put(r, "resolv.conf", &resolv, owner, err);
	buf_free(&name);
	buf_free(&hosts);
	buf_free(&resolv);
	return code;
}
