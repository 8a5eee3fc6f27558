#include "base/kernel.h"
#include "ctr/net_admin.h"
#include "ctr/ports.h"
#include "net/network.h"
#include "sys/exec.h"
#include "sys/init.h"
#include "sys/ns.h"
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int networks_publish_again(const struct store *s, const struct record *r, struct err *err)
{
	const struct port *p = r->state.ports.v;
	struct address four, six, none = { 0 };
	struct firewall fw;
	int first = 0;

	if (!r->state.ports.n)
		return 0;
	first = firewall_open(&fw, s->tag, err);
	if (first < 0)
		return first;
	networks_addresses(&r->state, &four, &six);
	for (size_t i = 0; i < 2 * r->state.ports.n; i++) { /* one family after the other: one may be missing alone */
		struct array one = { (void *)(uintptr_t)&p[i / 2], 1 };
		int code = ports_publish(&fw, &one, i & 1 ? &none : &four, i & 1 ? &six : &none, first ? NULL : err);

		if (code < 0 && code != -EADDRINUSE && !first) /* in use: it stands already */
			first = code;
	}
	firewall_close(&fw);
	return first;
}

int networks_inside(int netns, int (*work)(void *arg, struct err *err), void *arg, struct err *err)
{
	struct err told = { 0 };
	int ends[2], status, code;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	pid = fork();
	if (!pid) {
		code = setns(netns, CLONE_NEWNET) < 0 ? err_sys(&told, -errno, "join the network namespace") : work(arg, &told);
		if (code < 0 && write(ends[1], &told, sizeof told) < 0)
			_exit(2);
		_exit(code < 0);
	}
	close(ends[1]);
	if (pid > 0 && read(ends[0], &told, sizeof told) == (ssize_t)sizeof told && err)
		*err = told;
	close(ends[0]);
	if (pid < 0)
		return err_sys(err, -errno, "make a process");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : told.code < 0 ? told.code : -EIO;
}

/* The default routes of an attachment, where there are none yet: of two networks the first leads out, and if it leaves the next. */
static void add_ways_out(struct netlink *nl, const struct attachment *a)
{
	struct address gateways[2] = { address_of(a->gateway), address_of(a->gateway6) };
	struct link l;

	if (a->internal || link_find(nl, a->name, &l, NULL) < 0)
		return;
	for (int i = 0; i < 2; i++) {
		struct buf b = { 0 };

		link_put_default_route(&b, l.index, &gateways[i]);
		if (b.len)
			netlink_talk(nl, &b, "set the default route", NULL, NULL, NULL);
		buf_free(&b);
	}
}

struct joining {
	struct netlink host;
	const struct attachment *a;
};

static int configure_one(void *arg, struct err *err)
{
	struct joining *j = arg;
	const struct attachment *a = j->a;
	struct buf b = { 0 };
	struct netlink nl;
	struct link l = { 0 };
	int r = netlink_open(&nl, NETLINK_ROUTE, err);

	if (!r)
		r = link_find(&nl, a->name, &l, err);
	if (!r) {
		networks_quiet_one(&nl, a);
		networks_put_one(&b, a, l.index, false, false);
		r = netlink_talk(&nl, &b, "configure the interface", NULL, NULL, err);
	}
	if (!r)
		add_ways_out(&nl, a);
	if (!r)
		networks_carry_one(&nl, &j->host, a);
	buf_free(&b);
	netlink_close(&nl);
	return r;
}

struct leaving {
	struct netlink host;
	const struct record *r;
	const struct attachment *a;
};

/* By the host's end, if it has one: the container may have given its own another name, or removed it. */
static int remove_link(struct netlink *inner, struct leaving *from, struct err *err)
{
	int r;

	if (!*from->a->host)
		return link_delete(inner, from->a->name, err);
	r = link_delete(&from->host, from->a->host, err);
	return r == -ENODEV ? 0 : r;
}

static int remove_one(void *arg, struct err *err)
{
	struct leaving *from = arg;
	const struct attachment *a = from->r->state.attachments.v;
	struct netlink nl;
	int r = netlink_open(&nl, NETLINK_ROUTE, err);

	if (!r)
		r = remove_link(&nl, from, err);
	for (size_t i = 0; i < from->r->state.attachments.n && !r; i++)
		if (&a[i] != from->a)
			add_ways_out(&nl, &a[i]);
	netlink_close(&nl);
	return r;
}

