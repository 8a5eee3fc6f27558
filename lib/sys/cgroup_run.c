/* Commands in groups. */
#include "base/say.h"
#include "sys/cgroup_internal.h"
#include "sys/exec.h"
#include "sys/init.h"
#include <unistd.h>

#define KILL_MS 10000

static int make_or_open(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits,
			struct cgroup *g, struct err *err)
{
	int r = 0;

	if (!cgroup_exists(host, path))
		return cgroup_make(host, path, limits, g, err);
	if (!cgroup_limits_none(limits))
		r = cgroup_set(host, path, limits, err);
	return r ? r : cgroup_open(host, path, g, err);
}

int cgroup_become(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits, char **command,
		  struct err *err)
{
	struct cgroup g;
	int r = make_or_open(host, path, limits, &g, err);

	if (r)
		return r;
	r = cgroup_enter(&g, false, err);
	if (!r)
		r = exec_command(command, environ, err);
	cgroup_close(&g);
	return r;
}

static void child(const struct cgroup *g, bool into, const sigset_t *mask, char **command)
{
	struct err e = { 0 };

	if (!cgroup_enter(g, into, &e)) {
		init_unblock(mask);
		exec_command(command, environ, &e);
	}
	die_err(125, NULL, &e);
}

int cgroup_run(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits, char **command,
	       struct err *err)
{
	struct cgroup g;
	sigset_t mask;
	bool into;
	pid_t pid;
	int code = cgroup_make(host, path, limits, &g, err);

	if (code)
		return code;
	init_block(&mask);
	pid = cgroup_fork(&g, &into);
	if (!pid)
		child(&g, into, &mask, command);
	code = pid < 0 ? err_sys(err, pid, "fork into group %s", path) : init_loop(pid);
	init_unblock(&mask);
	cgroup_close(&g);
	if (cgroup_remove(host, path, NULL)) { /* somebody is left in it */
		cgroup_kill(host, path, KILL_MS);
		cgroup_remove(host, path, pid < 0 ? NULL : err);
	}
	return code;
}
