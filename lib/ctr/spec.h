/* Everything about a container (struct spec) and about a process in it (struct process). Options, an image's config and
 * spec.json are only ways to fill them; launch.c and enter.c only read them. */
#ifndef CTR_SPEC_H
#define CTR_SPEC_H

#include "base/buf.h"
#include "ctr/attachment.h"
#include "base/err.h"
#include "base/fields.h"
#include "sys/cgroup.h"
#include "sys/idmap.h"
#include <stdbool.h>
#include <stdint.h>

#define ID_LENGTH 12

/* One operation on the file system, in the order of the list.
 *   type       source            target      options
 *   bind       host path         any         ro,rbind,..; "make": a missing source is made
 *   volume     volume's name     any         ro,..; "nocopy": not filled from the image
 *   tmpfs      -                 directory   size=..,mode=..
 *   proc sysfs cgroup dev mqueue -           directory
 *   mask readonly                existing    (absent ones are skipped)
 *   device     host path         /dev/NAME   rwm
 *   file       file in the container's run directory (hosts, hostname, resolv.conf) */
struct mount_spec {
	char *type, *source, *target, *options;
};

/* A network that the container is to be on; addresses NULL: given. "iface:DEV[:NAME]" moves an interface of the host's in. */
struct net_spec {
	char *network, *ip, *ip6, *mac;
};

struct process {
	struct strs args, env;
	char *cwd;               /* NULL: / */
	char *user;              /* name|uid[:name|gid]; NULL: 0:0 */
	struct strs groups;      /* supplementary, name|gid */
	int64_t caps;            /* capability mask */
	bool no_new_privs, tty;
	char *seccomp;           /* NULL: the default profile; "unconfined"; or the file that seccomp_filter was made of */
	char *seccomp_filter;    /* as seccomp_load takes it */
	char *apparmor, *selinux; /* profile, context; NULL: the caller's */
	struct strs rlimits;     /* "nofile=1024:2048" */
	char *oom_score_adj;     /* a number, or NULL */
};

/* A namespace is "private", "host" or "container:ID" (resolved to a full id); net: "none" is private with lo up; userns: private
 * has the maps that were given, "auto" a range of its own (idrange.h). */
struct spec {
	char *id, *name;
	int64_t created, created_ns; /* epoch seconds and the rest, for the order */
	char *image, *image_id;  /* as the user named it; sha256 */
	struct strs layers;      /* diff_ids, lowest first */
	char *rootfs;            /* absolute; instead of an image */
	bool rootfs_overlay, read_only;
	char *hostname, *domainname;
	char *outside;           /* pasta, slirp4netns or any: what carries its packets (outside.h); NULL: nothing */
	char *pid, *ipc, *uts, *net, *cgroupns, *userns;
	struct strs idmaps;      /* HOST:INSIDE:COUNT */
	int64_t userns_size;     /* how many ids --userns auto takes */
	struct array mounts;     /* struct mount_spec */
	struct strs device_rules; /* "c 1:3 rwm": allowed besides the usual devices and those of its mounts */
	struct strs sysctls, labels;
	struct array nets;       /* struct net_spec; none: lo alone */
	struct array ports;      /* struct port */
	struct strs aliases;     /* further names on its networks */
	struct strs dns, dns_search, add_hosts;
	int64_t shm_size;
	char *cgroup_parent;     /* NULL: the store's own */
	struct cgroup_limits limits;
	struct process process;
	bool privileged, init, open_stdin, auto_remove, detached;
	bool step;               /* of a build: it is nothing without the process that made it, and that has its lock */
	char *stop_signal;
	int64_t stop_timeout_ms;
	char *restart;           /* no, on-failure, always, unless-stopped */
	int64_t restart_max;     /* 0: without end */
	char *log;               /* file, syslog, none */
	int64_t log_max;         /* bytes a file */
	struct strs health_cmd;  /* argv */
	int64_t health_interval_ms, health_timeout_ms, health_start_ms, health_retries;
	struct strs volumes;     /* anonymous ones made for this container */
};

extern const struct field spec_fields[];
extern const struct field spec_summary[]; /* id, name, created, image, rootfs, labels and the command's arguments */

void spec_free(struct spec *s);

/* Appends an operation; strings are copied. */
void spec_mount(struct spec *s, const char *type, const char *source, const char *target, const char *options);

/* The file systems and devices that every container gets, in their order, and if CONFINED its masks and read-only paths; call it before the
 * user's. */
void spec_default_mounts(struct spec *s, bool confined);

/* The maps of its user namespace; none without one. 0 or -EINVAL, told. */
int spec_idmaps(const struct spec *s, struct idmaps *out, struct err *err);

/* The host's id of its root. */
uid_t spec_owner(const struct spec *s);

/* Appends the device rules (struct device_rule) of its control group: the usual ones, its devices', those it was given; none if it is
 * privileged. 0 or -errno, told. */
int spec_device_rules(const struct spec *s, struct array *out, struct err *err);

/* As JSON, by spec_fields. */
void spec_write(const struct spec *s, bool pretty, struct buf *out);

/* "host", "private" and so on. */
bool ns_is_host(const char *mode);
bool ns_is_private(const char *mode);
/* The ID of "container:ID", else NULL. */
const char *ns_container(const char *mode);

#endif
