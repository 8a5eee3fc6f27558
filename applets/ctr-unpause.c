/* ctr-unpause: lets paused containers go on. */
#include "ctr/targets.h"

static const struct usage usage = {
	.name = "ctr-unpause",
	.synopsis = "CTR..",
	.about = "Lets paused containers go on.",
	.bad = 2,
};

static int act(const struct store *s, struct record *r, const void *arg, struct err *err)
{
	(void)arg;
	return stop_freeze(s, r, false, err);
}

int ctr_unpause_main(int argc, char **argv)
{
	return targets_each(&usage, opt_parse(&usage, NULL, argc, argv), argv, act, NULL);
}
