/* ctr-cgroup: control groups by the same words on v1, v2 and hybrid hosts. */
#include "base/clock.h"
#include "base/num.h"
#include "base/say.h"
#include "base/table.h"
#include "sys/cgroup.h"
#include "sys/cgroup_opts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KILL_MS 10000

struct options {
	struct cgroup_limits limits;
	struct list_options list;
	bool controllers, force;
};

static void detect(struct cgroup_host *host, int exit_code)
{
	struct err e = { 0 };

	if (cgroup_detect(host, &e) < 0)
		die_err(exit_code, NULL, &e);
}

static int failed(const struct err *e)
{
	say_err(NULL, e);
	return 1;
}

static void print(const char *fmt, const char *s)
{
	struct buf b = { 0 };

	buf_fmt(&b, fmt, s);
	out_write(b.p, b.len);
	buf_free(&b);
}

/* The group that the user typed, which must be there if EXISTING. 0, or 1 when that failed and was told. */
static int group(const struct cgroup_host *host, const char *typed, bool root, bool existing,
		 char path[CGROUP_PATH_MAX])
{
	struct err e = { 0 };

	if (cgroup_path(typed, root, path, &e) < 0)
		return failed(&e);
	if (!existing || cgroup_exists(host, path))
		return 0;
	err_sys(&e, -ENOENT, "group %s", path);
	if (!host->n)
		err_hint(&e, "no cgroup hierarchy is mounted: try \"ctr-cgroup mount\"");
	return failed(&e);
}

/* What a subcommand does to one group. 0 or -errno. */
typedef int act(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err);

static int parse_limits(const struct usage *u, int argc, char **argv, struct options *o)
{
	struct err e = { 0 };
	int n = opt_parse(u, o, argc, argv);

	if (cgroup_limits_check(&o->limits, &e) < 0)
		die_usage(u->bad, "%s", e.text);
	return n;
}

static const struct opt limit_opts[] = { CGROUP_OPTS(struct options, limits), OPT_END };

static int create_one(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err)
{
	struct cgroup g;
	int r;

	if (!host->n)
		return err_msg(err, -ENOTSUP,
			       "group %s: no cgroup hierarchy is mounted (try \"ctr-cgroup mount\"; the kernel needs "
			       "CONFIG_CGROUPS)",
			       path);
	if (cgroup_exists(host, path))
		return err_sys(err, -EEXIST, "group %s", path);
	r = cgroup_make(host, path, &o->limits, &g, err);
	if (r < 0)
		return r;
	cgroup_close(&g);
	print("%s\n", path);
	return 0;
}

static int set_one(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err)
{
	return cgroup_set(host, path, &o->limits, err);
}

static int kill_one(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err)
{
	int r = cgroup_kill(host, path, KILL_MS);

	(void)o;
	return r < 0 ? err_sys(err, r, "kill group %s", path) : 0;
}

static int freeze_one(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err)
{
	(void)o;
	return cgroup_freeze(host, path, true, err);
}

static int thaw_one(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err)
{
	(void)o;
	return cgroup_freeze(host, path, false, err);
}

static int rm_one(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err)
{
	int r = o->force ? cgroup_empty(host, path, err) : 0;

	return r < 0 ? r : cgroup_remove(host, path, err);
}

static const struct opt rm_opts[] = { { 'f', "force", NULL, OPT_FLAG, offsetof(struct options, force),
					"move processes to the group above first", NULL },
				      OPT_END };

/* The subcommands that do one thing to each of several groups. */
static const struct action {
	const char *word;
	struct usage u;
	bool existing;
	act *act;
} actions[] = {
	{ "create",
	  { "ctr-cgroup create", "[LIMIT].. PATH..", "Makes groups and prints their paths.", limit_opts, NULL, 2,
	    false },
	  false,
	  create_one },
	{ "set",
	  { "ctr-cgroup set", "LIMIT.. PATH..", "Changes the limits of groups.", limit_opts, NULL, 2, false },
	  true,
	  set_one },
	{ "kill",
	  { "ctr-cgroup kill", "PATH..", "Kills every process in groups and below them, frozen ones too.", NULL, NULL,
	    2, false },
	  true,
	  kill_one },
	{ "freeze",
	  { "ctr-cgroup freeze", "PATH..", "Stops every process in groups until they are thawed.", NULL, NULL, 2,
	    false },
	  true,
	  freeze_one },
	{ "thaw",
	  { "ctr-cgroup thaw", "PATH..", "Lets the processes of frozen groups go on.", NULL, NULL, 2, false },
	  true,
	  thaw_one },
	{ "rm",
	  { "ctr-cgroup rm", "[-f] PATH..", "Removes groups and those below them, in every hierarchy.", rm_opts, NULL,
	    2, false },
	  true,
	  rm_one },
};

