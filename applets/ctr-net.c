/* ctr-net: networks of containers. */
#include "base/say.h"
#include "base/table.h"
#include "ctr/net_admin.h"
#include "net/network.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct create_options {
	const char *driver, *parent;
	struct strs subnets, gateways;
	bool internal, no_icc, ipv6;
	int64_t mtu;
};

#define C(m) offsetof(struct create_options, m)
static const struct opt create_opts[] = {
	{ 'd', "driver", "DRIVER", OPT_STR, C(driver), "bridge, ptp (a veth pair a container), macvlan or ipvlan; bridge", NULL },
	{ 0, "parent", "DEV", OPT_STR, C(parent), "the host's interface of a macvlan or ipvlan", NULL },
	{ 0, "subnet", "CIDR", OPT_STRS, C(subnets), "its addresses, one for IPv4 and one for IPv6; a free /16", NULL },
	{ 0, "gateway", "IP", OPT_STRS, C(gateways), "the host's address on it; the subnet's first", NULL },
	{ 0, "internal", NULL, OPT_FLAG, C(internal), "no way out and none in", NULL },
	{ 0, "no-icc", NULL, OPT_FLAG, C(no_icc), "no traffic from container to container", NULL },
	{ 0, "ipv6", NULL, OPT_FLAG, C(ipv6), "an IPv6 subnet as well", NULL },
	{ 0, "mtu", "N", OPT_INT, C(mtu), "largest packet", NULL },
	OPT_END
};

static const struct usage create_usage = {
	.name = "ctr-net create", .synopsis = "[OPT].. NAME", .about = "Makes a network and prints its name.", .opts = create_opts, .bad = 2,
};

static struct store look_store(int code)
{
	struct store s;
	struct err err = { 0 };

	if (store_get(&s, &err) < 0)
		die_err(code, NULL, &err);
	return s;
}

/* To change something. */
static struct store open_store(int code)
{
	struct store s = look_store(code);

	if (s.rootless)
		die(code, "networks are root's to make and change (an ordinary user's containers have --net none, host and container:N)");
	return s;
}

static void put_line(const char *text)
{
	out_write(text, strlen(text));
	out_write("\n", 1);
}

static int create_main(int argc, char **argv)
{
	struct create_options o = { 0 };
	struct err err = { 0 };
	struct network n = { 0 };
	struct store s;
	int count = opt_parse(&create_usage, &o, argc, argv);

	if (count != 1)
		die_usage(2, count ? "one name is wanted" : "a name is missing");
	n.name = xstrdup(argv[0]);
	n.driver = xstrdup(o.driver ? o.driver : "bridge");
	n.parent = xstrdup(o.parent);
	n.subnets = o.subnets;
	n.gateways = o.gateways;
	n.internal = o.internal;
	n.no_icc = o.no_icc;
	n.mtu = o.mtu;
	s = open_store(1);
	if (net_create(&s, &n, o.ipv6, &err) < 0)
		die_err(1, argv[0], &err);
	put_line(argv[0]);
	return 0;
}

static const struct column columns[] = {
	{ "name", true, false, false }, { "driver", true, false, false },  { "subnet", true, false, false },
	{ "gateway", true, false, false }, { "bridge", true, false, false }, { "containers", true, true, true }, { 0 },
};

struct ls_options {
	struct list_options list;
};

static const struct opt ls_opts[] = { LIST_OPTS(struct ls_options, list), OPT_END };
static const struct usage ls_usage = {
	.name = "ctr-net ls", .synopsis = "[OPT]..", .about = "Lists networks.", .opts = ls_opts,
	.more = "columns: name,driver,subnet,gateway,bridge,containers", .bad = 2,
};

static char *joined(const struct strs *l)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < l->n; i++)
		buf_fmt(&b, "%s%s", i ? "," : "", l->v[i]);
	return b.p;
}

static void list_one(struct table *t, const struct store *s, const struct network *n)
{
	char *subnets = joined(&n->subnets), *gateways = joined(&n->gateways);

	table_cell(t, n->name);
	table_cell(t, n->driver);
	table_cell(t, subnets);
	table_cell(t, gateways);
	table_cell(t, *n->device ? n->device : n->parent);
	table_int(t, net_users(s, n->name, NULL, NULL));
	free(subnets);
	free(gateways);
}

static int ls_main(int argc, char **argv)
{
	struct ls_options o = { 0 };
	struct strs names = { 0 };
	struct err err = { 0 };
	struct store s;
	struct table *t;
	int rc = 0;

	if (opt_parse(&ls_usage, &o, argc, argv))
		die_usage(2, "%s: takes no operands", argv[0]);
	s = look_store(1);
	t = table_begin(columns, "name", &o.list);
	if (network_names(s.root, &names, &err) < 0)
		die_err(1, NULL, &err);
	for (size_t i = 0; i < names.n; i++) {
		struct network n;

		if (network_load(s.root, names.v[i], &n, &err) < 0) {
			say_err(NULL, &err);
			rc = 1;
			continue;
		}
		list_one(t, &s, &n);
		network_free(&n);
	}
	table_end(t);
	return rc;
}

/* Does ACT to each operand; 1 if it failed for one or more. */
static int each(const struct usage *u, int argc, char **argv, int (*act)(const struct store *s, const char *name, struct err *err))
{
	struct strs names = { 0 };
	int count = opt_parse(u, NULL, argc, argv), rc = 0;
	struct store s;

	if (!count)
		die_usage(2, "a network is missing");
	opt_targets(count, argv, &names);
	s = open_store(1);
	for (size_t i = 0; i < names.n; i++) {
		struct err err = { 0 };

		if (act(&s, names.v[i], &err) == 0) {
			put_line(names.v[i]);
			continue;
		}
		say_err(NULL, &err);
		rc = 1;
	}
	return rc;
}

