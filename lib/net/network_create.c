#include "base/clock.h"
#include "base/file.h"
#include "net/network.h"
#include "net/probe.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether another network of this store has it already. */
static int taken(int root, const struct subnet *sub, struct err *err)
{
	struct strs names = { 0 };
	int r = network_names(root, &names, err);

	for (size_t i = 0; i < names.n && !r; i++) {
		struct network other;

		if (network_load(root, names.v[i], &other, NULL) < 0)
			continue;
		for (size_t k = 0; k < other.subnets.n && !r; k++) {
			struct subnet its;

			if (subnet_parse(other.subnets.v[k], &its, NULL) == 0 && subnet_overlap(sub, &its))
				r = err_msg(err, -EEXIST, "network %s has %s", names.v[i], other.subnets.v[k]);
		}
		network_free(&other);
	}
	strs_free(&names);
	return r;
}

static int check_free(int root, struct netlink *nl, const struct subnet *sub, struct err *err)
{
	int r = taken(root, sub, err);

	if (r)
		return r;
	r = route_overlaps(nl, sub, err);
	return r > 0 ? err_msg(err, -EEXIST, "overlaps a route of the host") : r;
}

/* Private /16s that docker and podman don't take first (RFC 1918): 10.80 to 10.199. */
static int choose_subnet(int root, struct netlink *nl, struct network *n, struct err *err)
{
	char text[32];
	struct subnet sub;
	int r = 0;

	for (int i = 80; i < 200; i++) {
		snprintf(text, sizeof text, "10.%d.0.0/16", i);
		if (subnet_parse(text, &sub, NULL) < 0)
			continue;
		r = check_free(root, nl, &sub, err);
		if (!r)
			strs_add(&n->subnets, text);
		if (r != -EEXIST)
			return r;
	}
	return err_hint(err, "no subnet is free: give one with --subnet"), -EEXIST;
}

/* A unique local /64 (RFC 4193). */
static void choose_subnet6(struct network *n)
{
	char hex[15];

	random_hex(hex, 14);
	strs_fmt(&n->subnets, "fd%.2s:%.4s:%.4s:%.4s::/64", hex, hex + 2, hex + 6, hex + 10);
}

static bool has_family(const struct network *n, int family)
{
	struct subnet sub;

	for (size_t i = 0; i < n->subnets.n; i++)
		if (subnet_parse(n->subnets.v[i], &sub, NULL) == 0 && sub.base.family == family)
			return true;
	return false;
}

/* The gateway named for SUB among those given, else its first address. */
static int set_gateway(struct network *n, const struct subnet *sub, const struct strs *given, struct err *err)
{
	char text[ADDRESS_TEXT];
	struct address a;

	for (size_t i = 0; i < given->n; i++)
		if (address_parse(given->v[i], &a) == 0 && subnet_is_host(sub, &a)) {
			strs_add(&n->gateways, given->v[i]);
			return 0;
		}
	if (!subnet_nth(sub, 1, &a) || !subnet_is_host(sub, &a))
		return err_msg(err, -EINVAL, "the subnet has no room for a gateway and a container");
	strs_add(&n->gateways, address_text(&a, text));
	return 0;
}

static int check_given(const struct network *n, const struct strs *given, struct err *err)
{
	for (size_t i = 0; i < given->n; i++) {
		struct address a;
		bool in = false;

		if (address_parse(given->v[i], &a) < 0)
			return err_msg(err, -EINVAL, "gateway \"%s\": no address", given->v[i]);
		for (size_t k = 0; k < n->subnets.n; k++) {
			struct subnet sub;

			in = in || (subnet_parse(n->subnets.v[k], &sub, NULL) == 0 && subnet_is_host(&sub, &a));
		}
		if (!in)
			return err_msg(err, -EINVAL, "gateway %s: is no host's address of the subnet", given->v[i]);
	}
	return 0;
}

/* Whether its interfaces are made of one of the host's. */
static bool is_child(const struct network *n)
{
	return !strcmp(n->driver, "macvlan") || !strcmp(n->driver, "ipvlan");
}

