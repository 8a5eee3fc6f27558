#include "ctr/spec.h"
#include <errno.h>
#include <string.h>

#define P(m) offsetof(struct process, m)
static const struct field process_fields[] = {
	{ "args", FIELD_STRS, P(args), NULL, 0 },
	{ "env", FIELD_STRS, P(env), NULL, 0 },
	{ "cwd", FIELD_STR, P(cwd), NULL, 0 },
	{ "user", FIELD_STR, P(user), NULL, 0 },
	{ "groups", FIELD_STRS, P(groups), NULL, 0 },
	{ "capabilities", FIELD_I64, P(caps), NULL, 0 },
	{ "no_new_privs", FIELD_BOOL, P(no_new_privs), NULL, 0 },
	{ "tty", FIELD_BOOL, P(tty), NULL, 0 },
	{ "seccomp", FIELD_STR, P(seccomp), NULL, 0 },
	{ "seccomp_filter", FIELD_STR, P(seccomp_filter), NULL, 0 },
	{ "apparmor", FIELD_STR, P(apparmor), NULL, 0 },
	{ "selinux", FIELD_STR, P(selinux), NULL, 0 },
	{ "rlimits", FIELD_STRS, P(rlimits), NULL, 0 },
	{ "oom_score_adj", FIELD_STR, P(oom_score_adj), NULL, 0 },
	{ 0 },
};

#define M(m) offsetof(struct mount_spec, m)
static const struct field mount_fields[] = {
	{ "type", FIELD_STR, M(type), NULL, 0 },
	{ "source", FIELD_STR, M(source), NULL, 0 },
	{ "target", FIELD_STR, M(target), NULL, 0 },
	{ "options", FIELD_STR, M(options), NULL, 0 },
	{ 0 },
};

#define N(m) offsetof(struct net_spec, m)
static const struct field net_fields[] = {
	{ "network", FIELD_STR, N(network), NULL, 0 },
	{ "ip", FIELD_STR, N(ip), NULL, 0 },
	{ "ip6", FIELD_STR, N(ip6), NULL, 0 },
	{ "mac", FIELD_STR, N(mac), NULL, 0 },
	{ 0 },
};

#define S(m) offsetof(struct spec, m)
const struct field spec_fields[] = {
	{ "id", FIELD_STR, S(id), NULL, 0 },
	{ "name", FIELD_STR, S(name), NULL, 0 },
	{ "created", FIELD_I64, S(created), NULL, 0 },
	{ "created_ns", FIELD_I64, S(created_ns), NULL, 0 },
	{ "image", FIELD_STR, S(image), NULL, 0 },
	{ "image_id", FIELD_STR, S(image_id), NULL, 0 },
	{ "layers", FIELD_STRS, S(layers), NULL, 0 },
	{ "rootfs", FIELD_STR, S(rootfs), NULL, 0 },
	{ "rootfs_overlay", FIELD_BOOL, S(rootfs_overlay), NULL, 0 },
	{ "read_only", FIELD_BOOL, S(read_only), NULL, 0 },
	{ "hostname", FIELD_STR, S(hostname), NULL, 0 },
	{ "domainname", FIELD_STR, S(domainname), NULL, 0 },
	{ "pid", FIELD_STR, S(pid), NULL, 0 },
	{ "ipc", FIELD_STR, S(ipc), NULL, 0 },
	{ "uts", FIELD_STR, S(uts), NULL, 0 },
	{ "net", FIELD_STR, S(net), NULL, 0 },
	{ "outside", FIELD_STR, S(outside), NULL, 0 },
	{ "cgroupns", FIELD_STR, S(cgroupns), NULL, 0 },
	{ "userns", FIELD_STR, S(userns), NULL, 0 },
	{ "idmaps", FIELD_STRS, S(idmaps), NULL, 0 },
	{ "userns_size", FIELD_I64, S(userns_size), NULL, 0 },
	{ "mounts", FIELD_ARRAY, S(mounts), mount_fields, sizeof(struct mount_spec) },
	{ "device_rules", FIELD_STRS, S(device_rules), NULL, 0 },
	{ "sysctls", FIELD_STRS, S(sysctls), NULL, 0 },
	{ "labels", FIELD_STRS, S(labels), NULL, 0 },
	{ "nets", FIELD_ARRAY, S(nets), net_fields, sizeof(struct net_spec) },
	{ "ports", FIELD_ARRAY, S(ports), port_fields, sizeof(struct port) },
	{ "aliases", FIELD_STRS, S(aliases), NULL, 0 },
	{ "dns", FIELD_STRS, S(dns), NULL, 0 },
	{ "dns_search", FIELD_STRS, S(dns_search), NULL, 0 },
	{ "add_hosts", FIELD_STRS, S(add_hosts), NULL, 0 },
	{ "shm_size", FIELD_I64, S(shm_size), NULL, 0 },
	{ "cgroup_parent", FIELD_STR, S(cgroup_parent), NULL, 0 },
	{ "limits", FIELD_STRUCT, S(limits), cgroup_limits_fields, 0 },
	{ "process", FIELD_STRUCT, S(process), process_fields, 0 },
	{ "privileged", FIELD_BOOL, S(privileged), NULL, 0 },
	{ "init", FIELD_BOOL, S(init), NULL, 0 },
	{ "open_stdin", FIELD_BOOL, S(open_stdin), NULL, 0 },
	{ "auto_remove", FIELD_BOOL, S(auto_remove), NULL, 0 },
	{ "detached", FIELD_BOOL, S(detached), NULL, 0 },
	{ "step", FIELD_BOOL, S(step), NULL, 0 },
	{ "stop_signal", FIELD_STR, S(stop_signal), NULL, 0 },
	{ "stop_timeout_ms", FIELD_I64, S(stop_timeout_ms), NULL, 0 },
	{ "restart", FIELD_STR, S(restart), NULL, 0 },
	{ "restart_max", FIELD_I64, S(restart_max), NULL, 0 },
	{ "log", FIELD_STR, S(log), NULL, 0 },
	{ "log_max", FIELD_I64, S(log_max), NULL, 0 },
	{ "health_cmd", FIELD_STRS, S(health_cmd), NULL, 0 },
	{ "health_interval_ms", FIELD_I64, S(health_interval_ms), NULL, 0 },
	{ "health_timeout_ms", FIELD_I64, S(health_timeout_ms), NULL, 0 },
	{ "health_start_ms", FIELD_I64, S(health_start_ms), NULL, 0 },
	{ "health_retries", FIELD_I64, S(health_retries), NULL, 0 },
	{ "volumes", FIELD_STRS, S(volumes), NULL, 0 },
	{ 0 },
};

