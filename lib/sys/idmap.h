/* Id maps of a user namespace: user_namespaces(7). */
#ifndef SYS_IDMAP_H
#define SYS_IDMAP_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct idmap {
	uint32_t host, inside, count;
};

#define IDMAP_MAX 340 /* the kernel's limit */
struct idmaps {
	struct idmap v[IDMAP_MAX];
	int n;
};

/* "HOST:INSIDE:COUNT", strictly. 0 or -EINVAL. */
int idmap_parse(const char *s, struct idmaps *maps, struct err *err);

/* Whether MAPS serve a container: 0, or -EINVAL, told, if they leave out its root or are more than the kernel takes. */
int idmap_check(const struct idmaps *maps, struct err *err);

/* Writes the same maps for users and groups to /proc/PID/{uid_map,gid_map}; setgroups is denied first if DENY. 0
 * or -errno. */
int idmap_write(pid_t pid, const struct idmaps *users, const struct idmaps *groups, bool deny_setgroups, struct err *err);

/* A user namespace with MAPS for users and groups, which nobody is in: for idmapped mounts. A descriptor or -errno, told. */
int idmap_namespace(const struct idmaps *maps, struct err *err);

/* The host's id for INSIDE, or -1 if it isn't mapped. No map at all is the identity. */
int64_t idmap_host(const struct idmaps *maps, uint32_t inside);

/* Becomes UID and GID with no other groups, GID first; -1: stays what it is, or with ROOT becomes 0 if that is
 * mapped. 0 or -errno: an id outside the map is told as that. setresuid(2). */
int idmap_become(int64_t uid, int64_t gid, bool root, struct err *err);

#endif
