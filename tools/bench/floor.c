/* The least that Linux asks for the same job: no options, no checks, no record, no messages. What ctr-run and ctr-exec take
 * is told as a multiple of it.
 *
 *	floor LEVELS DIR ROOTFS CMD..    LEVELS: letters of
 *		a  pid, mount, ipc and uts namespaces, ROOTFS pivoted to, /proc (always)
 *		b  a net namespace with lo up
 *		c  an overlay on ROOTFS; DIR is where upper and work directories are made and removed
 *		d  the standard mounts: /dev, /sys, cgroups, three files in /etc (of DIR), masks
 *		e  a cgroup with limits on cpu, memory and pids, removed at the end
 *		f  with b: a veth pair to the bridge "floor0", an address and a default route
 *	floor exec PID GROUP CMD..       CMD in PID's namespaces and in GROUP ("/name")
 *
 * v1 groups are entered by `0` to tasks, the unified one by CLONE_INTO_CGROUP. */
#include "base/kernel.h"
#include "net/link.h"
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define TOP "/sys/fs/cgroup"

static const char *level, *dir, *root;
static char **cmd;

static void need(const char *what, long r)
{
	if (r < 0) {
		perror(what);
		_exit(125);
	}
}

static bool has(char c)
{
	return strchr(level, c) != NULL;
}

/* The hierarchies a container has a group in: v2 alone, or v1's and the unified one beside them. */
struct groups {
	const char *name[4];
	int n;
	bool v2;
	int into, tasks[3], ntasks;
};

static const char *const v1[] = { "cpu", "memory", "pids" };

static struct groups find_groups(void)
{
	struct groups g = { .v2 = access(TOP "/cgroup.controllers", F_OK) == 0, .into = -1 };

	for (int i = 0; i < 3 && !g.v2; i++)
		g.name[g.n++] = v1[i];
	if (g.v2)
		g.name[g.n++] = ".";
	else if (access(TOP "/unified/cgroup.procs", F_OK) == 0)
		g.name[g.n++] = "unified";
	return g;
}

static bool is_v2(const struct groups *g, int i)
{
	return g->v2 || g->name[i][0] == 'u';
}

static void put(const char *group, const char *file, const char *text)
{
	char path[300];
	int fd;

	snprintf(path, sizeof path, "%s/%s", group, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	need(path, fd);
	need(path, write(fd, text, strlen(text)));
	close(fd);
}

static void limit(const struct groups *g, int i, const char *group)
{
	if (g->v2) {
		put(group, "memory.max", "67108864");
		put(group, "cpu.max", "50000 100000");
	}
	if (g->v2 || g->name[i][0] == 'p')
		put(group, "pids.max", "100");
	else if (g->name[i][0] == 'm')
		put(group, "memory.limit_in_bytes", "67108864");
	else if (g->name[i][0] == 'c')
		put(group, "cpu.cfs_quota_us", "50000");
}

static void open_way(struct groups *g, int i, const char *group)
{
	char path[300];

	snprintf(path, sizeof path, "%s/tasks", group);
	if (is_v2(g, i))
		need(group, g->into = open(group, O_PATH | O_DIRECTORY | O_CLOEXEC));
	else
		need(path, g->tasks[g->ntasks++] = open(path, O_WRONLY | O_CLOEXEC));
}

static char *group_path(const struct groups *g, int i, const char *name, char out[256])
{
	snprintf(out, 256, TOP "/%s%s", g->name[i], name);
	return out;
}

static void enter(const struct groups *g)
{
	for (int i = 0; i < g->ntasks; i++)
		need("tasks", write(g->tasks[i], "0", 1));
}

static void must_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	need(target, mount(source, target, type, flags, data));
}

