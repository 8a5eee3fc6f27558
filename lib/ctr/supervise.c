#include "ctr/supervise.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/say.h"
#include "ctr/attach.h"
#include "ctr/hostfiles.h"
#include "ctr/networking.h"
#include "ctr/reap.h"
#include "ctr/rootfs.h"
#include "ctr/rootless.h"
#include "ctr/supervisor.h"
#include "ctr/sync.h"
#include "sys/memory.h"
#include "sys/proc.h"
#include "sys/signals.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The intent, before the first resource is taken: with it reap() finds everything. */
static int note_intent(struct supervisor *s, struct err *err)
{
	struct record *r = s->record;
	struct state *st = &r->state;
	int64_t starts = st->starts;
	int code;

	free(st->boot_id);
	free(st->cgroup);
	free(st->health);
	*st = (struct state){ .starts = starts + 1, .restarting = st->restarting };
	st->boot_id = xstrdup(clock_boot_id());
	st->supervisor = getpid();
	st->supervisor_start = (int64_t)proc_start_time(getpid());
	st->cgroup = record_cgroup(s->store, r);
	code = networks_reserve(s->store, r, err);
	return code ? code : record_write_state(s->store, r, err);
}

/* What is true if power goes now. Only a user's earlier wish to have it down must be forgotten for certain. */
static int note_started(struct record *r, struct err *err)
{
	struct last *l = &r->last;
	bool sync = l->stopped_by_user;

	free(l->error);
	*l = (struct last){ .exit_code = 137, .started = r->state.started, .restarts = l->restarts };
	l->error = xstrdup("supervisor lost");
	return r->spec.auto_remove ? 0 : record_write_last(r, sync, err);
}

static int note_running(struct supervisor *s, struct err *err)
{
	struct state *st = &s->record->state;
	int r;

	st->restarting = false;
	st->pid = s->child.pid;
	st->pid_start = (int64_t)proc_start_time(s->child.pid);
	st->started = clock_wall_ns() / 1000000000;
	if (!st->started) /* in the first second of a board without a battery: 0 is for what never ran */
		st->started = 1;
	st->started_boot_ms = clock_boot_ms();
	st->pivot_fallback = s->child.pivot_fallback;
	health_begin(&s->health, s->record);
	r = record_write_state(s->store, s->record, err);
	return r ? r : note_started(s->record, err);
}

static int open_streams(struct supervisor *s, struct err *err)
{
	const struct spec *spec = &s->record->spec;
	bool logged = strcmp(spec->log ? spec->log : "file", "none") != 0;
	int r = 0;

	s->streams = (struct streams){ { -1, -1, -1 }, { -1, -1, -1 }, { false, false, false } };
	if (!s->process->tty)
		r = streams_make(&s->streams, s->local, spec->open_stdin, logged);
	if (r < 0)
		return err_sys(err, r, "make pipes");
	s->local_input = s->local && spec->open_stdin && s->streams.ours[0] >= 0;
	return 0;
}

/* At each start: who reads it wants the one that runs. */
static int write_pidfile(const struct supervisor *s, struct err *err)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%d\n", (int)s->child.pid), r;

	if (!s->pidfile)
		return 0;
	r = file_replace(AT_FDCWD, s->pidfile, text, (size_t)n, 0644, false);
	return r < 0 ? err_sys(err, r, "write %s", s->pidfile) : 0;
}

/* Everything that is noted beforehand. Addresses and the names that lead to them come together. */
static int prepare(struct supervisor *s, uid_t owner, struct err *err)
{
	int r = networks_release(s->store, s->record, err), lock;

	if (r < 0)
		return r;
	lock = s->record->spec.nets.n ? networks_lock(s->store, err) : -1;
	if (lock < 0 && s->record->spec.nets.n)
		return lock;
	r = note_intent(s, err);
	if (!r)
		r = hostfiles_write(s->record, owner, err);
	if (!r)
		networks_tell_names(s->store, s->record);
	if (lock >= 0)
		close(lock);
	return r ? r : rootfs_prepare(s->record, owner, err);
}

/* One start: everything from the intent to the running command. */
static int start_once(struct supervisor *s, struct err *err)
{
	struct launch l = { .store = s->store, .record = s->record, .process = s->process, .window = s->window };
	uid_t owner = spec_owner(&s->record->spec);
	int r = prepare(s, owner, err);

	if (!r && s->listener < 0)
		r = s->listener = attach_listen(s->record, err);
	if (r >= 0)
		r = open_streams(s, err);
	if (r < 0)
		return r;
	memcpy(l.stdio, s->streams.child, sizeof l.stdio);
	r = launch(&l, &s->child, err);
	streams_close_child(&s->streams);
	if (!r)
		r = launch_go(&s->child, err);
	if (!r) {
		r = note_running(s, err);
		if (!r)
			r = write_pidfile(s, err);
		if (r < 0)
			launch_abort(&s->child);
	}
	return r;
}

