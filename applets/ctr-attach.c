/* ctr-attach: our terminal on a container that runs. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/attach.h"
#include "ctr/targets.h"
#include <errno.h>

struct options {
	bool no_stdin;
	const char *detach_keys;
};

static const struct opt opts[] = {
	{ 0, "detach-keys", "KEYS", OPT_STR, offsetof(struct options, detach_keys), "leave it running; ctrl-p,ctrl-q", NULL },
	{ 0, "no-stdin", NULL, OPT_FLAG, offsetof(struct options, no_stdin), "only watch: our stdin isn't its own", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-attach",
	.synopsis = "[OPT].. CTR",
	.about = "Shows what a running container prints from now on, gives it our stdin (if it was made with -i) and the signals we get,\n"
		 "and exits with its exit code; 0 if left by the detach keys, which need a terminal on both sides.",
	.opts = opts,
	.bad = 125,
};

static int connect_to(const struct store *s, const struct record *r, struct err *err)
{
	switch (record_status(s, r)) {
	case RUNNING:
	case RESTARTING:
		return attach_connect(r, ATTACH_ALL, err);
	case PAUSED:
		return err_msg(err, -EBUSY, "is paused (see \"ctr-unpause\")");
	default:
		return err_msg(err, -ESRCH, "isn't running (see \"ctr-start -a\")");
	}
}

int ctr_attach_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct attach_client c = { 0 };
	struct err err = { 0 };
	struct store s;
	struct record r;
	int n = opt_parse(&usage, &o, argc, argv), code;

	if (n != 1)
		die_usage(125, n ? "takes one container" : "a container is missing");
	if (o.detach_keys && detach_keys_check(o.detach_keys) < 0)
		die_usage(125, "--detach-keys %s: not keys like ctrl-p,ctrl-q", o.detach_keys);
	target_open(argv[0], 125, &s, &r);
	c.fd = connect_to(&s, &r, &err);
	if (c.fd < 0)
		die_err(125, argv[0], &err);
	c.tty = r.spec.process.tty;
	c.input = r.spec.open_stdin && !o.no_stdin;
	c.detach = o.detach_keys;
	c.id = r.id;
	code = attach_run(&c);
	if (code == -ECONNRESET)
		die(125, "%s: the container's supervisor vanished", argv[0]);
	return code == -ECANCELED ? 0 : code;
}
