/* ctr-kill: sends containers a signal. */
#include "base/kernel.h"
#include "base/opt.h"
#include "base/say.h"
#include "ctr/stop.h"
#include "ctr/targets.h"
#include "sys/proc.h"
#include <signal.h>

struct options {
	const char *signal;
};

static const struct opt opts[] = {
	{ 's', "signal", "SIGNAL", OPT_STR, offsetof(struct options, signal), "name or number; KILL", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-kill",
	.synopsis = "[-s SIGNAL] CTR..",
	.about = "Sends a signal to the first process of containers. With KILL it returns when nothing of them runs any more.",
	.opts = opts,
	.bad = 2,
};

static int send_signal(const struct store *s, struct record *r, const void *arg, struct err *err)
{
	return stop_send(s, r, *(const int *)arg, err);
}

static int kill_all(int n, char **operands)
{
	struct stop_options how = { .signal = SIGKILL, .must_run = true };
	struct strs targets = { 0 };
	struct store store;
	struct err *errs;
	int worst = 0;

	targets_get(&usage, n, operands, &targets, &store);
	errs = xcalloc(targets.n, sizeof *errs);
	stop_targets(&store, &targets, &how, errs);
	for (size_t i = 0; i < targets.n; i++)
		worst |= targets_tell(targets.v[i], errs[i].code, &errs[i]);
	return worst;
}

int ctr_kill_main(int argc, char **argv)
{
	struct options o = { .signal = "KILL" };
	int n = opt_parse(&usage, &o, argc, argv), sig = signal_parse(o.signal);

	if (sig < 0)
		die_usage(2, "no such signal: \"%s\"", o.signal);
	return sig == SIGKILL ? kill_all(n, argv) : targets_each(&usage, n, argv, send_signal, &sig);
}
