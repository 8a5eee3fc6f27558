/* ctr-stats: what running containers use. */
#include "base/say.h"
#include "base/table.h"
#include "ctr/stats.h"
#include "ctr/targets.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	bool once;
	int64_t interval_ms;
	struct list_options list;
};

static const struct opt opts[] = {
	{ 0, "once", NULL, OPT_FLAG, offsetof(struct options, once), "print once and end", NULL },
	{ 0, "no-stream", NULL, OPT_FLAG, offsetof(struct options, once), NULL, NULL },
	{ 0, "interval", "TIME", OPT_TIME, offsetof(struct options, interval_ms), "what processor time is measured over (1s)", NULL },
	LIST_OPTS(struct options, list),
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-stats",
	.synopsis = "[OPT].. [CTR]..",
	.about = "Shows what containers use, all that run or those named, again and again until none of these runs.",
	.opts = opts,
	.more = "columns: id,name,cpu,memory,limit,pids,net_rx,net_tx,io_read,io_write,cpu_pressure,memory_pressure,io_pressure\n"
		"cpu is percent of one processor; a pressure is the percent of the last ten seconds in which some process waited for it\n"
		"(PSI). Bytes are human for people, exact with -r and -J. - stands for what the host can't tell, and for no limit.",
	.bad = 2,
};

static const struct column columns[] = {
	{ "id", true, false, false },     { "name", true, false, false },           { "cpu", true, true, true },
	{ "memory", true, true, true },   { "limit", true, true, true },            { "pids", true, true, true },
	{ "net_rx", true, true, true },   { "net_tx", true, true, true },           { "io_read", true, true, true },
	{ "io_write", true, true, true }, { "cpu_pressure", false, true, true },    { "memory_pressure", false, true, true },
	{ "io_pressure", false, true, true }, { 0 },
};

/* A look at the containers that run. */
struct look {
	struct listing all;
	struct stats *v;         /* one for each */
};

struct view {
	const struct options *o;
	struct store s;
	struct strs ids;         /* those asked for; none: all */
	bool screen;             /* each table takes the place of the one before */
};

static struct look take_look(const struct view *v)
{
	struct look l = { 0 };
	struct err err = { 0 };

	if (containers_list(&v->s, false, false, &l.all, &err) < 0)
		die_err(1, NULL, &err);
	l.v = xcalloc(l.all.n + 1, sizeof *l.v);
	for (size_t i = 0; i < l.all.n; i++)
		if (l.all.v[i].pid)
			stats_read(&v->s, &l.all.v[i], &l.v[i]);
	return l;
}

static void look_free(struct look *l)
{
	listing_free(&l->all);
	free(l->v);
}

/* The reading of container ID in L, or NULL. */
static const struct stats *look_find(const struct look *l, const char *id)
{
	for (size_t i = 0; i < l->all.n; i++)
		if (l->all.v[i].pid && !strcmp(l->all.v[i].id, id))
			return &l->v[i];
	return NULL;
}

static void percent_cell(struct table *t, int64_t hundredths)
{
	char text[32] = "";

	if (hundredths >= 0)
		snprintf(text, sizeof text, "%lld.%02d", (long long)(hundredths / 100), (int)(hundredths % 100));
	table_cell(t, text);
}

static void count_cell(struct table *t, int64_t n)
{
	if (n < 0)
		table_cell_raw(t, NULL, "null");
	else
		table_int(t, n);
}

static void row(struct table *t, const struct listed *c, const struct stats *before, const struct stats *now)
{
	const struct cgroup_stat *g = &now->group;

	table_cell(t, c->id);
	table_cell(t, c->name);
	percent_cell(t, before ? stats_cpu(before, now) : -1);
	table_size(t, g->memory);
	table_size(t, g->memory_limit);
	count_cell(t, g->pids);
	table_size(t, now->net_rx);
	table_size(t, now->net_tx);
	table_size(t, g->io_read);
	table_size(t, g->io_write);
	percent_cell(t, g->cpu_pressure);
	percent_cell(t, g->memory_pressure);
	percent_cell(t, g->io_pressure);
}

static bool wanted(const struct view *v, const struct listed *c)
{
	return c->pid && (!v->ids.n || strs_has(&v->ids, c->id));
}

/* Prints NOW by T. How many containers it told of. */
static int show(const struct view *v, struct table *t, const struct look *before, const struct look *now)
{
	static const char home[] = "\033[H\033[J";
	int n = 0;

	for (size_t i = 0; i < now->all.n; i++) {
		const struct listed *c = &now->all.v[i];

		if (!wanted(v, c))
			continue;
		row(t, c, look_find(before, c->id), &now->v[i]);
		n++;
	}
	if (v->screen)
		out_write(home, sizeof home - 1);
	table_end(t);
	return n;
}

/* The ids of those that OPERANDS name and that run. 0, or 1 if there were others, which were told. */
static int find_targets(struct view *v, int n, char **operands)
{
	struct strs targets = { 0 };
	int bad = 0;

	opt_targets(n, operands, &targets);
	for (size_t i = 0; i < targets.n; i++) {
		struct err err = { 0 };
		struct record r;
		int rc = record_open(&v->s, targets.v[i], &r, &err);

		if (rc == 0) {
			if (record_running(&v->s, &r))
				strs_add(&v->ids, r.id);
			else
				rc = err_msg(&err, -ESRCH, "isn't running");
			record_close(&r);
		}
		if (rc < 0) {
			say_err(targets.v[i], &err);
			bad = 1;
		}
	}
	strs_free(&targets);
	return bad;
}

static void run(struct view *v)
{
	struct look before = take_look(v), now;
	int n;

	do {
		struct table *t = table_begin(columns, "id", &v->o->list);

		if (!v->o->once || table_wants(t, "cpu"))
			poll(NULL, 0, (int)v->o->interval_ms);
		now = take_look(v);
		n = show(v, t, &before, &now);
		look_free(&before);
		before = now;
	} while (!v->o->once && (n || !v->ids.n));
	look_free(&before);
}

int ctr_stats_main(int argc, char **argv)
{
	struct options o = { .interval_ms = 1000 };
	struct view v = { .o = &o };
	struct err err = { 0 };
	int n = opt_parse(&usage, &o, argc, argv), bad = 0;

	if (o.interval_ms < 10 || o.interval_ms > 3600000)
		die_usage(2, "--interval: from 10ms to 1h");
	v.screen = isatty(STDOUT_FILENO) && !o.once && !o.list.raw && !o.list.json && !o.list.quiet;
	if (store_get(&v.s, &err) < 0)
		die_err(1, NULL, &err);
	bad = find_targets(&v, n, argv);
	if (!n || v.ids.n)
		run(&v);
	strs_free(&v.ids);
	store_close(&v.s);
	return bad;
}
