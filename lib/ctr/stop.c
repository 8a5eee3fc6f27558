#include "ctr/stop.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/kernel.h"
#include "ctr/reap.h"
#include "sys/signals.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000 /* for what only has to be taken back */

int stop_signal(const struct spec *s)
{
	int sig = s->stop_signal ? signal_parse(s->stop_signal) : SIGTERM;

	return sig > 0 ? sig : SIGTERM;
}

int64_t stop_patience_ms(const struct spec *s)
{
	return s->stop_timeout_ms ? s->stop_timeout_ms : PATIENCE_MS;
}

/* The set after KEY ("SigCgt") in /proc/PID/status, or all signals where it can't be read: proc_pid_status(5). */
static uint64_t signal_set(const char *status, const char *key)
{
	const char *at = status ? strstr(status, key) : NULL;

	return at ? strtoull(at + strlen(key), NULL, 16) : UINT64_MAX;
}

/* Whether it is the first of a pid namespace below ours: its last pid is 1, and it has another. */
static bool is_pid1(const char *status)
{
	const char *at = status ? strstr(status, "\nNSpid:") : NULL, *end = at ? strchr(at + 1, '\n') : NULL;

	return end && end[-1] == '1' && end[-2] == '\t' && end - 2 > at + strlen("\nNSpid:");
}

/* Of the container's first process. */
static void proc_text(const struct record *r, const char *file, struct buf *out)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)r->state.pid, file);
	file_read(AT_FDCWD, path, out, 1 << 16);
}

/* sigwait(3) unblocks what it waits for as far as /proc tells, so that only the system call is left to see. */
static bool waits_for_signals(const struct record *r)
{
	const long of_32_bits = 421; /* rt_sigtimedwait_time64 */
	struct buf b = { 0 };
	long call;

	proc_text(r, "syscall", &b);
	call = b.p ? strtol(b.p, NULL, 10) : -1;
	buf_free(&b);
	return call == SYS_rt_sigtimedwait || call == of_32_bits;
}

static bool ignored(const struct record *r, int sig)
{
	struct buf b = { 0 };
	uint64_t heard;
	bool first;

	proc_text(r, "status", &b);
	first = is_pid1(b.p);
	heard = signal_set(b.p, "\nSigCgt:") | signal_set(b.p, "\nSigBlk:");
	buf_free(&b);
	return first && !(heard >> (sig - 1) & 1) && !waits_for_signals(r);
}

void stop_ask(const struct record *r, int pidfd, int sig)
{
	sys_pidfd_send_signal(pidfd, ignored(r, sig) ? SIGKILL : sig);
}

struct stopping {
	const struct stop_options *how;
	struct record r;
	int pid, supervisor;   /* pidfds; -1: ended */
	int64_t due_ms;        /* CLOCK_BOOTTIME */
	bool killed;
};

static void thaw(const struct store *s, const struct record *r)
{
	const struct cgroup_host *host = store_cgroups(s);

	if (r->state.cgroup && cgroup_frozen(host, r->state.cgroup))
		cgroup_freeze(host, r->state.cgroup, false, NULL);
}

/* Nobody looks after it: what a crash left goes, and it is noted for `unless-stopped` that a user wants it down. Under its lock. */
static int settle(const struct store *s, struct stopping *t, struct err *err)
{
	struct record *r = &t->r;
	int code = reap_remains(s, r, err);

	if (code || t->how->shutdown || r->garbled || !r->last.started || r->last.stopped_by_user)
		return code;
	r->last.stopped_by_user = true;
	return record_write_last(r, true, err);
}

static void ask(const struct store *s, struct stopping *t)
{
	const struct stop_options *o = t->how;

	record_mark_stopped(&t->r, !o->shutdown);
	t->pid = record_pidfd(&t->r);
	t->due_ms = clock_boot_ms() + (o->timeout_ms >= 0 ? o->timeout_ms : stop_patience_ms(&t->r.spec));
	if (t->pid >= 0)
		stop_ask(&t->r, t->pid, o->signal ? o->signal : stop_signal(&t->r.spec));
	else
		sys_pidfd_send_signal(t->supervisor, SIGTERM); /* it waits to start it again, or passes the signal on */
	thaw(s, &t->r);
}

/* Whoever starts a container has its lock: then we wait until that is over. */
static int begin(const struct store *s, const char *target, struct stopping *t, struct err *err)
{
	const struct stop_options *o = t->how;
	int code = record_open(s, target, &t->r, err), lock = -1;

	if (code < 0)
		return code;
	t->supervisor = record_supervisor(s, &t->r);
	if (t->supervisor < 0 || !t->r.state.pid) {
		lock = record_lock(&t->r, PATIENCE_MS, err);
		if (lock < 0)
			return lock == -ENOENT && !o->must_run ? 0 : lock;
		if (t->supervisor >= 0)
			close(t->supervisor);
		record_refresh(s, &t->r);
		t->supervisor = record_supervisor(s, &t->r);
	}
	if (t->supervisor >= 0)
		ask(s, t);
	else
		code = o->must_run && t->supervisor == -ESRCH ? err_msg(err, -ESRCH, "isn't running") : settle(s, t, err);
	if (lock >= 0)
		close(lock);
	return code;
}

