#include "ctr/reap.h"
#include "base/clock.h"
#include "base/kernel.h"
#include "ctr/volume.h"
#include "sys/proc.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Names are global to the host and told by the record alone, so that a crash before they were noted is covered too. */
static char *cgroup_of(const struct store *s, const struct record *r)
{
	if (r->state.cgroup)
		return xstrdup(r->state.cgroup);
	return xasprintf("%s%s/%s", r->spec.cgroup_parent ? "" : "/ctrbox-", r->spec.cgroup_parent ? r->spec.cgroup_parent : s->tag, r->id);
}

static int end_group(const struct store *s, struct record *r, struct err *err)
{
	const struct cgroup_host *host = store_cgroups(s);
	char *path = cgroup_of(s, r);
	int code = 0;

	if (cgroup_exists(host, path)) {
		code = cgroup_kill(host, path, 10000);
		if (code < 0)
			err_sys(err, code, "kill the processes in cgroup %s", path);
		else
			code = cgroup_remove(host, path, err);
	}
	free(path);
	return code;
}

static void note_exit(struct record *r, int exit_code)
{
	struct last *l = &r->last;

	if (exit_code < 0 && l->finished && l->finished >= r->state.started)
		return; /* its supervisor had noted it */
	l->exit_code = exit_code < 0 ? 137 : exit_code;
	l->started = r->state.started;
	l->finished = clock_wall_ns() / 1000000000;
	if (l->finished < l->started || !l->finished)
		l->finished = l->started + 1; /* a clock that was set back */
	if (exit_code < 0) {
		free(l->error);
		l->error = xstrdup("supervisor lost");
	}
}

int reap(const struct store *s, struct record *r, int exit_code, struct err *err)
{
	int first = end_group(s, r, err), code;

	if (r->state.pid || exit_code >= 0) {
		note_exit(r, exit_code);
		code = r->spec.auto_remove ? 0 : record_write_last(r, first ? NULL : err);
		first = first ? first : code;
	}
	record_forget_state(s, r);
	return first;
}

int reap_remains(const struct store *s, struct record *r, struct err *err)
{
	const struct state *st = &r->state;
	int pidfd;

	if (!st->supervisor)
		return 0;
	if (st->boot_id && !strcmp(st->boot_id, clock_boot_id())) {
		if (proc_alive((pid_t)st->supervisor, (uint64_t)st->supervisor_start))
			return err_msg(err, -EBUSY, "container is running");
		pidfd = record_pidfd(r); /* with a pid namespace of the host's and no cgroup this is all there is */
		if (pidfd >= 0) {
			sys_pidfd_send_signal(pidfd, SIGKILL);
			close(pidfd);
		}
	}
	return reap(s, r, -1, err);
}

static void wait_pidfd(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	while (poll(&p, 1, timeout_ms) < 0 && errno == EINTR)
		;
}

void kill_now(const struct store *s, struct record *r)
{
	int supervisor = r->state.supervisor ? proc_open((pid_t)r->state.supervisor, (uint64_t)r->state.supervisor_start) : -1;
	int pid = record_pidfd(r);

	if (pid >= 0)
		sys_pidfd_send_signal(pid, SIGKILL);
	if (r->state.cgroup)
		cgroup_kill(store_cgroups(s), r->state.cgroup, 5000); /* a frozen one is thawed */
	if (supervisor >= 0 && r->state.restarting)
		sys_pidfd_send_signal(supervisor, SIGTERM);
	if (supervisor >= 0) {
		struct pollfd p = { supervisor, POLLIN, 0 };

		wait_pidfd(supervisor, 5000);
		if (poll(&p, 1, 0) == 0) {
			sys_pidfd_send_signal(supervisor, SIGKILL);
			wait_pidfd(supervisor, 5000);
		}
		close(supervisor);
	}
	if (pid >= 0) {
		wait_pidfd(pid, 5000);
		close(pid);
	}
}

int container_remove(const struct store *s, struct record *r, bool volumes, struct err *err)
{
	int code = reap(s, r, -1, err);

	for (size_t i = 0; volumes && i < r->spec.volumes.n; i++)
		volume_remove(s, r->spec.volumes.v[i], NULL);
	return code < 0 ? code : record_remove(s, r, err);
}
