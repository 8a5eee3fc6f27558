/* The process: its environment, user, capabilities and limits. */
#include "base/file.h"
#include "base/num.h"
#include "ctr/options.h"
#include "ctr/rlimit.h"
#include "sys/caps.h"
#include "sys/seccomp.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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

int options_env(const struct strs *files, const struct strs *settings, bool tty, struct strs *env, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < files->n && !r; i++)
		r = env_file(env, files->v[i], err);
	for (size_t i = 0; i < settings->n && !r; i++)
		r = set_env(env, settings->v[i], err);
	if (tty && !strs_getenv(env, "TERM"))
		strs_setenv(env, "TERM", getenv("TERM") ? getenv("TERM") : "xterm");
	return r;
}

/* docker's, but for making device nodes where nothing limits which of them work. */
static uint64_t usual_caps(const struct store *s)
{
	uint64_t mknod = 0;

	if (!cgroup_devices_possible(store_cgroups(s)))
		caps_parse("MKNOD", &mknod, NULL);
	return caps_default & ~mknod;
}

/* The capabilities of LIST, as OPTION took them; *ALL: the word was among them. */
static int parse_caps(const char *option, const struct strs *list, uint64_t *mask, bool *all, struct err *err)
{
	uint64_t one, known = list->n ? caps_all() : 0;
	int r = 0;

	*mask = *all = 0;
	for (size_t i = 0; i < list->n && !r; i++) {
		r = caps_parse(list->v[i], &one, err);
		if (!r && one & ~known)
			r = err_msg(err, -ENOTSUP, "%s: this kernel has no such capability", list->v[i]);
		if (!r && one == known)
			*all = true;
		else if (!r)
			*mask |= one;
	}
	return r < 0 ? err_prefix(err, "%s", option) : 0;
}

/* "drop ALL, add one" and "add ALL, drop one" both mean what they say. */
static int set_caps(const struct store *s, const struct run_options *o, struct process *p, struct err *err)
{
	uint64_t add, drop, mask = o->privileged ? caps_all() : usual_caps(s);
	bool add_all, drop_all;
	int r = parse_caps("--cap-drop", &o->cap_drop, &drop, &drop_all, err);

	if (!r)
		r = parse_caps("--cap-add", &o->cap_add, &add, &add_all, err);
	if (r < 0)
		return r;
	if (add_all)
		mask = caps_all() & ~drop;
	else
		mask = (drop_all ? 0 : mask & ~drop) | add;
	p->caps = (int64_t)mask;
	return 0;
}

/* "unconfined", "builtin" (docker's word for the default), or a file. */
static int set_seccomp(const char *v, struct process *p, struct err *err)
{
	char *path = NULL;
	int r = 0;

	free(p->seccomp);
	free(p->seccomp_filter);
	p->seccomp = p->seccomp_filter = NULL;
	if (!strcmp(v, "unconfined"))
		p->seccomp = xstrdup(v);
	else if (strcmp(v, "builtin"))
		r = seccomp_profile(v, (uint64_t)p->caps, &p->seccomp_filter, err);
	if (p->seccomp_filter) {
		path = realpath(v, NULL);
		p->seccomp = xstrdup(path ? path : v);
	}
	free(path);
	return r < 0 ? err_prefix(err, "--security-opt seccomp=%s", v) : 0;
}

static int set_security(const struct run_options *o, struct process *p, struct err *err)
{
	if (o->privileged)
		p->seccomp = xstrdup("unconfined"); /* unless one is given */
	for (size_t i = 0; i < o->security.n; i++) {
		const char *v = o->security.v[i];
		int r = options_label(v, p, err);

		if (!r && starts_with(v, "seccomp="))
			r = set_seccomp(v + strlen("seccomp="), p, err) ?: 1;
		if (r < 0)
			return r;
		if (r || !strcmp(v, "systempaths=unconfined")) /* options_root */
			continue;
		if (strcmp(v, "no-new-privileges") && strcmp(v, "no-new-privileges=true") && strcmp(v, "no-new-privileges:true"))
			return err_msg(err, -EINVAL, "--security-opt %s: unknown (no-new-privileges, seccomp=, apparmor=, label= or systempaths=unconfined)", v);
		p->no_new_privs = true;
	}
	return 0;
}

int options_process(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	struct process *p = &spec->process;
	int64_t score;
	int r = set_caps(s, o, p, err);

	if (!r)
		r = set_security(o, p, err);
	for (size_t i = 0; i < o->ulimits.n && !r; i++) {
		struct rlimit limit;
		int resource;

		r = rlimit_parse(o->ulimits.v[i], &resource, &limit, err);
		strs_add(&p->rlimits, o->ulimits.v[i]);
	}
	strs_append(&p->groups, &o->groups);
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