static bool wants_restart(const struct supervisor *s, int code)
{
	const struct record *r = s->record;
	const char *policy = r->spec.restart ? r->spec.restart : "no";

	if (s->ending || record_marked_stopped(r))
		return false;
	if (!strcmp(policy, "on-failure"))
		return code != 0 && (!r->spec.restart_max || r->last.restarts < r->spec.restart_max);
	return !strcmp(policy, "always") || !strcmp(policy, "unless-stopped");
}

/* 100 ms, doubled with each failure up to a minute; after ten good seconds from the beginning again (as docker). False if we were
 * told to end meanwhile. */
static bool back_off(struct supervisor *s, int64_t *delay_ms)
{
	bool good = clock_boot_ms() - s->record->state.started_boot_ms > 10000;
	struct pollfd p = { s->signals, POLLIN, 0 };
	int64_t until;

	*delay_ms = good || !*delay_ms ? 100 : *delay_ms * 2 > 60000 ? 60000 : *delay_ms * 2;
	supervisor_restore(s);
	s->record->state.restarting = true;
	s->record->state.pid = 0;
	record_write_state(s->store, s->record, NULL);
	until = clock_boot_ms() + *delay_ms;
	for (int64_t left; (left = until - clock_boot_ms()) > 0;) {
		struct signalfd_siginfo info;

		if (poll(&p, 1, (int)left) > 0 && supervisor_ends(s, signals_next(s->signals, &info)))
			return false;
		if (record_marked_stopped(s->record))
			return false;
	}
	return true;
}

/* The group goes with each run, so that the next one begins with fresh counters and nobody inside. */
static void end_run(struct supervisor *s, int code)
{
	const struct cgroup_host *host = store_cgroups(s->store);
	struct record *r = s->record;

	r->last.oom = cgroup_oom_kills(host, r->state.cgroup) > 0;
	r->last.exit_code = code;
	free(r->last.error);
	r->last.error = NULL;
	r->last.started = r->state.started;
	r->last.finished = clock_wall_ns() / 1000000000;
	record_refresh_networks(r);
	networks_release(s->store, r, NULL); /* else the next start does, or reap */
	cgroup_end(host, r->state.cgroup, 10000, NULL);
}

static int run_until_done(struct supervisor *s, struct err *err)
{
	int64_t delay = 0;
	int code;

	for (;;) {
		code = supervisor_loop(s);
		end_run(s, code);
		if (!wants_restart(s, code))
			return code;
		s->record->last.restarts++;
		record_write_last(s->record, true, NULL);
		if (!back_off(s, &delay))
			return code;
		record_refresh_spec(s->record);
		if (start_once(s, err) < 0) {
			free(s->record->last.error);
			s->record->last.error = xstrdup(err->text);
			return 125;
		}
	}
}

/* Removes an --rm container, unless somebody holds its lock for long: then that command or ctr-gc will. */
static int remove_own(struct supervisor *s, struct err *err)
{
	int lock = record_lock(s->record, 10000, err), r;

	if (lock == -ENOENT) /* its directory is gone already */
		return reap(s->store, s->record, -1, err);
	if (lock < 0)
		return lock;
	r = container_remove(s->store, s->record, true, err);
	close(lock);
	return r;
}

/* Takes everything back. What can't be taken back is told, but changes no exit code. */
static void finish(struct supervisor *s, int code)
{
	struct err err = { 0 };
	int r = 0;

	if (s->record->spec.auto_remove)
		r = remove_own(s, &err);
	else
		r = reap(s->store, s->record, code, &err);
	if (r < 0 && s->local)
		say_err(s->record->spec.name, &err);
	supervisor_tell_exit(s, code);
	if (s->listener >= 0)
		close(s->listener);
	log_close(&s->log);
	buf_free(&s->input);
	if (s->signals >= 0)
		close(s->signals);
}

/* A start that failed leaves the container as it was before, or removed if it was to be removed at its end. One whose command ran already
 * was killed. ERR is what failed; its exit code is 125 if it has none. */
