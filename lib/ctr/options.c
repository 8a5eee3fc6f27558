#include "ctr/options.h"
#include "sys/cgroup_opts.h"

#define O(m) offsetof(struct run_options, m)

/* One list keeps the order of -v, --mount, --tmpfs and --device: a later mount covers an earlier one. */
static int add_file(void *into, const char *kind, const char *value)
{
	struct run_options *o = into;

	strs_fmt(&o->files, "%s=%s", kind, value);
	return 0;
}

static int set_volume(void *into, const char *value, struct err *err)
{
	(void)err;
	return add_file(into, "volume", value);
}

static int set_mount(void *into, const char *value, struct err *err)
{
	(void)err;
	return add_file(into, "mount", value);
}

static int set_tmpfs(void *into, const char *value, struct err *err)
{
	(void)err;
	return add_file(into, "tmpfs", value);
}

static int set_device(void *into, const char *value, struct err *err)
{
	(void)err;
	return add_file(into, "device", value);
}

const struct opt run_opts[] = {
	{ 'd', "detach", NULL, OPT_FLAG, O(detach), "in the background; prints the id once the command runs", NULL },
	{ 'i', "interactive", NULL, OPT_FLAG, O(interactive), "our stdin is the container's", NULL },
	{ 't', "tty", NULL, OPT_FLAG, O(tty), "a terminal of the container's own", NULL },
	{ 0, "rm", NULL, OPT_FLAG, O(rm), "remove the container when it ends", NULL },
	{ 0, "name", "NAME", OPT_STR, O(name), "its name; else its id", NULL },
	{ 'h', "hostname", "NAME", OPT_STR, O(hostname), "its host name; else its id", NULL },
	{ 0, "domainname", "NAME", OPT_STR, O(domainname), "its NIS domain name", NULL },
	{ 0, "pull", "WHEN", OPT_STR, O(pull), "from the registry in the image's name: always, missing (what isn't here) or never; missing", NULL },
	{ 0, "rootfs", "DIR|FILE", OPT_STR, O(rootfs), "instead of an image: a directory, read-write, or a squashfs, erofs or ext4 file, with --overlay", NULL },
	{ 0, "overlay", NULL, OPT_FLAG, O(overlay), "with --rootfs: changes go to a layer of the container's own", NULL },
	{ 0, "read-only", NULL, OPT_FLAG, O(read_only), "root file system read-only", NULL },
	{ 0, "entrypoint", "CMD", OPT_STR, O(entrypoint), "instead of the image's; \"\" for none", NULL },
	{ 'e', "env", "K[=V]", OPT_STRS, O(env), "a variable; without =V ours", NULL },
	{ 0, "env-file", "FILE", OPT_STRS, O(env_files), "variables, one K=V a line", NULL },
	{ 'w', "workdir", "DIR", OPT_STR, O(workdir), "working directory, made if missing", NULL },
	{ 'u', "user", "USER[:GROUP]", OPT_STR, O(user), "names of the container's, or ids", NULL },
	{ 0, "group-add", "GROUP", OPT_STRS, O(groups), "a further group", NULL },
	{ 'v', "volume", "SRC:DST[:ro,idmap]", OPT_CALL, 0, "a host path (made if missing) or a volume's name at DST", set_volume },
	{ 0, "mount", "type=T,..", OPT_CALL, 0, "type=bind|volume|tmpfs,source=S,target=T[,readonly][,idmap]", set_mount },
	{ 0, "tmpfs", "DST[:OPT]", OPT_CALL, 0, "a tmpfs at DST", set_tmpfs },
	{ 0, "device", "SRC[:DST][:rwm]", OPT_CALL, 0, "a device of the host's", set_device },
	{ 0, "device-cgroup-rule", "RULE", OPT_STRS, O(device_rules), "devices it may use: \"c 1:3 rwm\"", NULL },
	{ 0, "volumes-from", "CTR", OPT_STRS, O(volumes_from), "all volumes of another container", NULL },
	{ 0, "shm-size", "SIZE", OPT_SIZE, O(shm_size), "of /dev/shm; 64m", NULL },
	{ 0, "net", "NET", OPT_STRS, O(nets), "none, host, container:N, networks (several), iface:DEV[:NAME]; bridge. Users: pasta, slirp4netns", NULL },
	{ 0, "network", "N", OPT_STRS, O(nets), NULL, NULL },
	{ 0, "-net", "N", OPT_STRS, O(nets), NULL, NULL },
	{ 'p', "publish", "[IP:][HOST:]CTR", OPT_STRS, O(ports), "a port of the host leads to one of its own; ranges, /udp", NULL },
	{ 'P', "publish-all", NULL, OPT_FLAG, O(publish_all), "every port that the image exposes", NULL },
	{ 0, "ip", "IP", OPT_STR, O(ip), "its address on its first network", NULL },
	{ 0, "ip6", "IP", OPT_STR, O(ip6), "its IPv6 address there", NULL },
	{ 0, "mac", "MAC", OPT_STR, O(mac), "its MAC there", NULL },
	{ 0, "net-alias", "NAME", OPT_STRS, O(aliases), "a further name on its networks", NULL },
	{ 0, "network-alias", "NAME", OPT_STRS, O(aliases), NULL, NULL },
	{ 0, "dns", "IP", OPT_STRS, O(dns), "a name server", NULL },
	{ 0, "dns-search", "DOMAIN", OPT_STRS, O(dns_search), "a search domain", NULL },
	{ 0, "add-host", "NAME:IP", OPT_STRS, O(add_hosts), "a line of /etc/hosts", NULL },
	{ 0, "pid", "private|host|container:N", OPT_STR, O(pid), "pid namespace", NULL },
	{ 0, "ipc", "private|host|container:N", OPT_STR, O(ipc), "ipc namespace", NULL },
	{ 0, "uts", "private|host|container:N", OPT_STR, O(uts), "uts namespace (host name)", NULL },
	{ 0, "cgroupns", "private|host", OPT_STR, O(cgroupns), "cgroup namespace", NULL },
	{ 0, "userns", "host|auto[:size=N]|container:N|MAP", OPT_STRS, O(userns), "user namespace: ids of its own, or MAPs HOST:CTR:COUNT", NULL },
	CGROUP_OPTS(struct run_options, limits),
	{ 0, "-cpuset", "LIST", OPT_STR, O(limits.arg_cpuset_cpus), NULL, NULL },
	{ 0, "-cpushare", "N", OPT_INT, O(limits.cpu_shares), NULL, NULL },
	{ 0, "cgroup-parent", "PATH", OPT_STR, O(cgroup_parent), "make its cgroup below this one", NULL },
	{ 0, "ulimit", "NAME=SOFT[:HARD]", OPT_STRS, O(ulimits), "a resource limit", NULL },
	{ 0, "oom-score-adj", "N", OPT_STR, O(oom_score_adj), "-1000 to 1000: whom the kernel kills first", NULL },
	{ 0, "sysctl", "K=V", OPT_STRS, O(sysctls), "a kernel parameter of its namespaces", NULL },
	{ 0, "cap-add", "CAP", OPT_STRS, O(cap_add), "a capability more; ALL", NULL },
	{ 0, "cap-drop", "CAP", OPT_STRS, O(cap_drop), "one less; ALL", NULL },
	{ 0, "privileged", NULL, OPT_FLAG, O(privileged), "all capabilities, no masks, the host's devices", NULL },
	{ 0, "security-opt", "OPT", OPT_STRS, O(security),
	  "no-new-privileges, seccomp=FILE|unconfined, apparmor=PROFILE, label=CONTEXT, systempaths=unconfined", NULL },
	{ 0, "init", NULL, OPT_FLAG, O(init), "an init of ours is pid 1: forwards signals, reaps", NULL },
	{ 0, "restart", "POLICY", OPT_STR, O(restart), "no, on-failure[:N], always, unless-stopped", NULL },
	{ 0, "stop-signal", "SIG", OPT_STR, O(stop_signal), "what ctr-stop sends first; TERM", NULL },
	{ 0, "stop-timeout", "TIME", OPT_TIME, O(stop_timeout_ms), "how long it then waits; 10s", NULL },
	{ 'l', "label", "K=V", OPT_STRS, O(labels), "a label", NULL },
	{ 0, "log", "file|syslog|none", OPT_STR, O(log), "where its output goes; file", NULL },
	{ 0, "log-max-size", "SIZE", OPT_SIZE, O(log_max), "of a log file, two are kept; 10m", NULL },
	{ 0, "cidfile", "FILE", OPT_STR, O(cidfile), "write the id there", NULL },
	{ 0, "pidfile", "FILE", OPT_STR, O(pidfile), "write the host's pid of its command there", NULL },
	{ 0, "detach-keys", "KEYS", OPT_STR, O(detach_keys), "leave it running; ctrl-p,ctrl-q", NULL },
	{ 0, "health-cmd", "CMD", OPT_STR, O(health_cmd), "shell command that tells whether it is well", NULL },
	{ 0, "health-interval", "TIME", OPT_TIME, O(health_interval_ms), "between two checks; 30s", NULL },
	{ 0, "health-timeout", "TIME", OPT_TIME, O(health_timeout_ms), "of one check; 30s", NULL },
	{ 0, "health-retries", "N", OPT_INT, O(health_retries), "failures that make it unhealthy; 3", NULL },
	{ 0, "health-start-period", "TIME", OPT_TIME, O(health_start_ms), "in which failures don't count; 0", NULL },
	OPT_END
};
