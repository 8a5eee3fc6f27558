/* ctr-cp: copies files between a container and the host. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/copy.h"
#include "ctr/targets.h"
#include <string.h>
#include <unistd.h>

struct options {
	bool follow, archive;
};

#define O(m) offsetof(struct options, m)
static const struct opt opts[] = {
	{ 'L', "follow-link", NULL, OPT_FLAG, O(follow), "SRC, if it is a symlink, stands for what it points to", NULL },
	{ 'a', "archive", NULL, OPT_FLAG, O(archive), "keep owners, modes, times and xattrs (always done)", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-cp",
	.synopsis = "[-L] CTR:PATH HOSTPATH|-  |  [-L] HOSTPATH|- CTR:PATH",
	.about = "Copies a file or a tree out of a container or into it, running or not. A directory that is there takes SRC in;\n"
		 "SRC/. stands for what is in SRC; any other DST becomes the copy's name. - is a tar stream. Of a container's /\n"
		 "what is mounted in it is not copied; of one that doesn't run tmpfs are empty.",
	.opts = opts,
	.bad = 2,
};

/* Cuts CTR:PATH in two: its PATH, or NULL if WORD names something on the host. */
static char *cut(char *word)
{
	char *colon = strchr(word, ':');

	if (!colon || *word == '/' || *word == '.')
		return NULL;
	if (!colon[1])
		die_usage(2, "%s: a path is missing", word);
	*colon = 0;
	return colon + 1;
}

static const char *host_side(const char *word)
{
	if (!*word)
		die_usage(2, "a path is missing");
	return strcmp(word, "-") ? word : NULL;
}

int ctr_cp_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	struct copy c = { .store = &store, .record = &record };
	char *from, *to;
	const char *target;
	int r;

	if (opt_parse(&usage, &o, argc, argv) != 2)
		die_usage(2, "SRC and DST are expected");
	from = cut(argv[0]);
	to = cut(argv[1]);
	if (!from == !to)
		die_usage(2, from ? "one side has to be the host's" : "one side has to be CTR:PATH");
	target = argv[from ? 0 : 1];
	c.inside = from ? from : to;
	c.host = host_side(argv[from ? 1 : 0]);
	c.follow = o.follow;
	if (from && !c.host && isatty(STDOUT_FILENO))
		die_usage(2, "stdout is a terminal: send the tar to a file");
	target_open(target, 1, &store, &record);
	r = from ? copy_out(&c, &err) : copy_in(&c, &err);
	if (r < 0)
		die_err(1, target, &err);
	return 0;
}
