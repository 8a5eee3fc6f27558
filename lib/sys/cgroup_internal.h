/* What the files of lib/sys/cgroup_*.c share. Not for others. */
#ifndef SYS_CGROUP_INTERNAL_H
#define SYS_CGROUP_INTERNAL_H

#include "sys/cgroup.h"

/* The name of PATH below its hierarchy's root directory: without the leading slash, "." for the root. */
const char *cgroup_below(const char *path);

void cgroup_hierarchy_free(struct cgroup_hierarchy *h);

bool cgroup_in(const struct cgroup_hierarchy *h, const char *path); /* PATH exists there */

/* Writes TEXT to, or reads without trailing white space into zeroed OUT, FILE of group PATH. 0 or -errno. */
int cgroup_file_put(const struct cgroup_hierarchy *h, const char *path, const char *file, const char *text);
int cgroup_file_get(const struct cgroup_hierarchy *h, const char *path, const char *file, struct buf *out);
/* Opens it; fd or -errno. */
int cgroup_file_open(const struct cgroup_hierarchy *h, const char *path, const char *file, int flags);

/* The number after "KEY " in a flat-keyed file's text, or -1. */
int64_t cgroup_flat(const char *text, const char *key);

/* PATH's first component ("/a" of "/a/b/c") and its parent ("/a/b"; "/" above "/a"). */
void cgroup_first(const char *path, char out[CGROUP_PATH_MAX]);
void cgroup_parent(const char *path, char out[CGROUP_PATH_MAX]);

/* mkdir -p in one hierarchy; *MADE counts the components that were new. */
int cgroup_mkdir(const struct cgroup_hierarchy *h, const char *path, int *made, struct err *err);
/* Takes the last MADE components away again. */
void cgroup_unmake(const struct cgroup_hierarchy *h, const char *path, int made);

/* v2: enables cpu, memory and pids where they are, and what LIMITS need, in every group above PATH (all of which
 * exist). A root that is a delegated group with processes in it answers -EBUSY (no internal processes). 0 or -errno. */
int cgroup_v2_enable(const struct cgroup_hierarchy *h, const char *path, const struct cgroup_limits *limits,
		     struct err *err);

/* v2: moves the processes of H's root to "/init" below it (containers' runtimes call it so), round by round while new ones are born: a
 * group that hands controllers down may have none itself. 0 or -errno. */
int cgroup_v2_step_down(const struct cgroup_hierarchy *h, struct err *err);

/* Calls EACH for PATH and every group below it, deepest first; stops at the first answer that isn't 0 and returns it. A
 * group that isn't there is 0. */
typedef int cgroup_each(const struct cgroup_hierarchy *h, const char *path, void *arg);
int cgroup_walk(const struct cgroup_hierarchy *h, const char *path, cgroup_each *each, void *arg);

/* Adds the pids of PATH and below in H. The array is sorted, each once, after cgroup_pids_sort. */
struct cgroup_pids {
	pid_t *v;
	size_t n, room;
};
int cgroup_pids_add(const struct cgroup_hierarchy *h, const char *path, struct cgroup_pids *pids);
void cgroup_pids_sort(struct cgroup_pids *pids);

/* Whether LIMITS has one that hierarchy H carries out, and whether it has one of v2's CONTROLLER. */
bool cgroup_limits_touch(const struct cgroup_limits *l, const struct cgroup_hierarchy *h);
bool cgroup_limits_need(const struct cgroup_limits *l, const char *controller);

/* Refuses limits that no mounted hierarchy carries out. 0 or -ENOTSUP. */
int cgroup_limits_possible(const struct cgroup_host *host, const struct cgroup_limits *l, struct err *err);

/* Writes L to group PATH, which exists where it has to. 0 or -errno. */
int cgroup_limits_write(const struct cgroup_host *host, const char *path, const struct cgroup_limits *l,
			struct err *err);

/* Allows the processes of G, a group that was just made and opened, the devices of RULES alone. 0, also where neither hierarchy can do
 * it (G's `devices` tells), or -errno. */
int cgroup_devices_write(const struct cgroup_host *host, struct cgroup *g, const struct array *rules, struct err *err);

/* Waits until cgroup.events of PATH says KEY VALUE: 0, -ETIMEDOUT, -ENOENT when the group is gone, or -errno. */
int cgroup_await(const struct cgroup_hierarchy *h, const char *path, const char *key, int64_t value, int timeout_ms);

/* Milliseconds of pause, for what tells no event. */
void cgroup_pause(int ms);

#endif
