#include "ctr/targets.h"
#include "base/say.h"
#include <stdlib.h>

void targets_get(const struct usage *u, int n, char **operands, struct strs *targets, struct store *s)
{
	struct err err = { 0 };

	opt_targets(n, operands, targets);
	if (!n)
		die_usage(u->bad, "a container is missing");
	if (store_get(s, &err) < 0)
		die_err(1, NULL, &err);
}

void target_open(const char *target, int exit_code, struct store *s, struct record *r)
{
	struct err err = { 0 };

	if (store_get(s, &err) < 0 || record_open(s, target, r, &err) < 0)
		die_err(exit_code, target, &err);
}

int targets_tell(const char *target, int code, const struct err *err)
{
	if (code < 0) {
		say_err(target, err);
		return 1;
	}
	out_line(target);
	return 0;
}

int targets_each(const struct usage *u, int n, char **operands, target_act *act, const void *arg)
{
	struct strs targets = { 0 };
	struct store s;
	int worst = 0;

	targets_get(u, n, operands, &targets, &s);
	for (size_t i = 0; i < targets.n; i++) {
		struct err err = { 0 };
		struct record r;
		int code = record_open(&s, targets.v[i], &r, &err);

		if (!code) {
			code = act(&s, &r, arg, &err);
			record_close(&r);
		}
		worst |= targets_tell(targets.v[i], code, &err);
	}
	strs_free(&targets);
	store_close(&s);
	return worst;
}

/* As far as there is a run directory. */
static void get_running(const struct usage *u, int n, struct strs *targets, struct store *s)
{
	struct err err = { 0 };

	if (n)
		die_usage(u->bad, "--shutdown takes no containers");
	if (store_get(s, &err) < 0 || record_ids_in(s->run, targets, &err) < 0)
		die_err(1, NULL, &err);
}

int targets_stop(const struct usage *u, int n, char **operands, const struct stop_options *how)
{
	struct strs targets = { 0 };
	struct store s;
	struct err *errs;
	int worst = 0;

	if (how->shutdown)
		get_running(u, n, &targets, &s);
	else
		targets_get(u, n, operands, &targets, &s);
	errs = xcalloc(targets.n, sizeof *errs);
	stop_targets(&s, &targets, how, errs);
	for (size_t i = 0; i < targets.n; i++)
		worst |= targets_tell(targets.v[i], errs[i].code, &errs[i]);
	free(errs);
	strs_free(&targets);
	store_close(&s);
	return worst;
}
