/* ctr-volume: named volumes. */
#include "base/json.h"
#include "base/say.h"
#include "base/table.h"
#include "ctr/targets.h"
#include "ctr/volume.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void open_store(struct store *s)
{
	struct err err = { 0 };

	if (store_get(s, &err) < 0)
		die_err(1, NULL, &err);
}

static char *data_path(const struct store *s, const char *name)
{
	return xasprintf("%s/volumes/%s/data", s->root_path, name);
}

/* create */

static const struct usage create_usage = {
	"ctr-volume create", "[NAME]..", "Makes volumes; those that are there are left as they are. Without a NAME one is invented.",
	NULL, NULL, 2, false,
};

static int create_main(int argc, char **argv)
{
	int n = opt_parse(&create_usage, NULL, argc, argv), failed = 0;
	char random[33], *invented[] = { random, NULL };
	struct store s;

	open_store(&s);
	if (!n) {
		volume_invent(random);
		argv = invented;
	}
	for (; *argv; argv++) {
		struct err err = { 0 };

		if (volume_make(&s, *argv, NULL, NULL, &err) < 0) {
			say_err(NULL, &err);
			failed = 1;
			continue;
		}
		out_line(*argv);
	}
	return failed;
}

/* ls */

struct ls_options {
	struct list_options list;
};
static const struct opt ls_opts[] = { LIST_OPTS(struct ls_options, list), OPT_END };
static const struct usage ls_usage = { "ctr-volume ls", "[OPT]..", "Lists volumes.", ls_opts, NULL, 2, false };
static const struct column ls_columns[] = {
	{ "name", true, false, false }, { "path", true, false, false }, { "containers", true, false, false },
	{ NULL, false, false, false },
};

static void get_names(const struct store *s, struct strs *names)
{
	struct err err = { 0 };

	if (volume_names(s, names, &err) < 0)
		die_err(1, NULL, &err);
}

static void users_cell(struct table *t, const struct store *s, const char *name)
{
	struct strs who = { 0 };
	struct buf text = { 0 }, raw = { 0 };
	struct json_out o = { .b = &raw };

	if (table_wants(t, "containers"))
		volume_users(s, name, &who, NULL);
	json_put_strs(&o, NULL, &who);
	for (size_t i = 0; i < who.n; i++)
		buf_fmt(&text, "%s%s", i ? "," : "", who.v[i]);
	table_cell_raw(t, text.p, raw.p);
	buf_free(&text);
	buf_free(&raw);
	strs_free(&who);
}

static int ls_main(int argc, char **argv)
{
	struct ls_options o = { 0 };
	struct strs names = { 0 };
	struct table *t;
	struct store s;

	if (opt_parse(&ls_usage, &o, argc, argv))
		die_usage(2, "%s: unexpected", argv[0]);
	open_store(&s);
	t = table_begin(ls_columns, "name", &o.list);
	get_names(&s, &names);
	for (size_t i = 0; i < names.n; i++) {
		char *path = data_path(&s, names.v[i]);

		table_cell(t, names.v[i]);
		table_cell(t, path);
		users_cell(t, &s, names.v[i]);
		free(path);
	}
	table_end(t);
	return 0;
}

/* rm */

static const struct usage rm_usage = {
	"ctr-volume rm", "NAME..", "Removes volumes and their data; those that a container uses, running or not, are kept.",
	NULL, NULL, 2, false,
};

/* Removes one and prints its name: 0; or tells why not: 1. */
static int remove_one(const struct store *s, const char *name)
{
	struct err err = { 0 };
	int r = volume_remove(s, name, &err);

	return targets_tell(name, r, &err);
}

static int rm_main(int argc, char **argv)
{
	struct strs targets = { 0 };
	struct store s;
	int n = opt_parse(&rm_usage, NULL, argc, argv), failed = 0;

	if (!n)
		die_usage(2, "NAME is missing");
	opt_targets(n, argv, &targets);
	open_store(&s);
	for (size_t i = 0; i < targets.n; i++)
		failed |= remove_one(&s, targets.v[i]);
	return failed;
}

/* prune */

struct prune_options {
	bool all;
};
static const struct opt prune_opts[] = {
	{ 'a', "all", NULL, OPT_FLAG, offsetof(struct prune_options, all), "those that were given a name too", NULL },
	OPT_END
};
static const struct usage prune_usage = {
	"ctr-volume prune", "[-a]", "Removes anonymous volumes that no container uses any more, and prints their names.",
	prune_opts, NULL, 2, false,
};

static int prune_main(int argc, char **argv)
{
	struct prune_options o = { 0 };
	struct strs names = { 0 };
	struct store s;
	int failed = 0;

	if (opt_parse(&prune_usage, &o, argc, argv))
		die_usage(2, "%s: unexpected", argv[0]);
	open_store(&s);
	get_names(&s, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct strs who = { 0 };

		volume_users(&s, names.v[i], &who, NULL);
		if (!who.n && (o.all || volume_anonymous(names.v[i])))
			failed |= remove_one(&s, names.v[i]);
		strs_free(&who);
	}
	return failed;
}

/* inspect */

static const struct usage inspect_usage = {
	"ctr-volume inspect", "NAME..", "Prints all about volumes: a JSON array.", NULL, NULL, 2, false,
};

static int put_volume(struct json_out *o, const struct store *s, const char *name)
{
	char *path = data_path(s, name);
	struct strs who = { 0 };
	struct stat st;
	int r = strchr(name, '/') || stat(path, &st) < 0 ? -ENOENT : 0;

	if (!r) {
		volume_users(s, name, &who, NULL);
		json_begin(o, NULL, '{');
		json_put_str(o, "name", name);
		json_put_str(o, "path", path);
		json_put_bool(o, "anonymous", volume_anonymous(name));
		json_put_strs(o, "containers", &who);
		json_end(o, '}');
	}
	strs_free(&who);
	free(path);
	return r;
}

static int inspect_main(int argc, char **argv)
{
	struct strs targets = { 0 };
	struct buf out = { 0 };
	struct json_out o = { .b = &out, .pretty = true };
	struct store s;
	int n = opt_parse(&inspect_usage, NULL, argc, argv), failed = 0;

	if (!n)
		die_usage(2, "NAME is missing");
	opt_targets(n, argv, &targets);
	open_store(&s);
	json_begin(&o, NULL, '[');
	for (size_t i = 0; i < targets.n; i++) {
		if (put_volume(&o, &s, targets.v[i]) == 0)
			continue;
		say("%s: no such volume", targets.v[i]);
		failed = 1;
	}
	json_end(&o, ']');
	buf_char(&out, '\n');
	out_write(out.p, out.len);
	return failed;
}

static const struct subcommand table[] = {
	{ "create", NULL, create_main, "make volumes" },
	{ "ls", "list", ls_main, "list them" },
	{ "rm", "remove", rm_main, "remove them" },
	{ "prune", NULL, prune_main, "remove those that nothing uses" },
	{ "inspect", NULL, inspect_main, "all about them" },
	{ NULL, NULL, NULL, NULL },
};

int ctr_volume_main(int argc, char **argv)
{
	return opt_dispatch("ctr-volume", "Named volumes: directories that outlive containers.", table, argc, argv);
}
