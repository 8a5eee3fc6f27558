#include "sys/signals.h"

#include "base/buf.h"
#include "base/num.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The kernel's own numbers for real-time signals less those that glibc keeps to itself, as kill(1) and docker
 * count. musl's SIGRTMIN is one higher. */
enum { RT_FIRST = 34, RT_LAST = 64 };

static const char names[][8] = {
	[SIGHUP] = "HUP", [SIGINT] = "INT", [SIGQUIT] = "QUIT", [SIGILL] = "ILL", [SIGTRAP] = "TRAP", [SIGABRT] = "ABRT",
	[SIGBUS] = "BUS", [SIGFPE] = "FPE", [SIGKILL] = "KILL", [SIGUSR1] = "USR1", [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE", [SIGALRM] = "ALRM", [SIGTERM] = "TERM", [SIGCHLD] = "CHLD", [SIGCONT] = "CONT", [SIGSTOP] = "STOP",
	[SIGTSTP] = "TSTP", [SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU", [SIGURG] = "URG", [SIGXCPU] = "XCPU", [SIGXFSZ] = "XFSZ",
	[SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH", [SIGIO] = "IO", [SIGPWR] = "PWR", [SIGSYS] = "SYS",
};
enum { NAMES = sizeof names / sizeof *names };

/* "RTMIN", "RTMIN+3", "RTMAX-1". */
static int parse_realtime(const char *s)
{
	bool up = strncasecmp(s, "RTMIN", 5) == 0;
	int64_t n = 0;

	if (!up && strncasecmp(s, "RTMAX", 5) != 0)
		return -EINVAL;
	s += 5;
	if (*s && (*s != (up ? '+' : '-') || num_range(s + 1, 0, RT_LAST - RT_FIRST, &n) < 0))
		return -EINVAL;
	return (int)(up ? RT_FIRST + n : RT_LAST - n);
}

int signal_parse(const char *s)
{
	int64_t n;

	if (num_range(s, 1, RT_LAST, &n) == 0)
		return (int)n;
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	for (int sig = 1; *s && sig < NAMES; sig++)
		if (strcasecmp(s, names[sig]) == 0)
			return sig;
	return parse_realtime(s);
}

int signals_relayed(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGTSTP);
	sigdelset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_next(int fd, struct signalfd_siginfo *info)
{
	return read(fd, info, sizeof *info) == (ssize_t)sizeof *info ? (int)info->ssi_signo : 0;
}
