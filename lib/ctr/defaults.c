#include "ctr/spec.h"
#include "sys/devices.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* What tells a container about its host, or lets it act on it: covered. docker's list, and powercap (CVE-2020-8694). */
static const char *const masked[] = {
	"/proc/acpi",  "/proc/asound",      "/proc/interrupts",  "/proc/kcore",  "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
	"/sys/firmware", "/sys/devices/virtual/powercap",
};

static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

static void confine(struct spec *s)
{
	for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
		spec_mount(s, "mask", NULL, masked[i], NULL);
	for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++)
		spec_mount(s, "readonly", NULL, readonly[i], NULL);
}

void spec_default_mounts(struct spec *s, bool confined)
{
	spec_mount(s, "proc", NULL, "/proc", "nosuid,noexec,nodev");
	spec_mount(s, "dev", NULL, "/dev", NULL);
	spec_mount(s, "mqueue", NULL, "/dev/mqueue", "nosuid,noexec,nodev");
	spec_mount(s, "sysfs", NULL, "/sys", s->privileged ? "nosuid,noexec,nodev" : "nosuid,noexec,nodev,ro");
	spec_mount(s, "cgroup", NULL, "/sys/fs/cgroup", s->privileged ? "nosuid,noexec,nodev" : "nosuid,noexec,nodev,ro");
	spec_mount(s, "file", "resolv.conf", "/etc/resolv.conf", NULL);
	spec_mount(s, "file", "hostname", "/etc/hostname", NULL);
	spec_mount(s, "file", "hosts", "/etc/hosts", NULL);
	if (confined)
		confine(s);
}

/* The numbers are the host's of today: another boot may have given it others. */
static int device_of_mount(const struct mount_spec *m, struct array *out, struct err *err)
{
	struct stat st;

	if (stat(m->source, &st) < 0 || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
		return err_msg(err, -ENODEV, "device %s: no such device on the host", m->source);
	device_rule_add(out, S_ISCHR(st.st_mode) ? 'c' : 'b', major(st.st_rdev), minor(st.st_rdev), device_access(m->options));
	return 0;
}

int spec_device_rules(const struct spec *s, struct array *out, struct err *err)
{
	const struct mount_spec *m = s->mounts.v;
	int r = 0;

	if (s->privileged)
		return 0;
	device_rules_default(out);
	for (size_t i = 0; i < s->mounts.n && !r; i++)
		if (!strcmp(m[i].type, "device"))
			r = device_of_mount(&m[i], out, err);
	for (size_t i = 0; i < s->device_rules.n && !r; i++)
		r = device_rule_parse(s->device_rules.v[i], out, err);
	return r;
}
