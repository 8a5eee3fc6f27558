#include "ctr/exec.h"
#include "base/file.h"
#include "base/kernel.h"
#include "ctr/streams.h"
#include "sys/init.h"
#include "sys/pty.h"
#include "sys/signals.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* Our streams and the command's. */
struct relay {
	struct entered in;
	struct streams streams;
	struct termios old;
	bool raw, input;             /* input: our stdin is still open */
	int signals;
	char pending[8192];          /* read from our stdin, not yet taken: LEFT bytes from SENT on */
	size_t sent, left;
};

static void take_signal(struct relay *r)
{
	struct signalfd_siginfo info;
	int sig = signals_next(r->signals, &info);

	if (sig == SIGWINCH && r->in.tty >= 0)
		tty_copy_size(STDIN_FILENO, r->in.tty);
	else if (sig && sig != SIGPIPE)
		sys_pidfd_send_signal(r->in.pidfd, sig);
}

/* What is there of FROM to TO. False at the end of either. */
static bool pass(int from, int to)
{
	char data[8192];
	ssize_t n = read(from, data, sizeof data);

	if (n > 0)
		return write_all(to, data, (size_t)n) == 0;
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void drop(int *fd)
{
	close(*fd);
	*fd = -1;
}

static int input_fd(const struct relay *r)
{
	return r->in.tty >= 0 ? r->in.tty : r->streams.ours[0];
}

/* What the command hasn't taken yet stays for the next time; at the end of our stdin its own is closed. */
static void flush_input(struct relay *r)
{
	ssize_t n = r->left ? write(input_fd(r), r->pending + r->sent, r->left) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR) { /* nobody reads it any more */
		r->left = 0;
		r->input = false;
	} else if (n > 0) {
		r->sent += (size_t)n;
		r->left -= (size_t)n;
	}
	if (!r->left && !r->input && r->streams.ours[0] >= 0)
		drop(&r->streams.ours[0]);
}

static void take_input(struct relay *r)
{
	ssize_t n = read(STDIN_FILENO, r->pending, sizeof r->pending);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	r->sent = 0;
	r->left = n > 0 ? (size_t)n : 0;
	r->input = n > 0;
	if (n <= 0 && r->in.tty >= 0) { /* a terminal's end of file is a character */
		*r->pending = 4;
		r->left = 1;
	}
	flush_input(r);
}

enum { CHILD, SIGNALS, OUT, ERR, IN, FEED, POLLED };

static void fill(const struct relay *r, struct pollfd *p)
{
	p[CHILD] = (struct pollfd){ r->in.pidfd, POLLIN, 0 };
	p[SIGNALS] = (struct pollfd){ r->signals, POLLIN, 0 };
	p[OUT] = (struct pollfd){ r->in.tty >= 0 ? r->in.tty : r->streams.ours[1], POLLIN, 0 };
	p[ERR] = (struct pollfd){ r->streams.ours[2], POLLIN, 0 };
	p[IN] = (struct pollfd){ r->input && !r->left ? STDIN_FILENO : -1, POLLIN, 0 };
	p[FEED] = (struct pollfd){ r->left ? input_fd(r) : -1, POLLOUT, 0 };
}

static void pump(struct relay *r)
{
	struct pollfd p[POLLED];

	do {
		fill(r, p);
		if (poll(p, POLLED, -1) < 0)
			continue;
		if (p[SIGNALS].revents)
			take_signal(r);
		if (p[OUT].revents && !pass(p[OUT].fd, STDOUT_FILENO))
			drop(r->in.tty >= 0 ? &r->in.tty : &r->streams.ours[1]);
		if (p[ERR].revents && !pass(p[ERR].fd, STDERR_FILENO))
			drop(&r->streams.ours[2]);
		if (p[FEED].revents)
			flush_input(r);
		if (p[IN].revents)
			take_input(r);
	} while (!p[CHILD].revents);
	/* what it wrote before it ended; descendants that go on aren't waited for */
	fill(r, p);
	for (int i = OUT; i <= ERR; i++)
		while (p[i].fd >= 0 && poll(&p[i], 1, 0) > 0 && p[i].revents & POLLIN &&
		       pass(p[i].fd, i == OUT ? STDOUT_FILENO : STDERR_FILENO))
			;
}

static int attend(struct relay *r)
{
	if (r->in.tty >= 0) {
		tty_copy_size(STDIN_FILENO, r->in.tty);
		r->raw = r->input && tty_raw(STDIN_FILENO, &r->old);
	}
	pump(r);
	if (r->raw)
		tty_restore(STDIN_FILENO, &r->old);
	return child_wait(r->in.pid);
}

int exec_run(const struct store *s, const struct record *rec, const struct process *p, const struct exec_options *o, struct err *err)
{
	struct relay r = { .input = o->input };
	struct enter e = { .store = s, .record = rec, .process = p, .stdio = { -1, -1, -1 }, .outlives = o->detach };
	int code = 0;

	r.streams = (struct streams){ { -1, -1, -1 }, { -1, -1, -1 }, { false, false, false } };
	if (!p->tty && !o->detach)
		code = streams_make(&r.streams, true, o->input, false);
	if (code < 0)
		return err_sys(err, code, "make pipes");
	if (r.streams.ours[0] < 0 && !p->tty)
		r.input = false; /* it reads our stdin itself */
	memcpy(e.stdio, r.streams.child, sizeof e.stdio);
	r.signals = signals_relayed();
	code = enter(&e, &r.in, err);
	streams_close_child(&r.streams);
	if (code < 0 || o->detach)
		return code;
	code = attend(&r);
	streams_close(&r.streams);
	return code;
}