/* Each subnet in its plain form, checked, with its gateway. */
static int settle_subnets(int root, struct netlink *nl, struct network *n, struct err *err)
{
	struct strs subnets = n->subnets, given = n->gateways;
	int r = check_given(n, &given, err);

	n->subnets = n->gateways = (struct strs){ 0 };
	for (size_t i = 0; i < subnets.n && !r; i++) {
		char text[ADDRESS_TEXT + 4];
		struct subnet sub;

		r = subnet_parse(subnets.v[i], &sub, err);
		if (!r && has_family(n, sub.base.family))
			r = err_msg(err, -EINVAL, "one subnet a family is possible");
		if (!r) /* a macvlan shares the subnet of its parent on purpose */
			r = is_child(n) ? taken(root, &sub, err) : check_free(root, nl, &sub, err);
		if (!r)
			r = set_gateway(n, &sub, &given, err);
		if (r < 0)
			err_prefix(err, "subnet %s", subnets.v[i]);
		else
			strs_add(&n->subnets, subnet_text(&sub, text));
	}
	strs_free(&subnets);
	strs_free(&given);
	return r;
}

/* The bridge is named as its network where that can be an interface's name, else by a hash. The default network's carries the
 * store's tag, because every store has one. */
static void name_device(const char *tag, struct network *n)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	if (strcmp(n->driver, "bridge")) {
		n->device = xstrdup("");
		return;
	}
	if (!strcmp(n->name, "bridge")) {
		n->device = xasprintf("ctr-%s", tag);
		return;
	}
	if (strlen(n->name) <= IFNAME_MAX) {
		n->device = xstrdup(n->name);
		return;
	}
	for (const char *s = n->name; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 16777619u;
	n->device = xasprintf("ctr%.4s%08x", tag, hash);
}

static int check_device(struct netlink *nl, const struct network *n, struct err *err)
{
	struct link l;

	if (*n->device && link_find(nl, n->device, &l, NULL) == 0)
		return err_msg(err, -EEXIST, "the host has an interface \"%s\" already", n->device);
	if (!is_child(n))
		return 0;
	if (!n->parent)
		return err_msg(err, -EINVAL, "--driver %s needs --parent DEV", n->driver);
	if (probe_link_kind(n->driver) == 0)
		return err_msg(err, -EOPNOTSUPP, "this kernel has no %s (CONFIG_%s)", n->driver, !strcmp(n->driver, "ipvlan") ? "IPVLAN" : "MACVLAN");
	return link_find(nl, n->parent, &l, err);
}

static int write_record(int root, const struct network *n, struct err *err)
{
	char path[128], temp[140], random[9];
	struct buf b = { 0 };
	struct json_out o = { .b = &b, .pretty = true };
	int r = dir_make_all(root, "networks", 0755);

	random_hex(random, 8);
	snprintf(path, sizeof path, "networks/%.100s.json", n->name);
	snprintf(temp, sizeof temp, "networks/.tmp-%s", random);
	fields_write(&o, NULL, network_fields, n);
	buf_char(&b, '\n');
	if (!r)
		r = file_replace(root, temp, b.p, b.len, 0644, true);
	if (!r && linkat(root, temp, root, path, 0) < 0)
		r = -errno;
	unlinkat(root, temp, 0);
	buf_free(&b);
	return r < 0 ? err_sys(err, r, "write the network's record") : 0;
}

/* Before its bridge is found in the way. */
static int check_new(int root, const char *name, struct err *err)
{
	char path[128];

	snprintf(path, sizeof path, "networks/%.100s.json", name);
	return file_there(root, path) ? err_msg(err, -EEXIST, "there is a network of that name") : 0;
}

int network_create(int root, const char *tag, struct network *n, bool ipv6, struct err *err)
{
	struct netlink nl;
	int lock = file_lock(root, "networks.lock", -1), r;

	if (lock < 0)
		return err_sys(err, lock, "lock the networks");
	r = check_new(root, n->name, err);
	if (r < 0) {
		close(lock);
		return r;
	}
	r = netlink_open(&nl, NETLINK_ROUTE, err);
	name_device(tag, n);
	n->created = clock_wall_ns() / 1000000000;
	if (!r)
		r = check_device(&nl, n, err);
	if (!r && !has_family(n, AF_INET) && !n->subnets.n)
		r = choose_subnet(root, &nl, n, err);
	if (ipv6 && !has_family(n, AF_INET6))
		choose_subnet6(n);
	if (!r)
		r = settle_subnets(root, &nl, n, err);
	if (!r)
		r = write_record(root, n, err);
	netlink_close(&nl);
	close(lock);
	return r;
}

void network_sweep(int root, struct strs *freed)
{
	int fd = dir_open(root, "networks"), lock = fd < 0 ? fd : file_lock(root, "networks.lock", 0);
	DIR *d = lock < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (starts_with(e->d_name, ".tmp-") && unlinkat(fd, e->d_name, 0) == 0)
			strs_fmt(freed, "file networks/%s", e->d_name);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	if (lock >= 0)
		close(lock);
}