/* Does it to each operand; the others still when one fails. */
static int each(const struct action *a, int n, char **argv, const struct options *o)
{
	struct cgroup_host host;
	struct strs paths = { 0 };
	char path[CGROUP_PATH_MAX];
	int bad = 0;

	opt_targets(n, argv, &paths);
	if (!paths.n)
		die_usage(2, "%s: a PATH is missing", a->word);
	detect(&host, 1);
	for (size_t i = 0; i < paths.n; i++) {
		struct err e = { 0 };

		if (group(&host, paths.v[i], false, a->existing, path))
			bad = 1;
		else if (a->act(&host, path, o, &e) < 0)
			bad = failed(&e);
	}
	return bad;
}

static int action_main(int argc, char **argv)
{
	const struct action *a = actions;
	struct options o = { 0 };
	int n;

	while (strcmp(a->word, argv[0]))
		a++;
	n = parse_limits(&a->u, argc, argv, &o);
	if (a->act == set_one && cgroup_limits_none(&o.limits))
		die_usage(2, "set: no limit given");
	return each(a, n, argv, &o);
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

static int get_main(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup get",
		"PATH [FILE]..",
		"Prints the values of a group's files (memory.max, tasks); without FILE all, with their names.",
		NULL,
		NULL,
		2,
		false
	};
	struct cgroup_host host;
	char path[CGROUP_PATH_MAX];
	int n = opt_parse(&u, NULL, argc, argv), bad = 0;

	if (!n)
		die_usage(2, "get: a PATH is missing");
	detect(&host, 1);
	if (group(&host, argv[0], true, true, path))
		return 1;
	if (n == 1)
		return get_all(&host, path);
	for (int i = 1; i < n; i++) {
		struct buf b = { 0 };
		struct err e = { 0 };
		int r = cgroup_read(&host, path, argv[i], &b);

		if (r < 0 && err_sys(&e, r, "read %s of group %s", argv[i], path))
			bad = failed(&e);
		else
			print(b.len ? "%s\n" : "%s", b.p);
		buf_free(&b);
	}
	return bad;
}

static int stat_main(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup stat",
		"PATH",
		"Tells what a group uses: bytes, microseconds, counts; - where the host can't tell.",
		NULL,
		NULL,
		2,
		false
	};
	struct cgroup_host host;
	struct cgroup_stat s;
	char path[CGROUP_PATH_MAX];

	if (opt_parse(&u, NULL, argc, argv) != 1)
		die_usage(2, "stat: want one PATH");
	detect(&host, 1);
	if (group(&host, argv[0], true, true, path))
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
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[64];

		snprintf(text, sizeof text, rows[i].n < 0 ? "%s -\n" : "%s %lld\n", rows[i].name, (long long)rows[i].n);
		print("%s", text);
	}
	return 0;
}

static int attach_main(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup attach", "PATH PID..", "Moves processes into a group.", NULL, NULL, 2, false
	};
	struct cgroup_host host;
	struct strs pids = { 0 };
	char path[CGROUP_PATH_MAX];
	int n = opt_parse(&u, NULL, argc, argv), bad = 0;

	if (n < 2)
		die_usage(2, "attach: want PATH and at least one PID");
	opt_targets(n - 1, argv + 1, &pids);
	detect(&host, 1);
	if (group(&host, argv[0], false, true, path))
		return 1;
	for (size_t i = 0; i < pids.n; i++) {
		struct err e = { 0 };
		int64_t pid;

		if (num_range(pids.v[i], 1, INT32_MAX, &pid) < 0)
			err_msg(&e, -EINVAL, "%s is no pid", pids.v[i]);
		else
			cgroup_attach(&host, path, (pid_t)pid, &e);
		if (e.code)
			bad = failed(&e);
	}
	return bad;
}

