#include "base/file.h"
#include "base/num.h"
#include "ctr/attach.h"
#include "ctr/options.h"
#include "ctr/rlimit.h"
#include "image/image.h"
#include "sys/caps.h"
#include "sys/idmap.h"
#include "sys/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usual_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int set_env(struct strs *env, const char *setting, struct err *err)
{
	const char *eq = strchr(setting, '='), *value;
	char *key;

	if (!*setting || eq == setting)
		return err_msg(err, -EINVAL, "variable \"%s\": has no name", setting);
	key = xstrndup(setting, eq ? (size_t)(eq - setting) : strlen(setting));
	value = eq ? eq + 1 : getenv(key);
	if (value)
		strs_setenv(env, key, value);
	free(key);
	return 0;
}

static int env_file(struct strs *env, const char *path, struct err *err)
{
	struct buf b = { 0 };
	struct strs lines = { 0 };
	int r = file_read(AT_FDCWD, path, &b, 1 << 20);

	if (r < 0)
		err_sys(err, r, "read %s", path);
	else
		strs_split(&lines, b.p, '\n');
	for (size_t i = 0; i < lines.n && !r; i++)
		if (*lines.v[i] && *lines.v[i] != '#')
			r = set_env(env, lines.v[i], err);
	buf_free(&b);
	strs_free(&lines);
	return r;
}

int options_env(const struct strs *files, const struct strs *settings, struct strs *env, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < files->n && !r; i++)
		r = env_file(env, files->v[i], err);
	for (size_t i = 0; i < settings->n && !r; i++)
		r = set_env(env, settings->v[i], err);
	return r;
}

/* A mode of a namespace; container:N becomes container:ID. */
int options_namespace(const struct store *s, const char *option, const char *mode, char **out, struct err *err)
{
	struct record other;
	int r;

	if (!mode || !strcmp(mode, "private") || !strcmp(mode, "none") || !strcmp(mode, "shareable")) {
		*out = xstrdup("private");
		return 0;
	}
	if (ns_is_host(mode)) {
		*out = xstrdup(mode);
		return 0;
	}
	if (!ns_container(mode))
		return err_msg(err, -EINVAL, "--%s %s: none of private, host, container:N", option, mode);
	r = record_open(s, ns_container(mode), &other, err);
	if (r < 0)
		return err_prefix(err, "--%s %s", option, mode), r;
	*out = xasprintf("container:%s", other.id);
	record_close(&other);
	return 0;
}

static int set_userns(const struct run_options *o, struct spec *spec, struct err *err)
{
	struct idmaps maps = { 0 };

	for (size_t i = 0; i < o->userns.n; i++) {
		const char *v = o->userns.v[i];
		int r;

		if (ns_is_host(v))
			continue;
		if (!strcmp(v, "private") || !strcmp(v, "auto") || ns_container(v))
			return err_msg(err, -EINVAL, "--userns %s: this version knows host and maps, as 100000:0:65536", v);
		r = idmap_parse(v, &maps, err);
		if (r < 0)
			return err_prefix(err, "--userns %s", v), r;
		strs_add(&spec->idmaps, v);
	}
	if (maps.n && idmap_host(&maps, 0) < 0)
		return err_msg(err, -EINVAL, "--userns: no map has the container's id 0");
	spec->userns = xstrdup(maps.n ? "private" : "host");
	return 0;
}

static int set_namespaces(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	int r = options_namespace(s, "pid", o->pid, &spec->pid, err);

	if (!r)
		r = options_namespace(s, "ipc", o->ipc, &spec->ipc, err);
	if (!r)
		r = options_namespace(s, "uts", o->uts, &spec->uts, err);
	if (!r)
		r = options_namespace(s, "cgroupns", o->cgroupns, &spec->cgroupns, err);
	if (!r && ns_container(spec->cgroupns))
		r = err_msg(err, -EINVAL, "--cgroupns %s: only private and host are possible", o->cgroupns);
	if (!r)
		r = options_networks(s, o, spec, err);
	if (!r && !ns_is_private(spec->uts) && (o->hostname || o->domainname))
		r = err_msg(err, -EINVAL, "--hostname with --uts %s would change a name that isn't its own", o->uts);
	return r ? r : set_userns(o, spec, err);
}

static int set_caps(const struct run_options *o, struct process *p, struct err *err)
{
	uint64_t mask = o->privileged ? caps_all() : caps_default, one;

	for (size_t i = 0; i < o->cap_drop.n; i++) {
		if (caps_parse(o->cap_drop.v[i], &one, err) < 0)
			return err_prefix(err, "--cap-drop"), -EINVAL;
		mask &= ~one;
	}
	for (size_t i = 0; i < o->cap_add.n; i++) {
		if (caps_parse(o->cap_add.v[i], &one, err) < 0)
			return err_prefix(err, "--cap-add"), -EINVAL;
		mask |= one;
	}
	/* "drop ALL, add one" and "add ALL, drop one" both mean what they say */
	for (size_t i = 0; i < o->cap_drop.n && strs_has(&o->cap_add, "ALL"); i++)
		if (strcmp(o->cap_drop.v[i], "ALL") && caps_parse(o->cap_drop.v[i], &one, err) == 0)
			mask &= ~one;
	p->caps = (int64_t)mask;
	return 0;
}

