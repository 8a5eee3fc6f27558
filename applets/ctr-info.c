/* ctr-info: what this host's kernel offers, what it is used for, and what brings the rest. */
#include "base/file.h"
#include "base/opt.h"
#include "base/say.h"
#include "base/table.h"
#include "ctr/home.h"
#include "ctr/outside.h"
#include "ctr/rootless.h"
#include "image/http.h"
#include "net/probe.h"
#include "sys/cgroup.h"
#include "sys/probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct feature {
	const char *name;
	int (*probe)(void);
	int (*ask)(const char *arg); /* where there is no PROBE */
	const char *arg;
	const char *module;          /* what it may be, besides built in */
	const char *config;          /* what brings it, a blank between; NULL: the kernel's age alone */
	const char *use;
};

static const struct feature features[] = {
	{ "mnt namespace", NULL, probe_ns, "mnt", NULL, NULL, "a tree of its own" },
	{ "uts namespace", NULL, probe_ns, "uts", NULL, "CONFIG_UTS_NS", "host name" },
	{ "ipc namespace", NULL, probe_ns, "ipc", NULL, "CONFIG_IPC_NS", "shared memory, queues" },
	{ "pid namespace", NULL, probe_ns, "pid", NULL, "CONFIG_PID_NS", "processes" },
	{ "net namespace", NULL, probe_ns, "net", NULL, "CONFIG_NET_NS", "interfaces; else --net host alone" },
	{ "user namespace", NULL, probe_ns, "user", NULL, "CONFIG_USER_NS", "--userns" },
	{ "cgroup namespace", NULL, probe_ns, "cgroup", NULL, "CONFIG_CGROUPS", "hides the host's groups" },
	{ "clone3", probe_clone3, NULL, NULL, NULL, NULL, "starting (Linux 5.3); else clone" },
	{ "clone into cgroup", probe_clone_into_cgroup, NULL, NULL, NULL, "CONFIG_CGROUPS", "v2 without delay (Linux 5.7); else entered first" },
	{ "pidfd", probe_pidfd, NULL, NULL, NULL, NULL, "signals that can't hit a stranger (Linux 5.3): must be" },
	{ "setns by pidfd", probe_pidfd_setns, NULL, NULL, NULL, NULL, "ctr-exec (Linux 5.8); else one by one" },
	{ "openat2", probe_openat2, NULL, NULL, NULL, NULL, "paths that can't leave a tree (Linux 5.6); else step by step" },
	{ "close_range", probe_close_range, NULL, NULL, NULL, NULL, "nothing open leaks in (Linux 5.9); else one by one" },
	{ "mount API", probe_mount_api, NULL, NULL, NULL, NULL, "mounts by descriptor (Linux 5.2): must be" },
	{ "mount_setattr", probe_mount_setattr, NULL, NULL, NULL, NULL, "user namespaces; read-only trees, else one by one (Linux 5.12)" },
	{ "seccomp filter", probe_seccomp_filter, NULL, NULL, NULL, "CONFIG_SECCOMP CONFIG_SECCOMP_FILTER", "system calls barred; else all are allowed" },
	{ "overlay", NULL, probe_filesystem, "overlay", "overlay", "CONFIG_OVERLAY_FS", "images' layers; else they are copied" },
	{ "squashfs", NULL, probe_filesystem, "squashfs", "squashfs", "CONFIG_SQUASHFS", "--rootfs FILE" },
	{ "erofs", NULL, probe_filesystem, "erofs", "erofs", "CONFIG_EROFS_FS", "--rootfs FILE" },
	{ "loop devices", probe_loop, NULL, NULL, "loop", "CONFIG_BLK_DEV_LOOP", "--rootfs FILE; erofs can do without (Linux 6.12)" },
	{ "proc", NULL, probe_filesystem, "proc", NULL, "CONFIG_PROC_FS", "/proc" },
	{ "sysfs", NULL, probe_filesystem, "sysfs", NULL, "CONFIG_SYSFS", "/sys" },
	{ "tmpfs", NULL, probe_filesystem, "tmpfs", NULL, "CONFIG_SHMEM CONFIG_TMPFS", "/dev, --tmpfs" },
	{ "devpts", NULL, probe_filesystem, "devpts", NULL, "CONFIG_UNIX98_PTYS", "terminals: -t" },
	{ "mqueue", NULL, probe_filesystem, "mqueue", NULL, "CONFIG_POSIX_MQUEUE", "/dev/mqueue" },
	{ "veth", NULL, probe_link_kind, "veth", "veth", "CONFIG_VETH", "networks" },
	{ "bridge", NULL, probe_link_kind, "bridge", "bridge", "CONFIG_BRIDGE", "networks" },
	{ "macvlan", NULL, probe_link_kind, "macvlan", "macvlan", "CONFIG_MACVLAN", "--driver macvlan" },
	{ "ipvlan", NULL, probe_link_kind, "ipvlan", "ipvlan", "CONFIG_IPVLAN", "--driver ipvlan" },
	{ "nf_tables", probe_nftables, NULL, NULL, "nf_tables",
	  "CONFIG_NETFILTER CONFIG_NF_CONNTRACK CONFIG_NF_CT_NETLINK CONFIG_NF_TABLES CONFIG_NF_TABLES_INET CONFIG_NFT_CT CONFIG_NFT_NAT CONFIG_NFT_MASQ",
	  "NAT and ports" },
};

