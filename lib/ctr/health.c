#include "ctr/health.h"
#include "base/clock.h"
#include "base/kernel.h"
#include "ctr/enter.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static bool set_state(struct record *r, const char *state)
{
	if (r->state.health && !strcmp(r->state.health, state))
		return false;
	free(r->state.health);
	r->state.health = xstrdup(state);
	return true;
}

static int64_t interval(const struct record *r)
{
	return r->spec.health_interval_ms ? r->spec.health_interval_ms : 30000;
}

void health_begin(struct health *h, struct record *r)
{
	*h = (struct health){ .on = r->spec.health_cmd.n > 0, .pidfd = -1, .started_ms = clock_boot_ms() };
	h->due_ms = h->started_ms + interval(r);
	if (h->on)
		set_state(r, "starting");
}

/* The check's own process: enters the container and becomes the command. */
static void check(const struct store *s, const struct record *r)
{
	struct process p = r->spec.process;
	struct enter e = { .store = s, .record = r, .process = &p, .stdio = { -1, -1, -1 } };
	struct err err = { 0 };
	int code;

	p.args = r->spec.health_cmd;
	p.tty = false;
	code = enter_and_wait(&e, &err);
	_exit(code < 0 ? 1 : code);
}

static void begin_check(struct health *h, const struct store *s, struct record *r)
{
	int64_t timeout = r->spec.health_timeout_ms ? r->spec.health_timeout_ms : 30000;
	pid_t pid = record_status(s, r) == PAUSED ? -1 : fork(); /* paused: not now */

	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		check(s, r);
	}
	h->due_ms = clock_boot_ms() + (pid > 0 ? timeout : interval(r));
	if (pid < 0)
		return;
	h->pid = pid;
	h->pidfd = sys_pidfd_open(pid);
}

static bool judge(struct health *h, struct record *r, bool good)
{
	int64_t retries = r->spec.health_retries ? r->spec.health_retries : 3;
	bool grace = clock_boot_ms() < h->started_ms + r->spec.health_start_ms;

	h->due_ms = clock_boot_ms() + interval(r);
	if (good) {
		h->failures = 0;
		return set_state(r, "healthy");
	}
	if (grace && r->state.health && !strcmp(r->state.health, "starting"))
		return false; /* docker's start period: failures don't count yet */
	return ++h->failures >= retries && set_state(r, "unhealthy");
}

bool health_ended(struct health *h, struct record *r)
{
	int status = 1;

	waitpid(h->pid, &status, __WALL);
	if (h->pidfd >= 0)
		close(h->pidfd);
	h->pid = 0;
	h->pidfd = -1;
	return judge(h, r, WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

bool health_tick(struct health *h, const struct store *s, struct record *r)
{
	if (!h->on || clock_boot_ms() < h->due_ms)
		return false;
	if (!h->pid) {
		begin_check(h, s, r);
		return false;
	}
	kill(h->pid, SIGKILL); /* ours and not yet waited for: the pid is still its own */
	return health_ended(h, r);
}

void health_end(struct health *h)
{
	if (h->pid) {
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, __WALL);
		if (h->pidfd >= 0)
			close(h->pidfd);
	}
	*h = (struct health){ .pidfd = -1 };
}
