/* ctr-cgroup create, set, kill, freeze, thaw, rm. */
#include "ctr-cgroup.h"
#include "base/say.h"
#include <errno.h>
#include <string.h>

#define KILL_MS 10000

static int create_one(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err)
{
	struct cgroup g;
	int r;

	if (!host->n)
		return err_msg(err, -ENOTSUP, "group %s: no cgroup hierarchy is mounted (try \"ctr-cgroup mount\"; the kernel needs CONFIG_CGROUPS)",
			       path);
	if (cgroup_exists(host, path))
		return err_sys(err, -EEXIST, "group %s", path);
	r = cgroup_make(host, path, &o->limits, &g, err);
	if (r < 0)
		return r;
	cgroup_close(&g);
	out_line(path);
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

static const struct opt rm_opts[] = {
	{ 'f', "force", NULL, OPT_FLAG, offsetof(struct options, force), "move processes to the group above first", NULL },
	OPT_END
};

/* The subcommands that do one thing to each of several groups. */
static const struct action {
	struct usage u;
	bool existing;
	/* 0 or -errno. */
	int (*act)(const struct cgroup_host *host, const char *path, const struct options *o, struct err *err);
} actions[] = {
	{ { "ctr-cgroup create", "[LIMIT].. PATH..", "Makes groups and prints their paths.", group_limit_opts, NULL, 2, false }, false, create_one },
	{ { "ctr-cgroup set", "LIMIT.. PATH..", "Changes the limits of groups.", group_limit_opts, NULL, 2, false }, true, set_one },
	{ { "ctr-cgroup kill", "PATH..", "Kills every process in groups and below them, frozen ones too.", NULL, NULL, 2, false }, true, kill_one },
	{ { "ctr-cgroup freeze", "PATH..", "Stops every process in groups until they are thawed.", NULL, NULL, 2, false }, true, freeze_one },
	{ { "ctr-cgroup thaw", "PATH..", "Lets the processes of frozen groups go on.", NULL, NULL, 2, false }, true, thaw_one },
	{ { "ctr-cgroup rm", "[-f] PATH..", "Removes groups and those below them, in every hierarchy.", rm_opts, NULL, 2, false }, true, rm_one },
};

/* Does it to each operand; the others still when one fails. */
static int each(const struct action *a, const char *word, int n, char **argv, const struct options *o)
{
	struct cgroup_host host;
	struct strs paths = { 0 };
	char path[CGROUP_PATH_MAX];
	int bad = 0;

	opt_targets(n, argv, &paths);
	if (!paths.n)
		die_usage(2, "%s: a PATH is missing", word);
	group_host(&host, 1);
	for (size_t i = 0; i < paths.n; i++) {
		struct err e = { 0 };

		if (group_find(&host, paths.v[i], false, a->existing, path))
			bad = 1;
		else if (a->act(&host, path, o, &e) < 0)
			bad = group_failed(&e);
	}
	return bad;
}

int ctr_cgroup_action(int argc, char **argv)
{
	const struct action *a = actions;
	const char *word = argv[0]; /* one of them: the table of subcommands says so */
	struct options o = { 0 };
	int n;

	while (strcmp(a->u.name + strlen("ctr-cgroup "), word))
		a++;
	n = group_limits(&a->u, argc, argv, &o);
	if (a->act == set_one && cgroup_limits_none(&o.limits))
		die_usage(2, "set: no limit given");
	return each(a, word, n, argv, &o);
}
