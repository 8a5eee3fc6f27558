/* ctr-run: makes a container and runs a command in it. */
#include "base/file.h"
#include "base/say.h"
#include "ctr/attach.h"
#include "ctr/options.h"
#include "ctr/supervise.h"
#include "sys/pty.h"
#include "sys/sealed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct usage usage = {
	.name = "ctr-run",
	.synopsis = "[OPT].. IMAGE [CMD [ARG]..]  |  [OPT].. --rootfs DIR|FILE CMD [ARG]..",
	.about = "Runs a command in a new container. The exit code is the command's; 125: ctrbox failed, 126: not executable,\n"
		 "127: not found, 128+N: killed by signal N.",
	.opts = run_opts,
	.bad = 125,
	.command = true,
};

static int run_apart(const struct start *s, struct err *err)
{
	int r = supervise_apart(s, -1, err);
	char line[ID_LENGTH + 2];

	if (r < 0)
		return r;
	snprintf(line, sizeof line, "%s\n", s->record->id);
	r = write_all(STDOUT_FILENO, line, ID_LENGTH + 1);
	return r < 0 ? err_sys(err, r, "print its id; it runs") : 0;
}

/* A supervisor of its own and us as its first client, so that the container outlives our line. */
static int run_attached(const struct start *s, const struct run_options *o, struct err *err)
{
	struct attach_client c = { .tty = true, .input = o->interactive, .detach = o->detach_keys, .id = s->record->id };
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, -errno, "make a socket pair");
	c.fd = ends[0];
	r = supervise_apart(s, ends[1], err);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return r;
	}
	r = attach_run(&c);
	if (r == -ECONNRESET)
		return err_msg(err, r, "the container's supervisor vanished");
	return r == -ECANCELED ? 0 : r;
}

/* The supervisor, which writes it at each start, leaves our directory. */
static const char *absolute(const char *path)
{
	char here[4096];

	if (!path || *path == '/' || !getcwd(here, sizeof here))
		return path;
	return xasprintf("%s/%s", here, path);
}

int ctr_run_main(int argc, char **argv)
{
	struct run_options o = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	struct start start = { .store = &store, .record = &record };
	int n, r;

	or_die_err(sealed_program(argv, &err), &err);
	supervise_alone();
	n = opt_parse(&usage, &o, argc, argv);
	if (!n && !o.rootfs)
		die_usage(125, "an image, or --rootfs DIR|FILE, is missing");
	r = store_get(&store, &err);
	if (!r)
		r = container_create(&store, &o, n, argv, &record, &start.lock, &err);
	if (r < 0)
		die_err(125, o.name, &err);
	start.process = &record.spec.process;
	start.pidfile = absolute(o.pidfile);
	tty_size(&start.window);
	if (o.detach)
		r = run_apart(&start, &err);
	else if (o.tty)
		r = run_attached(&start, &o, &err);
	else
		r = supervise_here(&start, &err);
	if (r < 0)
		die_err(125, o.name ? o.name : record.id, &err);
	return r;
}
