/* ctr-update: changes the limits of containers, running or not. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/targets.h"
#include "ctr/update.h"
#include "sys/cgroup_opts.h"

struct options {
	struct cgroup_limits limits;
};

static const struct opt opts[] = { CGROUP_OPTS(struct options, limits), OPT_END };

static const struct usage usage = {
	.name = "ctr-update",
	.synopsis = "LIMIT.. CTR..",
	.about = "Changes limits of containers: at once where they run, and for every later start.",
	.opts = opts,
	.bad = 2,
};

static int act(const struct store *s, struct record *r, const void *limits, struct err *err)
{
	return update_limits(s, r, limits, err);
}

int ctr_update_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct cgroup_limits *l = &o.limits;
	int n = opt_parse(&usage, &o, argc, argv);

	if (cgroup_limits_none(l) && !l->arg_cpus && !l->arg_cpuset_cpus && !l->arg_cpuset_mems)
		die_usage(2, "a limit is missing");
	return targets_each(&usage, n, argv, act, l);
}
