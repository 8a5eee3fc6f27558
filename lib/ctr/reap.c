#include "ctr/reap.h"
#include "base/clock.h"
#include "base/kernel.h"
#include "ctr/networking.h"
#include "ctr/volume.h"
#include "sys/proc.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static bool has_group(const struct store *s, const struct record *r)
{
	char *path = record_cgroup(s, r);
	bool yes = cgroup_exists(store_cgroups(s), path);

	free(path);
	return yes;
}

static int end_group(const struct store *s, struct record *r, struct err *err)
{
	const struct cgroup_host *host = store_cgroups(s);
	char *path = record_cgroup(s, r);
	int code = cgroup_end(host, path, 10000, err);

	free(path);
	return code;
}

static void note_exit(struct record *r, int exit_code)
{
	struct last *l = &r->last;

	if (record_stopped_by_user(r))
		l->stopped_by_user = true;
	if (exit_code < 0 && l->finished && l->finished >= r->state.started)
		return; /* its supervisor had noted it */
	l->exit_code = exit_code < 0 ? 137 : exit_code;
	if (r->state.started)
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
	int first = end_group(s, r, err), released, code;
	bool ran;

	store_group_leave(s);
	ran = r->state.pid || exit_code >= 0;
	if (ran)
		note_exit(r, exit_code);
	released = networks_release(s, r, first ? NULL : err); /* may have to tell of an interface that is lost */
	first = first ? first : released;
	if (ran) {
		code = r->spec.auto_remove ? 0 : record_write_last(r, true, first ? NULL : err);
		first = first ? first : code;
	}
	if (!released) /* by it the rest can be found */
		record_forget_state(s, r);
	return first;
}

bool reap_due(const struct store *s, const struct record *r)
{
	return r->run >= 0 || has_group(s, r);
}

int reap_remains(const struct store *s, struct record *r, struct err *err)
{
	int fd = record_supervisor(s, r);

	if (fd >= 0) {
		close(fd);
		return err_msg(err, -EBUSY, "is running");
	}
	if (fd != -ESRCH)
		return err_sys(err, fd, "look for its supervisor");
	if (!reap_due(s, r))
		return 0;
	fd = record_pidfd(r); /* with a pid namespace of the host's and no cgroup this is all there is */
	if (fd >= 0) {
		sys_pidfd_send_signal(fd, SIGKILL);
		close(fd);
	}
	return reap(s, r, -1, err);
}

/* Whether it has ended within TIMEOUT_MS. */
static bool wait_pidfd(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int r;

	while ((r = poll(&p, 1, timeout_ms)) < 0 && errno == EINTR)
		;
	return r > 0;
}

void kill_now(const struct store *s, struct record *r)
{
	int supervisor = record_supervisor(s, r), pid = record_pidfd(r);
	char *path = record_cgroup(s, r);

	record_mark_stopped(r, false);
	if (pid >= 0)
		sys_pidfd_send_signal(pid, SIGKILL);
	cgroup_kill(store_cgroups(s), path, 5000); /* a frozen one is thawed */
	free(path);
	if (supervisor >= 0) {
		sys_pidfd_send_signal(supervisor, SIGTERM);
		if (!wait_pidfd(supervisor, 2000)) {
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

	if (!code)
		code = record_remove(s, r, err);
	for (size_t i = 0; !code && volumes && i < r->spec.volumes.n; i++)
		volume_remove(s, r->spec.volumes.v[i], NULL); /* another container may use it */
	return code;
}
