/* ctr-inspect: containers as JSON. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/inspect.h"
#include <errno.h>

static const struct usage usage = {
	.name = "ctr-inspect",
	.synopsis = "[CTR]..",
	.about = "Prints a JSON array of all there is to know of containers: those named, else all.",
	.more = "Times are seconds since 1970. null is what isn't known, or isn't so at the moment.",
	.bad = 2,
};

static int add(const struct store *s, const char *target, bool named, struct json_out *o)
{
	struct err err = { 0 };
	struct record r;

	if (record_open(s, target, &r, &err) < 0) {
		if (!named && err.code == -ENOENT)
			return 0; /* removed since we listed it */
		say_err(target, &err);
		return 1;
	}
	inspect_write(s, &r, o);
	record_close(&r);
	return 0;
}

int ctr_inspect_main(int argc, char **argv)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b, .pretty = true };
	struct strs targets = { 0 };
	struct err err = { 0 };
	struct store s;
	int n = opt_parse(&usage, NULL, argc, argv), worst = 0;

	opt_targets(n, argv, &targets);
	if (store_get(&s, &err) < 0 || (!n && record_ids(&s, &targets, &err) < 0))
		die_err(1, NULL, &err);
	json_begin(&o, NULL, '[');
	for (size_t i = 0; i < targets.n; i++)
		worst |= add(&s, targets.v[i], n > 0, &o);
	json_end(&o, ']');
	buf_char(&b, '\n');
	out_write(b.p, b.len);
	return worst;
}
