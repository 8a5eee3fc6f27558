/* ctr-image ls, history, inspect: what there is to know of images. */
#include "ctr-image.h"
#include "base/json.h"
#include "base/say.h"
#include "base/table.h"

#include <stdio.h>
#include <string.h>

/* ls */

struct ls_options {
	struct list_options list;
};
static const struct opt ls_opts[] = { LIST_OPTS(struct ls_options, list), OPT_END };
static const struct usage ls_usage = { "ctr-image ls", "[OPT]..", "Lists images.", ls_opts, NULL, 2, false };
static const struct column ls_columns[] = {
	{ "name", true, false, false }, { "id", true, false, false }, { "size", true, true, true }, { "layers", true, true, true },
	{ "created", true, false, true }, { "containers", true, true, true }, { NULL, false, false, false },
};

struct ls {
	struct table *table;
	struct image_use use;
	int store;
};

static int ls_row(void *arg, const struct image *img, const char *name)
{
	struct ls *l = arg;
	char id[SHORT_ID + 1];
	int containers = 0;

	for (size_t i = 0; i < l->use.images.n; i++)
		containers += strcmp(l->use.images.v[i], img->id) == 0;
	snprintf(id, sizeof id, "%.*s", SHORT_ID, img->id);
	table_cell(l->table, name);
	table_cell(l->table, id);
	table_size(l->table, image_size(l->store, img));
	table_int(l->table, (long long)img->layers.n);
	table_time(l->table, img->created);
	table_int(l->table, containers);
	return 0;
}

int ctr_image_ls(int argc, char **argv)
{
	struct ls_options o = { 0 };
	struct ls l;
	struct err err = { 0 };

	image_operands(opt_parse(&ls_usage, &o, argc, argv), 0, "options");
	l.store = image_store();
	l.table = table_begin(ls_columns, "id", &o.list);
	image_used(&l.use);
	if (image_each(l.store, ls_row, &l, &err) < 0)
		die_err(1, NULL, &err);
	table_end(l.table);
	return 0;
}

/* history */

static const struct usage history_usage = { "ctr-image history", "[OPT].. NAME", "Lists what made an image, newest first.", ls_opts, NULL, 2, false };
static const struct column history_columns[] = {
	{ "layer", true, false, false }, { "created", true, false, true }, { "size", true, true, true },
	{ "created_by", true, false, false }, { "comment", true, false, false }, { NULL, false, false, false },
};

int ctr_image_history(int argc, char **argv)
{
	struct ls_options o = { 0 };
	struct image img = { 0 };
	struct table *t;
	size_t layer;
	int store;

	image_operands(opt_parse(&history_usage, &o, argc, argv), 1, "NAME");
	store = image_store();
	t = table_begin(history_columns, "layer", &o.list);
	image_get(store, argv[0], &img);
	layer = img.layers.n;
	for (size_t i = img.nhistory; i--;) {
		const struct image_step *s = &img.history[i];
		bool has = !s->empty && layer;
		char id[SHORT_ID + 1] = "";

		if (has)
			snprintf(id, sizeof id, "%.*s", SHORT_ID, img.layers.v[--layer]);
		table_cell(t, id);
		table_time(t, s->created);
		table_size(t, has ? layer_size(store, img.layers.v[layer]) : 0);
		table_cell(t, s->created_by);
		table_cell(t, s->comment);
	}
	table_end(t);
	return 0;
}

/* inspect */

static const struct usage inspect_usage = { "ctr-image inspect", "NAME..", "Prints all about images: a JSON array.", NULL, NULL, 2, false };

int ctr_image_inspect(int argc, char **argv)
{
	struct strs targets = { 0 };
	struct buf out = { 0 };
	struct json_out o = { .b = &out, .pretty = true };
	int n = opt_parse(&inspect_usage, NULL, argc, argv), store = image_store(), failed = 0;

	if (!n)
		die_usage(2, "NAME is missing");
	opt_targets(n, argv, &targets);
	json_begin(&o, NULL, '[');
	for (size_t i = 0; i < targets.n; i++) {
		struct image img = { 0 };
		struct err err = { 0 };

		if (image_find(store, targets.v[i], &img, &err) == 0) {
			image_inspect(store, &img, &o);
		} else {
			failed = 1;
			say_err(NULL, &err);
		}
		image_free(&img);
	}
	json_end(&o, ']');
	buf_char(&out, '\n');
	out_write(out.p, out.len);
	return failed;
}
