/* ctr-kill: sends containers a signal. */
#include "base/say.h"
#include "ctr/targets.h"
#include "sys/signals.h"
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

int ctr_kill_main(int argc, char **argv)
{
	struct options o = { .signal = "KILL" };
	int n = opt_parse(&usage, &o, argc, argv), sig = signal_parse(o.signal);

	if (sig < 0)
		die_usage(2, "no such signal: \"%s\"", o.signal);
	if (sig == SIGKILL)
		return targets_stop(&usage, n, argv, &(struct stop_options){ .signal = SIGKILL, .must_run = true });
	return targets_each(&usage, n, argv, send_signal, &sig);
}
