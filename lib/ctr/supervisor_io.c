#include "base/file.h"
#include "ctr/attach.h"
#include "ctr/supervisor.h"
#include "base/kernel.h"
#include "base/say.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX 65536 /* beyond that the client waits */

void supervisor_add_client(struct supervisor *s, int fd, bool output)
{
	struct timeval patience = { 5, 0 }; /* one that doesn't read must not stop the container for ever */

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd < 0) {
			s->clients[i] = (struct client){ fd, output };
			return;
		}
	close(fd);
}

void supervisor_accept(struct supervisor *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		supervisor_add_client(s, fd, false);
}

bool supervisor_has_room(const struct supervisor *s)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd < 0)
			return true;
	return false;
}

static void drop(struct client *c)
{
	close(c->fd);
	c->fd = -1;
}

static void set_size(struct supervisor *s, const void *data, size_t n)
{
	if (n != sizeof s->window)
		return;
	memcpy(&s->window, data, sizeof s->window);
	if (s->child.tty >= 0)
		ioctl(s->child.tty, TIOCSWINSZ, &s->window);
}

static void signal_child(struct supervisor *s, const void *data, size_t n)
{
	int sig;

	if (n != sizeof sig)
		return;
	memcpy(&sig, data, sizeof sig);
	if (sig > 0 && sig < 65 && s->child.pidfd >= 0)
		sys_pidfd_send_signal(s->child.pidfd, sig);
}

void supervisor_client(struct supervisor *s, struct client *c)
{
	char m[ATTACH_DATA + 32];
	ssize_t n = recv(c->fd, m, sizeof m, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	if (*m == ATTACH_ALL)
		c->output = true;
	else if (*m == ATTACH_INPUT)
		buf_add(&s->input, m + 1, (size_t)n - 1), supervisor_flush_input(s);
	else if (*m == ATTACH_EOF)
		s->input_ended = true, supervisor_flush_input(s);
	else if (*m == ATTACH_SIZE)
		set_size(s, m + 1, (size_t)n - 1);
	else if (*m == ATTACH_SIGNAL)
		signal_child(s, m + 1, (size_t)n - 1);
}

static int input_fd(const struct supervisor *s)
{
	return s->child.tty >= 0 ? s->child.tty : s->streams.ours[0];
}

static void end_input(struct supervisor *s)
{
	if (s->child.tty >= 0) {
		write_all(s->child.tty, "\004", 1); /* a terminal's end of file is a character */
		s->input_ended = false;
	} else if (s->streams.ours[0] >= 0) {
		close(s->streams.ours[0]);
		s->streams.ours[0] = -1;
	}
}

void supervisor_flush_input(struct supervisor *s)
{
	int fd = input_fd(s);
	ssize_t n = 0;

	if (fd < 0)
		s->input.len = 0;
	while (s->input.len && (n = write(fd, s->input.p, s->input.len)) > 0) {
		s->input.len -= (size_t)n;
		memmove(s->input.p, s->input.p + n, s->input.len);
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		s->input.len = 0; /* nobody reads it any more */
		s->input_ended = true;
	}
	if (s->input_ended && !s->input.len)
		end_input(s);
}

void supervisor_local_input(struct supervisor *s)
{
	ssize_t n;

	buf_reserve(&s->input, ATTACH_DATA);
	n = read(STDIN_FILENO, s->input.p + s->input.len, ATTACH_DATA);
	if (n > 0) {
		s->input.len += (size_t)n;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		s->local_input = false;
		s->input_ended = true;
	}
	supervisor_flush_input(s);
}

/* To our own stdout or stderr, which may be somebody's that doesn't block. False if nobody will read it any more: that is told unless the
 * reader went on purpose. */
static bool write_local(int stream, const char *data, size_t n)
{
	struct pollfd p = { stream, POLLOUT, 0 };
	ssize_t done = 0;

	for (; n; data += done, n -= (size_t)done) {
		done = write(stream, data, n);
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			break;
		if (done < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
		if (done < 0)
			done = 0;
	}
	if (done < 0 && errno != EPIPE)
		say("standard %s: write: %s", stream == 1 ? "output" : "error", strerror(errno));
	return done >= 0;
}

/* False: what reads our own stream has gone. */
static bool pass_on(struct supervisor *s, int stream, const char *data, size_t n)
{
	bool read = true;

	log_write(&s->log, stream == 1 ? "stdout" : "stderr", data, n);
	if (s->local)
		read = write_local(stream, data, n);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->fd >= 0 && c->output && attach_send(c->fd, stream == 1 ? ATTACH_STDOUT : ATTACH_STDERR, data, n) < 0)
			drop(c);
	}
	return read;
}

bool supervisor_output(struct supervisor *s, int stream)
{
	int fd = s->child.tty >= 0 ? s->child.tty : s->streams.ours[stream];
	char data[ATTACH_DATA];
	ssize_t n = read(fd, data, sizeof data);

	if (n > 0)
		return pass_on(s, stream, data, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Those who wait to be accepted are told too; nobody else can come, for the socket's name is gone. */
void supervisor_tell_exit(struct supervisor *s, int code)
{
	int fd;

	for (int i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0) {
			attach_send(s->clients[i].fd, ATTACH_EXIT, &code, sizeof code);
			drop(&s->clients[i]);
		}
	while (s->listener >= 0 && (fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		attach_send(fd, ATTACH_EXIT, &code, sizeof code);
		close(fd);
	}
}
