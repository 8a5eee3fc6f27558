#include "ctr/inspect.h"
#include "sys/caps.h"
#include "sys/ns.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* N, or null where 0 means that there is none. */
static void put_known(struct json_out *o, const char *key, int64_t n)
{
	if (n)
		json_put_int(o, key, n);
	else
		json_put_raw(o, key, "null");
}

static void put_run(const struct record *r, enum status status, bool runs, struct json_out *o)
{
	const struct last *l = &r->last;
	bool ended = !runs && l->started;

	json_put_str(o, "status", status_name(status));
	json_put_int(o, "pid", runs ? r->state.pid : 0);
	if (ended)
		json_put_int(o, "exit_code", l->exit_code);
	else
		json_put_raw(o, "exit_code", "null");
	json_put_bool(o, "oom", l->oom);
	json_put_str(o, "error", runs ? NULL : l->error);
	put_known(o, "started", runs ? r->state.started : l->started);
	put_known(o, "finished", l->finished);
	json_put_int(o, "restarts", l->restarts);
	json_put_bool(o, "stopped_by_user", l->stopped_by_user);
	json_put_str(o, "health", runs ? r->state.health : NULL);
	json_put_bool(o, "pivot_fallback", runs && r->state.pivot_fallback);
}

/* "KEY=VALUE" strings as an object. */
static void put_labels(const struct strs *labels, struct json_out *o)
{
	json_begin(o, "labels", '{');
	for (size_t i = 0; i < labels->n; i++) {
		const char *label = labels->v[i], *eq = strchrnul(label, '=');
		char *key = xstrndup(label, (size_t)(eq - label));

		json_put_str(o, key, *eq ? eq + 1 : "");
		free(key);
	}
	json_end(o, '}');
}

static void put_mounts(const struct array *mounts, struct json_out *o)
{
	json_begin(o, "mounts", '[');
	for (size_t i = 0; i < mounts->n; i++) {
		const struct mount_spec *m = (const struct mount_spec *)mounts->v + i;

		json_begin(o, NULL, '{');
		json_put_str(o, "type", m->type);
		json_put_str(o, "source", m->source);
		json_put_str(o, "target", m->target);
		json_put_str(o, "options", m->options);
		json_end(o, '}');
	}
	json_end(o, ']');
}

static void put_process(const struct process *p, struct json_out *o)
{
	struct strs caps = { 0 };

	json_put_strs(o, "args", &p->args);
	json_put_strs(o, "env", &p->env);
	json_put_str(o, "cwd", p->cwd ? p->cwd : "/");
	json_put_str(o, "user", p->user ? p->user : "0:0");
	caps_names((uint64_t)p->caps, &caps);
	json_put_strs(o, "capabilities", &caps);
	json_put_str(o, "seccomp", p->seccomp ? p->seccomp : "default");
	json_put_bool(o, "no_new_privileges", p->no_new_privs);
	json_put_str(o, "apparmor", p->apparmor);
	json_put_str(o, "selinux", p->selinux);
	strs_free(&caps);
}

/* Its path below the root of every hierarchy, and the directories that this makes. */
static void put_cgroup(const struct store *s, const char *path, struct json_out *o)
{
	const struct cgroup_host *host = store_cgroups(s);

	json_put_str(o, "cgroup", path);
	json_begin(o, "cgroup_directories", '[');
	for (int i = 0; path && i < host->n; i++) {
		char *dir = xasprintf("%s%s", host->h[i].mount, path);

		if (faccessat(host->h[i].fd, path + 1, F_OK, 0) == 0)
			json_put_str(o, NULL, dir);
		free(dir);
	}
	json_end(o, ']');
}

static void put_namespaces(pid_t pid, struct json_out *o)
{
	json_begin(o, "namespaces", '{');
	for (int i = 0; pid && i < NS_COUNT; i++) {
		ino_t ino = ns_inode(pid, ns_kinds[i].flag);

		if (ino)
			json_put_int(o, ns_kinds[i].name, (int64_t)ino);
	}
	json_end(o, '}');
}

/* What it has of its networks now; what it is to have is in its spec. */
static void put_networks(const struct state *st, bool runs, struct json_out *o)
{
	const struct attachment *a = st->attachments.v;
	const struct port *p = st->ports.v;

	json_begin(o, "networks", '[');
	for (size_t i = 0; runs && i < st->attachments.n; i++)
		fields_write(o, NULL, attachment_fields, &a[i]);
	json_end(o, ']');
	json_begin(o, "ports", '[');
	for (size_t i = 0; runs && i < st->ports.n; i++)
		fields_write(o, NULL, port_fields, &p[i]);
	json_end(o, ']');
}

static void put_log(const struct store *s, const struct record *r, struct json_out *o)
{
	bool kept = !r->garbled && (!r->spec.log || !strcmp(r->spec.log, "file"));
	char *path = kept ? xasprintf("%s/containers/%s/log", s->root_path, r->id) : NULL;

	json_put_str(o, "log_path", path);
	free(path);
}

void inspect_write(const struct store *s, const struct record *r, struct json_out *o)
{
	const struct spec *spec = &r->spec;
	enum status status = record_status(s, r);
	bool runs = status == RUNNING || status == PAUSED;

	json_begin(o, NULL, '{');
	json_put_str(o, "id", r->id);
	json_put_str(o, "name", spec->name);
	put_known(o, "created", spec->created);
	json_put_str(o, "image", spec->image);
	json_put_str(o, "image_id", spec->image_id);
	put_run(r, status, runs, o);
	json_put_bool(o, "privileged", spec->privileged);
	json_put_str(o, "hostname", spec->hostname);
	put_process(&spec->process, o);
	json_put_bool(o, "read_only", spec->read_only);
	json_put_strs(o, "device_rules", &spec->device_rules);
	put_mounts(&spec->mounts, o);
	fields_write(o, "limits", cgroup_limits_fields, &spec->limits);
	put_labels(&spec->labels, o);
	json_put_str(o, "restart", spec->restart ? spec->restart : "no");
	put_cgroup(s, runs ? r->state.cgroup : NULL, o);
	put_namespaces(runs ? (pid_t)r->state.pid : 0, o);
	put_networks(&r->state, runs, o);
	put_log(s, r, o);
	if (r->garbled)
		json_put_raw(o, "spec", "null");
	else
		fields_write(o, "spec", spec_fields, spec);
	json_end(o, '}');
}