/* "cpu", or "cpu,cpuacct" where the first is a link to that. */
static void mount_v1(const char *name)
{
	char path[64], options[64] = "";

	snprintf(path, sizeof path, TOP "/%s", name);
	if (readlink(path, options, sizeof options - 1) < 0)
		snprintf(options, sizeof options, "%s", name);
	snprintf(path, sizeof path, "sys/fs/cgroup/%s", name);
	mkdir(path, 0755);
	must_mount("cgroup", path, "cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, options);
}

static void mount_groups(const struct groups *g)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (g->v2) {
		must_mount("cgroup", "sys/fs/cgroup", "cgroup2", flags | MS_RDONLY, NULL);
		return;
	}
	must_mount("tmpfs", "sys/fs/cgroup", "tmpfs", flags, "mode=755,size=64k");
	for (int i = 0; i < 3; i++)
		mount_v1(v1[i]);
	if (g->n == 4) {
		mkdir("sys/fs/cgroup/unified", 0755);
		must_mount("cgroup", "sys/fs/cgroup/unified", "cgroup2", flags | MS_RDONLY, NULL);
	}
	must_mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL);
}

static void mount_dev(void)
{
	static const struct { const char *path; int major, minor; } nodes[] = {
		{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" }, { "/proc/self/fd/1", "dev/stdout" },
		{ "/proc/self/fd/2", "dev/stderr" }, { "pts/ptmx", "dev/ptmx" }, { "/proc/kcore", "dev/core" },
	};

	must_mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64m");
	for (int i = 0; i < 6; i++) {
		mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor));
		need(links[i][1], symlink(links[i][0], links[i][1]));
	}
	mkdir("dev/pts", 0755);
	must_mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mkdir("dev/shm", 0755);
	must_mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m");
	mkdir("dev/mqueue", 0755);
	must_mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static void bind_files(void)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
	char from[300], to[32];

	for (int i = 0; i < 3; i++) {
		snprintf(from, sizeof from, "%s/%s", dir, names[i]);
		snprintf(to, sizeof to, "etc/%s", names[i]);
		must_mount(from, to, NULL, MS_BIND, NULL);
	}
}

static void confine(void)
{
	static const char *const files[] = { "proc/interrupts", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug",
					     "proc/timer_list", "proc/timer_stats" };
	static const char *const dirs[] = { "proc/acpi", "proc/asound", "proc/scsi", "sys/firmware", "sys/devices/virtual/powercap" };
	static const char *const readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
	unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

	for (int i = 0; i < 7; i++) /* not every kernel has them all */
		mount("dev/null", files[i], NULL, MS_BIND, NULL);
	for (int i = 0; i < 5; i++)
		mount("tmpfs", dirs[i], "tmpfs", flags, "size=0,nr_inodes=2");
	for (int i = 0; i < 5; i++)
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			must_mount(NULL, readonly[i], NULL, MS_REMOUNT | MS_BIND | flags, NULL);
}

static void mount_root(void)
{
	char options[1024];

	must_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (has('c')) {
		snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,redirect_dir=nofollow,metacopy=off,index=off",
			 root, dir, dir);
		must_mount("overlay", root, "overlay", 0, options);
	} else {
		must_mount(root, root, NULL, MS_BIND | MS_REC, NULL);
	}
	need(root, chdir(root));
}

