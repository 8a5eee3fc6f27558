/* ctr-start: starts containers that were made or have ended. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/attach.h"
#include "ctr/boot.h"
#include "ctr/start.h"
#include "ctr/supervise.h"
#include "sys/sealed.h"
#include <errno.h>
#include <string.h>

struct options {
	bool attach, interactive, tty, boot;
	const char *detach_keys;
};

#define O(m) offsetof(struct options, m)
static const struct opt opts[] = {
	{ 'a', "attach", NULL, OPT_FLAG, O(attach), "stay, print its output, exit with its exit code", NULL },
	{ 'i', "interactive", NULL, OPT_FLAG, O(interactive), "with -a: our stdin is its own", NULL },
	{ 't', "tty", NULL, OPT_FLAG, O(tty), "with CMD: a terminal", NULL },
	{ 0, "boot", NULL, OPT_FLAG, O(boot), "start all whose restart policy asks for it, oldest first", NULL },
	{ 0, "detach-keys", "KEYS", OPT_STR, O(detach_keys), "leave it running; ctrl-p,ctrl-q", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-start",
	.synopsis = "[OPT].. CTR..  |  [OPT].. CTR CMD [ARG]..  |  --boot",
	.about = "Starts containers. With a CMD, that runs on the container's files instead of its own command, attached; an argument\n"
		 "after CTR is a CMD unless it names a container.",
	.opts = opts,
	.bad = 125,
	.command = true,
};

/* "ctr-start a b" starts two; "ctr-start a sh -c .." runs a command. */
static bool is_command(const struct store *s, int n, char **operands)
{
	struct record r;

	for (int i = 1; i < n; i++) {
		if (!strcmp(operands[i], "-"))
			return false;
		if (record_open(s, operands[i], &r, NULL) < 0)
			return true;
		record_close(&r);
	}
	return false;
}

static int start_attached(const struct store *s, const struct options *o, const char *target, char **cmd)
{
	struct attach_client c = { .input = o->interactive, .detach = o->detach_keys };
	struct start_options so = { .cmd = cmd, .tty = o->tty, .input = o->interactive };
	struct err err = { 0 };
	int r = start_target(s, target, &so, &c, &err);

	if (r < 0)
		die_err(125, target, &err);
	r = attach_run(&c);
	if (r == -ECONNRESET)
		die(125, "%s: the container's supervisor vanished", target);
	return r == -ECANCELED ? 0 : r;
}

static int start_all(const struct store *s, const struct strs *targets)
{
	struct start_options so = { 0 };
	int worst = 0;

	for (size_t i = 0; i < targets->n; i++) {
		struct err err = { 0 };

		if (start_target(s, targets->v[i], &so, NULL, &err) < 0) {
			say_err(targets->v[i], &err);
			worst = 1;
			continue;
		}
		out_line(targets->v[i]);
	}
	return worst;
}

int ctr_start_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct strs targets = { 0 };
	struct err err = { 0 };
	struct store store;
	int n;

	or_die_err(sealed_program(argv, &err), &err);
	supervise_alone();
	n = opt_parse(&usage, &o, argc, argv);
	if (!n && !o.boot)
		die_usage(125, "a container is missing");
	if (store_get(&store, &err) < 0)
		die_err(125, NULL, &err);
	if (o.boot)
		return start_boot(&store);
	if (is_command(&store, n, argv))
		return start_attached(&store, &o, argv[0], argv + 1);
	if (o.attach || o.interactive) {
		if (n > 1)
			die_usage(125, "-a and -i take one container");
		return start_attached(&store, &o, argv[0], NULL);
	}
	opt_targets(n, argv, &targets);
	return start_all(&store, &targets);
}
