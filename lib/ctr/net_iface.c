#include "ctr/net_iface.h"
#include "ctr/networking.h"
#include "net/link.h"
#include "sys/ns.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

bool iface_is(const char *network)
{
	return starts_with(network, "iface:");
}

bool iface_attached(const struct attachment *a)
{
	return a->driver && !strcmp(a->driver, "iface");
}

/* What the kernel takes as an interface's name: dev_valid_name(). */
static bool copy_name(const char *s, size_t n, char out[IFNAME_MAX + 1])
{
	if (!n || n > IFNAME_MAX)
		return false;
	memcpy(out, s, n);
	out[n] = 0;
	return strcmp(out, ".") && strcmp(out, "..") && strcmp(out, "lo") && strcspn(out, "/: \t\n") == n;
}

static int split(const char *network, char device[IFNAME_MAX + 1], char name[IFNAME_MAX + 1], struct err *err)
{
	const char *s = network + strlen("iface:"), *colon = strchrnul(s, ':');
	size_t n = (size_t)(colon - s);

	if (!copy_name(s, n, device) || !(*colon ? copy_name(colon + 1, strlen(colon + 1), name) : copy_name(s, n, name)))
		return err_msg(err, -EINVAL, "--net %s: not iface:DEV[:NAME]", network);
	return 0;
}

int iface_check(const char *network, struct err *err)
{
	char device[IFNAME_MAX + 1], name[IFNAME_MAX + 1];

	return split(network, device, name, err);
}

int iface_reserve(struct record *r, const char *network, struct err *err)
{
	const struct attachment *had = r->state.attachments.v;
	char device[IFNAME_MAX + 1], name[IFNAME_MAX + 1];
	struct attachment *a;
	struct netlink nl;
	struct link l;
	int code = split(network, device, name, err);

	for (size_t i = 0; i < r->state.attachments.n && !code; i++)
		if (!strcmp(had[i].name, name))
			code = err_msg(err, -EEXIST, "--net %s: %s is called %s inside already", network, had[i].network, name);
	if (!code)
		code = netlink_open(&nl, NETLINK_ROUTE, err);
	if (code < 0)
		return code;
	code = link_find(&nl, device, &l, err);
	netlink_close(&nl);
	if (code < 0)
		return err_prefix(err, "--net %s", network);
	a = array_add(&r->state.attachments, sizeof *a);
	*a = (struct attachment){ .network = xstrdup(network), .driver = xstrdup("iface"), .device = xstrdup(device), .host = xstrdup(""),
				  .name = xstrdup(name) };
	a->mac = xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", l.mac[0], l.mac[1], l.mac[2], l.mac[3], l.mac[4], l.mac[5]);
	return 0;
}

static char *keeper(const struct store *s, const struct record *r)
{
	return xasprintf("%s/containers/%s/netns", s->run_path, r->id);
}

static int keep(const struct store *s, const struct record *r, int netns, struct err *err)
{
	char *path = keeper(s, r), from[32];
	int fd = openat(r->run, "netns", O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400), code = 0;

	if (fd < 0 && errno == EEXIST) { /* by the interface before */
		free(path);
		return 0;
	}
	snprintf(from, sizeof from, "/proc/self/fd/%d", netns);
	if (fd < 0 || mount(from, path, NULL, MS_BIND, NULL) < 0)
		code = err_sys(err, -errno, "keep the network namespace by %s", path);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && code)
		unlinkat(r->run, "netns", 0);
	free(path);
	return code;
}

int iface_connect(const struct store *s, struct netlink *nl, const struct record *r, const struct attachment *a, int netns, struct err *err)
{
	struct link l;
	int code = keep(s, r, netns, err);

	if (!code)
		code = link_find(nl, a->device, &l, err);
	return code ? code : link_move(nl, l.index, netns, a->name, err);
}

struct way_back {
	const struct attachment *a;
	int home;              /* the host's network namespace */
	struct link found;
};

static bool has_mac(const struct link *l, const char *mac)
{
	char text[18];

	snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1], l->mac[2], l->mac[3], l->mac[4], l->mac[5]);
	return !strcmp(text, mac);
}

/* The container may have renamed it. */
static int match(void *arg, const struct link *l)
{
	struct way_back *w = arg;

	if (strcmp(l->name, w->a->name) && (w->found.index || !has_mac(l, w->a->mac)))
		return 0;
	w->found = *l;
	return 0;
}

/* In the container's network namespace. */
static int come_back(void *arg, struct err *err)
{
	struct way_back *w = arg;
	char other[IFNAME_MAX + 1];
	struct netlink nl;
	int r = netlink_open(&nl, NETLINK_ROUTE, err);

	if (!r)
		r = link_each(&nl, match, w, err);
	if (!r && !w->found.index)
		r = err_msg(err, -ENODEV, "is lost: the container has it no more");
	if (!r) {
		r = link_move(&nl, w->found.index, w->home, w->a->device, err);
		snprintf(other, sizeof other, "ctr%d", w->found.index);
		if (r == -EEXIST && (r = link_move(&nl, w->found.index, w->home, other, err)) == 0)
			r = err_msg(err, -EEXIST, "came back as %s: the host has another of that name", other);
	}
	netlink_close(&nl);
	return r;
}

/* Whether it never left. */
static bool is_home(const struct attachment *a)
{
	struct netlink nl;
	struct link l;
	bool home;

	if (netlink_open(&nl, NETLINK_ROUTE, NULL) < 0)
		return false;
	home = link_find(&nl, a->device, &l, NULL) == 0 && has_mac(&l, a->mac);
	netlink_close(&nl);
	return home;
}

static int return_all(struct record *r, int netns, struct err *err)
{
	const struct attachment *a = r->state.attachments.v;
	int home = ns_open(0, CLONE_NEWNET), code = 0;

	if (home < 0)
		return err_sys(err, home, "open the host's network namespace");
	for (size_t i = 0; i < r->state.attachments.n && !code; i++) {
		struct way_back w = { .a = &a[i], .home = home };
		struct err why = { 0 };
		int back = iface_attached(&a[i]) ? networks_inside(netns, come_back, &w, &why) : 0;

		if (!back || is_home(&a[i]))
			continue;
		if (back != -ENODEV && back != -EEXIST) { /* it is still there: the end of its namespace would be its own */
			code = err_msg(err, back, "interface %s: %s", a[i].device, why.text);
		} else {
			free(r->last.error);
			r->last.error = xasprintf("interface %s: %s", a[i].device, why.text);
		}
	}
	close(home);
	return code;
}

/* Lets the namespace go that holds them no more. */
static int unkeep(const struct record *r, const char *path, struct err *err)
{
	int code = ns_unkeep(path);

	if (code == -EINVAL) /* it is only a file */
		code = unlinkat(r->run, "netns", 0) < 0 ? -errno : 0;
	return code < 0 ? err_sys(err, code, "let %s go", path) : 0;
}

int ifaces_return(const struct store *s, struct record *r, struct err *err)
{
	char *path = keeper(s, r);
	int netns = open(path, O_RDONLY | O_CLOEXEC), code = netns < 0 ? -errno : 0;

	if (netns >= 0) {
		code = ns_is_kept(path) ? return_all(r, netns, err) : 0; /* a crash came before the mount, or after its end */
		close(netns);
		if (!code)
			code = unkeep(r, path, err);
	} else if (code == -ENOENT || code == -ENOTDIR) { /* none has moved */
		code = 0;
	} else {
		err_sys(err, code, "open %s", path);
	}
	free(path);
	return code;
}
