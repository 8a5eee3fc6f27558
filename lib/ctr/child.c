#include "ctr/child.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/say.h"
#include "ctr/mounts.h"
#include "ctr/networking.h"
#include "ctr/process.h"
#include "ctr/rootfs.h"
#include "ctr/sync.h"
#include "sys/init.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "sys/proc.h"
#include "sys/pty.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* Waits until the parent has written the id maps, and takes the trees that only it could open; then we are root there. */
static int wait_for_maps(struct child *c, struct sync_message *trees, struct err *err)
{
	int r;

	trees->nfds = 0;
	if (!c->userns)
		return 0;
	r = sync_receive(c->sync, trees);
	if (r < 0 || trees->kind != SYNC_MAPPED)
		return err_msg(err, r < 0 ? r : -ESRCH, "the parent ended while the id maps were written");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, -errno, "become root of the user namespace");
	return 0;
}

/* One descriptor for each mount operation that needs one, after the root's, as open_trees in launch.c sent them. */
static int *deal_trees(const struct spec *s, const struct sync_message *trees)
{
	int *out = xmalloc((s->mounts.n + 1) * sizeof *out), next = 1;

	for (size_t i = 0; i < s->mounts.n; i++)
		out[i] = mount_needs_tree((const struct mount_spec *)s->mounts.v + i) && next < trees->nfds ? trees->fds[next++] : -1;
	return out;
}

/* For the program that carries its packets: a user who isn't root of the host could not open it himself, since nobody looks into us. */
static int hand_out_network(const struct child *c, struct err *err)
{
	int fd, r;

	if (!c->in->record->spec.outside)
		return 0;
	fd = ns_open(0, CLONE_NEWNET);
	r = fd < 0 ? fd : sync_send(c->sync, SYNC_NETNS, NULL, &fd, 1);
	if (fd >= 0)
		close(fd);
	return r < 0 ? err_sys(err, r, "hand out the network namespace") : 0;
}

/* The root is attached over the container's run directory, where only this mount namespace sees it. */
static int attach_root(const struct child *c, const char *run, int given, struct err *err)
{
	int root = given >= 0 ? given : rootfs_open_here(c->in->store, &c->in->record->spec, c->image, err), at, r;

	if (root < 0)
		return root;
	at = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0 && errno == EACCES) /* a mapped root can't walk there; on top of / it is as well hidden */
		at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = at < 0 ? -errno : mount_attach(root, at);
	if (at >= 0)
		close(at);
	if (r < 0) {
		close(root);
		return err_sys(err, r, "attach the root file system at %s", run);
	}
	return root;
}

/* Opened before the root covers it: `file` operations take from it by name. */
static char *run_files(const char *run)
{
	int fd = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? xstrdup(run) : xasprintf("/proc/self/fd/%d", fd);
}

/* Where no device rules are in force, the nodes that an image brings along don't work. */
static int restrict_root(const struct child *c, int root, struct err *err)
{
	const struct spec *s = &c->in->record->spec;
	unsigned long flags = (s->read_only ? MS_RDONLY : 0) | (s->privileged || c->cgroup->devices ? 0 : MS_NODEV);
	int r = flags ? mount_flags(root, flags, 0, false) : 0;

	return r < 0 ? err_sys(err, r, "make the root file system read-only or without devices") : 0;
}

static int build_root(struct child *c, const struct sync_message *trees, bool *fallback, struct err *err)
{
	const struct spec *spec = &c->in->record->spec;
	char *run = xasprintf("%s/containers/%s", c->in->store->run_path, spec->id);
	struct mount_work w = { c->in->store, spec, -1, NULL, NULL, c->userns || !ns_user_first(), &c->others };
	int r = mount_make_private(err);

	umask(0); /* nodes and directories get the modes they are made with */
	if (r < 0)
		return r;
	w.run = run_files(run);
	w.trees = deal_trees(spec, trees);
	say_step("mount the root file system");
	w.root = attach_root(c, run, trees->nfds ? trees->fds[0] : -1, err);
	if (w.root < 0)
		return w.root;
	say_step("mount what belongs below it");
	r = mounts_perform(&w, err);
	if (!r)
		r = restrict_root(c, w.root, err);
	say_step("pivot_root");
	return r ? r : root_switch(w.root, fallback, err);
}

static int set_names(const struct spec *s, struct err *err)
{
	if (!ns_is_private(s->uts))
		return 0;
	if (sethostname(s->hostname, strlen(s->hostname)) < 0)
		return err_sys(err, -errno, "set the host name \"%s\"", s->hostname);
	if (s->domainname && setdomainname(s->domainname, strlen(s->domainname)) < 0)
		return err_sys(err, -errno, "set the domain name \"%s\"", s->domainname);
	return 0;
}

