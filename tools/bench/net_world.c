#include "net_world.h"
#include "net/firewall.h"
#include "net/link.h"
#include "net/loopback.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct err failure;

void need(const char *what, long r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "net: %s: %s\n", what, *failure.text ? failure.text : strerror(errno));
	exit(1);
}

void enter(int netns)
{
	need("setns", setns(netns, CLONE_NEWNET));
}

void pin(bool one)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < (one ? 1 : CPU_SETSIZE); i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof set, &set); /* where that one isn't ours, luck it is */
}

static int new_net(void)
{
	int fd;

	need("unshare", unshare(CLONE_NEWNET));
	need("lo", loopback_up(&failure));
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	need("/proc/self/ns/net", fd);
	return fd;
}

/* Gives DEVICE of this namespace its address, and a way out by GATEWAY unless that is NULL. */
static void configure(const char *device, const char *ip, const char *gateway)
{
	struct address a = address_of(ip), g = address_of(gateway);
	struct buf b = { 0 };
	struct netlink nl;
	struct link l;

	need("rtnetlink", netlink_open(&nl, NETLINK_ROUTE, &failure));
	need(device, link_find(&nl, device, &l, &failure));
	link_put_up(&b, l.index, true);
	link_put_address(&b, l.index, &a, 24);
	link_put_default_route(&b, l.index, &g);
	need(device, netlink_talk(&nl, &b, "configure", NULL, NULL, &failure));
	buf_free(&b);
	netlink_close(&nl);
}

static void connect_world(struct world *w)
{
	static const uint8_t mac[3][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 3 } };
	struct netlink nl;
	struct link bridge;
	int fd;

	w->client = new_net();
	w->server = new_net();
	w->host = new_net();
	need("rtnetlink", netlink_open(&nl, NETLINK_ROUTE, &failure));
	need("up0", link_make_veth(&nl, "up0", 0, 0, "eth0", w->client, mac[0], 0, &failure));
	need("b0", link_make_bridge(&nl, "b0", LINK_GROUP, mac[1], 0, &failure));
	need("b0", link_find(&nl, "b0", &bridge, &failure));
	need("v0", link_make_veth(&nl, "v0", bridge.index, 0, "eth0", w->server, mac[2], 0, &failure));
	netlink_close(&nl);
	configure("up0", "192.0.2.1", NULL);
	configure("b0", "10.2.0.1", NULL);
	fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
	need("ip_forward", fd < 0 ? fd : write(fd, "1", 1));
	close(fd);
	enter(w->client);
	configure("eth0", "192.0.2.2", "192.0.2.1");
	enter(w->server);
	configure("eth0", "10.2.0.2", "10.2.0.1");
}

/* The port number I of N, and where it leads: the last two to the server, the others to containers that there might be. */
static struct publication port_of(int i, int n)
{
	struct publication p = {
		.protocol = i & 1 ? IPPROTO_UDP : IPPROTO_TCP, .host_port = (uint16_t)(FIRST + i / 2), .to_port = 80,
		.to = { AF_INET, { 10, 3, (uint8_t)(i >> 8), (uint8_t)i } },
	};

	if (i >= n - 2)
		p.to = address_of("10.2.0.2");
	return p;
}

static void rules_of_ours(int n)
{
	struct firewall_net net = { .device = "b0", .group = LINK_GROUP, .nat = true, .subnets = { { address_of("10.2.0.0"), 24 } } };
	struct publication p[100];
	struct firewall f;

	need("firewall", firewall_open(&f, "bench", &failure));
	need("firewall", firewall_set_up(&f, false, &failure));
	need("firewall", firewall_add_net(&f, &net, &failure));
	for (int i = 0, k = 0; i < n; i++) {
		p[k++] = port_of(i, n);
		if (k == 100 || i == n - 1) {
			need("publish", firewall_publish(&f, p, k, &failure));
			k = 0;
		}
	}
	firewall_close(&f);
}

/* docker 20's, for one network. */
static void rules_of_docker(const char *tool, int n)
{
	char command[64], ip[ADDRESS_TEXT];
	FILE *f;

	snprintf(command, sizeof command, "%s-restore", tool);
	f = popen(command, "w");
	need(command, f ? 0 : -1);
	fputs("*nat\n:DOCKER -\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
	      "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER\n-A POSTROUTING -s 10.2.0.0/24 ! -o b0 -j MASQUERADE\n", f);
	for (int i = 0; i < n; i++) {
		struct publication p = port_of(i, n);
		const char *protocol = i & 1 ? "udp" : "tcp";

		address_text(&p.to, ip);
		fprintf(f, "-A POSTROUTING -s %s/32 -d %s/32 -p %s -m %s --dport 80 -j MASQUERADE\n", ip, ip, protocol, protocol);
		fprintf(f, "-A DOCKER ! -i b0 -p %s -m %s --dport %d -j DNAT --to-destination %s:80\n", protocol, protocol, p.host_port, ip);
	}
	fputs("COMMIT\n*filter\n:FORWARD DROP\n:DOCKER -\n-A FORWARD -o b0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
	      "-A FORWARD -o b0 -j DOCKER\n-A FORWARD -i b0 ! -o b0 -j ACCEPT\n-A FORWARD -i b0 -o b0 -j ACCEPT\n", f);
	for (int i = 0; i < n; i++) {
		struct publication p = port_of(i, n);
		const char *protocol = i & 1 ? "udp" : "tcp";

		fprintf(f, "-A DOCKER -d %s/32 ! -i b0 -o b0 -p %s -m %s --dport 80 -j ACCEPT\n", address_text(&p.to, ip), protocol, protocol);
	}
	fputs("COMMIT\n", f);
	need(command, pclose(f) ? -1 : 0);
}

static int listener(int type)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	need("bind", bind(fd, (struct sockaddr *)&a, sizeof a));
	need("listen", type == SOCK_STREAM ? listen(fd, 8) : 0);
	return fd;
}

/* Sends every packet back, for ever. */
static void echo(int fd)
{
	struct sockaddr_in from;
	char data[64];

	pin(true);
	for (;;) {
		socklen_t n = sizeof from;
		ssize_t got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &n);

		if (got >= 0)
			sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&from, n);
	}
}

/* Swallows what comes and says so at its end, for ever. */
static void sink(int fd)
{
	static char data[1 << 18];

	for (;;) {
		int from = accept(fd, NULL, NULL);

		while (recv(from, data, sizeof data, 0) > 0)
			;
		send(from, "", 1, MSG_NOSIGNAL);
		close(from);
	}
}

static void serve(const struct world *w, int type, void (*work)(int fd))
{
	int fd;
	pid_t pid;

	enter(w->server);
	fd = listener(type);
	pid = fork();
	need("fork", pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(fd);
	}
	close(fd);
}

void make_world(struct world *w)
{
	connect_world(w);
	enter(w->host);
	if (!strcmp(w->rules, "ours"))
		rules_of_ours(w->ports);
	else if (strcmp(w->rules, "none"))
		rules_of_docker(w->rules, w->ports);
	serve(w, SOCK_DGRAM, echo);
	serve(w, SOCK_STREAM, sink);
}
