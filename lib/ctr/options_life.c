/* How it ends, starts again, is logged and looked after. */
#include "base/num.h"
#include "ctr/attach.h"
#include "ctr/options.h"
#include "sys/signals.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int set_restart(const struct run_options *o, struct spec *spec, struct err *err)
{
	const char *v = o->restart ? o->restart : "no";
	bool counted = starts_with(v, "on-failure:");

	if (strcmp(v, "no") && strcmp(v, "on-failure") && strcmp(v, "always") && strcmp(v, "unless-stopped") && !counted)
		return err_msg(err, -EINVAL, "--restart %s: none of no, on-failure[:N], always, unless-stopped", v);
	if (counted && num_range(strchr(v, ':') + 1, 1, 1000000, &spec->restart_max) < 0)
		return err_msg(err, -EINVAL, "--restart %s: no count of restarts", v);
	if (o->rm && strcmp(v, "no"))
		return err_msg(err, -EINVAL, "--rm and --restart exclude each other");
	spec->restart = counted ? xstrdup("on-failure") : xstrdup(v);
	return 0;
}

static int set_log(const struct run_options *o, struct spec *spec, struct err *err)
{
	const char *log = o->log ? o->log : o->rm && !o->detach ? "none" : "file";

	if (strcmp(log, "file") && strcmp(log, "syslog") && strcmp(log, "none"))
		return err_msg(err, -EINVAL, "--log %s: none of file, syslog, none", log);
	spec->log = xstrdup(log);
	spec->log_max = o->log_max;
	return 0;
}

static void set_health(const struct run_options *o, struct spec *spec)
{
	if (o->health_cmd) {
		strs_free(&spec->health_cmd);
		if (strcmp(o->health_cmd, "none")) {
			strs_add(&spec->health_cmd, "/bin/sh");
			strs_add(&spec->health_cmd, "-c");
			strs_add(&spec->health_cmd, o->health_cmd);
		}
	}
	spec->health_interval_ms = o->health_interval_ms ? o->health_interval_ms : spec->health_interval_ms;
	spec->health_timeout_ms = o->health_timeout_ms ? o->health_timeout_ms : spec->health_timeout_ms;
	spec->health_start_ms = o->health_start_ms ? o->health_start_ms : spec->health_start_ms;
	spec->health_retries = o->health_retries ? o->health_retries : spec->health_retries;
}

int options_life(const struct run_options *o, struct spec *spec, struct err *err)
{
	int r = set_restart(o, spec, err);

	if (!r)
		r = set_log(o, spec, err);
	if (!r && o->stop_signal && signal_parse(o->stop_signal) < 0)
		r = err_msg(err, -EINVAL, "--stop-signal %s: no such signal", o->stop_signal);
	if (!r && o->detach_keys && detach_keys_check(o->detach_keys) < 0)
		r = err_msg(err, -EINVAL, "--detach-keys %s: not like ctrl-p,ctrl-q", o->detach_keys);
	if (o->stop_signal) {
		free(spec->stop_signal);
		spec->stop_signal = xstrdup(o->stop_signal);
	}
	spec->stop_timeout_ms = o->stop_timeout_ms;
	spec->auto_remove = o->rm;
	spec->detached = o->detach;
	spec->open_stdin = o->interactive;
	spec->init = o->init;
	set_health(o, spec);
	return r;
}
