/* ctr-export: a container's files as a tar. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/archive.h"
#include "ctr/copy.h"
#include "ctr/targets.h"

struct options {
	const char *file;
};

static const struct opt opts[] = {
	{ 'o', "output", "FILE", OPT_STR, offsetof(struct options, file), "write FILE instead of stdout", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-export",
	.synopsis = "[-o FILE] CTR > ROOTFS.tar",
	.about = "Writes a container's whole root, image and changes, as a tar, running or not; not what is mounted in it:\n"
		 "volumes, /proc, /sys, /dev.",
	.opts = opts,
	.bad = 2,
};

int ctr_export_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	struct archive_output out;

	if (opt_parse(&usage, &o, argc, argv) != 1)
		die_usage(2, "one container is expected");
	target_open(argv[0], 1, &store, &record);
	archive_output(&out, o.file);
	if (copy_root(&store, &record, out.fd, &err) < 0) {
		archive_drop(&out);
		die_err(1, argv[0], &err);
	}
	archive_keep(&out);
	return 0;
}
