/* Which devices the processes of a control group may open and make: the devices controller of v1, on v2 a program that the kernel
 * asks. Kernel: Documentation/admin-guide/cgroup-v1/devices.rst, "Device controller" in cgroup-v2.rst, bpf(2). */
#ifndef SYS_DEVICES_H
#define SYS_DEVICES_H

#include "base/err.h"
#include "base/fields.h"
#include <stdint.h>

/* As the kernel counts them (BPF_DEVCG_ACC_MKNOD, ..). */
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 };

/* What is allowed; all else is denied. */
struct device_rule {
	char type;            /* c or b */
	int64_t major, minor; /* -1: any */
	unsigned access;
	bool asked;           /* by the user: a group that can't have it is refused */
};

/* Appends docker's defaults (making any node; null zero full random urandom tty console ptmx and every pty) to the list. */
void device_rules_default(struct array *rules);

void device_rule_add(struct array *rules, char type, int64_t major, int64_t minor, unsigned access);

/* "rwm" or some of these letters as bits; 0: something else. */
unsigned device_access(const char *letters);

/* Appends docker's "c 1:3 rwm"; the type may be a for both, the numbers `*`. 0 or -EINVAL, told. */
int device_rule_parse(const char *text, struct array *rules, struct err *err);

/* Loads RULES as a program of type BPF_PROG_TYPE_CGROUP_DEVICE: its descriptor, or -errno. */
int device_program(const struct array *rules);

#endif
