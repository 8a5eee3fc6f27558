#include "sys/init.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Every signal (sigfillset would leave out those that the libc keeps to itself) but those by which a terminal
 * stops a job. */
static void awaited(sigset_t *set)
{
	memset(set, 0xff, sizeof *set);
	if (getpid() == 1)
		return; /* the kernel doesn't stop a PID 1 */
	sigdelset(set, SIGTSTP);
	sigdelset(set, SIGTTIN);
	sigdelset(set, SIGTTOU);
}

void init_block(sigset_t *old)
{
	sigset_t set;

	awaited(&set);
	signal(SIGCHLD, SIG_DFL); /* ignored, children would vanish without a status */
	sigprocmask(SIG_SETMASK, &set, old);
}

void init_unblock(const sigset_t *old)
{
	sigprocmask(SIG_SETMASK, old, NULL);
}

int init_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int exit_code_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_wait(pid_t child)
{
	int status;

	while (waitpid(child, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return exit_code_of(status);
}

/* Reaps whoever has ended: CHILD's exit code, or -1 if it wasn't among them. */
static int reap(pid_t child)
{
	int code = -1, status;
	pid_t pid;

	do {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid == child)
			code = exit_code_of(status);
	} while (pid > 0 || (pid < 0 && errno == EINTR));
	return code;
}

/* A terminal signals its whole foreground group: the child has it already unless it left for a group of its own. */
static bool child_has_it(const siginfo_t *info, pid_t child)
{
	bool typed = info->si_signo == SIGINT || info->si_signo == SIGQUIT || info->si_signo == SIGWINCH;

	return typed && info->si_code == SI_KERNEL && getpgid(child) == getpgrp();
}

int init_loop(pid_t child)
{
	sigset_t set;
	siginfo_t info;
	int code;

	awaited(&set);
	while ((code = reap(child)) < 0) {
		if (sigwaitinfo(&set, &info) < 0)
			continue; /* EINTR: stopped and continued */
		if (info.si_signo != SIGCHLD && !child_has_it(&info, child))
			kill(child, info.si_signo);
	}
	return code;
}
