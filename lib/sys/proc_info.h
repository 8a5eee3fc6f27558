/* What /proc tells of a process: proc_pid_stat(5). */
#ifndef SYS_PROC_INFO_H
#define SYS_PROC_INFO_H

#include <stdint.h>
#include <sys/types.h>

struct proc_info {
	pid_t ppid;
	uid_t uid;             /* effective */
	char state;            /* R, S, D, Z, .. */
	int64_t cpu_s;         /* processor time, seconds */
	int64_t rss;           /* resident memory, bytes */
	char *command;         /* its arguments, or "[name]" where it has none; malloc'ed */
};

/* 0, -ENOENT or -ESRCH (it has ended), or -errno. */
int proc_info(pid_t pid, struct proc_info *out);

#endif