static void undo_start(struct supervisor *s, struct err *err)
{
	bool ran = s->record->state.pid != 0;

	launch_abort(&s->child);
	streams_close(&s->streams);
	if (s->listener >= 0)
		close(s->listener);
	if (s->record->spec.auto_remove)
		container_remove(s->store, s->record, true, NULL);
	else
		reap(s->store, s->record, ran ? 137 : -1, NULL);
	log_close(&s->log);
	if (!err->exit)
		err->exit = 125;
}

static int begin(struct supervisor *s, const struct start *in, bool local, struct err *err)
{
	const struct spec *spec = &in->record->spec;
	int r;

	*s = (struct supervisor){ .store = in->store, .record = in->record, .process = in->process, .local = local, .window = in->window,
				  .pidfile = in->pidfile,
				  .signals = -1, .listener = -1, .child = { .pidfd = -1, .sync = -1, .tty = -1, .hold = -1 },
				  .health = { .pidfd = -1 }, .streams = { { -1, -1, -1 }, { -1, -1, -1 }, { false, false, false } } };
	for (int i = 0; i < CLIENTS_MAX; i++)
		s->clients[i].fd = -1;
	s->signals = signals_relayed();
	r = log_open(&s->log, in->record->dir, spec->log ? spec->log : "file", spec->log_max, spec->name, err);
	return r < 0 ? r : start_once(s, err);
}

static void unlock(const struct start *in)
{
	if (in->lock >= 0)
		close(in->lock);
}

int supervise_here(const struct start *in, struct err *err)
{
	struct supervisor s;
	int r = begin(&s, in, true, err);

	if (r < 0)
		undo_start(&s, err);
	unlock(in);
	if (r < 0)
		return r;
	r = run_until_done(&s, err);
	finish(&s, r);
	return r;
}

void supervise_alone(void)
{
	sys_close_range(3, 0);
}

/* Our session, terminal and descriptors aren't the supervisor's; the directory is left once files named from there (--pidfile) are written. */
static void daemonize(int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	umask(0022);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		if (!(fd == 2 && say_debugging()))
			dup2(null, fd);
	if (null > 2)
		close(null);
	prctl(PR_SET_NAME, "ctr-supervise");
	fcntl(report, F_SETFD, FD_CLOEXEC);
}

/* Starts it and says so; what nobody could be told of doesn't run. */
static int start_apart(struct supervisor *s, const struct start *in, int report, struct err *err)
{
	int r = begin(s, in, false, err);

	if (!r && chdir("/") < 0)
		say("enter /: %s", strerror(errno));
	if (!r && (r = sync_send(report, SYNC_READY, NULL, NULL, 0)) < 0)
		err_sys(err, r, "tell that it runs");
	if (r < 0)
		undo_start(s, err);
	unlock(in);
	return r;
}

static void supervisor_main(const struct start *in, int client, int report)
{
	struct supervisor s;
	struct err err = { 0 };
	int r;

	daemonize(report);
	cgroup_leave(store_cgroups(in->store)); /* if the service or session that started us is stopped, we stay */
	r = in->store->rootless ? rootless_hold(in->store->run, &err) : 0;
	if (!r)
		r = start_apart(&s, in, report, &err);
	if (r < 0) {
		sync_send(report, SYNC_FAILED, &err, NULL, 0);
		_exit(125);
	}
	if (client >= 0)
		supervisor_add_client(&s, client, true);
	close(report);
	memory_release();
	r = run_until_done(&s, &err);
	finish(&s, r);
	_exit(0);
}

int supervise_apart(const struct start *in, int client, struct err *err)
{
	struct sync_message m;
	int report[2], r = sync_pair(report);
	pid_t pid;

	if (r < 0) {
		unlock(in); /* else the supervisor of the next one would hold it */
		return err_sys(err, r, "make a socket pair");
	}
	pid = fork();
	if (!pid) {
		close(report[0]);
		supervisor_main(in, client, report[1]);
	}
	close(report[1]);
	r = pid < 0 ? err_sys(err, -errno, "make the supervisor") : sync_receive(report[0], &m);
	if (pid >= 0 && r < 0)
		err_sys(err, r, "hear from the supervisor");
	close(report[0]);
	unlock(in);
	if (r < 0)
		return r;
	if (m.kind == SYNC_FAILED)
		*err = m.err;
	else if (m.kind != SYNC_READY)
		err_msg(err, -ESRCH, "the supervisor died before the command was started");
	else
		return 0;
	waitpid(pid, NULL, 0);
	return err->code ? err->code : -EPROTO;
}
