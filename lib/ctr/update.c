#include "ctr/update.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What is written leaves out what isn't set, and what is read replaces only what is there. */
static int merge(struct cgroup_limits *l, const struct cgroup_limits *given, struct err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b };
	struct json *j;
	int r;

	fields_write(&o, NULL, cgroup_limits_fields, given);
	j = json_parse(b.p, b.len, err);
	if (given->arg_cpus)
		l->cpu_quota = l->cpu_period = 0;
	r = j ? fields_read(j, cgroup_limits_fields, l, err) : -EINVAL;
	l->arg_cpus = given->arg_cpus;
	l->arg_cpuset_cpus = given->arg_cpuset_cpus;
	l->arg_cpuset_mems = given->arg_cpuset_mems;
	json_free(j);
	buf_free(&b);
	return r ? r : cgroup_limits_check(l, err);
}

static int update(const struct store *s, struct record *r, const struct cgroup_limits *given, struct err *err)
{
	int code;

	if (r->garbled)
		return err_msg(err, -EINVAL, "its record is damaged: it can only be removed");
	code = merge(&r->spec.limits, given, err);
	if (!code && record_running(s, r)) {
		code = cgroup_set(store_cgroups(s), r->state.cgroup, &r->spec.limits, err);
		if (code == -ENOENT && !cgroup_exists(store_cgroups(s), r->state.cgroup)) /* it ended at this moment */
			code = 0;
	}
	return code ? code : record_write_spec(r, err);
}

int update_limits(const struct store *s, struct record *r, const struct cgroup_limits *given, struct err *err)
{
	int lock = record_lock(r, 10000, err), code;

	if (lock < 0)
		return lock;
	record_refresh(s, r);
	record_refresh_spec(r);
	code = update(s, r, given, err);
	close(lock);
	return code;
}
