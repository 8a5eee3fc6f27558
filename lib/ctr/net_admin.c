#include "ctr/net_admin.h"
#include "base/file.h"
#include "ctr/attachment.h"
#include "ctr/net_iface.h"
#include "net/network.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check_name(const char *name, struct err *err)
{
	if (!strcmp(name, "none") || !strcmp(name, "host") || !strcmp(name, "private"))
		return err_msg(err, -EINVAL, "\"%s\" means something else to --net", name);
	return name_check(name, err);
}

static int check_driver(const char *driver, struct err *err)
{
	static const char *const known[] = { "bridge", "ptp", "macvlan", "ipvlan" };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(driver, known[i]))
			return 0;
	return err_msg(err, -EINVAL, "--driver %s: none of bridge, ptp, macvlan, ipvlan", driver);
}

static int create(const struct store *s, struct network *n, bool ipv6, struct err *err)
{
	int r = network_create(s->root, s->tag, n, ipv6, err), down;

	if (r < 0)
		return r;
	r = network_up(s->tag, n, true, err);
	if (r >= 0)
		return 0;
	down = network_down(s->root, s->tag, n, NULL);
	if (!down || down == -EPERM) /* EPERM: nothing could be made either */
		network_forget(s->root, n->name, NULL);
	else /* what is there has its record, by which it can be removed */
		err_hint(err, "not all could be taken back: \"ctr-net rm\" does");
	return r;
}

int net_create(const struct store *s, struct network *n, bool ipv6, struct err *err)
{
	int r = check_name(n->name, err), lock;

	if (!r)
		r = check_driver(n->driver, err);
	if (!r && n->mtu && (n->mtu < 68 || n->mtu > 65535))
		r = err_msg(err, -EINVAL, "--mtu: not between 68 and 65535");
	lock = r ? r : networks_lock(s, err);
	if (lock < 0)
		return lock;
	r = create(s, n, ipv6, err);
	close(lock);
	return r;
}

static bool is_on(const struct record *r, const char *network)
{
	const struct net_spec *n = r->spec.nets.v;

	for (size_t i = 0; i < r->spec.nets.n; i++)
		if (!strcmp(n[i].network, network))
			return true;
	return false;
}

struct users {
	const char *network;
	struct strs *who;
	int n;
};

static void see_user(const struct record *r, void *arg)
{
	struct users *u = arg;

	if (!is_on(r, u->network))
		return;
	u->n++;
	if (u->who)
		strs_add(u->who, r->spec.name);
}

int net_users(const struct store *s, const char *name, struct strs *who, struct err *err)
{
	struct users u = { name, who, 0 };
	int r = record_each(s, see_user, &u, err);

	return r < 0 ? r : u.n;
}

/* Its leases before its record: nobody looks for those of a network that isn't there. */
static int forget(const struct store *s, const char *name, struct err *err)
{
	char *leases = xasprintf("net/%s", name);
	int r = tree_remove(s->run, leases);

	free(leases);
	return r < 0 ? err_sys(err, r, "network %s: remove its list of addresses", name) : network_forget(s->root, name, err);
}

static int take_away(const struct store *s, const char *name, struct err *err)
{
	struct strs who = { 0 };
	struct network n;
	int r = network_load(s->root, name, &n, err);

	if (r < 0)
		return r;
	r = net_users(s, name, &who, err);
	if (r > 0)
		r = err_msg(err, -EBUSY, "network %s: container %s%s on it", name, who.v[0], who.n > 1 ? " and others are" : " is");
	if (!r)
		r = network_down(s->root, s->tag, &n, err);
	if (!r)
		r = forget(s, name, err);
	strs_free(&who);
	network_free(&n);
	return r;
}

/* Who is to be on it has said so before he takes the lock to bring it up. */
int net_remove(const struct store *s, const char *name, struct err *err)
{
	int lock = networks_lock(s, err), r;

	if (lock < 0)
		return lock;
	r = take_away(s, name, err);
	close(lock);
	return r;
}

int net_prune(const struct store *s, struct strs *removed, struct err *err)
{
	struct strs names = { 0 };
	int r = network_names(s->root, &names, err);

	for (size_t i = 0; i < names.n && !r; i++) {
		if (net_users(s, names.v[i], NULL, NULL) > 0)
			continue;
		r = net_remove(s, names.v[i], err);
		if (!r)
			strs_add(removed, names.v[i]);
	}
	strs_free(&names);
	return r;
}

