#include "base/file.h"
#include "base/say.h"
#include "ctr/attach.h"
#include "sys/pty.h"
#include "sys/signals.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct keys {
	unsigned char v[16];
	int n, seen;
};

struct session {
	struct attach_client *c;
	struct keys keys;
	struct termios old;
	bool raw;
	int signals;
	bool blocked;        /* the supervisor takes no more input until it could give us output */
	int result;          /* once over */
	bool over;
};

/* "ctrl-p" -> 16, "a" -> 'a'. -1: neither. */
static int key_code(const char *s, size_t n)
{
	if (n == 1)
		return (unsigned char)*s;
	if (n == 6 && !strncmp(s, "ctrl-", 5) && strchr("abcdefghijklmnopqrstuvwxyz@[\\]^_", s[5]))
		return s[5] & 0x1f;
	return -1;
}

static int parse_keys(const char *s, struct keys *out)
{
	*out = (struct keys){ .n = 0 };
	while (*s) {
		size_t n = strcspn(s, ",");
		int code = key_code(s, n);

		if (code < 0 || out->n == (int)sizeof out->v)
			return -EINVAL;
		out->v[out->n++] = (unsigned char)code;
		s += n + (s[n] == ',');
	}
	return 0;
}

int detach_keys_check(const char *keys)
{
	struct keys k;

	return parse_keys(keys, &k);
}

static void end(struct session *s, int result)
{
	s->over = true;
	s->result = result;
}

static void send_size(struct session *s)
{
	struct winsize size;

	if (s->c->tty && tty_size(&size))
		attach_send(s->c->fd, ATTACH_SIZE, &size, sizeof size);
}

/* Passes N bytes on, holding back a beginning of the detach keys until it turns out to be none. */
static void pass_input(struct session *s, const char *data, size_t n)
{
	char out[ATTACH_DATA + 16];
	size_t len = 0;
	struct keys *k = &s->keys;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)data[i];

		if (k->seen && c != k->v[k->seen]) {
			memcpy(out + len, k->v, (size_t)k->seen);
			len += (size_t)k->seen;
			k->seen = 0;
		}
		if (k->n && c == k->v[k->seen]) {
			if (++k->seen == k->n) {
				end(s, -ECANCELED);
				break;
			}
			continue;
		}
		out[len++] = data[i];
	}
	if (len)
		attach_send(s->c->fd, ATTACH_INPUT, out, len);
}

/* A terminal that isn't there any more: tty_ioctl(4) fails with EIO, and nothing more can be read. */
static bool is_hung_up(void)
{
	struct winsize size;

	return ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 && errno == EIO;
}

/* Never waits for room in the socket: the supervisor may itself be waiting for us to read. */
static void read_input(struct session *s)
{
	struct pollfd room = { s->c->fd, POLLOUT, 0 };
	char data[ATTACH_DATA / 2];
	ssize_t n;

	s->blocked = poll(&room, 1, 0) == 0;
	if (s->blocked)
		return;
	n = read(STDIN_FILENO, data, sizeof data);
	if (n > 0) {
		pass_input(s, data, (size_t)n);
	} else if (n == 0 && is_hung_up()) {
		end(s, -ECANCELED); /* as by SIGHUP, which may come later, or be ignored, or be another session's */
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		attach_send(s->c->fd, ATTACH_EOF, NULL, 0);
		s->c->input = false;
	}
}

static void read_supervisor(struct session *s)
{
	char m[ATTACH_DATA + 1];
	ssize_t n = recv(s->c->fd, m, sizeof m, 0);
	int code;

	if (n < 0 && (errno == EINTR || errno == ECONNRESET)) /* RESET: it ended without reading all we said; what it said follows */
		return;
	if (n <= 0) {
		end(s, -ECONNRESET);
	} else if (*m == ATTACH_STDOUT || *m == ATTACH_STDERR) {
		if (write_all(*m == ATTACH_STDOUT ? STDOUT_FILENO : STDERR_FILENO, m + 1, (size_t)n - 1) < 0)
			end(s, -ECANCELED); /* nobody reads us any more: the container goes on */
	} else if (*m == ATTACH_EXIT && n == 1 + (ssize_t)sizeof code) {
		memcpy(&code, m + 1, sizeof code);
		end(s, code);
	}
}

static void read_signal(struct session *s)
{
	struct signalfd_siginfo info;
	int sig = signals_next(s->signals, &info);

	if (sig == SIGWINCH)
		send_size(s);
	else if (sig == SIGHUP)
		end(s, -ECANCELED); /* the line dropped: the container goes on */
	else if (sig && sig != SIGPIPE)
		attach_send(s->c->fd, ATTACH_SIGNAL, &sig, sizeof sig);
}

int attach_run(struct attach_client *c)
{
	struct session s = { .c = c, .signals = signals_relayed() };

	parse_keys(c->detach ? c->detach : "ctrl-p,ctrl-q", &s.keys);
	if (!c->tty)
		s.keys.n = 0;
	s.raw = c->tty && c->input && tty_raw(STDIN_FILENO, &s.old);
	send_size(&s);
	while (!s.over) {
		struct pollfd p[] = {
			{ c->fd, s.blocked ? POLLIN | POLLOUT : POLLIN, 0 },
			{ s.signals, POLLIN, 0 },
			{ c->input && !s.blocked ? STDIN_FILENO : -1, POLLIN, 0 },
		};

		if (poll(p, 3, -1) < 0)
			continue;
		if (p[1].revents)
			read_signal(&s);
		if (p[2].revents && !s.over)
			read_input(&s);
		if (p[0].revents & POLLOUT)
			s.blocked = false;
		if (p[0].revents & ~POLLOUT && !s.over)
			read_supervisor(&s);
	}
	if (s.raw)
		tty_restore(STDIN_FILENO, &s.old);
	close(s.signals);
	close(c->fd);
	return s.result;
}