static int tell(void *arg, const char *line)
{
	(void)arg;
	print("%s\n", line);
	return 0;
}

static int watch_main(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup watch",
		"PATH",
		"Prints a group's events (populated, frozen, oom_kill, ..) as they are and as they "
		"change, until it is removed.",
		NULL,
		NULL,
		2,
		false
	};
	struct cgroup_host host;
	struct err e = { 0 };
	char path[CGROUP_PATH_MAX];

	if (opt_parse(&u, NULL, argc, argv) != 1)
		die_usage(2, "watch: want one PATH");
	detect(&host, 1);
	if (group(&host, argv[0], false, true, path))
		return 1;
	return cgroup_watch(&host, path, tell, NULL, &e) < 0 ? failed(&e) : 0;
}

static int mount_main(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup mount",
		"[HIERARCHY [DIR]]",
		"Mounts the hierarchies that are missing, or one, and prints where: v2, controllers of v1 "
		"(\"cpu,cpuacct\")\nor a named one (\"name=foo\"), by default below /sys/fs/cgroup.",
		NULL,
		NULL,
		2,
		false
	};
	struct cgroup_host host;
	struct strs made = { 0 };
	struct err e = { 0 };
	int n = opt_parse(&u, NULL, argc, argv), r;

	if (n > 2)
		die_usage(2, "mount: want at most HIERARCHY and DIR");
	detect(&host, 1);
	r = n ? cgroup_mount(&host, argv[0], n > 1 ? argv[1] : NULL, &made, &e)
	      : cgroup_mount_missing(&host, &made, &e);
	for (size_t i = 0; i < made.n; i++)
		print("%s\n", made.v[i]);
	return r < 0 ? failed(&e) : 0;
}

static int umount_main(int argc, char **argv)
{
	static const struct usage u = { "ctr-cgroup umount",
					"HIERARCHY..",
					"Unmounts hierarchies: v2, a controller, name=NAME, or a mount point.",
					NULL,
					NULL,
					2,
					false };
	int n = opt_parse(&u, NULL, argc, argv), bad = 0;

	if (!n)
		die_usage(2, "umount: a HIERARCHY is missing");
	for (int i = 0; i < n; i++) {
		struct cgroup_host host;
		struct err e = { 0 };

		detect(&host, 1);
		if (cgroup_umount(&host, argv[i], &e) < 0)
			bad = failed(&e);
	}
	return bad;
}

static const struct column group_columns[] = { { "path", true, false, false }, { "procs", true, true, true },
					       { "memory", true, true, true }, { "cpu", true, true, true },
					       { "pids", true, true, true },   { NULL, false, false, false } };

static void cell_number(struct table *t, int64_t n)
{
	if (n < 0)
		table_cell(t, NULL);
	else
		table_int(t, n);
}

/* Memory is human for people, bytes for scripts and programs; cpu is seconds. */
static void list_group(struct table *t, const struct cgroup_host *host, const char *path, bool exact)
{
	struct cgroup_stat s;
	char text[32] = "", human[16] = "";
	pid_t *pids;
	int n = cgroup_procs(host, path, &pids);

	free(pids);
	cgroup_stat(host, path, &s);
	table_cell(t, path);
	cell_number(t, n);
	if (s.memory >= 0)
		num_human(s.memory, human);
	if (exact)
		cell_number(t, s.memory);
	else
		table_cell(t, human);
	if (s.cpu_usec >= 0)
		snprintf(text, sizeof text, "%lld.%02d", (long long)(s.cpu_usec / 1000000),
			 (int)(s.cpu_usec / 10000 % 100));
	table_cell(t, text);
	cell_number(t, s.pids);
}

static const struct column controller_columns[] = { { "controller", true, false, false },
						    { "version", true, true, true },
						    { "mount", true, false, false },
						    { NULL, false, false, false } };

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