/* KEY=VALUE with dots or slashes; the key was checked when the option was read. */
static int set_sysctl(int sys, const char *setting, struct err *err)
{
	char path[256];
	const char *eq = strchr(setting, '=');
	int fd, r;

	snprintf(path, sizeof path, "%.*s", (int)(eq - setting), setting);
	for (char *p = path; *p; p++)
		if (*p == '.')
			*p = '/';
	fd = path_open(sys, path, O_WRONLY | O_NOFOLLOW, 0);
	r = fd < 0 ? fd : write(fd, eq + 1, strlen(eq + 1)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return r < 0 ? err_sys(err, r, "set sysctl %s", setting) : 0;
}

/* Before /proc/sys is made read-only there is no /proc of ours, so the kernel's own is mounted nowhere and used by descriptor. */
static int set_sysctls(const struct spec *s, struct err *err)
{
	int fs, proc, sys, r = 0;

	if (!s->sysctls.n)
		return 0;
	fs = sys_fsopen("proc", FSOPEN_CLOEXEC);
	proc = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -EPERM : sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	sys = proc < 0 ? proc : path_open(proc, "sys", O_PATH | O_DIRECTORY, 0);
	if (sys < 0)
		r = err_sys(err, sys, "open /proc/sys");
	for (size_t i = 0; !r && i < s->sysctls.n; i++)
		r = set_sysctl(sys, s->sysctls.v[i], err);
	if (sys >= 0)
		close(sys);
	if (proc >= 0)
		close(proc);
	if (fs >= 0)
		close(fs);
	return r;
}

static int configure_networks(const struct record *r, struct netlink *host, struct err *err)
{
	if (!ns_is_private(r->spec.net))
		return 0;
	say_step("configure its interfaces");
	return networks_configure(&r->state, host, err);
}

/* A pty of the container's own devpts: *MASTER goes to the parent, the slave is returned. */
static int open_tty(const struct process *p, int *master, struct err *err)
{
	int slave, at, r;

	*master = -1;
	if (!p->tty)
		return 0;
	slave = pty_open(master, err);
	if (slave < 0)
		return slave;
	mknod("/dev/console", S_IFREG | 0600, 0); /* what is there already, a pipe in a volume, isn't opened either */
	at = open("/dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	r = at < 0 ? -errno : mount_bind(slave, at, false); /* what the image takes for the console is this terminal */
	if (at >= 0)
		close(at);
	return r < 0 ? err_sys(err, r, "bind the terminal at /dev/console") : slave;
}

static void report(int sync, struct err *err)
{
	if (!err->exit)
		err->exit = 125;
	if (sync_send(sync, SYNC_FAILED, err, NULL, 0) < 0)
		_exit(125);
	_exit(err->exit);
}

/* Our command line stands in /proc/1/cmdline for everybody in the container: what ctr-run was told, `-e SECRET=..` too, isn't its
 * business. */
static void hide_arguments(void)
{
	struct buf line = { 0 };

	if (file_read(AT_FDCWD, "/proc/self/cmdline", &line, 1 << 22) == 0) {
		memset(program_invocation_name, 0, line.len);
		memcpy(program_invocation_name, "init", line.len < 4 ? line.len : 4);
	}
	buf_free(&line);
}

/* With --init the process of pid 1 stays ours: its child becomes the command. */
static int split_init(void *arg, struct err *err)
{
	const struct child *c = arg;
	sigset_t old;
	pid_t pid;

	init_block(&old);
	hide_arguments(); /* before there is anybody to look */
	pid = fork();
	if (pid < 0)
		return err_sys(err, -errno, "make init's child");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		init_unblock(&old);
		return 0;
	}
	if (ns_user_first()) /* the container must not look into us, nor at our executable; elsewhere we couldn't either, and it lacks our capabilities */
		prctl(PR_SET_DUMPABLE, 0);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	close(c->sync);
	sys_close_range(3, 0);
	_exit(init_loop(pid));
}

static int set_up(struct child *c, int *tty, struct err *err)
{
	const struct spec *spec = &c->in->record->spec;
	struct sync_message trees;
	struct sync_message go;
	bool fallback = false;
	int master, r;

	say_step("enter the cgroup %s", c->cgroup->path ? c->cgroup->path : "(none)");
	r = cgroup_enter(c->cgroup, c->into, err);
	if (!r)
		r = process_attributes(c->in->process, err);
	if (!r)
		r = wait_for_maps(c, &trees, err);
	prctl(PR_SET_DUMPABLE, 0); /* until exec nobody in a shared pid namespace may look into us; the id maps couldn't be written */
	if (!r && ns_is_private(spec->cgroupns) && unshare(CLONE_NEWCGROUP) < 0 && errno != EINVAL)
		r = err_sys(err, -errno, "make a cgroup namespace");
	if (!r)
		r = hand_out_network(c, err);
	if (!r && c->in->record->state.attachments.n)
		networks_settle();
	if (!r)
		r = set_sysctls(spec, err);
	if (!r)
		r = build_root(c, &trees, &fallback, err);
	if (!r)
		r = set_names(spec, err);
	if (!r)
		r = *tty = open_tty(c->in->process, &master, err);
	if (r < 0)
		return r;
	r = sync_send(c->sync, SYNC_READY, &(struct err){ .code = fallback }, &master, master >= 0);
	if (master >= 0)
		close(master);
	if (!r)
		r = sync_receive(c->sync, &go);
	if (r < 0 || go.kind != SYNC_GO)
		return err_msg(err, r < 0 ? r : -ESRCH, "the parent ended before the command was started");
	return configure_networks(c->in->record, c->host, err); /* the parent has made them meanwhile */
}

static void no_memory(void *sync)
{
	struct err err = { 0 };

	err_msg(&err, -ENOMEM, "out of memory");
	report(*(int *)sync, &err);
}

void child_main(struct child *c)
{
	struct err err = { 0 };
	struct become b = { c->in->process, c->sync, { c->in->stdio[0], c->in->stdio[1], c->in->stdio[2] }, NULL, c };
	int tty = -1;

	on_out_of_memory(no_memory, &c->sync);
	if (set_up(c, &tty, &err) < 0)
		report(c->sync, &err);
	if (c->in->process->tty)
		b.stdio[0] = b.stdio[1] = b.stdio[2] = tty;
	if (c->in->record->spec.init)
		b.before_exec = split_init;
	say_step("execute %s", c->in->process->args.v[0]);
	process_become(&b, &err);
	report(c->sync, &err);
	_exit(125);
}