/* The containers that are on it now, by what their state says. */
static void put_members(const struct store *s, const char *network, struct json_out *o)
{
	struct strs ids = { 0 };

	record_ids(s, &ids, NULL);
	json_begin(o, "containers", '[');
	for (size_t i = 0; i < ids.n; i++) {
		const struct attachment *a;
		struct record r;

		if (record_open_id(s, ids.v[i], &r, NULL) < 0)
			continue;
		a = r.state.attachments.v;
		for (size_t k = 0; k < r.state.attachments.n; k++) {
			if (strcmp(a[k].network, network))
				continue;
			json_begin(o, NULL, '{');
			json_put_str(o, "id", r.id);
			json_put_str(o, "name", r.spec.name);
			json_put_str(o, "ip", a[k].ip);
			json_put_str(o, "ip6", a[k].ip6);
			json_put_str(o, "mac", a[k].mac);
			json_put_str(o, "interface", a[k].name);
			json_put_str(o, "host_interface", a[k].host);
			json_begin(o, "ports", '[');
			for (size_t p = 0; p < r.state.ports.n; p++)
				fields_write(o, NULL, port_fields, (const struct port *)r.state.ports.v + p);
			json_end(o, ']');
			json_end(o, '}');
		}
		record_close(&r);
	}
	json_end(o, ']');
	strs_free(&ids);
}

int net_inspect(const struct store *s, const char *name, struct json_out *o, struct err *err)
{
	struct strs blocks = { 0 };
	struct network n;
	int r = network_load(s->root, name, &n, err);

	if (r < 0)
		return r;
	network_blocks(&n, &blocks);
	json_begin(o, NULL, '{');
	json_put_str(o, "name", n.name);
	json_put_str(o, "driver", n.driver);
	json_put_str(o, "bridge", n.device);
	json_put_str(o, "parent", n.parent);
	json_put_strs(o, "subnets", &n.subnets);
	json_put_strs(o, "gateways", &n.gateways);
	json_put_bool(o, "internal", n.internal);
	json_put_bool(o, "icc", !n.no_icc);
	json_put_int(o, "mtu", n.mtu);
	json_put_int(o, "created", n.created);
	json_put_strs(o, "blocked_by", &blocks);
	put_members(s, name, o);
	json_end(o, '}');
	strs_free(&blocks);
	network_free(&n);
	return 0;
}

/* Each running container's devices and ports once more; those that stand already are fine. */
static int settle_again(const struct store *s, struct err *err)
{
	struct strs ids = { 0 };
	int first = record_ids(s, &ids, err);

	for (size_t i = 0; i < ids.n; i++) {
		struct record r;
		int code = 0;

		if (record_open_id(s, ids.v[i], &r, NULL) < 0)
			continue;
		if (record_running(s, &r))
			code = networks_settle_again(s, &r, first ? NULL : err);
		if (!code && record_running(s, &r))
			code = networks_publish_again(s, &r, first ? NULL : err);
		first = first ? first : code;
		record_close(&r);
	}
	strs_free(&ids);
	return first;
}

int net_put_back(const struct store *s, struct err *err)
{
	struct strs names = { 0 };
	int first = network_names(s->root, &names, err);

	for (size_t i = 0; i < names.n; i++) {
		struct network n;
		int r = network_load(s->root, names.v[i], &n, first ? NULL : err);

		if (!r) {
			r = network_up(s->tag, &n, true, first ? NULL : err);
			network_free(&n);
		}
		first = first ? first : r < 0 ? r : 0;
	}
	strs_free(&names);
	return first ? first : settle_again(s, err);
}

int net_reload(const struct store *s, struct err *err)
{
	int lock = networks_lock(s, err), r;

	if (lock < 0)
		return lock;
	r = net_put_back(s, err);
	close(lock);
	return r;
}

/* The container, locked. */
static int open_locked(const struct store *s, const char *target, struct record *r, struct err *err)
{
	int lock, code = record_open(s, target, r, err);

	if (code < 0)
		return code;
	lock = record_lock(r, 10000, err);
	if (lock < 0)
		record_close(r);
	else
		record_refresh(s, r);
	return lock;
}

int net_connect(const struct store *s, const char *target, const struct net_spec *n, struct err *err)
{
	struct record r;
	int lock = open_locked(s, target, &r, err), code;

	if (lock < 0)
		return lock;
	if (!ns_is_private(r.spec.net))
		code = err_msg(err, -EINVAL, "has no network namespace of its own (--net %s)", r.spec.net);
	else if (is_on(&r, n->network))
		code = err_msg(err, -EEXIST, "is on network %s already", n->network);
	else
		code = networks_join(s, &r, n, err);
	record_close(&r);
	close(lock);
	return code;
}

int net_disconnect(const struct store *s, const char *target, const char *network, struct err *err)
{
	struct record r;
	int lock = open_locked(s, target, &r, err), code;

	if (lock < 0)
		return lock;
	if (iface_is(network))
		code = err_msg(err, -EINVAL, "%s stays until the container ends", network);
	else if (!is_on(&r, network))
		code = err_msg(err, -ENOENT, "isn't on network %s", network);
	else
		code = networks_leave(s, &r, network, err);
	record_close(&r);
	close(lock);
	return code;
}
