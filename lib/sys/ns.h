/* Namespaces by name, number and file: namespaces(7). */
#ifndef SYS_NS_H
#define SYS_NS_H

#include "base/err.h"
#include "base/userns.h"
#include <stdbool.h>
#include <sys/types.h>

enum { NS_COUNT = 7 };

struct ns_kind {
	char name[7]; /* as below /proc/PID/ns: "mnt" "uts" "ipc" "pid" "net" "user" "cgroup" */
	char letter;  /* as unshare(1) has it: m u i p n U C */
	int flag;     /* CLONE_NEWNS, .. */
};

/* In the order in which they are to be joined: the user namespace, which gives the right to the others, first, the
 * mount namespace, which takes the view of files away, last. */
extern const struct ns_kind ns_kinds[NS_COUNT];

/* "net" -> CLONE_NEWNET. -EINVAL if it is none. */
int ns_flag(const char *name);

/* CLONE_NEWNET -> "net"; NULL if it is none. */
const char *ns_name(int flag);

/* Why namespaces FLAGS couldn't be made, where CODE is EINVAL and the kernel lacks one of them: appended to ERR. Returns CODE. */
int ns_hint(int flags, int code, struct err *err);

/* Opens PID's namespace (0: the caller's) of that kind. fd or -errno. */
int ns_open(pid_t pid, int flag);

/* Opens a namespace file: one below /proc/PID/ns or one kept by a bind mount. *FLAG is its kind. fd, -EINVAL if
 * PATH is something else, or -errno. ioctl_ns(2). */
int ns_open_file(const char *path, int *flag);

/* setns(2) of the namespaces FLAGS of the process PIDFD, or of the namespace file PIDFD, whose kind FLAGS is. 0 or -errno. */
int ns_join_fd(int pidfd, int flags);

/* The inode number that names PID's (0: the caller's) namespace, or 0. */
ino_t ns_inode(pid_t pid, int flag);

/* The processes that are in PID's namespace of that kind, as far as the caller may look: *PIDS (malloc'ed), and their count. */
int ns_members(pid_t pid, int flag, pid_t **pids);

/* Keeps PID's namespace beyond its last process: binds its file onto PATH, made if it is missing. 0, -EEXIST if
 * PATH keeps one already, or -errno. */
int ns_keep(pid_t pid, int flag, const char *path);
/* The same of a namespace that is open. */
int ns_keep_open(int fd, const char *path);

/* Whether PATH keeps one. */
bool ns_is_kept(const char *path);

/* The end of that: unmounts and removes PATH. 0, -EINVAL if it is no kept namespace, or -errno. */
int ns_unkeep(const char *path);

#endif
