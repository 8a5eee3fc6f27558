#include "ctr/options.h"
#include <errno.h>
#include <string.h>

static const char usual_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int check_hostname(const char *name, struct err *err)
{
	size_t n = strlen(name);

	if (!n || n > 64)
		return err_msg(err, -EINVAL, "host name \"%s\": has no or more than 64 characters", name);
	for (const char *p = name; *p; p++)
		if (!(*p >= '0' && *p <= '9') && !((*p | 32) >= 'a' && (*p | 32) <= 'z') && !strchr("-._", *p))
			return err_msg(err, -EINVAL, "host name \"%s\": only letters, digits, - . and _ are allowed", name);
	return 0;
}

static int move_limits(const struct store *s, struct run_options *o, struct spec *spec, struct err *err)
{
	int r = cgroup_limits_check(&o->limits, err);

	spec->limits = o->limits;
	o->limits = (struct cgroup_limits){ 0 };
	if (!spec->limits.pids && cgroup_find(store_cgroups(s), "pids"))
		spec->limits.pids = 2048; /* a fork bomb stays the container's own affair */
	if (!r && o->cgroup_parent) {
		char path[CGROUP_PATH_MAX];

		r = cgroup_path(o->cgroup_parent, false, path, err);
		if (!r)
			spec->cgroup_parent = xstrdup(path + 1);
	}
	return r;
}

static int check_lists(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->sysctls.n; i++) {
		int r = sysctl_check(spec->sysctls.v[i], spec, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < spec->labels.n; i++)
		if (*spec->labels.v[i] == '=')
			return err_msg(err, -EINVAL, "--label %s: has no name", spec->labels.v[i]);
	return 0;
}

static int set_names(struct run_options *o, struct spec *spec, struct err *err)
{
	int r = o->name ? name_check(o->name, err) : 0;

	if (!r && o->hostname)
		r = check_hostname(o->hostname, err);
	if (!r && o->domainname)
		r = check_hostname(o->domainname, err);
	spec->name = xstrdup(o->name);
	spec->hostname = xstrdup(o->hostname);
	spec->domainname = xstrdup(o->domainname);
	return r;
}

int options_resolve(const struct store *s, struct run_options *o, int n, char **operands, struct spec *spec, struct err *err)
{
	int r = set_names(o, spec, err);

	spec->privileged = o->privileged;
	spec->step = o->made != NULL;
	spec->read_only = o->read_only;
	spec->shm_size = o->shm_size;
	if (!r && o->shm_size < 0)
		r = err_msg(err, -EINVAL, "--shm-size: not more than nothing");
	if (!r)
		r = options_root(s, o, n, operands, spec, err);
	if (!r)
		r = options_namespaces(s, o, spec, err);
	if (!r)
		r = options_networks(s, o, spec, err);
	if (!r)
		r = options_process(s, o, spec, err);
	if (!r)
		r = options_life(o, spec, err);
	strs_append(&spec->labels, &o->labels);
	strs_append(&spec->sysctls, &o->sysctls);
	strs_append(&spec->dns, &o->dns);
	strs_append(&spec->dns_search, &o->dns_search);
	strs_append(&spec->add_hosts, &o->add_hosts);
	if (!r)
		r = check_lists(spec, err);
	if (!r)
		r = move_limits(s, o, spec, err);
	if (!r)
		r = options_env(&o->env_files, &o->env, o->tty, &spec->process.env, err);
	if (!strs_getenv(&spec->process.env, "PATH"))
		strs_setenv(&spec->process.env, "PATH", usual_path);
	return r ? r : options_files(s, o, spec, err);
}
