#include "net/xt_ports.h"
#include "net/xt_table.h"
#include <errno.h>
#include <sys/socket.h>

/* What an edit of a table is about. */
struct ports {
	const struct publication *v;
	int n;
	uint8_t revision; /* of the target DNAT */
};

static bool same_port(const struct publication *a, const struct publication *b)
{
	return a->protocol == b->protocol && a->host_port == b->host_port && a->host.family == b->host.family &&
	       (!a->host.family || address_equal(&a->host, &b->host));
}

static bool is_taken(struct xt_entry e, const void *arg)
{
	struct publication p;

	return xt_read_publication(e, &p) && same_port(&p, arg);
}

static bool clashes(struct xt_entry e, const void *arg)
{
	struct publication p;

	return xt_read_publication(e, &p) && publications_clash(&p, arg);
}

/* In another store's chains: those of all begin alike. */
static bool is_taken_elsewhere(struct xt_table *t, const struct publication *p)
{
	const char *mine = t->prefix;
	int own = xt_count(t, clashes, p), all;

	t->prefix = "CTR-";
	all = xt_count(t, clashes, p);
	t->prefix = mine;
	return all > own;
}

static bool is_ours(struct xt_entry e, const void *arg)
{
	const struct publication *want = arg;
	struct publication p;

	return xt_read_publication(e, &p) && same_port(&p, want) && address_equal(&p.to, &want->to) && p.to_port == want->to_port;
}

/* Those for one address of the host come before those for all. */
static int add_port(struct xt_table *t, const struct publication *p, uint8_t revision)
{
	struct xt_rule r;

	if (xt_count(t, is_taken, p) || is_taken_elsewhere(t, p))
		return -EEXIST;
	xt_port(xt_rule(&r, t->six), p->protocol, p->host_port);
	if (p->host.family)
		xt_to(&r, &(struct subnet){ p->host, 8 * address_length(&p->host) });
	return xt_add(t, "DNAT", p->host.family ? 0 : -1, xt_dnat(&r, revision, &p->to, p->to_port), NULL);
}

static bool is_of(const struct publication *p, const struct xt_table *t)
{
	return (p->to.family == AF_INET6) == t->six;
}

static int add_ports(struct xt_table *t, void *arg)
{
	const struct ports *ports = arg;
	int n = 0, r = 0;

	for (int i = 0; i < ports->n && !r; i++)
		if (is_of(&ports->v[i], t)) {
			r = add_port(t, &ports->v[i], ports->revision);
			n++;
		}
	return r < 0 ? r : n;
}

static bool any_of(const struct publication *p, int n, int family)
{
	bool any = false;

	for (int i = 0; i < n; i++)
		any = any || p[i].to.family == family;
	return any;
}

static int publish_family(struct firewall *f, int family, const struct publication *p, int n, struct err *err)
{
	struct ports ports = { p, n, xt_dnat_revision(family) };

	return any_of(p, n, family) ? xt_change(family, "nat", f->chains, add_ports, &ports, err) : 0;
}

static int remove_ports(struct xt_table *t, void *arg)
{
	const struct ports *ports = arg;
	int n = 0;

	for (int i = 0; i < ports->n; i++)
		if (is_of(&ports->v[i], t))
			n += xt_remove(t, is_ours, &ports->v[i]);
	return n;
}

static int unpublish_family(struct firewall *f, int family, const struct publication *p, int n, struct err *err)
{
	struct ports ports = { .v = p, .n = n };

	return any_of(p, n, family) ? xt_change(family, "nat", f->chains, remove_ports, &ports, err) : 0;
}

int xt_publish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	int r = publish_family(f, AF_INET, p, n, err);

	if (r < 0)
		return r;
	r = publish_family(f, AF_INET6, p, n, err);
	if (r < 0)
		unpublish_family(f, AF_INET, p, n, NULL);
	return r < 0 ? r : 0;
}

int xt_unpublish(struct firewall *f, const struct publication *p, int n, struct err *err)
{
	int r = unpublish_family(f, AF_INET, p, n, err), s = unpublish_family(f, AF_INET6, p, n, r < 0 ? NULL : err);

	return r < 0 ? r : s < 0 ? s : 0;
}

struct lister {
	firewall_call *call;
	void *arg;
};

static bool tell(struct xt_entry e, const void *arg)
{
	const struct lister *l = arg;
	struct publication p;

	if (xt_read_publication(e, &p))
		l->call(l->arg, &p);
	return false;
}

static int list_ports(struct xt_table *t, void *arg)
{
	return xt_count(t, tell, arg);
}

int xt_list(struct firewall *f, firewall_call *call, void *arg, struct err *err)
{
	struct lister l = { call, arg };
	int r = 0;

	for (int i = 0; i < 2 && r >= 0; i++) {
		int family = i ? AF_INET6 : AF_INET;

		r = xt_in_use(family, "nat") ? xt_change(family, "nat", f->chains, list_ports, &l, err) : 0;
	}
	return r;
}