/* The container ended. Its supervisor knows, unless it had looked for our note before it was there. */
static void container_ended(struct stopping *t)
{
	close(t->pid);
	t->pid = -1;
	sys_pidfd_send_signal(t->supervisor, SIGTERM);
	t->due_ms = clock_boot_ms() + PATIENCE_MS;
}

static void supervisor_ended(const struct store *s, struct stopping *t, struct err *err)
{
	int lock;

	close(t->supervisor);
	t->supervisor = -1;
	record_refresh(s, &t->r);
	if (!t->r.state.supervisor)
		return;
	lock = record_lock(&t->r, PATIENCE_MS, err); /* it was killed */
	if (lock < 0)
		return;
	record_refresh(s, &t->r);
	settle(s, t, err);
	close(lock);
}

static void time_out(const struct store *s, struct stopping *t, struct err *err)
{
	if (t->pid >= 0 && !t->killed) {
		sys_pidfd_send_signal(t->pid, SIGKILL);
		thaw(s, &t->r);
		t->killed = true;
		t->due_ms = clock_boot_ms() + PATIENCE_MS;
		return;
	}
	record_refresh(s, &t->r);
	kill_now(s, &t->r);
	if (t->pid >= 0)
		close(t->pid);
	t->pid = -1;
	supervisor_ended(s, t, err);
}

/* Waits for the next thing to happen to any of them. False when all are done. */
static bool wait_some(const struct store *s, struct stopping *t, size_t n, struct pollfd *p, struct err *errs)
{
	int timeout = -1;

	for (size_t i = 0; i < n; i++) {
		int left = clock_left_ms(t[i].due_ms);

		p[i] = (struct pollfd){ t[i].pid >= 0 ? t[i].pid : t[i].supervisor, POLLIN, 0 };
		if (p[i].fd >= 0 && (timeout < 0 || left < timeout))
			timeout = left;
	}
	if (timeout < 0)
		return false;
	if (poll(p, n, timeout) < 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (p[i].fd < 0)
			continue;
		if (p[i].revents && t[i].pid >= 0)
			container_ended(&t[i]);
		else if (p[i].revents)
			supervisor_ended(s, &t[i], &errs[i]);
		else if (!clock_left_ms(t[i].due_ms))
			time_out(s, &t[i], &errs[i]);
	}
	return true;
}

void stop_targets(const struct store *s, const struct strs *targets, const struct stop_options *o, struct err *errs)
{
	struct stopping *t = xcalloc(targets->n, sizeof *t);
	struct pollfd *p = xcalloc(targets->n, sizeof *p);

	for (size_t i = 0; i < targets->n; i++) {
		t[i] = (struct stopping){ .how = o, .pid = -1, .supervisor = -1 };
		if (begin(s, targets->v[i], &t[i], &errs[i]) == 0)
			errs[i].code = 0;
	}
	while (wait_some(s, t, targets->n, p, errs))
		;
	for (size_t i = 0; i < targets->n; i++)
		record_close(&t[i].r);
	free(t);
	free(p);
}

int stop_send(const struct store *s, struct record *r, int sig, struct err *err)
{
	int pidfd = record_pidfd(r), code;

	if (pidfd < 0)
		return err_msg(err, -ESRCH, "isn't running");
	code = sys_pidfd_send_signal(pidfd, sig);
	close(pidfd);
	if (code < 0)
		return err_sys(err, code, "send signal %d", sig);
	thaw(s, r);
	return 0;
}

static int freeze(const struct store *s, struct record *r, bool frozen, struct err *err)
{
	enum status status;
	int code;

	record_refresh(s, r);
	status = record_status(s, r);
	if (status == (frozen ? PAUSED : RUNNING))
		return err_msg(err, -EALREADY, frozen ? "is paused already" : "isn't paused");
	if (status != (frozen ? RUNNING : PAUSED))
		return err_msg(err, -ESRCH, "isn't running");
	code = cgroup_freeze(store_cgroups(s), r->state.cgroup, frozen, err);
	return code == -ENOENT ? err_msg(err, -ESRCH, "isn't running") : code; /* any more */
}

int stop_freeze(const struct store *s, struct record *r, bool frozen, struct err *err)
{
	int lock = record_lock(r, PATIENCE_MS, err), code;

	if (lock < 0)
		return lock;
	code = freeze(s, r, frozen, err);
	close(lock);
	return code;
}
