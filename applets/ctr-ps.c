/* ctr-ps: lists containers. */
#include "base/say.h"
#include "base/table.h"
#include "ctr/list.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	bool all;
	struct list_options list;
	struct strs labels;      /* -f label=.., which is no column */
};

static const struct opt opts[] = {
	{ 'a', "all", NULL, OPT_FLAG, offsetof(struct options, all), "those that don't run too", NULL },
	LIST_OPTS(struct options, list),
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-ps",
	.synopsis = "[OPT]..",
	.about = "Lists the containers that run (or are paused, or wait to be restarted), newest first.",
	.opts = opts,
	.more = "columns: id,name,image,status,pid,command,created,ip,ports,exit,health,restarts\n"
		"-f label=KEY or label=KEY=VALUE filters by a label. -f status=.. and -f exit=.. look at all containers.\n"
		"status is created, running, paused, restarting, exited, or dead: its record is damaged. exit says \"137 oom\" of a\n"
		"container that ran out of memory. Without -o a command is cut to fit 80 columns.",
	.bad = 2,
};

static const struct column columns[] = {
	{ "id", true, false, false },      { "name", true, false, false },     { "image", false, false, false },
	{ "status", true, false, false },  { "pid", true, true, true },        { "command", true, false, false },
	{ "created", true, false, false }, { "ip", false, false, false },      { "ports", false, false, false },
	{ "exit", false, true, true },     { "health", false, false, false },  { "restarts", false, true, true },
	{ 0 },
};

/* Takes the labels out of the filters, and sees whether those ask for containers that don't run. */
static void sort_filters(struct options *o)
{
	struct strs *f = &o->list.filters;
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		o->all = o->all || starts_with(f->v[i], "status=") || starts_with(f->v[i], "exit=");
		if (starts_with(f->v[i], "label="))
			strs_add(&o->labels, f->v[i] + strlen("label="));
		else
			f->v[kept++] = f->v[i];
	}
	f->n = kept;
}

/* "KEY=VALUE" is that label, "KEY" any value of it. */
static bool has_label(const struct strs *labels, const char *wanted)
{
	size_t n = strlen(wanted);

	for (size_t i = 0; i < labels->n; i++)
		if (!strncmp(labels->v[i], wanted, n) && (!labels->v[i][n] || (labels->v[i][n] == '=' && !strchr(wanted, '='))))
			return true;
	return false;
}

static bool has_labels(const struct listed *l, const struct strs *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (!has_label(&l->labels, wanted->v[i]))
			return false;
	return true;
}

static void command_cell(struct table *t, const struct strs *args)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < args->n; i++) {
		if (i)
			buf_char(&b, ' ');
		buf_str(&b, args->v[i]);
	}
	table_cell(t, b.p);
	buf_free(&b);
}

static void exit_cell(struct table *t, const struct listed *c)
{
	const struct last *l = &c->last;
	char text[32], raw[24];

	if (c->pid || !l->started) {
		table_cell_raw(t, NULL, "null");
		return;
	}
	snprintf(raw, sizeof raw, "%lld", (long long)l->exit_code);
	snprintf(text, sizeof text, "%s%s", raw, l->oom ? " oom" : "");
	table_cell_raw(t, text, raw);
}

static void row(struct table *t, const struct listed *l)
{
	table_cell(t, l->id);
	table_cell(t, l->name);
	table_cell(t, l->image);
	table_cell(t, status_name(l->status));
	if (l->pid)
		table_int(t, l->pid);
	else
		table_cell_raw(t, NULL, "null");
	command_cell(t, &l->args);
	table_time(t, l->created);
	table_cell(t, l->ip);
	table_cell(t, l->ports);
	exit_cell(t, l);
	table_cell(t, l->health);
	table_int(t, l->last.restarts);
}

int ctr_ps_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct listing all;
	struct err err = { 0 };
	struct store s;
	struct table *t;

	if (opt_parse(&usage, &o, argc, argv))
		die_usage(2, "%s: takes no operands", argv[0]);
	sort_filters(&o);
	t = table_begin(columns, "id", &o.list);
	table_cut(t, "command", 80);
	if (store_get(&s, &err) < 0 ||
	    containers_list(&s, o.all, table_wants(t, "restarts") || table_wants(t, "exit"), &all, &err) < 0)
		die_err(1, NULL, &err);
	for (size_t i = 0; i < all.n; i++)
		if (has_labels(&all.v[i], &o.labels))
			row(t, &all.v[i]);
	table_end(t);
	listing_free(&all);
	store_close(&s);
	return 0;
}
