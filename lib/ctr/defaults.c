#include "ctr/spec.h"

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

void spec_default_mounts(struct spec *s)
{
	spec_mount(s, "proc", NULL, "/proc", "nosuid,noexec,nodev");
	spec_mount(s, "dev", NULL, "/dev", NULL);
	spec_mount(s, "mqueue", NULL, "/dev/mqueue", "nosuid,noexec,nodev");
	spec_mount(s, "sysfs", NULL, "/sys", s->privileged ? "nosuid,noexec,nodev" : "nosuid,noexec,nodev,ro");
	spec_mount(s, "cgroup", NULL, "/sys/fs/cgroup", s->privileged ? "nosuid,noexec,nodev" : "nosuid,noexec,nodev,ro");
	spec_mount(s, "file", "resolv.conf", "/etc/resolv.conf", NULL);
	spec_mount(s, "file", "hostname", "/etc/hostname", NULL);
	spec_mount(s, "file", "hosts", "/etc/hosts", NULL);
	if (!s->privileged)
		confine(s);
}
