/* ctr-diff: what a container has changed in its image's files. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/changes.h"
#include "ctr/targets.h"
#include <string.h>
#include <unistd.h>

static const struct usage usage = {
	.name = "ctr-diff",
	.synopsis = "CTR",
	.about =
		"Lists what a container has added (A), changed (C) and deleted (D) in the files of its image, by path.",
	.bad = 2,
};

/* What a container names its files mustn't drive a terminal. */
static void plain(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			*line = '?';
}

int ctr_diff_main(int argc, char **argv)
{
	struct strs changes = { 0 };
	struct buf out = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	bool terminal = isatty(STDOUT_FILENO);

	if (opt_parse(&usage, NULL, argc, argv) != 1)
		die_usage(2, "one container is expected");
	target_open(argv[0], 1, &store, &record);
	if (changes_list(&store, &record, &changes, &err) < 0)
		die_err(1, argv[0], &err);
	for (size_t i = 0; i < changes.n; i++) {
		if (terminal)
			plain(changes.v[i]);
		buf_fmt(&out, "%s\n", changes.v[i]);
	}
	if (out.len)
		out_write(out.p, out.len);
	return 0;
}
