#include "net/xt_table.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's own chains, by their hooks' numbers. */
static const char *const hooks[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };

/* IPv6's requests have the numbers of IPv4's. */
static int level(bool six)
{
	return six ? IPPROTO_IPV6 : IPPROTO_IP;
}

static struct xt_entry entry_at(const struct xt_table *t, size_t at)
{
	return (struct xt_entry){ t->entries.p + at, t->six };
}

static size_t after(const struct xt_table *t, size_t at)
{
	return at + xt_extent(entry_at(t, at))->next;
}

static int read_entries(int fd, struct xt_table *t)
{
	socklen_t n = sizeof(struct ipt_get_entries) + t->info.size;
	struct ipt_get_entries *get = xcalloc(1, n);
	uint32_t number = 0;
	int r;

	memcpy(get->name, t->info.name, sizeof get->name);
	get->size = t->info.size;
	r = getsockopt(fd, level(t->six), IPT_SO_GET_ENTRIES, get, &n) < 0 ? -errno : 0;
	if (!r)
		buf_add(&t->entries, get->entrytable, get->size);
	free(get);
	for (size_t at = 0; at < t->entries.len; at = after(t, at))
		xt_extent(entry_at(t, at))->comefrom = ++number;
	return r;
}

static int read_table(int fd, bool six, const char *name, const char *prefix, struct xt_table *t)
{
	socklen_t n = sizeof t->info;

	*t = (struct xt_table){ .six = six, .prefix = prefix };
	memcpy(t->info.name, name, strlen(name));
	if (getsockopt(fd, level(t->six), IPT_SO_GET_INFO, &t->info, &n) < 0)
		return -errno;
	return read_entries(fd, t);
}

/* The kernel starts all counters anew: each rule that stood before gets its old ones again. */
static void put_counters(int fd, const struct xt_table *t, unsigned entries, const struct xt_counters *old)
{
	size_t n = sizeof(struct xt_counters_info) + entries * sizeof *old;
	struct xt_counters_info *c = xcalloc(1, n);

	memcpy(c->name, t->info.name, sizeof c->name);
	c->num_counters = entries;
	entries = 0;
	for (size_t at = 0; at < t->entries.len; at = after(t, at), entries++) {
		unsigned number = xt_extent(entry_at(t, at))->comefrom;

		if (number)
			c->counters[entries] = old[number - 1];
	}
	setsockopt(fd, level(t->six), IPT_SO_SET_ADD_COUNTERS, c, (socklen_t)n);
	free(c);
}

static int put_table(int fd, const struct xt_table *t)
{
	struct xt_counters *old = xcalloc(t->info.num_entries, sizeof *old);
	struct ipt_replace head = {
		.valid_hooks = t->info.valid_hooks, .size = (unsigned)t->entries.len, .num_counters = t->info.num_entries, .counters = old,
	};
	struct buf b = { 0 };
	int r;

	memcpy(head.name, t->info.name, sizeof head.name);
	memcpy(head.hook_entry, t->info.hook_entry, sizeof head.hook_entry);
	memcpy(head.underflow, t->info.underflow, sizeof head.underflow);
	for (size_t at = 0; at < t->entries.len; at = after(t, at))
		head.num_entries++;
	buf_add(&b, &head, sizeof head);
	buf_add(&b, t->entries.p, t->entries.len);
	r = setsockopt(fd, level(t->six), IPT_SO_SET_REPLACE, b.p, (socklen_t)b.len) < 0 ? -errno : 0;
	if (!r)
		put_counters(fd, t, head.num_entries, old);
	buf_free(&b);
	free(old);
	return r;
}

static int open_socket(int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	return fd < 0 ? -errno : fd;
}

static int explain(int r, int family, const char *table, struct err *err)
{
	bool six = family == AF_INET6;

	err_sys(err, r, "change %s table %s", six ? "ip6tables'" : "xtables'", table);
	if ((r == -ENOPROTOOPT || r == -ENOENT) && six)
		return err_hint(err, "modprobe ip6table_filter ip6table_nat; CONFIG_IP6_NF_FILTER, IP6_NF_NAT, IP6_NF_TARGET_MASQUERADE"), r;
	if (r == -ENOPROTOOPT || r == -ENOENT)
		err_hint(err, "a network needs nf_tables (CONFIG_NF_TABLES, NFT_NAT) or xtables: modprobe iptable_filter iptable_nat; CONFIG_IP_NF_FILTER, "
			      "IP_NF_NAT, IP_NF_TARGET_MASQUERADE, NETFILTER_XT_MATCH_CONNTRACK, NETFILTER_XT_MATCH_ADDRTYPE");
	return r;
}

