/* ctr-stop: asks containers to end, and ends them. */
#include "ctr/targets.h"

static const struct opt opts[] = {
	STOP_OPTS,
	{ 0, "shutdown", NULL, OPT_FLAG, offsetof(struct stop_options, shutdown), "all that run; `ctr-start --boot` starts them as if the power had gone", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-stop",
	.synopsis = "[-t TIME] CTR..  |  [-t TIME] --shutdown",
	.about = "Sends containers their stop signal (TERM), SIGKILL to those that haven't ended in time, and returns when nothing of them\n"
		 "runs any more. A PID 1 that takes no notice of its stop signal is killed at once.",
	.opts = opts,
	.bad = 2,
};

int ctr_stop_main(int argc, char **argv)
{
	struct stop_options how = { .timeout_ms = -1 };
	int n = opt_parse(&usage, &how, argc, argv);

	return targets_stop(&usage, n, argv, &how);
}