static int ls_main(int argc, char **argv)
{
	static const struct opt opts[] = { { 0, "controllers", NULL, OPT_FLAG, offsetof(struct options, controllers),
					     "the hierarchies instead: controller, version, mount", NULL },
					   LIST_OPTS(struct options, list),
					   OPT_END };
	static const struct usage u = {
		"ctr-cgroup ls",
		"[PATH]",
		"Lists PATH and the groups below it, else all: processes, memory, seconds of processor "
		"time, tasks.",
		opts,
		"Columns: path procs memory cpu pids; with --controllers: controller version mount",
		2,
		false
	};
	struct options o = { 0 };
	struct cgroup_host host;
	struct strs paths = { 0 };
	struct table *t;
	char path[CGROUP_PATH_MAX] = "/";
	int n = opt_parse(&u, &o, argc, argv);

	if (n > 1 || (n && o.controllers))
		die_usage(2, "ls: too many operands");
	detect(&host, 1);
	if (o.controllers)
		return list_controllers(&host, &o);
	if (n && group(&host, argv[0], true, true, path))
		return 1;
	t = table_begin(group_columns, "path", &o.list);
	cgroup_list(&host, path, &paths);
	for (size_t i = 0; i < paths.n; i++)
		list_group(t, &host, paths.v[i], o.list.raw || o.list.json);
	table_end(t);
	return 0;
}

/* In PATH, or in a group for the command alone, named so that another pid namespace with our pid gets another one. */
static int run(const struct cgroup_host *host, const char *typed, const struct cgroup_limits *limits, char **command)
{
	struct err e = { 0 };
	char path[CGROUP_PATH_MAX], random[9];
	int code = 0;

	if (typed) {
		if (!cgroup_path(typed, false, path, &e))
			cgroup_become(host, path, limits, command, &e);
	} else {
		random_hex(random, 8);
		snprintf(path, sizeof path, "/ctr-cgroup-%d-%s", getpid(), random);
		code = cgroup_run(host, path, limits, command, &e);
	}
	if (typed || code < 0)
		die_err(125, NULL, &e);
	if (e.code)
		say_err(NULL, &e);
	return code;
}

static int run_main(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup run",
		"[LIMIT].. [PATH] -- CMD [ARG]..",
		"Runs CMD in group PATH, made if it is missing; without PATH in one of its own, which is "
		"removed when CMD ends.",
		limit_opts,
		NULL,
		125,
		true
	};
	struct options o = { 0 };
	struct cgroup_host host;
	char **typed = xmalloc(sizeof *typed * (size_t)(argc + 1));
	bool path;
	int n;

	memcpy(typed, argv, sizeof *typed * (size_t)(argc + 1));
	n = parse_limits(&u, argc, argv, &o);
	/* The operands are the end of what was typed; "--" right before them makes the first one the command. */
	path = n > 1 && !strcmp(argv[1], "--") && strcmp(typed[argc - n - 1], "--");
	free(typed);
	if (n < (path ? 3 : 1))
		die_usage(125, "run: a CMD is missing");
	detect(&host, 125);
	return run(&host, path ? argv[0] : NULL, &o.limits, path ? argv + 2 : argv);
}

static const struct subcommand subcommands[] = {
	{ "ls", "list", ls_main, "list groups, or --controllers" },
	{ "create", NULL, action_main, "make groups, with limits" },
	{ "set", NULL, action_main, "change limits" },
	{ "get", NULL, get_main, "print a group's files" },
	{ "stat", NULL, stat_main, "tell what a group uses" },
	{ "attach", NULL, attach_main, "move processes into a group" },
	{ "run", NULL, run_main, "run a command in a group" },
	{ "kill", NULL, action_main, "kill every process in a group" },
	{ "freeze", NULL, action_main, "stop every process in a group" },
	{ "thaw", NULL, action_main, "let them go on" },
	{ "watch", NULL, watch_main, "print events as they happen" },
	{ "rm", NULL, action_main, "remove groups" },
	{ "mount", NULL, mount_main, "mount what is missing" },
	{ "umount", NULL, umount_main, "unmount hierarchies" },
	{ NULL, NULL, NULL, NULL },
};

int ctr_cgroup_main(int argc, char **argv)
{
	return opt_dispatch("ctr-cgroup",
			    "Control groups by the same words on v1, v2 and hybrid hosts. PATH names one group in all "
			    "hierarchies: /db.",
			    subcommands, argc, argv);
}
