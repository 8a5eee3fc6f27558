/* ctr-port: the published ports of a container. */
#include "base/num.h"
#include "base/say.h"
#include "base/table.h"
#include "ctr/targets.h"
#include <stdio.h>
#include <string.h>

static const struct usage usage = {
	.name = "ctr-port",
	.synopsis = "CTR [PORT[/tcp|/udp]]",
	.about = "Lists the published ports of a running container, or where on the host one of its ports is.",
	.bad = 2,
};

/* What is asked for; every port if it is 0. */
struct wanted {
	int64_t port;
	const char *protocol;
};

static struct wanted parse(const char *s)
{
	struct wanted w = { 0, "tcp" };
	char digits[8];
	size_t n = strcspn(s, "/");

	if (s[n])
		w.protocol = s + n + 1;
	snprintf(digits, sizeof digits, "%.*s", (int)n, s);
	if (n >= sizeof digits || num_range(digits, 1, 65535, &w.port) < 0 || (strcmp(w.protocol, "tcp") && strcmp(w.protocol, "udp")))
		die_usage(2, "\"%s\": not PORT[/tcp|/udp]", s);
	return w;
}

static void put(const struct port *p, bool with_port)
{
	const char *ip = p->host_ip ? p->host_ip : "0.0.0.0";
	struct buf b = { 0 };

	if (with_port)
		buf_fmt(&b, "%d/%s -> ", (int)p->port, p->protocol);
	buf_fmt(&b, strchr(ip, ':') ? "[%s]:%d\n" : "%s:%d\n", ip, (int)p->host_port);
	out_write(b.p, b.len);
	buf_free(&b);
}

/* Returns how many there were. */
static int list(const struct array *ports, const struct wanted *w)
{
	const struct port *p = ports->v;
	int n = 0;

	for (size_t i = 0; i < ports->n; i++) {
		if (w->port && (p[i].port != w->port || strcmp(p[i].protocol, w->protocol) != 0))
			continue;
		put(&p[i], !w->port);
		n++;
	}
	return n;
}

int ctr_port_main(int argc, char **argv)
{
	int n = opt_parse(&usage, NULL, argc, argv);
	struct wanted w = { 0 };
	struct store s;
	struct record r;

	if (n != 1 && n != 2)
		die_usage(2, n ? "takes a container and at most one port" : "a container is missing");
	if (n == 2)
		w = parse(argv[1]);
	target_open(argv[0], 1, &s, &r);
	if (!record_running(&s, &r))
		die(1, "%s: isn't running", argv[0]);
	if (!list(&r.state.ports, &w) && w.port)
		die(1, "%s: port %d/%s isn't published", argv[0], (int)w.port, w.protocol);
	return 0;
}
