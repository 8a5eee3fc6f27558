/* Killing everything in a group, and nothing else. */
#include "base/clock.h"
#include "base/kernel.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

/* The processes of PATH in all hierarchies; a failure to read shows as none. */
static struct cgroup_pids inside(const struct cgroup_host *host, const char *path)
{
	struct cgroup_pids pids = { 0 };

	for (int i = 0; i < host->n; i++)
		cgroup_pids_add(&host->h[i], path, &pids);
	cgroup_pids_sort(&pids);
	return pids;
}

static bool listed(const struct cgroup_pids *pids, pid_t pid)
{
	size_t from = 0, to = pids->n;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (pids->v[mid] == pid)
			return true;
		if (pids->v[mid] < pid)
			from = mid + 1;
		else
			to = mid;
	}
	return false;
}

static int unfreeze(const struct cgroup_hierarchy *h, const char *path, void *arg)
{
	(void)arg;
	cgroup_file_put(h, path, h->v2 ? "cgroup.freeze" : "freezer.state", h->v2 ? "0" : "THAWED");
	return 0;
}

/* A frozen process dies only when it is thawed. */
static void thaw(const struct cgroup_host *host, const char *path)
{
	for (int i = 0; i < host->n; i++)
		if (host->h[i].v2 || strs_has(&host->h[i].controllers, "freezer"))
			cgroup_walk(&host->h[i], path, unfreeze, NULL);
}

#define BATCH 256 /* descriptors at a time */

/* Opens pidfds first and then looks again who is inside: a pid that is still listed is the process the pidfd
 * holds, or another one (and then the one held is dead, and signalling it does nothing). */
static void kill_batch(const struct cgroup_host *host, const char *path, const pid_t *v, int n, int64_t end)
{
	struct pollfd fds[BATCH];
	struct cgroup_pids now;
	int i;

	for (i = 0; i < n; i++)
		fds[i] = (struct pollfd){ sys_pidfd_open(v[i]), POLLIN, 0 };
	now = inside(host, path);
	for (i = 0; i < n; i++)
		if (fds[i].fd >= 0 && (!listed(&now, v[i]) || sys_pidfd_send_signal(fds[i].fd, SIGKILL))) {
			close(fds[i].fd);
			fds[i].fd = -1;
		}
	thaw(host, path);
	for (i = 0; i < n; i++)
		if (fds[i].fd >= 0) {
			poll(&fds[i], 1, clock_left_ms(end));
			close(fds[i].fd);
		}
	free(now.v);
}

/* A round over who is inside now. Returns how many that was. */
static size_t kill_round(const struct cgroup_host *host, const char *path, int64_t end)
{
	struct cgroup_pids pids = inside(host, path);
	size_t n = pids.n;

	for (size_t i = 0; i < n; i += BATCH)
		kill_batch(host, path, pids.v + i, n - i < BATCH ? (int)(n - i) : BATCH, end);
	free(pids.v);
	return n;
}

/* cgroup.kill (5.14) takes the whole tree at once, whoever is just being forked included. */
static void kill_unified(const struct cgroup_host *host, const char *path, int64_t end)
{
	const struct cgroup_hierarchy *h;

	if (host->unified < 0)
		return;
	h = &host->h[host->unified];
	if (cgroup_file_put(h, path, "cgroup.kill", "1"))
		return;
	thaw(host, path);
	cgroup_await(h, path, "populated", 0, clock_left_ms(end));
}

int cgroup_kill(const struct cgroup_host *host, const char *path, int timeout_ms)
{
	int64_t end = clock_boot_ms() + timeout_ms;

	kill_unified(host, path, end);
	while (kill_round(host, path, end))
		if (!clock_left_ms(end))
			return -EBUSY;
	return 0;
}
