/* Joining namespaces that exist already, of files and of a process: setns(2). */
#ifndef SYS_NS_JOIN_H
#define SYS_NS_JOIN_H

#include "base/err.h"
#include "sys/ns.h"

/* All descriptors are opened before the first namespace is joined, which may change what paths mean. */
struct ns_join {
	int files[NS_COUNT]; /* in the order of ns_kinds; -1: none */
	int pidfd;           /* of a process, or -1 */
	int of_process;      /* CLONE_NEW* of it that are to be joined */
	int all;             /* CLONE_NEW* to be joined, of files and process */
};

void ns_join_init(struct ns_join *j);

/* Adds the namespace that PATH keeps, which has to be one of kind ONLY (0: any). Returns its kind, or -errno. */
int ns_join_file(struct ns_join *j, const char *path, int only, struct err *err);

/* Adds PID's namespaces in FLAGS (0: all), less those that the caller is in already. 0 or -errno. */
int ns_join_process(struct ns_join *j, pid_t pid, int flags, struct err *err);

/* Joins them all: files first. A pid namespace takes effect in children. The caller isn't dumpable (prctl(2)) from
 * before it joins a process's until it execs. 0 or -errno. */
int ns_join_now(const struct ns_join *j, struct err *err);

#endif