static void raise_lo(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need("lo", ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

/* Our side of it, while the child mounts. */
static void connect_veth(int pid)
{
	static const uint8_t mac[6] = { 2, 0x42, 10, 99, 0, 2 };
	char path[32], name[16];
	struct netlink nl;
	struct link bridge;
	int netns;

	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	snprintf(name, sizeof name, "fl%d", pid);
	need(path, netns = open(path, O_RDONLY | O_CLOEXEC));
	need("rtnetlink", netlink_open(&nl, NETLINK_ROUTE, NULL));
	need("floor0", link_find(&nl, "floor0", &bridge, NULL));
	need("veth", link_make_veth(&nl, name, bridge.index, 0, "eth0", netns, mac, 0, NULL));
}

/* The container's side: one message. */
static void configure_veth(void)
{
	struct address ip, gateway;
	struct netlink nl;
	struct buf b = { 0 };

	address_parse("10.99.0.2", &ip);
	address_parse("10.99.0.1", &gateway);
	link_put_up(&b, 1, true);
	link_put_up(&b, 2, true);
	link_put_address(&b, 2, &ip, 16);
	link_put_default_route(&b, 2, &gateway);
	need("rtnetlink", netlink_open(&nl, NETLINK_ROUTE, NULL));
	need("addresses", netlink_talk(&nl, &b, "configure", NULL, NULL, NULL));
}

static void wait_for(int go)
{
	char c;

	if (read(go, &c, 1) != 1)
		_exit(125);
}

static void inside(const struct groups *g, int go)
{
	if (has('e')) {
		enter(g);
		need("cgroup namespace", unshare(CLONE_NEWCGROUP));
	}
	mount_root();
	must_mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (has('d')) {
		umask(0);
		mount_dev();
		must_mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
		if (has('e'))
			mount_groups(g);
		bind_files();
		confine();
		umask(022);
	}
	need("pivot_root", sys_pivot_root(".", "."));
	need("old root", umount2(".", MNT_DETACH));
	need("/", chdir("/"));
	sethostname("floor", 5);
	if (has('f')) {
		wait_for(go);
		configure_veth();
	} else if (has('b')) {
		raise_lo();
	}
	execv(cmd[0], cmd);
	need(cmd[0], -1);
}

static void overlay_dirs(bool make)
{
	static const char *const names[] = { "upper", "work", "work/work" };
	char path[300];

	for (int i = make ? 0 : 2; make ? i < 2 : i >= 0; i += make ? 1 : -1) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		need(path, make ? mkdir(path, 0755) : rmdir(path));
	}
}

static void make_groups(struct groups *g)
{
	char path[256];

	for (int i = 0; i < g->n; i++) {
		need("group", mkdir(group_path(g, i, "/ctrbox-floor", path), 0755));
		limit(g, i, path);
		open_way(g, i, path);
	}
}

static int finish(pid_t pid)
{
	int status;

	waitpid(pid, &status, __WALL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int run(void)
{
	struct groups g = { .into = -1 };
	struct clone_args args = { .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS, .exit_signal = SIGCHLD };
	char path[256];
	int pid, code, go[2];

	need("pipe", pipe2(go, O_CLOEXEC));
	if (has('e')) {
		g = find_groups();
		make_groups(&g);
	}
	if (has('c'))
		overlay_dirs(true);
	if (has('b'))
		args.flags |= CLONE_NEWNET;
	if (g.into >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)g.into;
	}
	pid = sys_clone3(&args);
	need("clone3", pid);
	if (!pid)
		inside(&g, go[0]);
	if (has('f')) {
		connect_veth(pid);
		need("go", write(go[1], "g", 1));
	}
	code = finish(pid);
	for (int i = 0; i < g.n; i++)
		need(path, rmdir(group_path(&g, i, "/ctrbox-floor", path)));
	if (has('c'))
		overlay_dirs(false);
	return code;
}

/* vfork where nothing stands against it: CLONE_INTO_CGROUP has no wrapper that could share our stack. */
static int join(pid_t target, const char *group)
{
	struct groups g = find_groups();
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	char path[256];
	int pid, pidfd = sys_pidfd_open(target);

	need("pidfd", pidfd);
	for (int i = 0; i < g.n; i++)
		open_way(&g, i, group_path(&g, i, group, path));
	need("setns", setns(pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP));
	args.cgroup = (uint64_t)g.into;
	pid = g.into >= 0 ? sys_clone3(&args) : vfork();
	need("clone", pid);
	if (pid)
		return finish(pid);
	enter(&g);
	execv(cmd[0], cmd);
	_exit(127);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	cmd = argv + 4;
	if (!strcmp(argv[1], "exec"))
		return join(atoi(argv[2]), argv[3]);
	level = argv[1];
	dir = argv[2];
	root = argv[3];
	return run();
}
