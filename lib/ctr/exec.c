#include "ctr/exec.h"
#include "base/file.h"
#include "base/kernel.h"
#include "ctr/streams.h"
#include "sys/init.h"
#include "sys/pty.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* Our streams and the command's. */
struct relay {
	struct entered in;
	struct streams streams;
	struct termios old;
	bool raw, input;
	int signals;
};

static int watch_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGTSTP);
	sigdelset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_signal(struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	if (info.ssi_signo == SIGWINCH && r->in.tty >= 0)
		tty_copy_size(STDIN_FILENO, r->in.tty);
	else if (info.ssi_signo != SIGPIPE)
		sys_pidfd_send_signal(r->in.pidfd, (int)info.ssi_signo);
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

static void end_input(struct relay *r)
{
	r->input = false;
	if (r->in.tty >= 0)
		write_all(r->in.tty, "\004", 1);
	else if (r->streams.ours[0] >= 0) {
		close(r->streams.ours[0]);
		r->streams.ours[0] = -1;
	}
}

static void drop(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void pump(struct relay *r)
{
	int in = r->in.tty >= 0 ? r->in.tty : r->streams.ours[0];
	int *out = r->in.tty >= 0 ? &r->in.tty : &r->streams.ours[1];
	struct pollfd p[] = {
		{ r->in.pidfd, POLLIN, 0 }, { r->signals, POLLIN, 0 }, { *out, POLLIN, 0 },
		{ r->streams.ours[2], POLLIN, 0 }, { r->input && in >= 0 ? STDIN_FILENO : -1, POLLIN, 0 },
	};
	bool ended;

	do {
		for (size_t i = 0; i < sizeof p / sizeof *p; i++)
			p[i].revents = 0;
		p[2].fd = *out;
		p[3].fd = r->streams.ours[2];
		p[4].fd = r->input ? p[4].fd : -1;
		if (poll(p, sizeof p / sizeof *p, -1) < 0)
			continue;
		ended = p[0].revents;
		if (p[1].revents)
			take_signal(r);
		if (p[2].revents && !pass(*out, STDOUT_FILENO))
			drop(out);
		if (p[3].revents && !pass(r->streams.ours[2], STDERR_FILENO))
			drop(&r->streams.ours[2]);
		if (p[4].revents && !pass(STDIN_FILENO, in))
			end_input(r);
	} while (!ended);
	/* what it wrote before it ended; descendants that go on aren't waited for */
	for (int i = 2; i <= 3; i++) {
		struct pollfd q = { i == 2 ? *out : r->streams.ours[2], POLLIN, 0 };

		while (q.fd >= 0 && poll(&q, 1, 0) > 0 && q.revents & POLLIN && pass(q.fd, i == 2 ? STDOUT_FILENO : STDERR_FILENO))
			;
	}
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return exit_code_of(status);
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
	return wait_for(r->in.pid);
}

int exec_run(const struct store *s, const struct record *rec, const struct process *p, const struct exec_options *o, struct err *err)
{
	struct relay r = { .input = o->input };
	struct enter e = { .store = s, .record = rec, .process = p, .stdio = { -1, -1, -1 } };
	int code = 0;

	r.streams = (struct streams){ { -1, -1, -1 }, { -1, -1, -1 }, { false, false, false } };
	if (!p->tty && !o->detach)
		code = streams_make(&r.streams, true, o->input, false);
	if (code < 0)
		return err_sys(err, code, "make pipes");
	if (r.streams.ours[0] < 0 && !p->tty)
		r.input = false; /* it reads our stdin itself */
	memcpy(e.stdio, r.streams.child, sizeof e.stdio);
	signal(SIGPIPE, SIG_IGN);
	r.signals = watch_signals();
	code = enter(&e, &r.in, err);
	streams_close_child(&r.streams);
	if (code < 0 || o->detach)
		return code;
	code = attend(&r);
	streams_close(&r.streams);
	return code;
}
