/* What published ports cost, when there are 10, 1000 or PORTS of them: one more, a new flow through the last of them, and what passes through it.
 * Ours beside iptables with the rules that docker makes, and beside a host that only forwards.
 *
 *	net PORTS ROUNDS         measures; a table for each
 *	net add|del PORT         publishes a port by our own code, or takes it back, in the network namespace where it is called
 *
 * Each set of rules is in a world of its own (net_world.h). All worlds stand at once and are measured in turns, so that what disturbs the machine disturbs them all. */
#include "net_world.h"
#include "net/firewall.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ONE_MORE "15000"
#define BYTES (128 << 20)    /* of one transfer */
#define WORLDS 10

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* How long a process took in the host's namespace. */
static double run(const struct world *w, char **argv)
{
	double start = now_us();
	pid_t pid = fork();
	int status;

	need("fork", pid);
	if (!pid) {
		enter(w->host);
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (status)
		fprintf(stderr, "net: %s %s: status %#x\n", argv[0], argv[1], status);
	need(argv[0], status ? -1 : 0);
	return now_us() - start;
}

/* One port more, by a process of its own, which is taken back untimed. */
static double one_more_by_us(const struct world *w)
{
	char *add[] = { "/proc/self/exe", "add", ONE_MORE, NULL }, *del[] = { "/proc/self/exe", "del", ONE_MORE, NULL };
	double us = run(w, add);

	run(w, del);
	return us;
}

static double one_more_by_nft(const struct world *w)
{
	char *argv[] = { "nft", "add", "element", "inet", "ctrbox_bench", "pub4", "{ tcp . " ONE_MORE " : 10.2.0.2 . 80 }", NULL };
	double us = run(w, argv);

	argv[1] = "delete";
	run(w, argv);
	return us;
}

static double one_more_by_iptables(const struct world *w)
{
	char *argv[] = { (char *)w->rules, "-t", "nat", "-A", "DOCKER", "!", "-i", "b0", "-p", "tcp", "-m", "tcp", "--dport", ONE_MORE, "-j", "DNAT",
			 "--to-destination", "10.2.0.2:80", NULL };
	double us = run(w, argv);

	argv[3] = "-D";
	run(w, argv);
	return us;
}

/* A socket to the last port; straight to the server where there are no rules. */
static int dial(const struct world *w, int type)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(w->ports ? FIRST + w->ports / 2 - 1 : 80)) };
	int fd;

	inet_aton(w->ports ? "192.0.2.1" : "10.2.0.2", &a.sin_addr);
	enter(w->client);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	need("connect", connect(fd, (struct sockaddr *)&a, sizeof a));
	return fd;
}

/* The first packet of a flow, there and back. */
static double new_flow(const struct world *w)
{
	int fd = dial(w, SOCK_DGRAM);
	struct timeval patience = { 5, 0 };
	double start;
	char c = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	start = now_us();
	need("send", send(fd, &c, 1, 0));
	need("answer", recv(fd, &c, 1, 0));
	start = now_us() - start;
	close(fd);
	return start;
}

/* A transfer to the server. */
static double transfer(const struct world *w)
{
	static char data[1 << 18];
	int fd = dial(w, SOCK_STREAM);
	double start = now_us();

	for (long sent = 0; sent < BYTES;) {
		ssize_t n = send(fd, data, sizeof data, MSG_NOSIGNAL);

		need("send", n);
		sent += n;
	}
	shutdown(fd, SHUT_WR);
	need("answer", recv(fd, data, 1, 0) == 1 ? 0 : -1);
	start = now_us() - start;
	close(fd);
	return start;
}

