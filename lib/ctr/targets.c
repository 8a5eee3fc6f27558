#include "ctr/targets.h"
#include "base/say.h"
#include <string.h>

void targets_get(const struct usage *u, int n, char **operands, struct strs *targets, struct store *s)
{
	struct err err = { 0 };

	opt_targets(n, operands, targets);
	if (!n)
		die_usage(u->bad, "a container is missing");
	if (store_get(s, &err) < 0)
		die_err(1, NULL, &err);
}

int targets_tell(const char *target, int code, const struct err *err)
{
	if (code < 0) {
		say_err(target, err);
		return 1;
	}
	out_write(target, strlen(target));
	out_write("\n", 1);
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
