#include "ctr/wait.h"
#include "base/kernel.h"
#include "ctr/attach.h"
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int wait_begin(const struct store *s, const char *target, struct waiter *w, struct err *err)
{
	int r = record_open(s, target, &w->record, err);

	if (r < 0)
		return r;
	w->socket = -1;
	w->supervisor = record_supervisor(&w->record);
	if (w->supervisor >= 0)
		w->socket = attach_connect(&w->record, ATTACH_WAIT, NULL); /* if not, last.json will tell */
	else if (record_status(s, &w->record) == CREATED)
		r = err_msg(err, -EINVAL, "was never started");
	else if (w->record.garbled)
		r = err_msg(err, -EINVAL, "its record is damaged: how it ended can't be told");
	if (r < 0)
		record_close(&w->record);
	return r;
}

/* The exit code that the supervisor tells, or -ECONNRESET. */
static int told(int fd)
{
	char m[ATTACH_DATA + 1];
	ssize_t n;
	int code;

	do {
		n = recv(fd, m, sizeof m, 0);
		if (n == 1 + (ssize_t)sizeof code && *m == ATTACH_EXIT) {
			memcpy(&code, m + 1, sizeof code);
			return code;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	return -ECONNRESET;
}

static void wait_gone(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
}

/* Nobody told us: the supervisor was killed, or had too many clients. What did it write? */
static int noted(const struct store *s, struct record *r, struct err *err)
{
	struct record now;
	int code = record_open_id(s, r->id, &now, NULL);

	if (code < 0)
		return err_msg(err, -ENOENT, "is gone, and nobody told its exit code");
	/* state that is still there without an end means that it died with its supervisor */
	code = now.state.supervisor && now.last.finished < now.state.started ? 137 : (int)now.last.exit_code;
	record_close(&now);
	return code;
}

int wait_end(const struct store *s, struct waiter *w, struct err *err)
{
	int code = w->socket < 0 ? -ECONNRESET : told(w->socket);

	if (code < 0 && w->supervisor >= 0)
		wait_gone(w->supervisor);
	if (code < 0)
		code = noted(s, &w->record, err);
	if (w->socket >= 0)
		close(w->socket);
	if (w->supervisor >= 0)
		close(w->supervisor);
	record_close(&w->record);
	return code;
}
