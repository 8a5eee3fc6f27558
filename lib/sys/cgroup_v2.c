/* v2: handing controllers down the tree by cgroup.subtree_control. See "Controlling Controllers" in
 * Documentation/admin-guide/cgroup-v2.rst. */
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const wanted[] = { "cpu", "memory", "pids", "cpuset", "io" };
/* One of the files by which each is there. */
static const char *const witness[] = { "cpu.weight", "memory.max", "pids.max", "cpuset.cpus", "io.stat" };
#define ALWAYS 3 /* the first of them: every container has them where they are */
#define WANTED 5

static bool wants(const struct cgroup_hierarchy *h, const struct cgroup_limits *limits, bool asked, int i)
{
	return strs_has(&h->controllers, wanted[i]) &&
	       ((i < ALWAYS && !asked) || cgroup_limits_need(limits, wanted[i]));
}

/* "+cpu +memory": those of a container's controllers that group PATH has and doesn't hand down yet; only what LIMITS
 * can't do without if ASKED. */
static void missing(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits, bool asked,
		    struct buf *out)
{
	struct strs on = { 0 };
	struct buf b = { 0 };

	if (!cgroup_file_get(h, path, "cgroup.subtree_control", &b))
		strs_split(&on, b.p, ' ');
	for (int i = 0; i < WANTED; i++)
		if (wants(h, limits, asked, i) && !strs_has(&on, wanted[i]))
			buf_fmt(out, "%s+%s", out->len ? " " : "", wanted[i]);
	strs_free(&on);
	buf_free(&b);
}

static int refuse(const struct cgroup_hierarchy *h, const char *path, const char *what, int r, struct err *err)
{
	err_sys(err, r, "write %s to %s%s/cgroup.subtree_control", what, h->mount, path[1] ? path : "");
	if (r == -EBUSY)
		err_hint(err, "processes live in this group: move them to a group below it first");
	return r;
}

/* Writes WHAT. In a container and for an ordinary user the root is a group as any other: those in it step down first. */
static int hand_down(const struct cgroup_hierarchy *h, const char *path, const char *what, struct err *err)
{
	int r = cgroup_file_put(h, path, "cgroup.subtree_control", what);

	if (r == -EBUSY && !path[1] && !cgroup_v2_step_down(h, err))
		r = cgroup_file_put(h, path, "cgroup.subtree_control", what);
	return r;
}

/* Hands down what is missing at one level. What nobody asked for may stay missing. */
static int enable_level(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits,
			struct err *err)
{
	struct buf all = { 0 }, asked = { 0 };
	int r = 0;

	missing(h, path, limits, false, &all);
	if (all.len && hand_down(h, path, all.p, err)) {
		missing(h, path, limits, true, &asked);
		if (asked.len)
			r = cgroup_file_put(h, path, "cgroup.subtree_control", asked.p);
		if (r)
			refuse(h, path, asked.p, r, err);
	}
	buf_free(&all);
	buf_free(&asked);
	return r;
}

/* The levels above PATH, from the root down. */
static int enable_above(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits,
			struct err *err)
{
	char parent[CGROUP_PATH_MAX];
	int r;

	cgroup_parent(path, parent);
	r = parent[1] ? enable_above(h, parent, limits, err) : 0;
	return r ? r : enable_level(h, parent, limits, err);
}

/* Whether PATH has all of them. Their files tell: subtree_control above it does so before they can be used. */
static bool enabled(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits)
{
	char file[CGROUP_PATH_MAX + 16];

	for (int i = 0; i < WANTED; i++) {
		snprintf(file, sizeof file, "%s/%s", path, witness[i]);
		if (wants(h, limits, false, i) && !cgroup_in(h, file))
			return false;
	}
	return true;
}

int cgroup_v2_enable(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits,
		     struct err *err)
{
	char parent[CGROUP_PATH_MAX];
	int r;

	if (enabled(h, path, limits))
		return 0;
	r = enable_above(h, path, limits, err);
	/* Another command may be handing them down just now, which has told of it and not done it. A write waits for its end. */
	cgroup_parent(path, parent);
	if (!r)
		cgroup_file_put(h, parent, "cgroup.subtree_control", "\n");
	return r;
}
