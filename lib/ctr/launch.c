#include "ctr/launch.h"
#include "base/kernel.h"
#include "base/say.h"
#include "ctr/child.h"
#include "ctr/mounts.h"
#include "ctr/networking.h"
#include "ctr/outside.h"
#include "ctr/rootfs.h"
#include "ctr/sync.h"
#include "sys/caps.h"
#include "sys/idmap.h"
#include "sys/ns.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static uint64_t namespaces(const struct spec *s)
{
	return CLONE_NEWNS | (ns_is_private(s->pid) ? CLONE_NEWPID : 0) | (ns_is_private(s->ipc) ? CLONE_NEWIPC : 0) |
	       (ns_is_private(s->uts) ? CLONE_NEWUTS : 0) | (ns_is_private(s->net) ? CLONE_NEWNET : 0) |
	       (s->idmaps.n && !ns_container(s->userns) ? CLONE_NEWUSER : 0);
}

static int clone_child(struct child *c, int *pidfd, struct err *err)
{
	struct clone_args args = {
		.flags = namespaces(&c->in->record->spec) | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};
	int r;

	if (c->cgroup->into_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)c->cgroup->into_fd;
	}
	r = others_clone(&c->others, &args, err);
	c->into = args.flags & CLONE_INTO_CGROUP;
	return r;
}

/* Opens, with the host's rights, the trees that the mapped root may not open: the root first, then one a mount operation. */
static int open_trees(const struct launch *in, int userns, int *fds, int *n, struct err *err)
{
	const struct spec *s = &in->record->spec;
	const struct mount_spec *m = s->mounts.v;
	int fd = rootfs_open(in->store, s, userns, err);

	if (fd < 0)
		return fd;
	fds[(*n)++] = fd;
	for (size_t i = 0; i < s->mounts.n; i++) {
		if (!mount_needs_tree(&m[i]))
			continue;
		if (*n == SYNC_FDS)
			return err_msg(err, -E2BIG, "more than %d mounts in a user namespace", SYNC_FDS - 1);
		fd = strcmp(m[i].type, "file") ? tree_open(in->store, &m[i], userns, err)
					       : file_open(in->record->run, m[i].source, userns, err);
		if (fd < 0)
			return fd;
		fds[(*n)++] = fd;
	}
	return 0;
}

static int map_user_namespace(const struct launch *in, const struct launched *l, struct err *err)
{
	struct idmaps maps;
	int fds[SYNC_FDS], n = 0, userns, r;

	if (!in->record->spec.idmaps.n)
		return 0;
	r = spec_idmaps(&in->record->spec, &maps, err);
	if (!r && !ns_container(in->record->spec.userns))
		r = idmap_write(l->pid, &maps, &maps, false, err);
	if (r < 0)
		return r;
	userns = ns_open(l->pid, CLONE_NEWUSER);
	if (userns < 0)
		return err_sys(err, userns, "open the user namespace");
	r = open_trees(in, userns, fds, &n, err);
	if (!r && (r = sync_send(l->sync, SYNC_MAPPED, NULL, fds, n)) < 0)
		err_sys(err, r, "tell the container's first process its ids");
	while (n)
		close(fds[--n]);
	close(userns);
	return r;
}

static int make_child(const struct launch *in, const struct cgroup *g, struct netlink *net, int sync[2], struct launched *out,
		      struct err *err)
{
	struct child c = { in, g, false, sync[1], { .user = -1 }, in->record->spec.idmaps.n > 0, net, -1 };
	int r = others_open(in->store, &in->record->spec, &c.others, err);

	if (!r && !c.userns) /* else open_trees does */
		r = rootfs_image(&in->record->spec, &c.image, err);
	if (!r) {
		say_step("clone into new namespaces");
		r = clone_child(&c, &out->pidfd, err);
		if (!r) {
			close(sync[0]);
			child_main(&c);
		}
	}
	others_close(&c.others);
	if (c.image >= 0)
		close(c.image);
	out->pid = r;
	return r < 0 ? r : 0;
}

static int its_failure(const struct sync_message *m, struct err *err)
{
	*err = m->err;
	return err->code < 0 ? err->code : -EPROTO;
}

/* Of R, what failed here, the reason: what the child told if it had failed before. */
static int reason(const struct launched *l, int r, struct err *err)
{
	struct pollfd p = { l->sync, POLLIN, 0 };
	struct sync_message m;

	if (poll(&p, 1, 0) <= 0 || sync_receive(l->sync, &m) < 0)
		return r;
	while (m.nfds)
		close(m.fds[--m.nfds]);
	return m.kind == SYNC_FAILED ? its_failure(&m, err) : r;
}

/* The next word from the child, which must be WANTED. */
static int expect(const struct launched *l, enum sync_kind wanted, struct sync_message *m, struct err *err)
{
	int r = sync_receive(l->sync, m);

	if (r < 0)
		return err_sys(err, r, "hear from the container's first process");
	if (m->kind == wanted)
		return 0;
	if (m->kind == SYNC_FAILED)
		return its_failure(m, err);
	return err_msg(err, -ESRCH, "the container's first process died while it was being set up");
}

static int connect_outside(const struct launch *in, const struct launched *l, struct err *err)
{
	struct sync_message m;
	int r = expect(l, SYNC_NETNS, &m, err);

	if (r < 0)
		return r;
	r = m.nfds == 1 ? outside_connect(in->store, in->record, m.fds[0], err) : err_msg(err, -EPROTO, "no network namespace came");
	while (m.nfds)
		close(m.fds[--m.nfds]);
	return r;
}