static int set_security(const struct run_options *o, struct process *p, struct err *err)
{
	for (size_t i = 0; i < o->security.n; i++) {
		const char *v = o->security.v[i];

		if (strcmp(v, "no-new-privileges") && strcmp(v, "no-new-privileges=true") && strcmp(v, "no-new-privileges:true"))
			return err_msg(err, -EINVAL, "--security-opt %s: unknown (this version knows no-new-privileges)", v);
		p->no_new_privs = true;
	}
	return 0;
}

static int set_process(const struct run_options *o, struct spec *spec, struct err *err)
{
	struct process *p = &spec->process;
	int64_t score;
	int r = set_caps(o, p, err);

	if (!r)
		r = set_security(o, p, err);
	for (size_t i = 0; i < o->ulimits.n && !r; i++) {
		struct rlimit limit;
		int resource;

		r = rlimit_parse(o->ulimits.v[i], &resource, &limit, err);
		strs_add(&p->rlimits, o->ulimits.v[i]);
	}
	for (size_t i = 0; i < o->groups.n; i++)
		strs_add(&p->groups, o->groups.v[i]);
	if (!r && o->oom_score_adj && num_range(o->oom_score_adj, -1000, 1000, &score) < 0)
		r = err_msg(err, -EINVAL, "--oom-score-adj %s: not between -1000 and 1000", o->oom_score_adj);
	p->oom_score_adj = xstrdup(o->oom_score_adj);
	p->tty = o->tty;
	if (o->user) {
		free(p->user);
		p->user = xstrdup(o->user);
	}
	if (o->workdir) {
		free(p->cwd);
		p->cwd = xstrdup(o->workdir);
	}
	if (!r && p->cwd && *p->cwd != '/')
		r = err_msg(err, -EINVAL, "working directory \"%s\": must begin with /", p->cwd);
	return r;
}

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

static int set_log(const struct run_options *o, struct spec *spec, struct err *err)
{
	const char *log = o->log ? o->log : o->rm && !o->detach ? "none" : "file";

	if (strcmp(log, "file") && strcmp(log, "syslog") && strcmp(log, "none"))
		return err_msg(err, -EINVAL, "--log %s: none of file, syslog, none", log);
	spec->log = xstrdup(log);
	spec->log_max = o->log_max;
	return 0;
}

static int set_life(const struct run_options *o, struct spec *spec, struct err *err)
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
	return r;
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

static void move_strs(struct strs *from, struct strs *to)
{
	*to = *from;
	*from = (struct strs){ 0 };
}