static const struct field process_summary[] = { { "args", FIELD_STRS, P(args), NULL, 0 }, { 0 } };

const struct field spec_summary[] = {
	{ "id", FIELD_STR, S(id), NULL, 0 },
	{ "name", FIELD_STR, S(name), NULL, 0 },
	{ "created", FIELD_I64, S(created), NULL, 0 },
	{ "created_ns", FIELD_I64, S(created_ns), NULL, 0 },
	{ "image", FIELD_STR, S(image), NULL, 0 },
	{ "rootfs", FIELD_STR, S(rootfs), NULL, 0 },
	{ "labels", FIELD_STRS, S(labels), NULL, 0 },
	{ "process", FIELD_STRUCT, S(process), process_summary, 0 },
	{ 0 },
};

void spec_free(struct spec *s)
{
	fields_free(spec_fields, s);
}

void spec_mount(struct spec *s, const char *type, const char *source, const char *target, const char *options)
{
	struct mount_spec *m = array_add(&s->mounts, sizeof *m);

	m->type = xstrdup(type);
	m->source = xstrdup(source);
	m->target = xstrdup(target);
	m->options = xstrdup(options);
}

int spec_idmaps(const struct spec *s, struct idmaps *out, struct err *err)
{
	*out = (struct idmaps){ .n = 0 };
	for (size_t i = 0; i < s->idmaps.n; i++) {
		int r = idmap_parse(s->idmaps.v[i], out, err);

		if (r < 0)
			return r;
	}
	return 0;
}

uid_t spec_owner(const struct spec *s)
{
	struct idmaps maps;
	int64_t host = spec_idmaps(s, &maps, NULL) < 0 ? 0 : idmap_host(&maps, 0);

	return host > 0 ? (uid_t)host : 0;
}

void spec_write(const struct spec *s, bool pretty, struct buf *out)
{
	struct json_out o = { .b = out, .pretty = pretty };

	fields_write(&o, NULL, spec_fields, s);
	buf_char(out, '\n');
}

bool ns_is_host(const char *mode)
{
	return mode && !strcmp(mode, "host");
}

const char *ns_container(const char *mode)
{
	return mode && starts_with(mode, "container:") ? mode + strlen("container:") : NULL;
}

bool ns_is_private(const char *mode)
{
	return !ns_is_host(mode) && !ns_container(mode);
}
