/* ctr-commit: makes an image of a container's changes. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/commit.h"
#include "ctr/targets.h"

#define SHORT_ID 12

struct options {
	const char *message;
	struct strs changes;
};

#define O(m) offsetof(struct options, m)
static const struct opt opts[] = {
	{ 'm', "message", "TEXT", OPT_STR, O(message), "what the image's history says", NULL },
	{ 'c', "change", "'CMD ..'", OPT_STRS, O(changes),
	  "one of a Dockerfile's instructions but FROM, RUN, COPY, ADD and ARG", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-commit",
	.synopsis = "[OPT].. CTR IMAGE",
	.about = "Makes an image called IMAGE: the container's image, and what the container changed as a layer on it; prints its id.\n"
		 "Command, environment, user and working directory are the container's. One that runs is frozen meanwhile. What\n"
		 "is in volumes doesn't belong to it.",
	.opts = opts,
	.bad = 2,
};

int ctr_commit_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	struct image image;

	if (opt_parse(&usage, &o, argc, argv) != 2)
		die_usage(2, "CTR and IMAGE are expected");
	target_open(argv[0], 1, &store, &record);
	struct commit c = {
		.store = &store, .record = &record, .name = argv[1], .comment = o.message, .changes = &o.changes,
	};
	if (commit(&c, &image, &err) < 0)
		die_err(1, argv[0], &err);
	out_write(image.id, SHORT_ID);
	out_write("\n", 1);
	return 0;
}
