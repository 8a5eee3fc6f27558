/* ctr-logs: what a container printed. */
#include "base/clock.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/say.h"
#include "ctr/log.h"
#include "ctr/targets.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct options {
	bool follow;
	struct log_query query;
};

static int set_tail(void *into, const char *value, struct err *err)
{
	struct options *o = into;

	if (!strcmp(value, "all"))
		o->query.tail = -1;
	else if (num_range(value, 0, INT64_MAX, &o->query.tail) < 0)
		return err_msg(err, -EINVAL, "neither a number of lines nor \"all\"");
	return 0;
}

/* A time of day, seconds since 1970, or how long ago. */
static int set_since(void *into, const char *value, struct err *err)
{
	struct options *o = into;
	int64_t ago;

	if (clock_parse(value, &o->query.since_ns) == 0)
		return 0;
	if (num_time_ms(value, &ago) < 0)
		return err_msg(err, -EINVAL, "not a time (2026-11-21T23:47:44Z, seconds since 1970, or 10m: that long ago)");
	ago = clock_wall_ns() / 1000000 - ago;
	o->query.since_ns = (ago > 0 ? ago : 0) * 1000000;
	return 0;
}

#define O(m) offsetof(struct options, m)
static const struct opt opts[] = {
	{ 'f', "follow", NULL, OPT_FLAG, O(follow), "go on with what it prints, until it ends", NULL },
	{ 't', "timestamps", NULL, OPT_FLAG, O(query.timestamps), "when, before each line", NULL },
	{ 'n', "tail", "N", OPT_CALL, 0, "the last N lines alone; all", set_tail },
	{ 0, "since", "T", OPT_CALL, 0, "what is younger: 2026-11-21T23:47:44Z, seconds since 1970, or 10m: that long ago", set_since },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-logs",
	.synopsis = "[-f] [-t] [--tail N] [--since T] CTR",
	.about = "Prints what a container wrote, stdout on stdout and stderr on stderr, whether it runs or not.",
	.opts = opts,
	.more = "A log is bounded (ctr-run --log-max-size): of a long one the beginning is gone. -f misses\n"
		"what was written and rotated away since it last could read: a reader that is slower than the container by two files.",
	.bad = 2,
};

static int check_kept(const struct spec *s, struct err *err)
{
	if (s->log && !strcmp(s->log, "none"))
		return err_msg(err, -ENOENT, "its output isn't kept (it was made with --log none or --rm)");
	if (s->log && !strcmp(s->log, "syslog"))
		return err_msg(err, -ENOENT, "its output goes to the system log");
	return 0;
}

int ctr_logs_main(int argc, char **argv)
{
	struct options o = { .query.tail = -1 };
	struct err err = { 0 };
	struct store s;
	struct record r;
	int n = opt_parse(&usage, &o, argc, argv), code;

	if (n != 1)
		die_usage(2, n ? "takes one container" : "a container is missing");
	target_open(argv[0], 1, &s, &r);
	code = check_kept(&r.spec, &err);
	if (!code)
		code = log_show(r.dir, &o.query, o.follow ? record_supervisor(&s, &r) : -1, &err);
	if (code < 0)
		die_err(1, argv[0], &err);
	return 0;
}