/* Where the kernel shows that something is there or on by a file. */
static const struct switch_file {
	const char *name, *path, *config, *use;
} switches[] = {
	{ "br_netfilter", "/proc/sys/net/bridge/bridge-nf-call-iptables", NULL, "on: bridged packets pass the host's rules too" },
	{ "xtables", "/proc/net/ip_tables_names", "CONFIG_IP_NF_FILTER CONFIG_IP_NF_NAT", "NAT and ports where nf_tables is missing" },
	{ "AppArmor", "/sys/module/apparmor/parameters/enabled", NULL, "--security-opt apparmor=PROFILE" },
	{ "SELinux", "/sys/fs/selinux/enforce", NULL, "--security-opt label=CONTEXT; on: enforcing" },
	{ "ip_forward", "/proc/sys/net/ipv4/ip_forward", "CONFIG_INET", "networks switch it on" },
};

static const struct controller {
	const char *name, *v1_name; /* NULL: the same */
	const char *config, *use;
} controllers[] = {
	{ "memory", NULL, "CONFIG_MEMCG", "-m" },
	{ "cpu", NULL, "CONFIG_CGROUP_SCHED CONFIG_FAIR_GROUP_SCHED CONFIG_CFS_BANDWIDTH", "--cpus, --cpu-shares" },
	{ "cpuset", NULL, "CONFIG_CPUSETS", "--cpuset-cpus" },
	{ "pids", NULL, "CONFIG_CGROUP_PIDS", "--pids-limit" },
	{ "io", "blkio", "CONFIG_BLK_CGROUP CONFIG_BLK_DEV_THROTTLING", "--device-read-bps" },
	{ "devices", NULL, "CONFIG_CGROUP_DEVICE CONFIG_CGROUP_BPF", "which devices work; else no MKNOD, and images' nodes don't" },
	{ "freezer", NULL, "CONFIG_CGROUP_FREEZER", "ctr-pause" },
};

static const struct column columns[] = {
	{ "feature", true, false, false },
	{ "state", true, false, false },
	{ "use", true, false, false },
	{ "config", false, false, false },
	{ NULL, false, false, false },
};

struct options {
	struct list_options list;
};

static const struct opt opts[] = { LIST_OPTS(struct options, list), OPT_END };

static const struct usage usage = {
	.name = "ctr-info",
	.synopsis = "[OPT]..",
	.about = "What this host's kernel offers, what ctrbox uses it for, and the kernel configuration that brings what is missing.",
	.opts = opts,
	.more = "States: yes, no, module (would be loaded at first use), unknown (ask as root); on and off; versions.\n"
		"Columns: feature, state, use, config. Nothing is loaded or left behind by looking.",
	.bad = 2,
};

struct report {
	struct table *table;
	struct strs missing;
};

/* CONFIG is what would cure STATE "no". */
static void row(struct report *r, const char *name, const char *state, const char *use, const char *config)
{
	table_cell(r->table, name);
	table_cell(r->table, state);
	table_cell(r->table, use);
	table_cell(r->table, config);
	if (config && strcmp(state, "no") == 0)
		strs_split(&r->missing, config, ' ');
}

static const char *feature_state(const struct feature *f)
{
	int r;

	if (f->module && probe_module(f->module) == MODULE_LOADABLE)
		return "module";
	r = f->probe ? f->probe() : f->ask(f->arg);
	return r < 0 ? "unknown" : r ? "yes" : "no";
}

static const char *switch_state(const struct switch_file *s)
{
	struct buf b = { 0 };
	const char *state = "yes";

	if (file_read(AT_FDCWD, s->path, &b, 1 << 16) < 0)
		state = "no";
	else if (b.p && *b.p && strchr("01NY", *b.p) && (!b.p[1] || b.p[1] == '\n'))
		state = *b.p == '1' || *b.p == 'Y' ? "on" : "off";
	buf_free(&b);
	return state;
}

/* Whether the kernel has the controller at all: /proc/cgroups lists it, mounted or not. */
static bool in_kernel(const struct buf *cgroups, const char *name)
{
	struct buf line = { 0 };
	bool found;

	buf_fmt(&line, "\n%s\t", name);
	found = cgroups->p && strstr(cgroups->p, line.p);
	buf_free(&line);
	return found;
}

