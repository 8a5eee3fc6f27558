/* ctr-create: ctr-run without the running. */
#include "base/say.h"
#include "ctr/options.h"

static const struct usage usage = {
	.name = "ctr-create",
	.synopsis = "[OPT].. IMAGE [CMD [ARG]..]  |  [OPT].. --rootfs DIR|FILE CMD [ARG]..",
	.about = "Makes a container, to be started with ctr-start, and prints its id.",
	.opts = run_opts,
	.bad = 2,
	.command = true,
};

int ctr_create_main(int argc, char **argv)
{
	struct run_options o = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	int n = opt_parse(&usage, &o, argc, argv), lock, r;

	if (!n && !o.rootfs)
		die_usage(2, "an image, or --rootfs DIR|FILE, is missing");
	r = store_get(&store, &err);
	if (!r)
		r = container_create(&store, &o, n, argv, &record, &lock, &err);
	if (r < 0)
		die_err(1, o.name, &err);
	out_write(record.id, ID_LENGTH);
	out_write("\n", 1);
	return 0;
}
