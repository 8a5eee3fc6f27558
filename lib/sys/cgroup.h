/* Control groups on v1, v2 and hybrid hosts by the same words.
 *
 * A group is named by one path ("/ctrbox-1a2b/0123456789ab") below the root of every hierarchy. On a hybrid host
 * the unified hierarchy is used too, for what it gives without controllers: CLONE_INTO_CGROUP, cgroup.kill,
 * cgroup.freeze, cgroup.events and cpu.stat. Kernel: Documentation/admin-guide/cgroup-v1, cgroup-v2.rst. */
#ifndef SYS_CGROUP_H
#define SYS_CGROUP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Limits: 0 or NULL means not set; -1 means unlimited, set so. */
struct cgroup_limits {
	int64_t memory, memory_swap /* memory + swap, docker's way */, memory_reservation; /* bytes */
	int64_t pids;
	int64_t cpu_quota, cpu_period; /* microseconds; --cpus 0.5 is 50000 of 100000 */
	int64_t cpu_shares;            /* 2..262144; v2: cpu.weight */
	char *cpuset_cpus, *cpuset_mems;
	int64_t blkio_weight;                                   /* 10..1000 */
	struct strs read_bps, write_bps, read_iops, write_iops; /* "/dev/sda:1m" or "8:0:1048576" */

	const struct array *devices; /* of struct device_rule (sys/devices.h), not owned; NULL: as the group above */

	/* As typed (cgroup_opts.h), not owned: cgroup_limits_check turns them into the members above. */
	const char *arg_cpus, *arg_cpuset_cpus, *arg_cpuset_mems;
};

extern const struct field cgroup_limits_fields[];

/* Turns the arg_ members into the others (and clears them), then checks what can be checked without a group: ranges,
 * swap >= memory, cpuset syntax, rates. Again and again is fine. 0 or -EINVAL. */
int cgroup_limits_check(struct cgroup_limits *l, struct err *err);

/* Whether nothing is limited at all. */
bool cgroup_limits_none(const struct cgroup_limits *l);

/* One mounted hierarchy. */
struct cgroup_hierarchy {
	char *mount;             /* mount point */
	struct strs controllers; /* "cpu", "cpuacct"; v1 named: "name=systemd"; v2: those of cgroup.controllers */
	bool v2;
	int fd;     /* its root directory, O_PATH | O_CLOEXEC */
	char *self; /* the caller's own group there (/proc/self/cgroup) */
};

#define CGROUP_MAX 32
struct cgroup_host {
	struct cgroup_hierarchy h[CGROUP_MAX];
	int n;
	int unified; /* index of the v2 hierarchy, or -1 */
	int failed;          /* -errno: what was in the way of finding all that is mounted; then no group is made */
	const char *lacking; /* why there may be less than the host has, as a hint; NULL: all is here */
};

/* Finds what is mounted (/proc/self/mountinfo, /proc/self/cgroup). 0, also when nothing is (n == 0), or -errno, told: then HOST has what could be found. */
int cgroup_detect(struct cgroup_host *host, struct err *err);

/* Leaves of HOST what an ordinary user may use: in each hierarchy the highest group above the caller's own that was delegated to him,
 * which is its root from then on. BASES, "controller /path" each, tell those that were found before, wherever the caller was then; if it
 * is empty it is filled. */
void cgroup_delegated(struct cgroup_host *host, struct strs *bases);
void cgroup_host_free(struct cgroup_host *host);

/* The hierarchy that has CONTROLLER, v1 or v2, or NULL. */
const struct cgroup_hierarchy *cgroup_find(const struct cgroup_host *host, const char *controller);

/* Checks and normalizes a group's path into OUT: one leading slash, no empty component, none at the end. "." and ".."
 * and control characters are -EINVAL, more than 900 bytes -ENAMETOOLONG; so is the root ("/") unless ROOT. 0 or -errno.
 */
#define CGROUP_PATH_MAX 1024
int cgroup_path(const char *path, bool root, char out[CGROUP_PATH_MAX], struct err *err);

/* All functions below take a PATH as cgroup_path gives it. */