static void controller_row(struct report *r, const struct cgroup_host *host, const struct buf *list, const struct controller *c)
{
	const char *v1_name = c->v1_name ? c->v1_name : c->name, *state;
	const struct cgroup_hierarchy *h = cgroup_find(host, c->name);
	char name[32];

	if (!h)
		h = cgroup_find(host, v1_name);
	state = h ? (h->v2 ? "v2" : "v1") : !in_kernel(list, v1_name) ? "no" : host->lacking ? "not delegated" : "not mounted";
	/* v2 freezes every group and filters devices by programs: neither is a controller there */
	if (!h && host->unified >= 0 && host->n == 1 && !strcmp(c->name, "freezer"))
		state = "v2";
	if (!h && !strcmp(c->name, "devices") && cgroup_devices_possible(host))
		state = "v2";
	snprintf(name, sizeof name, "cgroup %s", c->name);
	row(r, name, state, c->use, c->config);
}

static void cgroup_rows(struct report *r)
{
	struct cgroup_host host = { 0 };
	struct strs bases = { 0 };
	struct buf list = { 0 };
	struct err e = { 0 };
	const char *kind;

	if (cgroup_detect(&host, &e) < 0)
		say_err(NULL, &e);
	file_read(AT_FDCWD, "/proc/cgroups", &list, 1 << 16);
	if (geteuid())
		cgroup_delegated(&host, &bases);
	kind = host.n == 0 ? (host.lacking ? "not delegated" : list.p ? "not mounted" : "no") : host.unified < 0 ? "v1" : host.n > 1 ? "hybrid" : "v2";
	row(r, "cgroups", kind, "limits; ctr-cgroup mount mounts them", "CONFIG_CGROUPS");
	for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++)
		controller_row(r, &host, &list, &controllers[i]);
	strs_free(&bases);
	buf_free(&list);
	cgroup_host_free(&host);
}

/* What the file system of the store can: there are containers' files. */
static void store_rows(struct report *r)
{
	char *home = home_name(HOME_ROOT);
	const char *path = home ? home : "/";
	const struct {
		const char *name;
		int can;
		const char *use;
	} rows[] = {
		{ "overlay upper", probe_overlay_upper(path), "files of containers, in %s; else copied" },
		{ "idmapped mounts", probe_idmapped(path), "--userns with images and volumes, in %s (Linux 5.19)" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *use = xasprintf(rows[i].use, path);

		row(r, rows[i].name, rows[i].can < 0 ? "unknown" : rows[i].can ? "yes" : "no", use, NULL);
		free(use);
	}
	free(home);
}

/* What an ordinary user's containers have. */
static void user_rows(struct report *r)
{
	char ids[16];

	if (!geteuid())
		return;
	snprintf(ids, sizeof ids, "%lld", (long long)rootless_ids());
	row(r, "rootless", rootless_probe() ? "yes" : "no", "containers of users: user namespaces", NULL);
	row(r, "ids", ids, "in them, by newuidmap and /etc/subuid; else one", NULL);
	row(r, "way out", outside_there("any") ? "yes" : "no", "pasta or slirp4netns; else --net none", NULL);
}

/* The fragment for people; programs have it in the column `config`. */
static void print_missing(struct strs *missing)
{
	struct buf b = { 0 };

	if (missing->n == 0)
		return;
	strs_sort(missing);
	buf_str(&b, "\n# missing; for this kernel's configuration:\n");
	for (size_t i = 0; i < missing->n; i++)
		if (i == 0 || strcmp(missing->v[i], missing->v[i - 1]) != 0)
			buf_fmt(&b, "%s=y\n", missing->v[i]);
	out_write(b.p, b.len);
	buf_free(&b);
}

int ctr_info_main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct list_options *o = &options.list;
	struct report r = { 0 };
	struct utsname u;
	const char *tls = http_tls();

	if (opt_parse(&usage, &options, argc, argv) > 0)
		die_usage(2, "%s: no operand is taken", argv[0]);
	r.table = table_begin(columns, "feature", o);
	uname(&u);
	row(&r, "kernel", u.release, u.machine, NULL);
	cgroup_rows(&r);
	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		row(&r, features[i].name, feature_state(&features[i]), features[i].use, features[i].config);
	store_rows(&r);
	user_rows(&r);
	row(&r, "https", tls ? tls : "no", "ctr-image pull by curl or GNU's wget, push by curl", NULL);
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
		row(&r, switches[i].name, switch_state(&switches[i]), switches[i].use, switches[i].config);
	table_end(r.table);
	if (!o->quiet && !o->no_header && !o->columns && !o->raw && !o->json && o->filters.n == 0)
		print_missing(&r.missing);
	strs_free(&r.missing);
	return 0;
}
