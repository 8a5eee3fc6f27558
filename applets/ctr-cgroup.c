/* ctr-cgroup: control groups by the same words on v1, v2 and hybrid hosts. */
#include "ctr-cgroup/ctr-cgroup.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/say.h"
#include "sys/cgroup_opts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct opt group_limit_opts[] = { CGROUP_OPTS(struct options, limits), OPT_END };

void group_host(struct cgroup_host *host, int exit_code)
{
	struct err e = { 0 };

	if (cgroup_detect(host, &e) < 0)
		die_err(exit_code, NULL, &e);
}

int group_failed(const struct err *e)
{
	say_err(NULL, e);
	return 1;
}

int group_find(const struct cgroup_host *host, const char *typed, bool root, bool existing, char path[CGROUP_PATH_MAX])
{
	struct err e = { 0 };

	if (cgroup_path(typed, root, path, &e) < 0)
		return group_failed(&e);
	if (!existing || cgroup_exists(host, path))
		return 0;
	err_sys(&e, -ENOENT, "group %s", path);
	if (!host->n)
		err_hint(&e, "no cgroup hierarchy is mounted: try \"ctr-cgroup mount\"");
	return group_failed(&e);
}

int group_limits(const struct usage *u, int argc, char **argv, struct options *o)
{
	struct err e = { 0 };
	int n = opt_parse(u, o, argc, argv);

	if (cgroup_limits_check(&o->limits, &e) < 0)
		die_usage(u->bad, "%s", e.text);
	return n;
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
	group_host(&host, 1);
	if (group_find(&host, argv[0], false, true, path))
		return 1;
	for (size_t i = 0; i < pids.n; i++) {
		struct err e = { 0 };
		int64_t pid;

		if (num_range(pids.v[i], 1, INT32_MAX, &pid) < 0)
			err_msg(&e, -EINVAL, "%s is no pid", pids.v[i]);
		else
			cgroup_attach(&host, path, (pid_t)pid, &e);
		if (e.code)
			bad = group_failed(&e);
	}
	return bad;
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
		group_limit_opts, NULL, 125, true,
	};
	struct options o = { 0 };
	struct cgroup_host host;
	char **typed = xmalloc(sizeof *typed * (size_t)(argc + 1));
	bool path;
	int n;

	memcpy(typed, argv, sizeof *typed * (size_t)(argc + 1));
	n = group_limits(&u, argc, argv, &o);
	/* The operands are the end of what was typed; "--" right before them makes the first one the command. */
	path = n > 1 && !strcmp(argv[1], "--") && strcmp(typed[argc - n - 1], "--");
	free(typed);
	if (n < (path ? 3 : 1))
		die_usage(125, "run: a CMD is missing");
	group_host(&host, 125);
	return run(&host, path ? argv[0] : NULL, &o.limits, path ? argv + 2 : argv);
}

static const struct subcommand subcommands[] = {
	{ "ls", "list", ctr_cgroup_ls, "list groups, or --controllers" },
	{ "create", NULL, ctr_cgroup_action, "make groups, with limits" },
	{ "set", NULL, ctr_cgroup_action, "change limits" },
	{ "get", NULL, ctr_cgroup_get, "print a group's files" },
	{ "stat", NULL, ctr_cgroup_stat, "tell what a group uses" },
	{ "attach", NULL, attach_main, "move processes into a group" },
	{ "run", NULL, run_main, "run a command in a group" },
	{ "kill", NULL, ctr_cgroup_action, "kill every process in a group" },
	{ "freeze", NULL, ctr_cgroup_action, "stop every process in a group" },
	{ "thaw", NULL, ctr_cgroup_action, "let them go on" },
	{ "watch", NULL, ctr_cgroup_watch, "print events as they happen" },
	{ "rm", NULL, ctr_cgroup_action, "remove groups" },
	{ "mount", NULL, ctr_cgroup_mount, "mount what is missing" },
	{ "umount", NULL, ctr_cgroup_umount, "unmount hierarchies" },
	{ NULL, NULL, NULL, NULL },
};

int ctr_cgroup_main(int argc, char **argv)
{
	return opt_dispatch("ctr-cgroup",
			    "Control groups by the same words on v1, v2 and hybrid hosts. PATH names one group in all "
			    "hierarchies: /db.",
			    subcommands, argc, argv);
}
