/* ctr-wait: waits for containers and prints their exit codes. */
#include "base/say.h"
#include "ctr/targets.h"
#include "ctr/wait.h"
#include <stdio.h>

static const struct usage usage = {
	.name = "ctr-wait",
	.synopsis = "CTR..",
	.about = "Waits until containers have ended, and prints their exit codes, one a line, in the order of the operands.",
	.more = "One that has ended already is told at once; restarts by its policy are waited out; one that was never started is an error.",
	.bad = 2,
};

static int tell(const struct store *s, struct waiter *w, const char *target)
{
	struct err err = { 0 };
	char line[16];
	int code = wait_end(s, w, &err);

	if (code < 0) {
		say_err(target, &err);
		return 1;
	}
	out_write(line, (size_t)snprintf(line, sizeof line, "%d\n", code));
	return 0;
}

/* All of them are watched before the first is waited for. */
int ctr_wait_main(int argc, char **argv)
{
	struct strs targets = { 0 };
	struct store s;
	struct waiter *w;
	bool *watched;
	int n = opt_parse(&usage, NULL, argc, argv), worst = 0;

	targets_get(&usage, n, argv, &targets, &s);
	w = xcalloc(targets.n, sizeof *w);
	watched = xcalloc(targets.n, sizeof *watched);
	for (size_t i = 0; i < targets.n; i++) {
		struct err err = { 0 };

		watched[i] = wait_begin(&s, targets.v[i], &w[i], &err) == 0;
		if (!watched[i]) {
			say_err(targets.v[i], &err);
			worst = 1;
		}
	}
	for (size_t i = 0; i < targets.n; i++)
		if (watched[i])
			worst |= tell(&s, &w[i], targets.v[i]);
	return worst;
}
