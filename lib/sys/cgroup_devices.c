/* The device rules of a group: v1's controller where it is mounted, else a program at the unified group. */
#include "base/file.h"
#include "base/kernel.h"
#include "sys/cgroup_internal.h"
#include "sys/devices.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool cgroup_devices_possible(const struct cgroup_host *host)
{
	union bpf_attr query;

	if (cgroup_find(host, "devices"))
		return true;
	if (host->unified < 0)
		return false;
	memset(&query, 0, sizeof query);
	query.query.attach_type = BPF_CGROUP_DEVICE;
	query.query.target_fd = (uint32_t)host->h[host->unified].fd;
	return sys_bpf(BPF_PROG_QUERY, &query, sizeof query) >= 0;
}

/* "c 1:* rm" */
static int rule_text(const struct device_rule *r, char out[48])
{
	char major[16] = "*", minor[16] = "*";

	if (r->major >= 0)
		snprintf(major, sizeof major, "%d", (int)r->major);
	if (r->minor >= 0)
		snprintf(minor, sizeof minor, "%d", (int)r->minor);
	return snprintf(out, 48, "%c %s:%s %s%s%s", r->type, major, minor, r->access & DEVICE_READ ? "r" : "",
			r->access & DEVICE_WRITE ? "w" : "", r->access & DEVICE_MKNOD ? "m" : "");
}

/* What the group above may not do, can't be allowed: of the defaults that is no harm. */
static int allow(int fd, const struct cgroup_hierarchy *h, const char *path, const struct device_rule *r, struct err *err)
{
	char text[48];
	int n = rule_text(r, text), code;

	if (write(fd, text, (size_t)n) == n)
		return 0;
	code = -errno;
	if (code == -EPERM && !r->asked)
		return 0;
	err_sys(err, code, "write %s to %s%s/devices.allow", text, h->mount, path);
	return code == -EPERM ? err_hint(err, "the group above it may not use this device") : code;
}

/* *DONE: they are in force; not so for a caller who may not write them (an ordinary user whose group it is). */
static int write_rules(const struct cgroup_hierarchy *h, const char *path, const struct array *rules, bool *done, struct err *err)
{
	int r = cgroup_file_put(h, path, "devices.deny", "a"), fd;

	if (r == -EPERM)
		return 0;
	fd = r ? r : cgroup_file_open(h, path, "devices.allow", O_WRONLY);
	if (fd < 0)
		return err_sys(err, fd, "deny all devices in %s%s", h->mount, path);
	for (size_t i = 0; i < rules->n && !r; i++)
		r = allow(fd, h, path, (const struct device_rule *)rules->v + i, err);
	close(fd);
	*done = !r;
	return r;
}

/* Several programs must agree: those of the groups above still count (BPF_F_ALLOW_MULTI). The group holds the program from then on. */
static int attach_program(int group, const struct array *rules)
{
	int program = device_program(rules), r;
	union bpf_attr attr;

	if (program < 0)
		return program;
	memset(&attr, 0, sizeof attr);
	attr.target_fd = (uint32_t)group;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	r = sys_bpf(BPF_PROG_ATTACH, &attr, sizeof attr);
	close(program);
	return r;
}

int cgroup_devices_write(const struct cgroup_host *host, struct cgroup *g, const struct array *rules, struct err *err)
{
	const struct cgroup_hierarchy *h = cgroup_find(host, "devices");
	int r;

	if (h)
		return write_rules(h, g->path, rules, &g->devices, err);
	if (g->into_fd < 0)
		return 0;
	r = attach_program(g->into_fd, rules);
	g->devices = !r;
	/* a kernel without CONFIG_CGROUP_BPF, or a caller who may not: told by g->devices */
	return !r || r == -EINVAL || r == -ENOSYS || r == -EPERM ? 0 : err_sys(err, r, "set the device rules of group %s", g->path);
}
