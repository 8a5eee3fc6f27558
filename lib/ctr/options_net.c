#include "ctr/options.h"
#include "base/say.h"
#include "ctr/net_iface.h"
#include "ctr/outside.h"
#include "ctr/ports.h"
#include "net/network.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool alone(const char *mode)
{
	return ns_is_host(mode) || ns_container(mode) || !strcmp(mode, "none") || !strcmp(mode, "private");
}

static int check_mac(const char *mac, struct err *err)
{
	uint8_t b[6];

	if (mac && (mac_parse(mac, b) < 0 || b[0] & 1))
		return err_msg(err, -EINVAL, "--mac %s: not like 02:42:00:00:00:01", mac);
	return 0;
}

static int check_addresses(const struct run_options *o, struct err *err)
{
	struct address a;

	if (o->ip && (address_parse(o->ip, &a) < 0 || a.family != AF_INET))
		return err_msg(err, -EINVAL, "--ip %s: no IPv4 address", o->ip);
	if (o->ip6 && (address_parse(o->ip6, &a) < 0 || a.family != AF_INET6))
		return err_msg(err, -EINVAL, "--ip6 %s: no IPv6 address", o->ip6);
	return check_mac(o->mac, err);
}

/* "iface:DEV" is a device of the host's, and none of our networks. */
static int add_network(const struct store *s, const char *name, struct spec *spec, struct err *err)
{
	const struct net_spec *had = spec->nets.v;
	struct net_spec *n;
	struct network found;
	int r;

	for (size_t i = 0; i < spec->nets.n; i++)
		if (!strcmp(had[i].network, name))
			return err_msg(err, -EINVAL, "--net %s: given twice", name);
	if (iface_is(name)) {
		r = iface_check(name, err);
		if (r < 0)
			return r;
	} else if (strcmp(name, "bridge")) {
		r = network_load(s->root, name, &found, err);
		if (r < 0)
			return r;
		network_free(&found);
	}
	n = array_add(&spec->nets, sizeof *n);
	n->network = xstrdup(name);
	return 0;
}

/* That isn't a device of the host's; NULL: none. */
static struct net_spec *first_network(const struct spec *spec)
{
	struct net_spec *n = spec->nets.v;

	for (size_t i = 0; i < spec->nets.n; i++)
		if (!iface_is(n[i].network))
			return &n[i];
	return NULL;
}

static int add_networks(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	struct net_spec *first;
	int r = o->nets.n ? 0 : add_network(s, "bridge", spec, err);

	for (size_t i = 0; i < o->nets.n && !r; i++)
		r = alone(o->nets.v[i]) ? err_msg(err, -EINVAL, "--net %s: excludes other networks", o->nets.v[i])
					: add_network(s, o->nets.v[i], spec, err);
	if (r < 0)
		return r;
	first = first_network(spec);
	if (!first)
		return o->ip || o->ip6 || o->mac || o->aliases.n || o->ports.n
			       ? err_msg(err, -EINVAL, "--ip, --ip6, --mac, --net-alias and -p need a network besides %s", o->nets.v[0])
			       : 0;
	first->ip = xstrdup(o->ip);
	first->ip6 = xstrdup(o->ip6);
	first->mac = xstrdup(o->mac);
	return 0;
}

/* What goes into hosts or resolv.conf must not begin another word or line there. */
static bool is_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || s[i] == '#')
			return false;
	return n > 0;
}

static bool is_address(const char *s)
{
	struct address a;

	return address_parse(s, &a) == 0;
}

/* NAME:IP, or NAME:host-gateway. */
static bool is_host(const char *s)
{
	size_t n = strcspn(s, ":");

	return s[n] && is_word(s, n) && (is_address(s + n + 1) || !strcmp(s + n + 1, "host-gateway"));
}

static int check_names(const struct run_options *o, struct err *err)
{
	for (size_t i = 0; i < o->aliases.n; i++)
		if (!is_word(o->aliases.v[i], strlen(o->aliases.v[i])))
			return err_msg(err, -EINVAL, "--net-alias \"%s\": no host name", o->aliases.v[i]);
	for (size_t i = 0; i < o->add_hosts.n; i++)
		if (!is_host(o->add_hosts.v[i]))
			return err_msg(err, -EINVAL, "--add-host %s: not NAME:IP", o->add_hosts.v[i]);
	for (size_t i = 0; i < o->dns.n; i++)
		if (!is_address(o->dns.v[i]))
			return err_msg(err, -EINVAL, "--dns \"%s\": no address", o->dns.v[i]);
	for (size_t i = 0; i < o->dns_search.n; i++)
		if (!is_word(o->dns_search.v[i], strlen(o->dns_search.v[i])))
			return err_msg(err, -EINVAL, "--dns-search \"%s\": no domain", o->dns_search.v[i]);
	return 0;
}

static int add_ports(const struct run_options *o, struct spec *spec, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < o->ports.n && !r; i++)
		r = ports_parse(o->ports.v[i], &spec->ports, err);
	for (size_t i = 0; o->publish_all && i < o->exposed.n && !r; i++)
		r = ports_parse(o->exposed.v[i], &spec->ports, err);
	return r;
}

/* none, host and container:N stand alone and have no addresses or ports of their own to give. */
static int set_alone(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	if (o->ip || o->ip6 || o->mac || o->aliases.n)
		return err_msg(err, -EINVAL, "--ip, --ip6, --mac and --net-alias need a network of the container's own");
	if (o->ports.n)
		return err_msg(err, -EINVAL, "-p needs a network: --net %s has no ports to publish", o->nets.v[0]);
	return options_namespace(s, "net", o->nets.v[0], &spec->net, err);
}

/* Bridges and interfaces of the host are root's to make. */
static int set_rootless(const struct run_options *o, struct spec *spec, struct err *err)
{
	const char *name = o->nets.n ? o->nets.v[0] : "any";

	if (o->nets.n > 1 || (o->nets.n && !outside_is(name)))
		return err_msg(err, -EPERM, "--net %s: networks are root's (an ordinary user has none, host, container:N, pasta)",
			       o->nets.v[o->nets.n - 1]);
	if (o->ip || o->ip6 || o->mac || o->aliases.n)
		return err_msg(err, -EPERM, "--ip, --ip6, --mac and --net-alias: networks are root's");
	spec->net = xstrdup("private");
	if (outside_there(name))
		spec->outside = xstrdup(name);
	else if (o->nets.n || o->ports.n)
		return err_msg(err, -ENOENT, "%s%s: needs the program %s, which isn't installed", o->nets.n ? "--net " : "-p",
			       o->nets.n ? name : "", o->nets.n ? name : "pasta");
	else
		say("neither pasta nor slirp4netns is installed: the container has no way out (--net none says so)");
	return add_ports(o, spec, err);
}

int options_networks(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	int r = check_addresses(o, err);

	if (!r)
		r = check_names(o, err);
	if (r < 0)
		return r;
	if (o->nets.n == 1 && alone(o->nets.v[0]))
		return set_alone(s, o, spec, err);
	if (s->rootless)
		return set_rootless(o, spec, err);
	r = add_networks(s, o, spec, err);
	if (!r)
		r = add_ports(o, spec, err);
	spec->net = xstrdup("private");
	strs_append(&spec->aliases, &o->aliases);
	return r;
}
