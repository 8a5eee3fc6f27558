/* ctr-stop: asks containers to end, and ends them. */
#include "base/opt.h"
#include "ctr/stop.h"
#include "ctr/targets.h"

struct options {
	int64_t timeout_ms;
};

static const struct opt opts[] = {
	{ 't', "timeout", "TIME", OPT_TIME, offsetof(struct options, timeout_ms), "until SIGKILL; the container's own, else 10s", NULL },
	{ 0, "time", "TIME", OPT_TIME, offsetof(struct options, timeout_ms), NULL, NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-stop",
	.synopsis = "[-t TIME] CTR..",
	.about = "Sends containers their stop signal (TERM), SIGKILL to those that haven't ended in time, and returns when nothing of them\n"
		 "runs any more. A PID 1 that takes no notice of its stop signal is killed at once.",
	.opts = opts,
	.bad = 2,
};

int ctr_stop_main(int argc, char **argv)
{
	struct options o = { .timeout_ms = -1 };
	struct strs targets = { 0 };
	struct store store;
	struct err *errs;
	int n = opt_parse(&usage, &o, argc, argv), worst = 0;

	targets_get(&usage, n, argv, &targets, &store);
	errs = xcalloc(targets.n, sizeof *errs);
	stop_targets(&store, &targets, &(struct stop_options){ .timeout_ms = o.timeout_ms }, errs);
	for (size_t i = 0; i < targets.n; i++)
		worst |= targets_tell(targets.v[i], errs[i].code, &errs[i]);
	return worst;
}
