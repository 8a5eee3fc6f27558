/* ctr-gc: ends what a crash or a power cut left. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/gc.h"

static const struct usage usage = {
	.name = "ctr-gc",
	.synopsis = "",
	.about = "Takes back what crashes and power cuts left: processes, cgroups, --rm containers, half-made containers and layers, names\n"
		 "and volumes without a container. Prints what it freed, one a line. Nothing that runs is touched.",
	.bad = 2,
};

int ctr_gc_main(int argc, char **argv)
{
	struct strs freed = { 0 };
	struct err err = { 0 };
	struct store store;
	int r;

	if (opt_parse(&usage, NULL, argc, argv))
		die_usage(2, "it takes no argument");
	if (store_get(&store, &err) < 0)
		die_err(1, NULL, &err);
	r = gc(&store, &freed, &err);
	for (size_t i = 0; i < freed.n; i++)
		out_line(freed.v[i]);
	if (r < 0)
		die_err(1, NULL, &err);
	return 0;
}
