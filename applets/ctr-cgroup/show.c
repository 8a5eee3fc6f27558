/* ctr-cgroup ls, get, stat, watch: what groups have and use. */
#include "ctr-cgroup.h"
#include "base/say.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column group_columns[] = {
	{ "path", true, false, false }, { "procs", true, true, true }, { "memory", true, true, true },
	{ "cpu", true, true, true },    { "pids", true, true, true },  { 0 },
};

static void cell_number(struct table *t, int64_t n)
{
	if (n < 0)
		table_cell(t, NULL);
	else
		table_int(t, n);
}

/* cpu is seconds. */
static void list_group(struct table *t, const struct cgroup_host *host, const char *path)
{
	struct cgroup_stat s;
	char text[32] = "";
	pid_t *pids;
	int n = cgroup_procs(host, path, &pids);

	free(pids);
	cgroup_stat(host, path, &s);
	table_cell(t, path);
	cell_number(t, n);
	table_size(t, s.memory);
	if (s.cpu_usec >= 0)
		snprintf(text, sizeof text, "%lld.%02d", (long long)(s.cpu_usec / 1000000),
			 (int)(s.cpu_usec / 10000 % 100));
	table_cell(t, text);
	cell_number(t, s.pids);
}

static const struct column controller_columns[] = {
	{ "controller", true, false, false }, { "version", true, true, true }, { "mount", true, false, false }, { 0 },
};

static int list_controllers(const struct cgroup_host *host, const struct options *o)
{
	struct table *t = table_begin(controller_columns, "controller", &o->list);

	for (int i = 0; i < host->n; i++) {
		const struct cgroup_hierarchy *h = &host->h[i];

		for (size_t k = 0; k < (h->controllers.n ? h->controllers.n : 1); k++) {
			table_cell(t, h->controllers.n ? h->controllers.v[k] : NULL);
			table_int(t, h->v2 ? 2 : 1);
			table_cell(t, h->mount);
		}
	}
	table_end(t);
	return 0;
}

int ctr_cgroup_ls(int argc, char **argv)
{
	static const struct opt opts[] = {
		{ 0, "controllers", NULL, OPT_FLAG, offsetof(struct options, controllers),
		  "the hierarchies instead: controller, version, mount", NULL },
		LIST_OPTS(struct options, list),
		OPT_END
	};
	static const struct usage u = {
		"ctr-cgroup ls",
		"[PATH]",
		"Lists PATH and the groups below it, else all: processes, memory, seconds of processor time, tasks.",
		opts, "Columns: path procs memory cpu pids; with --controllers: controller version mount", 2, false,
	};
	struct options o = { 0 };
	struct cgroup_host host;
	struct strs paths = { 0 };
	struct table *t;
	char path[CGROUP_PATH_MAX] = "/";
	int n = opt_parse(&u, &o, argc, argv);

	if (n > 1 || (n && o.controllers))
		die_usage(2, "ls: too many operands");
	group_host(&host, 1);
	if (o.controllers)
		return list_controllers(&host, &o);
	if (n && group_find(&host, argv[0], true, true, path))
		return 1;
	t = table_begin(group_columns, "path", &o.list);
	cgroup_list(&host, path, &paths);
	for (size_t i = 0; i < paths.n; i++)
		list_group(t, &host, paths.v[i]);
	table_end(t);
	return 0;
}

/* Each line of a file as "FILE<tab>LINE". */
static void print_named(const char *file, const char *text)
{
	struct strs lines = { 0 };
	struct buf b = { 0 };

	strs_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.n; i++)
		buf_fmt(&b, "%s\t%s\n", file, lines.v[i]);
	if (!lines.n)
		buf_fmt(&b, "%s\t\n", file);
	out_write(b.p, b.len);
	buf_free(&b);
	strs_free(&lines);
}

