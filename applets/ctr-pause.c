/* ctr-pause: holds containers still. */
#include "ctr/targets.h"

static const struct usage usage = {
	.name = "ctr-pause",
	.synopsis = "CTR..",
	.about = "Stops all processes of containers until ctr-unpause.",
	.bad = 2,
};

static int act(const struct store *s, struct record *r, const void *arg, struct err *err)
{
	(void)arg;
	return stop_freeze(s, r, true, err);
}

int ctr_pause_main(int argc, char **argv)
{
	return targets_each(&usage, opt_parse(&usage, NULL, argc, argv), argv, act, NULL);
}
