#include "ctr/start.h"
#include "ctr/reap.h"
#include "ctr/supervise.h"
#include "sys/pty.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Under the lock: nothing runs, no remains of an earlier run. */
static int make_ready(const struct store *s, struct record *r, struct err *err)
{
	enum status status;

	record_refresh(s, r);
	status = record_status(s, r);
	if (status == DEAD)
		return err_msg(err, -EINVAL, "its record is damaged: it can only be removed");
	if (status == RUNNING || status == PAUSED || status == RESTARTING)
		return err_msg(err, -EALREADY, "is running already");
	return reap_remains(s, r, err);
}

static struct process command(const struct record *r, const struct start_options *o)
{
	struct process p = r->spec.process;

	if (!o->cmd)
		return p;
	p.args = (struct strs){ .v = o->cmd };
	while (o->cmd[p.args.n])
		p.args.n++;
	p.tty = o->tty;
	return p;
}

static int launch_it(const struct store *s, struct record *r, int lock, const struct start_options *o, struct attach_client *c,
		     struct err *err)
{
	struct process p = command(r, o);
	struct start start = { .store = s, .record = r, .lock = lock, .process = &p };
	int ends[2] = { -1, -1 }, code;

	tty_size(&start.window);
	if (o->cmd)
		r->spec.open_stdin = o->input;
	if (c && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		close(lock);
		return err_sys(err, -errno, "make a socket pair");
	}
	code = supervise_apart(&start, ends[1], err);
	if (!c)
		return code;
	close(ends[1]);
	if (code < 0) {
		close(ends[0]);
		return code;
	}
	c->fd = ends[0];
	c->tty = p.tty;
	return 0;
}

int start_target(const struct store *s, const char *target, const struct start_options *o, struct attach_client *c, struct err *err)
{
	struct record r;
	int code = record_open(s, target, &r, err), lock;

	if (code < 0)
		return code;
	lock = record_lock(&r, 10000, err);
	code = lock < 0 ? lock : make_ready(s, &r, err);
	if (code == -EALREADY && !c)
		code = 1; /* docker's start of a running one does nothing */
	if (code && lock >= 0)
		close(lock);
	if (!code)
		code = launch_it(s, &r, lock, o, c, err);
	record_close(&r);
	return code > 0 ? 0 : code;
}