static int check_lists(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->sysctls.n; i++) {
		int r = sysctl_check(spec->sysctls.v[i], spec, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < spec->add_hosts.n; i++)
		if (!strchr(spec->add_hosts.v[i], ':') || strchr(spec->add_hosts.v[i], '\n'))
			return err_msg(err, -EINVAL, "--add-host %s: not NAME:IP", spec->add_hosts.v[i]);
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

/* --rootfs DIR: the directory as it is named on the host. */
static int set_rootfs(const struct run_options *o, struct spec *spec, struct err *err)
{
	struct stat st;

	if (stat(o->rootfs, &st) < 0)
		return err_sys(err, -errno, "root file system %s", o->rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_msg(err, -ENOTDIR, "root file system %s: is no directory", o->rootfs);
	spec->rootfs = realpath(o->rootfs, NULL);
	if (!spec->rootfs)
		return err_sys(err, -errno, "root file system %s", o->rootfs);
	if (!strcmp(spec->rootfs, "/"))
		return err_msg(err, -EINVAL, "root file system /: is the host's own");
	spec->rootfs_overlay = o->overlay;
	return 0;
}

/* What the image's config says, where the options don't. */
static void from_config(const struct image *img, const char *name, struct spec *spec)
{
	struct process *p = &spec->process;

	spec->image = xstrdup(name);
	spec->image_id = xstrdup(img->id);
	for (size_t i = 0; i < img->layers.n; i++)
		strs_add(&spec->layers, img->layers.v[i]);
	for (size_t i = 0; i < img->env.n; i++)
		strs_add(&p->env, img->env.v[i]);
	for (size_t i = 0; i < img->labels.n; i++)
		strs_add(&spec->labels, img->labels.v[i]);
	p->user = img->user && *img->user ? xstrdup(img->user) : NULL;
	p->cwd = img->workdir && *img->workdir ? xstrdup(img->workdir) : NULL;
	spec->stop_signal = img->stop_signal && *img->stop_signal ? xstrdup(img->stop_signal) : NULL;
	for (size_t i = 0; i < img->healthcheck_test.n; i++)
		strs_add(&spec->health_cmd, img->healthcheck_test.v[i]);
	spec->health_interval_ms = img->health_interval_ms;
	spec->health_timeout_ms = img->health_timeout_ms;
	spec->health_start_ms = img->health_start_ms;
	spec->health_retries = img->health_retries;
}

/* docker's form, ["CMD-SHELL", "text"] or ["CMD", argv..] or ["NONE"], as an argv. */
static void plain_health(struct spec *spec)
{
	struct strs *h = &spec->health_cmd, out = { 0 };

	if (!h->n || (strcmp(h->v[0], "CMD-SHELL") && strcmp(h->v[0], "CMD") && strcmp(h->v[0], "NONE")))
		return;
	if (!strcmp(h->v[0], "CMD-SHELL")) {
		strs_add(&out, "/bin/sh");
		strs_add(&out, "-c");
	}
	for (size_t i = 1; strcmp(h->v[0], "NONE") && i < h->n; i++)
		strs_add(&out, h->v[i]);
	strs_free(h);
	*h = out;
}

static void default_env(const struct run_options *o, struct spec *spec)
{
	struct strs *env = &spec->process.env;

	if (!strs_getenv(env, "PATH"))
		strs_setenv(env, "PATH", usual_path);
	if (o->tty && !strs_getenv(env, "TERM"))
		strs_setenv(env, "TERM", getenv("TERM") ? getenv("TERM") : "xterm");
}

/* Entrypoint and command: --entrypoint drops the image's command with its entrypoint. */
static int set_args(const struct run_options *o, const struct image *img, int n, char **cmd, struct spec *spec, struct err *err)
{
	struct strs *args = &spec->process.args;

	if (o->entrypoint && *o->entrypoint)
		strs_add(args, o->entrypoint);
	else if (!o->entrypoint)
		for (size_t i = 0; i < img->entrypoint.n; i++)
			strs_add(args, img->entrypoint.v[i]);
	for (int i = 0; i < n; i++)
		strs_add(args, cmd[i]);
	if (!n && !o->entrypoint)
		for (size_t i = 0; i < img->cmd.n; i++)
			strs_add(args, img->cmd.v[i]);
	if (args->n)
		return 0;
	err_msg(err, -EINVAL, "no command given and the image has none");
	return err_hint(err, "give one after IMAGE, or set one: ctr-image import -c 'CMD [\"sh\"]'");
}

static int find_root(const struct store *s, struct run_options *o, int n, char **operands, struct spec *spec, struct err *err)
{
	struct image img = { 0 };
	int r;

	if (o->rootfs) {
		r = set_rootfs(o, spec, err);
		return r ? r : set_args(o, &img, n, operands, spec, err);
	}
	if (o->overlay)
		return err_msg(err, -EINVAL, "--overlay goes with --rootfs: an image has one already");
	r = image_find_or_import(s->root, operands[0], &img, err);
	if (r < 0)
		return r;
	from_config(&img, operands[0], spec);
	plain_health(spec);
	r = set_args(o, &img, n - 1, operands + 1, spec, err);
	spec_default_mounts(spec);
	for (size_t i = 0; i < img.volumes.n; i++)
		strs_add(&o->image_volumes, img.volumes.v[i]);
	for (size_t i = 0; i < img.exposed.n; i++)
		strs_add(&o->exposed, img.exposed.v[i]);
	image_free(&img);
	return r;
}

int options_resolve(const struct store *s, struct run_options *o, int n, char **operands, struct spec *spec, struct err *err)
{
	int r = set_names(o, spec, err);

	spec->privileged = o->privileged;
	spec->read_only = o->read_only;
	spec->shm_size = o->shm_size;
	if (!r && o->shm_size < 0)
		r = err_msg(err, -EINVAL, "--shm-size: not more than nothing");
	if (!r)
		r = find_root(s, o, n, operands, spec, err);
	if (!r && o->rootfs)
		spec_default_mounts(spec);
	if (!r)
		r = set_namespaces(s, o, spec, err);
	if (!r)
		r = set_process(o, spec, err);
	if (!r)
		r = set_life(o, spec, err);
	set_health(o, spec);
	for (size_t i = 0; i < o->labels.n; i++)
		strs_add(&spec->labels, o->labels.v[i]);
	move_strs(&o->sysctls, &spec->sysctls);
	move_strs(&o->dns, &spec->dns);
	move_strs(&o->dns_search, &spec->dns_search);
	move_strs(&o->add_hosts, &spec->add_hosts);
	if (!r)
		r = check_lists(spec, err);
	if (!r)
		r = move_limits(s, o, spec, err);
	if (!r)
		r = options_env(&o->env_files, &o->env, &spec->process.env, err);
	default_env(o, spec);
	return r ? r : options_files(s, o, spec, err);
}
