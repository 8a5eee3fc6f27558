#include "ctr/enter.h"
#include "base/kernel.h"
#include "base/say.h"
#include "ctr/process.h"
#include "ctr/rootless.h"
#include "ctr/sync.h"
#include "sys/idmap.h"
#include "sys/init.h"
#include "sys/ns.h"
#include "sys/pty.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* What the child needs of the parent. */
struct guest {
	const struct enter *e;
	const struct cgroup *cgroup;
	int cgroupns;            /* -1: none of its own */
	int sync;
	bool userns;
	bool into;               /* it was born in the group */
};

/* All namespaces by one setns(2) of a pidfd but the cgroup one: after joining that, a clone into the group is ENOENT under
 * nsdelegate. Those it shares with us are left out, because joining one's own user namespace is refused. */
static int join(const struct record *rec, int pidfd, struct err *err)
{
	const struct spec *s = &rec->spec;
	int flags = CLONE_NEWNS | (s->idmaps.n ? CLONE_NEWUSER : 0) | (ns_is_host(s->pid) ? 0 : CLONE_NEWPID) |
		    (ns_is_host(s->ipc) ? 0 : CLONE_NEWIPC) | (ns_is_host(s->uts) ? 0 : CLONE_NEWUTS) |
		    (ns_is_host(s->net) ? 0 : CLONE_NEWNET);
	int r;

	say_step("join the container's namespaces");
	r = ns_join_fd(pidfd, flags);
	return r < 0 ? err_sys(err, r, "join the container's namespaces") : 0;
}

static void report(int sync, struct err *err)
{
	if (!err->exit)
		err->exit = 125;
	sync_send(sync, SYNC_FAILED, err, NULL, 0);
	_exit(err->exit);
}

static void guest_main(struct guest *g)
{
	const struct process *p = g->e->process;
	struct become b = { p, g->e->outlives ? -1 : g->sync, { g->e->stdio[0], g->e->stdio[1], g->e->stdio[2] }, NULL, NULL };
	struct err err = { 0 };
	int master = -1, tty;

	/* first, while it still is the host's root, whose files these are */
	if (cgroup_enter(g->cgroup, g->into, &err) < 0 || process_attributes(p, &err) < 0)
		report(g->sync, &err);
	if (g->userns && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)) {
		err_sys(&err, -errno, "become root of the user namespace");
		report(g->sync, &err);
	}
	if (g->cgroupns >= 0 && setns(g->cgroupns, CLONE_NEWCGROUP) < 0) {
		err_sys(&err, -errno, "join the container's cgroup namespace");
		report(g->sync, &err);
	}
	if (p->tty) {
		tty = pty_open(&master, &err);
		if (tty < 0)
			report(g->sync, &err);
		tty_copy_size(STDIN_FILENO, tty); /* still ctr-exec's */
		b.stdio[0] = b.stdio[1] = b.stdio[2] = tty;
	}
	sync_send(g->sync, SYNC_READY, NULL, &master, master >= 0);
	process_become(&b, &err);
	report(g->sync, &err);
}

static pid_t clone_guest(struct guest *g, int *pidfd)
{
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = SIGCHLD };
	pid_t pid;
	int fd;

	if (g->cgroup->into_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)g->cgroup->into_fd;
	}
	pid = sys_clone3(&args);
	if (pid == -EBUSY && (fd = openat(g->cgroup->into_fd, CGROUP_INIT, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) >= 0) {
		args.cgroup = (uint64_t)fd; /* containers run in this one */
		pid = sys_clone3(&args);
		close(fd);
	}
	g->into = args.flags & CLONE_INTO_CGROUP;
	return pid;
}

static int hear(int sync, struct entered *out, struct err *err)
{
	struct sync_message m;
	int r = sync_receive(sync, &m);

	if (!r && m.kind == SYNC_READY) {
		out->tty = m.nfds ? m.fds[0] : -1;
		r = sync_receive(sync, &m);
		if (!r && m.kind == SYNC_CLOSED)
			return 0;
	}
	if (!r && m.kind == SYNC_FAILED) {
		*err = m.err;
		return err->code < 0 ? err->code : -EPROTO;
	}
	return err_msg(err, r < 0 ? r : -ESRCH, "the container ended while the command was being started");
}

static int start_guest(struct guest *g, const char *lacking, struct entered *out, struct err *err)
{
	int sync[2], r = sync_pair(sync);
	pid_t pid;

	if (r < 0)
		return err_sys(err, r, "make a socket pair");
	pid = clone_guest(g, &out->pidfd);
	if (!pid) {
		close(sync[0]);
		g->sync = sync[1];
		guest_main(g);
	}
	close(sync[1]);
	if (pid < 0) {
		close(sync[0]);
		err_sys(err, pid, "clone into the container");
		/* a way between groups needs a right over what they have in common */
		return pid == -EACCES && lacking ? err_hint(err, lacking) : pid;
	}
	out->pid = pid;
	r = hear(sync[0], out, err);
	close(sync[0]);
	if (r < 0) {
		sys_pidfd_send_signal(out->pidfd, SIGKILL);
		waitpid(pid, NULL, __WALL);
		close(out->pidfd);
		if (out->tty >= 0)
			close(out->tty);
	}
	return r;
}

static int not_running(const struct record *r, enum status status, struct err *err)
{
	err->exit = 125;
	if (status == PAUSED)
		return err_msg(err, -EBUSY, "container is paused (see ctr-unpause)");
	return err_msg(err, -ESRCH, "container isn't running (it is %s)", r->garbled ? "dead" : status_name(status));
}

static bool has_ended(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}

int enter(const struct enter *e, struct entered *out, struct err *err)
{
	const struct record *rec = e->record;
	enum status status = record_status(e->store, rec);
	struct cgroup g = { .into_fd = -1 };
	struct guest guest = { e, &g, -1, -1, rec->spec.idmaps.n > 0, false };
	int pidfd, r;
	pid_t pid;

	*out = (struct entered){ .pidfd = -1, .tty = -1 };
	if (status != RUNNING)
		return not_running(rec, status, err);
	pidfd = record_way_in(rec, &pid);
	if (pidfd < 0)
		return pidfd == -ESRCH ? not_running(rec, EXITED, err) : err_sys(err, pidfd, "open the container's first process");
	if (e->store->rootless)
		rootless_let_go(e->store->run);
	prctl(PR_SET_DUMPABLE, 0); /* CVE-2016-9962: what is inside must not look into who joins */
	r = cgroup_open(store_cgroups(e->store), rec->state.cgroup, &g, err);
	if (!r && ns_is_private(rec->spec.cgroupns)) {
		guest.cgroupns = ns_open(pid, CLONE_NEWCGROUP);
		if (guest.cgroupns == -ENOENT) /* a kernel without them */
			guest.cgroupns = -1;
		else if (guest.cgroupns < 0)
			r = err_sys(err, guest.cgroupns, "open the container's cgroup namespace");
	}
	if (!r)
		r = join(rec, pidfd, err);
	if (!r)
		r = start_guest(&guest, store_cgroups(e->store)->lacking, out, err);
	if (r == -ESRCH || (r < 0 && err->exit <= 125 && has_ended(pidfd))) /* whatever failed then */
		r = not_running(rec, EXITED, err);
	if (guest.cgroupns >= 0)
		close(guest.cgroupns);
	cgroup_close(&g);
	close(pidfd);
	return r;
}

int enter_and_wait(const struct enter *e, struct err *err)
{
	struct entered in;
	int r = enter(e, &in, err);

	if (r < 0)
		return r;
	close(in.pidfd);
	return child_wait(in.pid);
}