static int get_all(const struct cgroup_host *host, const char *path)
{
	struct strs files = { 0 };

	cgroup_files(host, path, &files);
	for (size_t i = 0; i < files.n; i++) {
		struct buf b = { 0 };

		if (!cgroup_read(host, path, files.v[i], &b)) /* some can only be written */
			print_named(files.v[i], b.p);
		buf_free(&b);
	}
	strs_free(&files);
	return 0;
}

int ctr_cgroup_get(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup get",
		"PATH [FILE]..",
		"Prints the values of a group's files (memory.max, tasks); without FILE all, with their names.",
		NULL, NULL, 2, false,
	};
	struct cgroup_host host;
	char path[CGROUP_PATH_MAX];
	int n = opt_parse(&u, NULL, argc, argv), bad = 0;

	if (!n)
		die_usage(2, "get: a PATH is missing");
	group_host(&host, 1);
	if (group_find(&host, argv[0], true, true, path))
		return 1;
	if (n == 1)
		return get_all(&host, path);
	for (int i = 1; i < n; i++) {
		struct buf b = { 0 };
		struct err e = { 0 };
		int r = cgroup_read(&host, path, argv[i], &b);

		if (r < 0 && err_sys(&e, r, "read %s of group %s", argv[i], path))
			bad = group_failed(&e);
		else if (b.len)
			out_line(b.p);
		buf_free(&b);
	}
	return bad;
}

int ctr_cgroup_stat(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup stat",
		"PATH",
		"Tells what a group uses: bytes, microseconds, counts, and the percent of the last ten seconds in which some process\n"
		"waited for a processor, memory or a disk (PSI); - where the host can't tell.",
		NULL, NULL, 2, false,
	};
	struct cgroup_host host;
	struct cgroup_stat s;
	char path[CGROUP_PATH_MAX];

	if (opt_parse(&u, NULL, argc, argv) != 1)
		die_usage(2, "stat: want one PATH");
	group_host(&host, 1);
	if (group_find(&host, argv[0], true, true, path))
		return 1;
	cgroup_stat(&host, path, &s);
	const struct {
		const char *name;
		int64_t n;
	} rows[] = {
		{ "memory", s.memory },       { "memory_limit", s.memory_limit }, { "pids", s.pids },
		{ "cpu_usec", s.cpu_usec },   { "io_read", s.io_read },           { "io_write", s.io_write },
		{ "oom_kills", s.oom_kills },
	};
	const struct {
		const char *name;
		int64_t hundredths;
	} pressures[] = { { "cpu_pressure", s.cpu_pressure }, { "memory_pressure", s.memory_pressure }, { "io_pressure", s.io_pressure } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[64];

		snprintf(text, sizeof text, rows[i].n < 0 ? "%s -\n" : "%s %lld\n", rows[i].name, (long long)rows[i].n);
		out_write(text, strlen(text));
	}
	for (size_t i = 0; i < sizeof pressures / sizeof *pressures; i++) {
		char text[64];
		int64_t p = pressures[i].hundredths;

		snprintf(text, sizeof text, p < 0 ? "%s -\n" : "%s %lld.%02d\n", pressures[i].name, (long long)p / 100, (int)(p % 100));
		out_write(text, strlen(text));
	}
	return 0;
}

static int tell(void *arg, const char *line)
{
	(void)arg;
	out_line(line);
	return 0;
}

int ctr_cgroup_watch(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup watch",
		"PATH",
		"Prints a group's events (populated, frozen, oom_kill, ..) as they are and as they "
		"change, until it is removed.",
		NULL, NULL, 2, false,
	};
	struct cgroup_host host;
	struct err e = { 0 };
	char path[CGROUP_PATH_MAX];

	if (opt_parse(&u, NULL, argc, argv) != 1)
		die_usage(2, "watch: want one PATH");
	group_host(&host, 1);
	if (group_find(&host, argv[0], false, true, path))
		return 1;
	return cgroup_watch(&host, path, tell, NULL, &e) < 0 ? group_failed(&e) : 0;
}
