/* Limits of one disk, as typed. */
#ifndef SYS_CGROUP_DISK_H
#define SYS_CGROUP_DISK_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct cgroup_disk {
	unsigned major, minor;
	uint64_t rate; /* a second; 0: no limit */
};

/* "/dev/sda:1m", "8:0:1048576"; sizes if BYTES, else plain numbers. 0, -EINVAL, or what stat(2) of the device said. */
int cgroup_disk_parse(const char *spec, bool bytes, struct cgroup_disk *out, struct err *err);

#endif