static int told_end(int code, struct err *err)
{
	return code == -ENOENT ? err_msg(err, code, "the container ended at this moment (try again)") : code;
}

static int open_netns(const struct record *r, struct err *err)
{
	int fd = ns_open((pid_t)r->state.pid, CLONE_NEWNET);

	return fd >= 0 ? fd : told_end(err_sys(err, fd, "open the container's network namespace"), err);
}

static int plug_in(const struct store *s, const struct record *r, struct attachment *a, struct err *err)
{
	int netns = open_netns(r, err), code;
	struct joining j = { .a = a };

	if (netns < 0)
		return netns;
	code = netlink_open(&j.host, NETLINK_ROUTE, err);
	if (!code) {
		code = networks_connect_one(s, &j.host, r, a, netns, err);
		if (!code)
			code = networks_inside(netns, configure_one, &j, err);
		netlink_close(&j.host);
	}
	close(netns);
	return code;
}

static void drop_attachment(struct record *r, size_t i)
{
	struct attachment *a = r->state.attachments.v;

	fields_free(attachment_fields, &a[i]);
	memmove(&a[i], &a[i + 1], (--r->state.attachments.n - i) * sizeof *a);
}

static int join_running(const struct store *s, struct record *r, const struct net_spec *n, struct err *err)
{
	size_t had = r->state.attachments.n;
	bool first = !r->state.ports.n; /* of its networks: its ports have led nowhere */
	int code = networks_reserve_one(s, r, n, err);
	struct attachment *a = (struct attachment *)r->state.attachments.v + had;

	if (!code && first)
		code = networks_publish(s, r, err);
	if (!code)
		code = plug_in(s, r, a, err);
	if (!code)
		code = told_end(record_write_state(s, r, err), err);
	if (!code) {
		networks_tell_one(s, r, a);
	} else if (r->state.attachments.n > had) {
		if (first) {
			networks_withdraw(s, r);
			fields_free_array(port_fields, sizeof(struct port), &r->state.ports);
		}
		networks_release_one(s, r, a, NULL);
		drop_attachment(r, had);
	}
	return code;
}

static int join(const struct store *s, struct record *r, const struct net_spec *n, struct err *err)
{
	struct network net;
	struct net_spec *to;
	int code = network_get(s, n->network, &net, err);

	if (code < 0)
		return code;
	network_free(&net);
	if (record_running(s, r))
		code = join_running(s, r, n, err);
	if (code < 0)
		return code;
	to = array_add(&r->spec.nets, sizeof *to);
	*to = (struct net_spec){ xstrdup(n->network), xstrdup(n->ip), xstrdup(n->ip6), xstrdup(n->mac) };
	return record_write_spec(r, err);
}

/* Under the lock until its record tells, so that nobody removes the network meanwhile. */
int networks_join(const struct store *s, struct record *r, const struct net_spec *n, struct err *err)
{
	int lock = networks_lock(s, err), code;

	if (lock < 0)
		return lock;
	code = join(s, r, n, err);
	close(lock);
	return code;
}

static bool leads_to(const struct address *to, const char *ip)
{
	struct address a = address_of(ip);

	return a.family && address_equal(&a, to);
}

/* Drops the attachment. Ports that lead to its address, which will be somebody else's, lead to the next network then, or nowhere. */
static int move_away(const struct store *s, struct record *r, size_t i, struct err *err)
{
	const struct attachment *a = (struct attachment *)r->state.attachments.v + i;
	struct address four, six;
	bool moved;

	networks_addresses(&r->state, &four, &six);
	moved = leads_to(&four, a->ip) || leads_to(&six, a->ip6);
	if (moved)
		networks_withdraw(s, r);
	drop_attachment(r, i);
	networks_addresses(&r->state, &four, &six);
	if (!four.family && !six.family)
		fields_free_array(port_fields, sizeof(struct port), &r->state.ports);
	return moved ? networks_publish(s, r, err) : 0;
}

