#include "ctr/wait.h"
#include "base/kernel.h"
#include "ctr/attach.h"
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* It doesn't seem to run: once nobody holds its lock, it isn't being started or removed either. */
static int settle(const struct store *s, struct waiter *w, struct err *err)
{
	struct record *r = &w->record;
	int lock = record_lock(r, 10000, err);

	if (lock < 0)
		return lock;
	close(lock);
	record_refresh(s, r);
	w->supervisor = record_supervisor(s, r);
	if (w->supervisor >= 0)
		return 0;
	if (w->supervisor != -ESRCH)
		return err_sys(err, w->supervisor, "look for its supervisor");
	if (r->garbled)
		return err_msg(err, -EINVAL, "its record is damaged: how it ended can't be told");
	return record_status(s, r) == CREATED ? err_msg(err, -EINVAL, "was never started") : 0;
}

int wait_begin(const struct store *s, const char *target, struct waiter *w, struct err *err)
{
	int r = record_open(s, target, &w->record, err);

	if (r < 0)
		return r;
	w->socket = -1;
	w->supervisor = record_supervisor(s, &w->record);
	if (w->supervisor < 0 && !w->record.last.finished)
		r = settle(s, w, err);
	if (w->supervisor >= 0)
		w->socket = attach_connect(&w->record, ATTACH_WAIT, NULL); /* if not, last.json will tell */
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
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == ECONNRESET))); /* RESET: it didn't read all we said; what it said follows */
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