/* The group below a container's own, or below one that was delegated, for its processes once it gives containers controllers (v2). */
#define CGROUP_INIT "init"

/* A group that is ready to be entered. Descriptors are CLOEXEC. */
struct cgroup {
	char *path;
	int into_fd;              /* for clone3's CLONE_INTO_CGROUP (v2 or unified), or -1 */
	int tasks_fd[CGROUP_MAX]; /* v1 `tasks`, opened for writing */
	int ntasks;
	bool devices; /* the device rules asked for are in force */
};

/* Whether device rules can be enforced: v1's devices controller is mounted, or a unified group takes a program. */
bool cgroup_devices_possible(const struct cgroup_host *host);

/* Makes PATH with LIMITS in the hierarchies a container needs: those of its limits, cpu, memory and pids; freezer and
 * cpuacct where there is no unified hierarchy; the unified one. In other hierarchies its first component alone, and
 * only where the caller isn't in the root group (so that the end of the caller's service isn't the container's). v2
 * controllers are enabled on the way down; cpuset is joined only if asked for, cpus and mems set top-down. What was
 * made is removed again on failure. Without any hierarchy and limit: 0, and OUT has nothing to enter. 0 or -errno, with
 * the refused file and value in ERR. */
int cgroup_make(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits,
		struct cgroup *out, struct err *err);

/* Opens an existing group for entering it (exec), the same descriptors. -ENOENT if no hierarchy has it; where none has to (there are
 * none, or host->lacking), there is nothing to enter. */
int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup *out, struct err *err);
void cgroup_close(struct cgroup *g);

/* The single-threaded caller enters G's v1 hierarchies by writing 0 to `tasks`; where it didn't come by
 * CLONE_INTO_CGROUP (INTO false) the unified one too (slow: an RCU grace period). 0 or -errno. */
int cgroup_enter(const struct cgroup *g, bool into, struct err *err);

/* The caller alone leaves the groups it is in: for the root of each hierarchy, or for CGROUP_INIT below it where that hands controllers
 * down and isn't the host's own (v2). Where it may not it stays. */
void cgroup_leave(const struct cgroup_host *host);

/* fork(2) into G by CLONE_INTO_CGROUP where the kernel has it (*INTO, for the child's cgroup_enter). 0 in the child,
 * its pid in the parent, or -errno. */
pid_t cgroup_fork(const struct cgroup *g, bool *into);

/* Writes LIMITS to an existing group (ctr-update, ctr-cgroup set). A limit of a hierarchy that the group isn't in yet
 * makes it there and moves its processes. 0 or -errno; limits before the refused one stay written. */
int cgroup_set(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits, struct err *err);

/* The caller enters PATH, made with LIMITS if it is missing, else limited so, and becomes COMMAND. Returns only on
 * failure: -errno, and ERR's exit code as exec_command's. */
int cgroup_become(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits, char **command,
		  struct err *err);

/* Runs COMMAND in a new group PATH, forwarding signals to it; then kills who is left in the group and removes it.
 * COMMAND's exit code (ERR may tell that the group couldn't be removed), or -errno. */
int cgroup_run(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits, char **command,
	       struct err *err);

bool cgroup_exists(const struct cgroup_host *host, const char *path);

/* Reads FILE ("memory.max", "tasks") of PATH from the first hierarchy that has it, without the last newline. 0 or
 * -errno (-ENOENT). */
int cgroup_read(const struct cgroup_host *host, const char *path, const char *file, struct buf *out);

/* PATH and the groups below it in any hierarchy, without the root, sorted, each once. 0 or -errno. */
int cgroup_list(const struct cgroup_host *host, const char *path, struct strs *out);

/* The names of PATH's files in any hierarchy, sorted, each once. 0 or -ENOENT. */
int cgroup_files(const struct cgroup_host *host, const char *path, struct strs *out);

/* Every process in the group and below, each once, ascending: *PIDS (malloc'ed, NULL when none), count returned, or
 * -errno. Processes outside the caller's pid namespace aren't told. */
int cgroup_procs(const struct cgroup_host *host, const char *path, pid_t **pids);

