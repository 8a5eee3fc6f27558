/* Removing groups. */
#include "base/clock.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS 1000 /* for processes that are dead and not yet gone */

static bool has_processes(const struct cgroup_hierarchy *h, const char *path)
{
	struct cgroup_pids pids = { 0 };
	bool any;

	cgroup_pids_add(h, path, &pids);
	any = pids.n > 0;
	free(pids.v);
	return any;
}

/* One group without groups below it. EBUSY with nobody listed means somebody is just dying: v2 tells the end of that,
 * v1 doesn't. */
static int remove_one(const struct cgroup_hierarchy *h, const char *path, void *arg)
{
	int64_t end = clock_boot_ms() + PATIENCE_MS;
	int pause = 1;

	(void)arg;
	while (unlinkat(h->fd, cgroup_below(path), AT_REMOVEDIR)) {
		int left = clock_left_ms(end);

		if (errno == ENOENT || errno == ENODEV)
			return 0;
		if (errno != EBUSY || !left || has_processes(h, path))
			return -errno;
		if (!h->v2 || cgroup_await(h, path, "populated", 0, left)) {
			cgroup_pause(pause);
			pause = pause < 16 ? 2 * pause : pause;
		}
	}
	return 0;
}

int cgroup_remove(const struct cgroup_host *host, const char *path, struct err *err)
{
	int first = 0;

	for (int i = 0; i < host->n; i++) {
		const struct cgroup_hierarchy *h = &host->h[i];
		int r;

		/* Nearly always it is empty, or was never there. */
		if (!unlinkat(h->fd, cgroup_below(path), AT_REMOVEDIR) || errno == ENOENT)
			continue;
		r = cgroup_walk(h, path, remove_one, NULL);
		if (r && !first) {
			first = r;
			err_sys(err, r, "remove group %s%s", h->mount, path);
			if (r == -EBUSY)
				err_hint(err, "processes are in it");
		}
	}
	return first;
}

int cgroup_end(const struct cgroup_host *host, const char *path, int timeout_ms, struct err *err)
{
	int r = cgroup_remove(host, path, NULL);

	if (!r)
		return 0;
	r = cgroup_kill(host, path, timeout_ms);
	return r ? err_sys(err, r, "kill the processes in group %s", path) : cgroup_remove(host, path, err);
}