/* What the host does for the container's network namespace, while the child mounts. */
static int connect_networks(const struct launch *in, const struct launched *l, struct netlink *net, struct err *err)
{
	int netns, r;

	if (in->record->spec.outside)
		return connect_outside(in, l, err);
	if (!in->record->state.attachments.n)
		return 0;
	netns = ns_open(l->pid, CLONE_NEWNET);
	if (netns < 0)
		return err_sys(err, netns, "open the container's network namespace");
	say_step("connect its networks");
	r = networks_connect(in->store, in->record, net, netns, err);
	close(netns);
	return r;
}

/* Without device rules in force, who may make nodes may read every disk. In a user namespace no node works anyway. */
static int check_devices(const struct launch *in, const struct cgroup *g, struct err *err)
{
	const struct spec *spec = &in->record->spec;
	uint64_t mknod;

	if (g->devices || spec->privileged || spec->idmaps.n || !ns_user_first())
		return 0;
	caps_parse("MKNOD", &mknod, NULL);
	if (!((uint64_t)in->process->caps & mknod))
		return 0;
	err_msg(err, -ENOTSUP, "capability MKNOD without device rules, which no cgroup hierarchy here enforces");
	return err_hint(err, "--cap-drop MKNOD, or --privileged");
}

static int make_group(const struct launch *in, struct cgroup *g, struct err *err)
{
	const struct cgroup_host *host = store_cgroups(in->store);
	struct cgroup_limits limits = in->record->spec.limits;
	struct array rules = { 0 };
	int r = spec_device_rules(&in->record->spec, &rules, err);

	if (rules.n)
		limits.devices = &rules;
	say_step("make the cgroup %s", in->record->state.cgroup);
	if (!r)
		r = cgroup_make(host, in->record->state.cgroup, &limits, g, err);
	free(rules.v);
	if (r < 0)
		return r;
	r = check_devices(in, g, err);
	if (r < 0) {
		cgroup_close(g);
		cgroup_end(host, in->record->state.cgroup, 5000, NULL);
	}
	return r;
}

static void let_go(struct launched *l)
{
	if (l->hold >= 0)
		close(l->hold);
	l->hold = -1;
}

int launch(const struct launch *in, struct launched *out, struct err *err)
{
	const struct cgroup_host *host = store_cgroups(in->store);
	struct cgroup g = { .into_fd = -1 };
	struct netlink net;
	int sync[2], r;

	*out = (struct launched){ .pidfd = -1, .sync = -1, .tty = -1, .hold = -1 };
	if (in->process->tty)
		out->window = in->window;
	r = sys_pidfd_open(-1); /* without it nothing but the starting would work */
	if (r != -EINVAL)
		return err_sys(err, r, "start it");
	out->hold = store_group_hold(in->store);
	r = make_group(in, &g, err);
	if (r < 0) {
		let_go(out);
		return r;
	}
	r = networks_open(&in->record->state, &net, err);
	if (!r && (r = sync_pair(sync)) < 0)
		err_sys(err, r, "make a socket pair");
	if (!r) {
		r = make_child(in, &g, &net, sync, out, err);
		close(sync[1]);
		out->sync = sync[0];
	}
	if (!r) {
		r = map_user_namespace(in, out, err);
		if (!r)
			r = connect_networks(in, out, &net, err);
		if (r < 0) {
			r = reason(out, r, err);
			launch_abort(out);
		}
	} else if (out->sync >= 0) {
		close(out->sync);
		out->sync = -1;
	}
	netlink_close(&net);
	cgroup_close(&g);
	if (r < 0) {
		cgroup_end(host, in->record->state.cgroup, 5000, NULL);
		let_go(out);
	}
	return r;
}

void launch_abort(struct launched *l)
{
	if (l->pidfd < 0)
		return;
	sys_pidfd_send_signal(l->pidfd, SIGKILL);
	waitpid(l->pid, NULL, __WALL);
	if (l->sync >= 0)
		close(l->sync);
	if (l->tty >= 0)
		close(l->tty);
	let_go(l);
	close(l->pidfd);
	*l = (struct launched){ .pidfd = -1, .sync = -1, .tty = -1, .hold = -1 };
}

/* Who failed meanwhile has told why: that is still to be read. */
static int let_exec(struct launched *l, struct err *err)
{
	int r = sync_send(l->sync, SYNC_GO, NULL, NULL, 0);

	return r == 0 || r == -EPIPE || r == -ECONNRESET ? 0 : err_sys(err, r, "let the command start");
}

int launch_go(struct launched *l, struct err *err)
{
	struct sync_message m;
	bool sized = l->window.ws_row || l->window.ws_col; /* then it must not run before its terminal has its size */
	int r;

	say_step("let the command start");
	r = sized ? 0 : let_exec(l, err); /* before it asks, so that it needn't wait */
	if (!r)
		r = expect(l, SYNC_READY, &m, err);
	if (!r) {
		l->pivot_fallback = m.err.code != 0;
		l->tty = m.nfds ? m.fds[0] : -1;
		if (l->tty >= 0)
			ioctl(l->tty, TIOCSWINSZ, &l->window);
		r = sized ? let_exec(l, err) : 0;
		if (!r)
			r = expect(l, SYNC_CLOSED, &m, err);
	}
	if (r < 0) {
		launch_abort(l);
		return r;
	}
	close(l->sync);
	l->sync = -1;
	let_go(l);
	return 0;
}