/* Moves process PID into PATH in every hierarchy that has it (cgroup.procs). 0 or -errno. */
int cgroup_attach(const struct cgroup_host *host, const char *path, pid_t pid, struct err *err);

/* Moves every process of the group and of those below to its nearest ancestor that takes them. 0 or -errno. */
int cgroup_empty(const struct cgroup_host *host, const char *path, struct err *err);

/* SIGKILL to everything in the group and below it (cgroup.kill, else a loop), thawing it. Returns 0 once it is empty,
 * -EBUSY if it isn't after TIMEOUT_MS. -ENOENT counts as empty. Waits on cgroup.events where there is one, else on
 * pidfds. No process outside the group is signalled, however pids are reused. */
int cgroup_kill(const struct cgroup_host *host, const char *path, int timeout_ms);

/* Freezes or thaws and waits until it is so. 0, -ENOTSUP without a freezer, -EDEADLK if the caller is in the group, or
 * -errno. */
int cgroup_freeze(const struct cgroup_host *host, const char *path, bool frozen, struct err *err);
bool cgroup_frozen(const struct cgroup_host *host, const char *path);

/* What the kernel says of a group in one read: 1: processes run in it or below, 2: they are frozen, 0: there are none, or -errno
 * (-ENOTSUP: v1 doesn't tell). */
int cgroup_life(const struct cgroup_host *host, const char *path);

/* Removes the group and the groups below it, in every hierarchy; nothing above it. Bounded; -ENOENT counts as done.
 * 0 or -errno (-EBUSY: processes inside). */
int cgroup_remove(const struct cgroup_host *host, const char *path, struct err *err);

/* Removes the group, after killing what is in it, if anything is (nearly always nothing: the end of a pid namespace took all). 0, -EBUSY
 * if somebody is left after TIMEOUT_MS, or -errno. */
int cgroup_end(const struct cgroup_host *host, const char *path, int timeout_ms, struct err *err);

/* How many processes of the group were killed for want of memory; -1 where the host can't tell. */
int64_t cgroup_oom_kills(const struct cgroup_host *host, const char *path);

/* What the group uses; -1 where the host can't tell. */
struct cgroup_stat {
	int64_t memory, memory_limit /* -1: none */, pids, cpu_usec, io_read, io_write, oom_kills;
	/* Hundredths of a percent of the last ten seconds in which some process waited for it. The unified hierarchy's, whichever
	 * controllers it has (Documentation/accounting/psi.rst). */
	int64_t cpu_pressure, memory_pressure, io_pressure;
};
void cgroup_stat(const struct cgroup_host *host, const char *path, struct cgroup_stat *out);

/* Mounts the hierarchy WHAT ("v2", "cpu,cpuacct", "name=foo") on DIR, made if missing; DIR NULL: its usual place below
 * /sys/fs/cgroup, where a tmpfs is mounted first if need be. The mount point is added to MADE. 0, -EEXIST if it is
 * mounted, or -errno. */
int cgroup_mount(const struct cgroup_host *host, const char *what, const char *dir, struct strs *made, struct err *err);

/* Mounts what is missing: v2 where nothing is mounted yet and it has controllers, else v1, each controller of
 * /proc/cgroups that is in no hierarchy. Mount points are added to MADE. 0 or -errno. */
int cgroup_mount_missing(const struct cgroup_host *host, struct strs *made, struct err *err);

/* Unmounts the hierarchy WHAT (as above, or its mount point) and frees HOST, whose descriptors would keep it busy. 0,
 * -ENOENT if it isn't mounted, or -errno. */
int cgroup_umount(struct cgroup_host *host, const char *what, struct err *err);

/* Tells events of PATH until it is removed: calls TELL with "populated 1", "oom_kill 0", .. for each line of
 * cgroup.events and memory.events (v1: memory.oom_control), first as they are and then whenever one changes. Returns 0
 * once the group is gone, what TELL returned if that isn't 0, or -errno. */
int cgroup_watch(const struct cgroup_host *host, const char *path, int (*tell)(void *arg, const char *line), void *arg,
		 struct err *err);

#endif
