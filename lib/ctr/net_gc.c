#include "ctr/net_gc.h"
#include "base/num.h"
#include "ctr/networking.h"
#include "net/lease.h"
#include "net/network.h"
#include "net/firewall.h"
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Leases of one network, as they were when they were read. */
struct leases {
	struct strs addresses, owners;
};

static void keep(void *arg, const char *address, const char *owner)
{
	struct leases *l = arg;

	strs_add(&l->addresses, address);
	strs_add(&l->owners, owner);
}

static void leases_free(struct leases *l)
{
	strs_free(&l->addresses);
	strs_free(&l->owners);
}

/* "p<pid>" of ctr-net run. */
static bool process_gone(const char *id)
{
	int64_t pid;

	return num_range(id + 1, 1, INT32_MAX, &pid) < 0 || (kill((pid_t)pid, 0) < 0 && errno == ESRCH);
}

/* A descriptor that holds the container's lock if it neither runs nor is being started; -1 with *GONE if there is no such container; else -1. */
static int lock_idle(const struct store *s, const char *id, bool *gone)
{
	struct record r;
	int code = record_open_id(s, id, &r, NULL), lock, supervisor;

	*gone = code == -ENOENT;
	if (code < 0)
		return -1;
	lock = record_lock(&r, 0, NULL);
	if (lock >= 0) {
		record_refresh(s, &r);
		supervisor = record_supervisor(s, &r);
		if (supervisor >= 0)
			close(supervisor);
		if (supervisor != -ESRCH) {
			close(lock);
			lock = -1;
		}
	}
	*gone = lock == -ENOENT;
	record_close(&r);
	return lock < 0 ? -1 : lock;
}

/* Under networks_lock. */
static void sweep_lease(const struct store *s, const char *network, const char *address, const char *owner, struct strs *freed)
{
	bool gone = true;
	char id[ID_LENGTH + 1];
	int lock = -1;

	snprintf(id, sizeof id, "%s", owner);
	if (*id == 'p')
		gone = process_gone(id);
	else if (strlen(id) == ID_LENGTH)
		lock = lock_idle(s, id, &gone);
	if (gone || lock >= 0) {
		networks_forget_one(s, id, network, false);
		if (lease_release(s->run, network, address, id) == 0)
			strs_fmt(freed, "address %s/%s", network, address);
	}
	if (lock >= 0)
		close(lock);
}

/* Published ports that lead nowhere. */
struct search {
	const struct leases *leases;  /* of all networks */
	const struct array *subnets;  /* struct subnet: ours */
	struct array found;           /* struct publication */
};

static void examine(void *arg, const struct publication *p)
{
	struct search *s = arg;
	const struct subnet *sub = s->subnets->v;
	char text[ADDRESS_TEXT];
	bool ours = false;

	for (size_t i = 0; i < s->subnets->n; i++)
		ours = ours || subnet_has(&sub[i], &p->to);
	if (ours && !strs_has(&s->leases->addresses, address_text(&p->to, text)))
		*(struct publication *)array_add(&s->found, sizeof *p) = *p;
}

static int sweep_ports(const struct store *s, const struct leases *leases, const struct array *subnets, struct strs *freed, struct err *err)
{
	struct search search = { .leases = leases, .subnets = subnets };
	const struct publication *p;
	struct firewall fw;
	int r;

	r = firewall_open_standing(&fw, s->tag, err);
	if (r < 0)
		return r;
	r = firewall_list(&fw, examine, &search, err);
	p = search.found.v;
	for (size_t i = 0; i < search.found.n && !r; i++) {
		r = firewall_unpublish(&fw, &p[i], 1, err);
		if (!r)
			strs_fmt(freed, "port %d/%s", p[i].host_port, p[i].protocol == IPPROTO_UDP ? "udp" : "tcp");
	}
	free(search.found.v);
	firewall_close(&fw);
	return r;
}

/* A change from one kind of rules to another that was cut short. */
static int sweep_rules(const struct store *s, struct strs *freed, struct err *err)
{
	struct firewall fw;
	int r = firewall_open(&fw, s->tag, err);

	if (r < 0)
		return r;
	r = firewall_sweep(&fw, err);
	if (r > 0)
		strs_add(freed, "rules of another firewall");
	firewall_close(&fw);
	return r < 0 ? r : 0;
}

static void add_subnets(const struct store *s, const char *network, struct array *subnets)
{
	struct address gateway;
	struct network n;
	struct subnet sub;

	if (network_load(s->root, network, &n, NULL) < 0)
		return;
	for (int six = 0; six < 2; six++)
		if (network_subnet(&n, six ? AF_INET6 : AF_INET, &sub, &gateway))
			*(struct subnet *)array_add(subnets, sizeof sub) = sub;
	network_free(&n);
}

static int sweep_network(const struct store *s, const char *network, struct leases *left, struct strs *freed, struct err *err)
{
	struct leases all = { 0 };
	int r;

	lease_sweep(s->run, network);
	lease_each(s->run, network, keep, &all);
	for (size_t i = 0; i < all.addresses.n; i++)
		sweep_lease(s, network, all.addresses.v[i], all.owners.v[i], freed);
	leases_free(&all);
	r = lease_each(s->run, network, keep, left);
	return r < 0 ? err_sys(err, r, "list the addresses of network %s", network) : 0;
}

int net_gc(const struct store *s, struct strs *freed, struct err *err)
{
	struct leases left = { 0 };
	struct array subnets = { 0 };
	struct strs names = { 0 };
	int r, lock;

	network_sweep(s->root, freed);
	r = network_names(s->root, &names, err);
	if (r < 0 || !names.n)
		return r;
	lock = networks_lock(s, err);
	if (lock < 0)
		r = lock;
	for (size_t i = 0; i < names.n && !r; i++) {
		add_subnets(s, names.v[i], &subnets);
		r = sweep_network(s, names.v[i], &left, freed, err);
	}
	if (!r)
		r = sweep_rules(s, freed, err);
	if (!r)
		r = sweep_ports(s, &left, &subnets, freed, err);
	if (lock >= 0)
		close(lock);
	leases_free(&left);
	free(subnets.v);
	strs_free(&names);
	return r;
}