static int leave_running(const struct store *s, struct record *r, size_t i, struct err *err)
{
	struct attachment *a = (struct attachment *)r->state.attachments.v + i;
	struct leaving from = { .r = r, .a = a };
	int netns = open_netns(r, err), lock, code, written;

	if (netns < 0)
		return netns;
	code = netlink_open(&from.host, NETLINK_ROUTE, err);
	if (!code) {
		code = networks_inside(netns, remove_one, &from, err);
		netlink_close(&from.host);
	}
	close(netns);
	lock = code ? code : networks_lock(s, err);
	if (lock < 0)
		return lock;
	networks_forget_one(s, r->id, a->network, true);
	code = networks_release_one(s, r, a, err);
	if (code < 0) { /* it has it until it ends */
		close(lock);
		return code;
	}
	code = move_away(s, r, i, err);
	written = told_end(record_write_state(s, r, code ? NULL : err), code ? NULL : err);
	close(lock);
	return code ? code : written;
}

int networks_leave(const struct store *s, struct record *r, const char *network, struct err *err)
{
	const struct attachment *a = r->state.attachments.v;
	struct net_spec *n = r->spec.nets.v;
	int code = 0;

	for (size_t i = 0; i < r->state.attachments.n && record_running(s, r); i++)
		if (!strcmp(a[i].network, network)) {
			code = leave_running(s, r, i, err);
			break;
		}
	for (size_t i = 0; i < r->spec.nets.n && !code; i++)
		if (!strcmp(n[i].network, network)) {
			memmove(&n[i], &n[i + 1], (--r->spec.nets.n - i) * sizeof *n);
			return record_write_spec(r, err);
		}
	return code;
}

/* The command's side: waits until the parent has connected it. */
static void guest_main(const struct record *r, struct netlink *host, int go, char **cmd)
{
	struct err err = { 0 };
	ssize_t n;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((n = read(go, &c, 1)) < 0 && errno == EINTR)
		;
	if (n != 1)
		_exit(125);
	networks_settle();
	if (networks_configure(&r->state, host, &err) == 0)
		exec_command(cmd, environ, &err);
	dprintf(STDERR_FILENO, "ctr-net run: %s\n", err.text);
	_exit(err.exit ? err.exit : 125);
}

static pid_t clone_guest(void)
{
	struct clone_args args = { .flags = CLONE_NEWNET, .exit_signal = SIGCHLD };

	return sys_clone3(&args);
}

int net_run(const struct store *s, const char *network, char **cmd, struct err *err)
{
	struct net_spec want = { .network = (char *)network };
	struct record r = { .dir = -1, .run = -1 };
	struct netlink host = { .fd = -1 };
	int go[2], netns, lock, code;
	sigset_t old;
	pid_t pid;

	snprintf(r.id, sizeof r.id, "p%011d", (int)getpid()); /* what its lease names: a process, no container */
	r.spec.name = xstrdup(r.id);
	lock = networks_lock(s, err);
	if (lock < 0)
		return lock;
	code = networks_reserve_one(s, &r, &want, err);
	if (!code)
		networks_tell_one(s, &r, r.state.attachments.v);
	close(lock);
	if (!code)
		code = networks_open(&r.state, &host, err);
	if (!code && pipe2(go, O_CLOEXEC) < 0)
		code = err_sys(err, -errno, "make a pipe");
	if (code < 0) {
		netlink_close(&host);
		networks_release(s, &r, NULL);
		return code;
	}
	init_block(&old);
	pid = clone_guest();
	if (!pid) {
		init_unblock(&old);
		close(go[1]);
		guest_main(&r, &host, go[0], cmd);
	}
	netns = pid < 0 ? pid : ns_open(pid, CLONE_NEWNET);
	code = netns < 0 ? err_sys(err, netns, "make a network namespace") : networks_connect(s, &r, &host, netns, err);
	if (!code && write(go[1], "g", 1) != 1)
		code = err_sys(err, -errno, "start the command");
	close(go[1]);
	netlink_close(&host);
	if (pid > 0) {
		int exited = init_loop(pid);

		code = code ? code : exited;
	}
	if (netns >= 0)
		close(netns);
	networks_release(s, &r, NULL);
	return code;
}
