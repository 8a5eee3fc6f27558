#include "ctr/supervisor.h"
#include "base/clock.h"
#include "base/kernel.h"
#include "ctr/attach.h"
#include "ctr/lost.h"
#include "ctr/networking.h"
#include "ctr/stop.h"
#include "sys/init.h"
#include "sys/proc.h"
#include "sys/pty.h"
#include "sys/signals.h"
#include <poll.h>
#include <signal.h>

enum { SIGNALS, CHILD, OUT, ERR, IN, LOCAL, LISTENER, CHECK, FIXED };

bool supervisor_ends(const struct supervisor *s, int sig)
{
	return sig == SIGTERM || (s->local && (sig == SIGINT || sig == SIGHUP || sig == SIGQUIT));
}

void supervisor_restore(struct supervisor *s)
{
	if (!lost_restore(s->store, s->record))
		return;
	if (s->listener >= 0)
		close(s->listener);
	s->listener = attach_listen(s->record, NULL);
}

/* Told to end while apart (a shutdown): the container gets what ctr-stop would send. Here we only pass signals on. */
static void take_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	int sig = signals_next(s->signals, &info);

	if (!sig)
		return;
	if (lost_asked(&info)) {
		supervisor_restore(s);
		return;
	}
	if (s->local && (sig == SIGWINCH || sig == SIGPIPE)) /* our own terminal's, our own output's */
		return;
	if (s->local) {
		s->ending |= supervisor_ends(s, sig);
		sys_pidfd_send_signal(s->child.pidfd, sig);
	} else if (sig == SIGTERM && !s->ending) {
		s->ending = true;
		stop_ask(s->record, s->child.pidfd, stop_signal(&s->record->spec));
		s->kill_at_ms = clock_boot_ms() + stop_patience_ms(&s->record->spec);
	}
}

static void fill(const struct supervisor *s, struct pollfd *p)
{
	bool tty = s->child.tty >= 0;
	int in = tty ? s->child.tty : s->streams.ours[0];

	p[SIGNALS] = (struct pollfd){ s->signals, POLLIN, 0 };
	p[CHILD] = (struct pollfd){ s->child.pidfd, POLLIN, 0 };
	p[OUT] = (struct pollfd){ tty ? s->child.tty : s->streams.ours[1], POLLIN, 0 };
	p[ERR] = (struct pollfd){ s->streams.ours[2], POLLIN, 0 };
	p[IN] = (struct pollfd){ s->input.len ? in : -1, POLLOUT, 0 };
	p[LOCAL] = (struct pollfd){ s->local_input && !s->input.len ? STDIN_FILENO : -1, POLLIN, 0 };
	p[LISTENER] = (struct pollfd){ supervisor_has_room(s) ? s->listener : -1, POLLIN, 0 };
	p[CHECK] = (struct pollfd){ s->health.pidfd, POLLIN, 0 };
	for (int i = 0; i < CLIENTS_MAX; i++) /* a client's input waits until the container took what is there */
		p[FIXED + i] = (struct pollfd){ s->clients[i].fd, s->input.len ? 0 : POLLIN, 0 };
}

static int next_timeout(const struct supervisor *s)
{
	int64_t at = s->kill_at_ms;

	if (s->health.on && (!at || s->health.due_ms < at))
		at = s->health.due_ms;
	return at ? clock_left_ms(at) : -1;
}

static void close_stream(struct supervisor *s, int stream)
{
	int *fd = s->child.tty >= 0 ? &s->child.tty : &s->streams.ours[stream];

	close(*fd);
	*fd = -1;
}

static void serve(struct supervisor *s, const struct pollfd *p)
{
	if (p[SIGNALS].revents)
		take_signal(s);
	if (p[OUT].revents && !supervisor_output(s, 1))
		close_stream(s, 1);
	if (p[ERR].revents && !supervisor_output(s, 2))
		close_stream(s, 2);
	if (p[IN].revents)
		supervisor_flush_input(s);
	if (p[LOCAL].revents)
		supervisor_local_input(s);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (p[FIXED + i].revents && s->clients[i].fd >= 0)
			supervisor_client(s, &s->clients[i]);
	if (p[LISTENER].revents)
		supervisor_accept(s);
}

/* ctr-net connect may have written other networks meanwhile, under the same lock. */
static void note_health(struct supervisor *s)
{
	int lock = networks_lock(s->store, NULL);

	record_refresh_networks(s->record);
	record_write_state(s->store, s->record, NULL);
	if (lock >= 0)
		close(lock);
}

static void timers(struct supervisor *s, const struct pollfd *p)
{
	bool changed = p[CHECK].revents && health_ended(&s->health, s->record);

	if (s->kill_at_ms && clock_boot_ms() >= s->kill_at_ms) {
		sys_pidfd_send_signal(s->child.pidfd, SIGKILL);
		s->kill_at_ms = 0;
	}
	if (health_tick(&s->health, s->store, s->record) || changed)
		note_health(s);
}

/* What the command wrote before it ended; a descendant that still holds a stream isn't waited for. */
static void drain(struct supervisor *s)
{
	for (int stream = 1; stream <= 2; stream++) {
		int *fd = stream == 1 && s->child.tty >= 0 ? &s->child.tty : &s->streams.ours[stream];
		struct pollfd p = { *fd, POLLIN, 0 };

		while (p.fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & POLLIN && supervisor_output(s, stream))
			;
	}
	if (s->child.tty >= 0)
		close(s->child.tty);
	s->child.tty = -1;
	streams_close(&s->streams);
}

int supervisor_loop(struct supervisor *s)
{
	struct pollfd p[FIXED + CLIENTS_MAX];
	int code;

	do {
		fill(s, p);
		if (poll(p, FIXED + CLIENTS_MAX, next_timeout(s)) < 0)
			continue;
		serve(s, p);
		timers(s, p);
	} while (!p[CHILD].revents);
	health_end(&s->health);
	code = child_wait(s->child.pid);
	close(s->child.pidfd);
	s->child.pidfd = -1;
	drain(s);
	return code;
}
