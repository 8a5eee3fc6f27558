/* ctr-restart: stops containers and starts them again. */
#include "base/say.h"
#include "ctr/start.h"
#include "ctr/supervise.h"
#include "ctr/targets.h"
#include "sys/sealed.h"
#include <errno.h>

static const struct opt opts[] = { STOP_OPTS, OPT_END };

static const struct usage usage = {
	.name = "ctr-restart",
	.synopsis = "[-t TIME] CTR..",
	.about = "Stops containers as ctr-stop does, then starts them. One that doesn't run is only started.",
	.opts = opts,
	.bad = 2,
};

/* One that would be gone once it is stopped can't be started again. */
static int check(const struct store *s, const char *target, struct err *err)
{
	struct record r;
	int code = record_open(s, target, &r, err);

	if (code < 0)
		return code;
	if (r.spec.auto_remove)
		err_msg(err, -EINVAL, "made with --rm: it would be removed when it is stopped");
	record_close(&r);
	return err->code;
}

static int restart(const struct store *s, const char *target, const struct stop_options *how, struct err *err)
{
	struct strs one = { .v = (char *[]){ (char *)target, NULL }, .n = 1 };

	if (check(s, target, err) < 0)
		return err->code;
	stop_targets(s, &one, how, err);
	return err->code < 0 ? err->code : start_target(s, target, &(struct start_options){ 0 }, NULL, err);
}

int ctr_restart_main(int argc, char **argv)
{
	struct stop_options how = { .timeout_ms = -1 };
	struct strs targets = { 0 };
	struct store store;
	struct err failure = { 0 };
	int n, worst = 0;

	if (sealed_program(argv, &failure) < 0)
		die_err(1, NULL, &failure);
	supervise_alone();
	n = opt_parse(&usage, &how, argc, argv);
	targets_get(&usage, n, argv, &targets, &store);
	for (size_t i = 0; i < targets.n; i++) {
		struct err err = { 0 };
		int code = restart(&store, targets.v[i], &how, &err);

		worst |= targets_tell(targets.v[i], code, &err);
	}
	return worst;
}
