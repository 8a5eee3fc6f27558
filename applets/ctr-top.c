/* ctr-top: the processes of a container. */
#include "base/say.h"
#include "base/table.h"
#include "ctr/targets.h"
#include "sys/ns.h"
#include "sys/proc_info.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
	struct list_options list;
};

static const struct opt opts[] = { LIST_OPTS(struct options, list), OPT_END };

static const struct usage usage = {
	.name = "ctr-top",
	.synopsis = "[OPT].. CTR",
	.about = "Lists the processes of a running container, as the host sees them.",
	.opts = opts,
	.more = "columns: pid,ppid,user,state,rss,time,cmd. user is the host's number; time is the processor's, hh:mm:ss.",
	.bad = 2,
};

static const struct column columns[] = {
	{ "pid", true, true, true },     { "ppid", true, true, true },  { "user", true, false, false },  { "state", false, false, false },
	{ "rss", false, true, true },    { "time", true, true, false }, { "cmd", true, false, false },   { 0 },
};

static void row(struct table *t, pid_t pid, const struct proc_info *p)
{
	char time[24];

	snprintf(time, sizeof time, "%02d:%02d:%02d", (int)(p->cpu_s / 3600), (int)(p->cpu_s / 60 % 60), (int)(p->cpu_s % 60));
	table_int(t, pid);
	table_int(t, p->ppid);
	table_int(t, p->uid);
	table_cell(t, (char[]){ p->state, 0 });
	table_int(t, p->rss);
	table_cell(t, time);
	table_cell(t, p->command);
}

int ctr_top_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct store s;
	struct record r;
	struct table *t;
	pid_t *pids;
	int n = opt_parse(&usage, &o, argc, argv);

	if (n != 1)
		die_usage(2, n ? "takes one container" : "a container is missing");
	t = table_begin(columns, "pid", &o.list);
	target_open(argv[0], 1, &s, &r);
	if (!record_running(&s, &r))
		die(1, "%s: isn't running", argv[0]);
	n = cgroup_procs(store_cgroups(&s), r.state.cgroup, &pids);
	if (n <= 0 && ns_is_private(r.spec.pid))
		n = ns_members((pid_t)r.state.pid, CLONE_NEWPID, &pids);
	if (n <= 0 && record_pidfd(&r) < 0)
		die(1, "%s: isn't running", argv[0]);
	if (n <= 0)
		die(1, "%s: the host has no cgroups that would tell its processes (see \"ctr-cgroup mount\")", argv[0]);
	for (int i = 0; i < n; i++) {
		struct proc_info p;

		if (proc_info(pids[i], &p) == 0)
			row(t, pids[i], &p);
		free(p.command);
	}
	table_end(t);
	return 0;
}