/* The kernel notices another's change only where the number of rules differs (-EAGAIN): iptables(8) holds this lock meanwhile, and so do we.
 * Where it can't be made (/run read-only) iptables can't either. */
int xt_change(int family, const char *table, const char *prefix, int (*edit)(struct xt_table *t, void *arg), void *arg, struct err *err)
{
	int lock = file_lock(AT_FDCWD, "/run/xtables.lock", 10000), fd, done = 0, r;
	struct xt_table t;

	if (lock == -EWOULDBLOCK)
		return err_msg(err, lock, "xtables: another program holds /run/xtables.lock");
	fd = open_socket(family);
	r = fd < 0 ? fd : -EAGAIN;
	for (int i = 0; i < 100 && r == -EAGAIN; i++) {
		r = read_table(fd, family == AF_INET6, table, prefix, &t);
		done = r ? 0 : edit(&t, arg);
		if (done > 0)
			r = put_table(fd, &t);
		buf_free(&t.entries);
	}
	if (fd >= 0)
		close(fd);
	if (lock >= 0)
		close(lock);
	if (r)
		return explain(r, family, table, err);
	return done == -ENOENT ? err_msg(err, done, "xtables' table %s: our chains are gone", table) : done;
}

bool xt_in_use(int family, const char *table)
{
	char *line = xasprintf("%s\n", table);
	struct buf b = { 0 };
	bool yes = file_read(AT_FDCWD, family == AF_INET6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names", &b, 4096) == 0 &&
		   b.len && strstr(b.p, line);

	buf_free(&b);
	free(line);
	return yes;
}

uint8_t xt_dnat_revision(int family)
{
	bool six = family == AF_INET6;
	struct xt_get_revision want = { .name = "DNAT", .revision = 2 };
	socklen_t n = sizeof want;
	int fd = open_socket(family), request = six ? IP6T_SO_GET_REVISION_TARGET : IPT_SO_GET_REVISION_TARGET;
	bool good = fd >= 0 && getsockopt(fd, level(six), request, &want, &n) == 0;

	if (fd >= 0)
		close(fd);
	return good ? 2 : six;
}

/* Puts N bytes in the place of DROPPED ones at AT. What is told by its offset moves along: a chain that begins at AT begins with what is new, one
 * that ends there ends after it. */
static void exchange(struct xt_table *t, size_t at, size_t dropped, const void *data, size_t n)
{
	unsigned shift = (unsigned)(n - dropped);

	buf_reserve(&t->entries, n);
	memmove(t->entries.p + at + n, t->entries.p + at + dropped, t->entries.len - at - dropped);
	if (n)
		memcpy(t->entries.p + at, data, n);
	t->entries.len += n - dropped;
	for (int i = 0; i < NF_INET_NUMHOOKS; i++) {
		if (t->info.hook_entry[i] > at)
			t->info.hook_entry[i] += shift;
		if (t->info.underflow[i] >= at)
			t->info.underflow[i] += shift;
	}
	for (size_t i = 0; i < t->entries.len; i = after(t, i)) {
		int *jump = xt_jump(entry_at(t, i));

		if (jump && (size_t)*jump > at)
			*jump += (int)shift;
	}
}

static void insert(struct xt_table *t, size_t at, struct xt_rule *r)
{
	exchange(t, at, 0, r->bytes, xt_extent(xt_entry(r))->next);
}

/* Where a chain's rules begin, and its end: its policy, or the return of a user's chain. */
struct span {
	size_t first, last;
};

/* A user's chain ends where the next one's head, or the table's own end, follows. */
static struct span span_after(const struct xt_table *t, size_t head)
{
	struct span s = { after(t, head), after(t, head) };

	while (!xt_head(entry_at(t, after(t, s.last))))
		s.last = after(t, s.last);
	return s;
}

/* The chain of ours that has its head at AT, without the prefix; NULL: something else is there. */
static const char *own_head(const struct xt_table *t, size_t at)
{
	const char *head = xt_head(entry_at(t, at));

	return head && starts_with(head, t->prefix) ? head + strlen(t->prefix) : NULL;
}

static bool find_chain(const struct xt_table *t, const char *name, struct span *out)
{
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
		if (t->info.valid_hooks >> i & 1 && !strcmp(hooks[i], name)) {
			*out = (struct span){ t->info.hook_entry[i], t->info.underflow[i] };
			return true;
		}
	for (size_t at = 0; after(t, at) < t->entries.len; at = after(t, at)) {
		const char *head = own_head(t, at);

		if (head && !strcmp(head, name)) {
			*out = span_after(t, at);
			return true;
		}
	}
	return false;
}

void xt_add_chain(struct xt_table *t, const char *name)
{
	char full[XT_FUNCTION_MAXNAMELEN];
	struct xt_rule r;
	size_t end = 0;

	snprintf(full, sizeof full, "%s%s", t->prefix, name);
	while (after(t, end) < t->entries.len)
		end = after(t, end);
	insert(t, end, xt_return(xt_rule(&r, t->six)));
	insert(t, end, xt_error(xt_rule(&r, t->six), full));
}

int xt_add(struct xt_table *t, const char *chain, int index, struct xt_rule *r, const char *jump)
{
	struct span s, to;
	int n = 0;

	if (!find_chain(t, chain, &s))
		return -ENOENT;
	if (jump) {
		if (!find_chain(t, jump, &to))
			return -ENOENT;
		xt_verdict(r, -1 - (int)to.first);
	}
	for (size_t at = s.first; at < s.last; at = after(t, at))
		n++;
	n = index < 0 ? n + 1 + index : index;
	while (n-- > 0 && s.first < s.last)
		s.first = after(t, s.first);
	insert(t, s.first, r);
	return 0;
}

bool xt_drops(const struct xt_table *t, const char *chain)
{
	struct span s;

	return find_chain(t, chain, &s) && xt_is_drop(entry_at(t, s.last));
}

bool xt_leads(const struct xt_table *t, const char *chain, const char *to)
{
	struct span s, target;

	if (!find_chain(t, chain, &s) || !find_chain(t, to, &target))
		return false;
	for (size_t at = s.first; at < s.last; at = after(t, at)) {
		int *jump = xt_jump(entry_at(t, at));

		if (jump && (size_t)*jump == target.first)
			return true;
	}
	return false;
}

/* The name of the chain whose rules begin at FIRST, or NULL. */
static const char *name_of(const struct xt_table *t, size_t first)
{
	for (size_t at = 0; at < first; at = after(t, at))
		if (after(t, at) == first)
			return xt_head(entry_at(t, at));
	return NULL;
}

int xt_behind(const struct xt_table *t, const char *chain, const char *name)
{
	int n = 0, behind = 0;
	struct span s;

	if (!find_chain(t, chain, &s))
		return 0;
	for (size_t at = s.first; at < s.last; at = after(t, at)) {
		int *jump = xt_jump(entry_at(t, at));
		const char *to = jump ? name_of(t, (size_t)*jump) : NULL;

		n++;
		if (to && starts_with(to, "CTR-") && ends_with(to, name))
			behind = n;
	}
	return behind;
}

int xt_count(const struct xt_table *t, xt_wanted *wanted, const void *arg)
{
	bool ours = false;
	int n = 0;

	for (size_t at = 0; at < t->entries.len; at = after(t, at))
		if (xt_head(entry_at(t, at)))
			ours = own_head(t, at);
		else if (ours)
			n += wanted(entry_at(t, at), arg);
	return n;
}

int xt_remove(struct xt_table *t, xt_wanted *wanted, const void *arg)
{
	bool ours = false;
	int n = 0;

	for (size_t at = 0; at < t->entries.len;) {
		bool head = xt_head(entry_at(t, at));

		if (head)
			ours = own_head(t, at);
		if (head || !ours || !wanted(entry_at(t, at), arg)) {
			at = after(t, at);
			continue;
		}
		exchange(t, at, xt_extent(entry_at(t, at))->next, NULL, 0);
		n++;
	}
	return n;
}

bool xt_has_chains(const struct xt_table *t)
{
	bool any = false;

	for (size_t at = 0; at < t->entries.len && !any; at = after(t, at))
		any = own_head(t, at);
	return any;
}

/* Rules anywhere that lead into the chain that begins at FIRST; everybody's, for the kernel takes no jump to nowhere. */
static void remove_jumps(struct xt_table *t, size_t *head)
{
	for (size_t at = 0; at < t->entries.len;) {
		int *jump = xt_jump(entry_at(t, at));
		size_t n = xt_extent(entry_at(t, at))->next;

		if (!jump || (size_t)*jump != after(t, *head)) {
			at += n;
			continue;
		}
		exchange(t, at, n, NULL, 0);
		if (at < *head)
			*head -= n;
	}
}

bool xt_remove_chains(struct xt_table *t)
{
	bool any = false;

	for (size_t at = 0; after(t, at) < t->entries.len;) {
		size_t chain = at;

		if (!own_head(t, at)) {
			at = after(t, at);
			continue;
		}
		remove_jumps(t, &chain);
		exchange(t, chain, after(t, span_after(t, chain).last) - chain, NULL, 0);
		at = chain;
		any = true;
	}
	return any;
}