static int rm_main(int argc, char **argv)
{
	static const struct usage u = {
		.name = "ctr-net rm", .synopsis = "NAME..", .about = "Removes networks that no container is on: bridge, rules and record.",
		.bad = 2,
	};

	return each(&u, argc, argv, net_remove);
}

static int inspect_main(int argc, char **argv)
{
	static const struct usage u = { .name = "ctr-net inspect", .synopsis = "NAME..", .about = "All about networks, as a JSON array.", .bad = 2 };
	struct buf b = { 0 };
	struct json_out o = { .b = &b, .pretty = true };
	int count = opt_parse(&u, NULL, argc, argv), rc = 0;
	struct store s;

	if (!count)
		die_usage(2, "a network is missing");
	s = look_store(1);
	json_begin(&o, NULL, '[');
	for (int i = 0; i < count; i++) {
		struct err err = { 0 };

		if (net_inspect(&s, argv[i], &o, &err) < 0) {
			say_err(NULL, &err);
			rc = 1;
		}
	}
	json_end(&o, ']');
	buf_char(&b, '\n');
	out_write(b.p, b.len);
	buf_free(&b);
	return rc;
}

struct join_options {
	const char *ip, *ip6, *mac;
};

#define J(m) offsetof(struct join_options, m)
static const struct opt join_opts[] = {
	{ 0, "ip", "IP", OPT_STR, J(ip), "its address there", NULL },
	{ 0, "ip6", "IP", OPT_STR, J(ip6), "its IPv6 address there", NULL },
	{ 0, "mac", "MAC", OPT_STR, J(mac), "its MAC there", NULL },
	OPT_END
};

static int connect_main(int argc, char **argv)
{
	static const struct usage u = {
		.name = "ctr-net connect", .synopsis = "[OPT].. NET CTR", .about = "Puts a container on another network, now if it runs and at its starts.",
		.opts = join_opts, .bad = 2,
	};
	struct join_options o = { 0 };
	struct net_spec want;
	struct err err = { 0 };
	int count = opt_parse(&u, &o, argc, argv);
	struct store s;

	if (count != 2)
		die_usage(2, "a network and a container are wanted");
	want = (struct net_spec){ argv[0], (char *)o.ip, (char *)o.ip6, (char *)o.mac };
	s = open_store(1);
	if (net_connect(&s, argv[1], &want, &err) < 0)
		die_err(1, argv[1], &err);
	return 0;
}

static int disconnect_main(int argc, char **argv)
{
	static const struct usage u = {
		.name = "ctr-net disconnect", .synopsis = "NET CTR", .about = "Takes a container off a network.", .bad = 2,
	};
	struct err err = { 0 };
	int count = opt_parse(&u, NULL, argc, argv);
	struct store s;

	if (count != 2)
		die_usage(2, "a network and a container are wanted");
	s = open_store(1);
	if (net_disconnect(&s, argv[1], argv[0], &err) < 0)
		die_err(1, argv[1], &err);
	return 0;
}

static int reload_main(int argc, char **argv)
{
	static const struct usage u = {
		.name = "ctr-net reload", .synopsis = "", .about = "Puts every rule and bridge back after somebody's flush.", .bad = 2,
	};
	struct err err = { 0 };
	struct store s;

	if (opt_parse(&u, NULL, argc, argv))
		die_usage(2, "%s: takes no operands", argv[0]);
	s = open_store(1);
	if (net_reload(&s, &err) < 0)
		die_err(1, NULL, &err);
	return 0;
}

static int prune_main(int argc, char **argv)
{
	static const struct usage u = { .name = "ctr-net prune", .synopsis = "", .about = "Removes networks that no container is on.", .bad = 2 };
	struct strs removed = { 0 };
	struct err err = { 0 };
	struct store s;
	int r;

	if (opt_parse(&u, NULL, argc, argv))
		die_usage(2, "%s: takes no operands", argv[0]);
	s = open_store(1);
	r = net_prune(&s, &removed, &err);
	for (size_t i = 0; i < removed.n; i++)
		put_line(removed.v[i]);
	if (r < 0)
		die_err(1, NULL, &err);
	return 0;
}

static int run_main(int argc, char **argv)
{
	static const struct usage u = {
		.name = "ctr-net run", .synopsis = "NET CMD [ARG]..",
		.about = "Runs CMD of the host in a new network namespace that is attached to NET. The exit code is the command's.",
		.bad = 125, .command = true,
	};
	struct err err = { 0 };
	int count = opt_parse(&u, NULL, argc, argv), r;
	struct store s;

	if (count < 2)
		die_usage(125, count ? "a command is missing" : "a network is missing");
	s = open_store(125);
	r = net_run(&s, argv[0], argv + 1, &err);
	if (r < 0)
		die_err(125, NULL, &err);
	return r;
}

int ctr_net_main(int argc, char **argv)
{
	static const struct subcommand table[] = {
		{ "create", NULL, create_main, "makes a network" },
		{ "ls", "list", ls_main, "lists networks" },
		{ "rm", "remove", rm_main, "removes networks" },
		{ "inspect", NULL, inspect_main, "all about networks, as JSON" },
		{ "connect", NULL, connect_main, "puts a container on a network" },
		{ "disconnect", NULL, disconnect_main, "takes it off" },
		{ "reload", NULL, reload_main, "puts every rule back" },
		{ "prune", NULL, prune_main, "removes unused networks" },
		{ "run", NULL, run_main, "a command in a namespace on a network" },
		{ 0 },
	};

	return opt_dispatch("ctr-net", "Networks of containers.", table, argc, argv);
}