struct row {
	const char *name;
	const struct world *w;
	double (*measure)(const struct world *w);
	double *us;
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* In turns; the first one, which has to find the neighbours' addresses, doesn't count. Ratios are to the first row. */
static void table(const char *title, struct row *r, int n, int rounds)
{
	printf("\n%s\n%-26s %8s %10s %10s %9s %9s\n", title, "", "ports", "median us", "p10 us", "median/", "p10/");
	for (int i = 0; i < n; i++) {
		r[i].us = calloc((size_t)rounds, sizeof *r[i].us);
		r[i].measure(r[i].w);
	}
	for (int k = 0; k < rounds; k++)
		for (int i = 0; i < n; i++)
			r[i].us[k] = r[i].measure(r[i].w);
	for (int i = 0; i < n; i++) {
		qsort(r[i].us, (size_t)rounds, sizeof *r[i].us, ascending);
		printf("%-26s %8d %10.1f %10.1f %8.2fx %8.2fx\n", r[i].name, r[i].w->ports, r[i].us[rounds / 2], r[i].us[rounds / 10],
		       r[i].us[rounds / 2] / r->us[rounds / 2], r[i].us[rounds / 10] / r->us[rounds / 10]);
	}
}

static bool is_there(const char *tool)
{
	char command[80];

	snprintf(command, sizeof command, "%s --version >/dev/null 2>&1", tool);
	return !system(command);
}

static int add_row(struct row *r, int n, const char *name, const struct world *w, double (*measure)(const struct world *w))
{
	r[n] = (struct row){ name, w, measure, NULL };
	return n + 1;
}

static void measure(const struct world *w, int n, int rounds)
{
	struct row more[2 * WORLDS], flow[WORLDS], pass[WORLDS];
	int mores = 0, flows = 0, passes = 0;
	bool nft = is_there("nft");

	for (int i = 0; i < n; i++) {
		bool ours = !strcmp(w[i].rules, "ours");

		if (w[i].ports)
			mores = add_row(more, mores, w[i].rules, &w[i], ours ? one_more_by_us : one_more_by_iptables);
		flows = add_row(flow, flows, w[i].rules, &w[i], new_flow);
		if (w[i].ports != 1000)
			passes = add_row(pass, passes, w[i].rules, &w[i], transfer);
	}
	for (int i = 0; i < n && nft; i++)
		if (!strcmp(w[i].rules, "ours"))
			mores = add_row(more, mores, "nft, in our map", &w[i], one_more_by_nft);
	table("One port more, by a process (docker asks iptables three times for one)", more, mores, rounds);
	pin(true);
	table("A new flow through the last port: the first packet and its answer", flow, flows, 10 * rounds);
	pin(false);
	table("128 MB through the last port", pass, passes, rounds / 5 + 1);
}

static int change(const char *what, const char *port)
{
	struct publication p = { .protocol = IPPROTO_TCP, .host_port = (uint16_t)atoi(port), .to_port = 80, .to = address_of("10.2.0.2") };
	struct firewall f;

	need("firewall", firewall_open(&f, "bench", &failure));
	need(what, *what == 'a' ? firewall_publish(&f, &p, 1, &failure) : firewall_unpublish(&f, &p, 1, &failure));
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "ours", "iptables-nft", "iptables-legacy" };
	struct world w[WORLDS] = { { .rules = "none" } };
	int many = argc == 3 ? atoi(argv[1]) : 0, rounds = argc == 3 ? atoi(argv[2]) : 0, n = 1;

	unsetenv("CTRBOX_FIREWALL");
	if (argc == 3 && (!strcmp(argv[1], "add") || !strcmp(argv[1], "del")))
		return change(argv[1], argv[2]);
	if (many < 2 || many > 60000 || rounds < 1)
		return 2;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (int size = 10; size && (!i || is_there(kinds[i])); size = size == 10 ? 1000 : size == 1000 ? many : 0) {
			w[n++] = (struct world){ .rules = kinds[i], .ports = size };
			if (size == many)
				break;
		}
	for (int i = 0; i < n; i++)
		make_world(&w[i]);
	measure(w, n, rounds);
	return 0;
}
