/* What ctr-cgroup's files share. */
#ifndef CTR_CGROUP_APPLET_H
#define CTR_CGROUP_APPLET_H

#include "base/table.h"
#include "sys/cgroup.h"

struct options {
	struct cgroup_limits limits;
	struct list_options list;
	bool controllers, force;
};

extern const struct opt group_limit_opts[];

/* The host's hierarchies, or the end. */
void group_host(struct cgroup_host *host, int exit_code);

/* Tells E. 1, an exit code. */
int group_failed(const struct err *e);

/* The group that the user typed, which must be there if EXISTING. 0, or 1 when that failed and was told. */
int group_find(const struct cgroup_host *host, const char *typed, bool root, bool existing, char path[CGROUP_PATH_MAX]);

/* opt_parse, and what can be said of the limits; bad ones are bad usage. */
int group_limits(const struct usage *u, int argc, char **argv, struct options *o);

/* Subcommands that have a file of their own. */
int ctr_cgroup_action(int argc, char **argv);
int ctr_cgroup_ls(int argc, char **argv);
int ctr_cgroup_get(int argc, char **argv);
int ctr_cgroup_stat(int argc, char **argv);
int ctr_cgroup_watch(int argc, char **argv);
int ctr_cgroup_mount(int argc, char **argv);
int ctr_cgroup_umount(int argc, char **argv);

#endif
