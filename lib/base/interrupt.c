#include "base/interrupt.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* timeout(1) sends one to its child, and one to the group that this is in, at once: both mean the same. */
#define TWICE_MS 300

static atomic_int came, first_ms;
static atomic_bool deadly;

static void note(int sig)
{
	int now = (int)(clock_boot_ms() & INT_MAX);

	if (!came)
		first_ms = now;
	if (came && deadly && ((now - first_ms) & INT_MAX) > TWICE_MS) {
		signal(sig, SIG_DFL);
		raise(sig); /* once we are back */
	}
	came = sig;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

bool interrupt_catch(void)
{
	const struct sigaction act = { .sa_handler = note };
	struct sigaction old;
	bool new = false;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		if (sigaction(signals[i], NULL, &old) < 0 || old.sa_handler == SIG_IGN || old.sa_handler == note)
			continue;
		sigaction(signals[i], &act, NULL);
		deadly = new = true;
	}
	return new;
}

void interrupt_only_note(void)
{
	interrupt_catch();
	deadly = false;
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
