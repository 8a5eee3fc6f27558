#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int came;

static void note(int sig)
{
	came = sig;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

bool interrupt_catch(void)
{
	const struct sigaction act = { .sa_handler = note, .sa_flags = (int)SA_RESETHAND };
	struct sigaction old;
	bool new = false;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		if (sigaction(signals[i], NULL, &old) < 0 || old.sa_handler == SIG_IGN || old.sa_handler == note)
			continue;
		sigaction(signals[i], &act, NULL);
		new = true;
	}
	return new;
}

void interrupt_only_note(void)
{
	const struct sigaction act = { .sa_handler = note };
	struct sigaction old;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
}

void interrupt_release(void)
{
	struct sigaction old;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == note)
			signal(signals[i], SIG_DFL);
}

bool interrupted(void)
{
	return came;
}

int interrupt_poll(struct pollfd *p, size_t n)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old); /* one that comes before ppoll(2) waits for it */
	do
		rc = interrupted() ? -EINTR : ppoll(p, n, NULL, &old) < 0 ? -errno : 0;
	while (rc == -EINTR && !interrupted());
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int interrupt_wait(int fd)
{
	return interrupt_poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1);
}

void interrupt_end(void)
{
	if (!came)
		return;
	signal(came, SIG_DFL);
	raise(came);
}
