/* The options of ctr-run and ctr-create, and how a struct spec comes of them and of an image's config. */
#ifndef CTR_OPTIONS_H
#define CTR_OPTIONS_H

#include "base/opt.h"
#include "ctr/record.h"
#include "image/image.h"

struct run_options {
	const struct image *made;  /* what the container is made of, instead of the image that the first operand names: it needn't be in the store */
	bool detach, interactive, tty, rm, read_only, privileged, init, overlay, publish_all;
	const char *pull, *rootfs, *name, *hostname, *domainname, *cidfile, *pidfile, *entrypoint, *workdir, *user;
	const char *restart, *stop_signal, *log, *oom_score_adj, *cgroup_parent, *detach_keys, *health_cmd;
	const char *ip, *ip6, *mac;
	const char *pid, *ipc, *uts, *cgroupns;
	int64_t stop_timeout_ms, log_max, shm_size;
	int64_t health_interval_ms, health_timeout_ms, health_start_ms, health_retries;
	struct strs env, env_files, labels, groups, ulimits, sysctls, userns, nets, ports, aliases;
	struct strs files;       /* -v, --mount, --tmpfs and --device as "kind=value", in the order in which they were given */
	struct strs exposed;       /* ports that the image names */
	struct strs image_volumes; /* paths that the image wants a volume at */
	struct strs volumes_from, device_rules, cap_add, cap_drop, security, dns, dns_search, add_hosts;
	struct cgroup_limits limits;
};

extern const struct opt run_opts[];

/* Fills SPEC from the options and the N operands (IMAGE [CMD..], or CMD.. with --rootfs), looking the image up (and importing it at first use). What can be
 * told before anything is made is told here. 0 or -errno; SPEC is the caller's to free in either case. */
int options_resolve(const struct store *s, struct run_options *o, int n, char **operands, struct spec *spec, struct err *err);

/* The parts of options_resolve. 0 or -errno, told. */
/* The root: a directory, or an image, whose config fills what the options leave open. */
int options_root(const struct store *s, struct run_options *o, int n, char **operands, struct spec *spec, struct err *err);

/* The image NAME, found in the store or pulled: WHEN as --pull has it (NULL: "missing"), PLATFORM as image_load's. */
int options_image(const struct store *s, const char *when, const char *name, const char *platform, struct image *img, struct err *err);

/* All namespaces but the network's. */
int options_namespaces(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err);

/* Its user, capabilities and limits. */
int options_process(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err);

/* A --security-opt OPTION that labels what is executed: 1, 0 if it is another kind, or -errno, told. */
int options_label(const char *option, struct process *p, struct err *err);

/* Restart policy, log, stop signal, health checks. */
int options_life(const struct run_options *o, struct spec *spec, struct err *err);

/* -v, --mount, --tmpfs, --device and --volumes-from into mount operations; missing sources of -v are made. */
int options_files(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err);

/* Makes the named volumes that SPEC uses and fills new ones from its image. */
int options_volumes(const struct store *s, struct spec *spec, struct err *err);

/* --net, -p and their kin. */
int options_networks(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err);

/* A namespace's mode as --OPTION took it: container:N becomes container:ID. */
int options_namespace(const struct store *s, const char *option, const char *mode, char **out, struct err *err);

/* Sets or adds -e, --env-file values in ENV, and with TTY a TERM where there is none. */
int options_env(const struct strs *files, const struct strs *settings, bool tty, struct strs *env, struct err *err);

/* All of it: resolves the options, makes the record with its files and volumes, writes --cidfile. The record is open and locked. 0 or -errno,
 * told, and nothing is left. */
int container_create(const struct store *s, struct run_options *o, int n, char **operands, struct record *out, int *lock,
		     struct err *err);

/* Checks a --sysctl setting: a name that belongs to a namespace of the container's own, a plain value. */
int sysctl_check(const char *setting, const struct spec *spec, struct err *err);

#endif
