/* ctr-ns: a command in new namespaces, or in those of a process or a file. */
#include "base/kernel.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/say.h"
#include "ctr/record.h"
#include "sys/exec.h"
#include "sys/idmap.h"
#include "sys/init.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "sys/ns_join.h"
#include "sys/ns_make.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct opt_optional ns[NS_COUNT]; /* as in ns_kinds */
	bool proc, map_root;
	const char *target, *workdir, *unbind;
	struct opt_optional root;
	struct strs keep;                 /* [NAME=]FILE */
	struct idmaps users, groups;
	int64_t uid, gid;                 /* -1: not said */
};

struct plan {
	int make;                         /* CLONE_NEW* */
	struct ns_join join;
	int rootfd;                       /* the target's root, or -1 */
	const struct options *o;
};

static int set_map(void *into, const char *value, struct err *err)
{
	struct options *o = into;
	int r = idmap_parse(value, &o->users, err);

	return r < 0 ? r : idmap_parse(value, &o->groups, err);
}

static int set_user_map(void *into, const char *value, struct err *err)
{
	return idmap_parse(value, &((struct options *)into)->users, err);
}

static int set_group_map(void *into, const char *value, struct err *err)
{
	return idmap_parse(value, &((struct options *)into)->groups, err);
}

static int set_id(const char *value, int64_t *id, struct err *err)
{
	return num_range(value, 0, UINT32_MAX - 1, id) < 0 ? err_msg(err, -EINVAL, "not a number that ids can have") : 0;
}

static int set_uid(void *into, const char *value, struct err *err)
{
	return set_id(value, &((struct options *)into)->uid, err);
}

static int set_gid(void *into, const char *value, struct err *err)
{
	return set_id(value, &((struct options *)into)->gid, err);
}

#define AT(m) offsetof(struct options, m)
static const struct opt opts[] = {
	{ 'm', "mount", "FILE", OPT_OPTIONAL, AT(ns[6]), "mounts; all private at first", NULL },
	{ 'u', "uts", "FILE", OPT_OPTIONAL, AT(ns[1]), "host and NIS domain name", NULL },
	{ 'i', "ipc", "FILE", OPT_OPTIONAL, AT(ns[2]), "System V IPC, POSIX message queues", NULL },
	{ 'p', "pid", "FILE", OPT_OPTIONAL, AT(ns[5]), "process numbers: CMD is 1, ctr-ns stays as its parent", NULL },
	{ 'n', "net", "FILE", OPT_OPTIONAL, AT(ns[3]), "interfaces, routes, rules, ports; lo is down", NULL },
	{ 'U', "user", "FILE", OPT_OPTIONAL, AT(ns[0]), "user and group ids, capabilities", NULL },
	{ 'C', "cgroup", "FILE", OPT_OPTIONAL, AT(ns[4]), "the root of /proc/self/cgroup", NULL },
	{ 't', "target", "PID|CTR", OPT_STR, AT(target), "join that process's instead: those named, else all", NULL },
	{ 0, "proc", NULL, OPT_FLAG, AT(proc), "a new /proc (implies a new mount namespace)", NULL },
	{ 0, "map-root", NULL, OPT_FLAG, AT(map_root), "user namespace: its root is the caller", NULL },
	{ 0, "map", "HOST:INSIDE:COUNT", OPT_CALL, 0, "user namespace: COUNT ids from HOST on are INSIDE..", set_map },
	{ 0, "map-users", "HOST:INSIDE:COUNT", OPT_CALL, 0, "user ids alone", set_user_map },
	{ 0, "map-groups", "HOST:INSIDE:COUNT", OPT_CALL, 0, "group ids alone", set_group_map },
	{ 0, "bind", "[NAME=]FILE", OPT_STRS, AT(keep), "keep the new namespace (mnt uts ipc pid net user cgroup) as FILE", NULL },
	{ 0, "unbind", "FILE", OPT_STR, AT(unbind), "remove a FILE made so, and end", NULL },
	{ 'r', "root", "DIR", OPT_OPTIONAL, AT(root), "chroot to DIR, with -t by itself to the target's root", NULL },
	{ 'w', "workdir", "DIR", OPT_STR, AT(workdir), "working directory", NULL },
	{ 'S', "setuid", "UID", OPT_CALL, 0, "user id inside", set_uid },
	{ 'G', "setgid", "GID", OPT_CALL, 0, "group id inside; no other groups", set_gid },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-ns",
	.synopsis = "[OPT].. [CMD [ARG]..]",
	.about = "Runs CMD ($SHELL, else sh) in new namespaces, or in existing ones. It replaces itself by CMD unless -p is given.",
	.opts = opts,
	.more = "A namespace FILE is joined: --net=FILE, or -n FILE where FILE is one. Such files are /proc/PID/ns/NAME and what\n"
		"--bind made. In a user namespace ids without a map are 65534, and CMD is its root if 0 is mapped. With -p signals\n"
		"are forwarded to CMD, which as a PID 1 is deaf to those that it doesn't handle: ctr-init cures that.\n"
		"examples: ctr-ns -muipn --proc sh    ctr-ns -n --bind /run/netns/a true; ctr-ns -n /run/netns/a sh",
	.bad = 125,
	.command = true,
};

static int given(const struct options *o)
{
	int flags = 0;

	for (int i = 0; i < NS_COUNT; i++)
		flags |= o->ns[i].given ? ns_kinds[i].flag : 0;
	return flags;
}

static bool is_namespace_file(const char *file)
{
	int flag, fd = ns_open_file(file, &flag);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* "-n FILE": letters take no value, so the parser takes FILE for the command. It can't be one. */
static void parse(struct plan *p, struct options *o, int argc, char **argv)
{
	int n = opt_parse(&usage, o, argc, argv);
	struct err e = { 0 };

	while (n > 0 && is_namespace_file(argv[0])) {
		int flag = ns_join_file(&p->join, argv[0], 0, &e);

		or_die_err(flag, &e);
		if (!(flag & given(o)))
			die_usage(125, "%s: is a namespace of kind %s, which no option names", argv[0], ns_name(flag));
		n = opt_parse(&usage, o, n, argv);
	}
}

static void plan_target(struct plan *p, int asked)
{
	struct err e = { 0 };
	pid_t pid = target_pid(p->o->target, &e);
	char root[32];

	if (pid < 0)
		die_err(125, p->o->target, &e);
	or_die_err(ns_join_process(&p->join, pid, asked, &e), &e);
	if (!p->o->root.given || p->o->root.value)
		return;
	snprintf(root, sizeof root, "/proc/%d/root", (int)pid);
	p->rootfd = or_die((int)kernel_result(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC)), "open", root);
}

static void make_plan(struct plan *p)
{
	const struct options *o = p->o;
	bool mapped = o->users.n || o->groups.n;
	struct err e = { 0 };
	int asked;

	if (o->target && (mapped || o->keep.n))
		die_usage(125, "id maps and --bind are for new namespaces, not for those of -t");
	if (o->root.given && !o->root.value && !o->target)
		die_usage(125, "--root: its directory is missing");
	for (int i = 0; i < NS_COUNT; i++)
		if (o->ns[i].value)
			or_die_err(ns_join_file(&p->join, o->ns[i].value, ns_kinds[i].flag, &e), &e);
	asked = given(o) & ~p->join.all;
	if (o->target)
		plan_target(p, asked);
	else
		p->make = asked | (mapped ? CLONE_NEWUSER : 0);
	if (o->proc)
		p->make |= CLONE_NEWNS;
}

/* "[NAME=]FILE": NAME may be left out where only one namespace is new. */
static int keep_one(const struct plan *p, pid_t pid, const char *spec, struct err *err)
{
	const char *eq = strchr(spec, '='), *file = spec;
	char name[8] = "";
	int flag = p->make, r;

	if (eq && eq - spec < (int)sizeof name) {
		memcpy(name, spec, (size_t)(eq - spec));
		if (ns_flag(name) > 0) {
			flag = ns_flag(name);
			file = eq + 1;
		}
	}
	if (!(flag & p->make) || !ns_name(flag))
		return err_msg(err, -EINVAL, "--bind %s: which of the new namespaces? (NAME=FILE)", spec);
	say_step("bind the %s namespace to %s", ns_name(flag), file);
	r = ns_keep(pid, flag, file);
	return r < 0 ? err_sys(err, r, "keep the %s namespace as %s", ns_name(flag), file) : 0;
}

/* What has to be done from outside of the new namespaces. */
static int outside(void *arg, pid_t pid, struct err *err)
{
	const struct plan *p = arg;
	const struct options *o = p->o;
	bool deny = geteuid() != 0;
	int r = 0;

	if (o->users.n || o->groups.n) {
		say_step("write id maps of process %d", (int)pid);
		r = idmap_write(pid, &o->users, &o->groups, deny, err);
	}
	if (r == -EPERM && deny)
		err_hint(err, "an ordinary user can map one id only: the own one");
	for (size_t i = 0; i < o->keep.n && r == 0; i++)
		r = keep_one(p, pid, o->keep.v[i], err);
	return r;
}

static void mount_proc(void)
{
	say_step("mount /proc");
	or_die((int)kernel_result(mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL)), "mount", "/proc");
}

/* DIR is looked up inside: a descriptor from before belongs to the old mount namespace, where nothing can be
 * mounted from here. */
static void change_root(const struct plan *p)
{
	const char *dir = p->o->root.value;

	if (!p->o->root.given)
		return;
	say_step("chroot to %s", dir ? dir : "the target's root");
	or_die((int)kernel_result(dir ? chdir(dir) : fchdir(p->rootfd)), "enter", dir ? dir : "the target's root");
	or_die((int)kernel_result(chroot(".")), "chroot to", dir ? dir : "the target's root");
}

/* In the namespaces, up to the command. */
static void inside(const struct plan *p, const struct ns_make *m, char **command)
{
	struct err e = { 0 };

	if (p->make & CLONE_NEWNS)
		or_die_err(mount_make_private(&e), &e);
	change_root(p);
	if (p->o->proc)
		mount_proc();
	if (p->o->workdir)
		or_die((int)kernel_result(chdir(p->o->workdir)), "enter", p->o->workdir);
	or_die_err(idmap_become(p->o->uid, p->o->gid, (p->make | p->join.all) & CLONE_NEWUSER, &e), &e);
	if (m->link >= 0)
		ns_die_with_parent(m);
	say_step("exec %s", *command ? *command : "a shell");
	if (*command)
		exec_command(command, environ, &e);
	else
		exec_shell(environ, &e);
	die_err(125, NULL, &e);
}

static int run(struct plan *p, char **command)
{
	bool work = p->o->users.n || p->o->groups.n || p->o->keep.n;
	bool child = (p->make | p->join.all) & CLONE_NEWPID;
	struct ns_make m = { .flags = p->make, .fork = child, .outside = work ? outside : NULL, .arg = p };
	struct err e = { 0 };
	sigset_t old;
	pid_t pid;

	if (p->join.all)
		say_step("join %d namespaces", __builtin_popcount((unsigned)p->join.all));
	or_die_err(ns_join_now(&p->join, &e), &e);
	if (child)
		init_block(&old);
	say_step("make %d new namespaces", __builtin_popcount((unsigned)p->make));
	pid = ns_make(&m, &e);
	or_die_err(pid, &e);
	if (pid > 0)
		return init_loop(pid);
	if (child)
		init_unblock(&old);
	inside(p, &m, command);
	return 125;
}

static int unbind(const char *file)
{
	int r = ns_unkeep(file);

	if (r == -EINVAL)
		die(125, "%s: keeps no namespace", file);
	or_die(r, "remove", file);
	return 0;
}

int ctr_ns_main(int argc, char **argv)
{
	struct options o = { .uid = -1, .gid = -1 };
	struct plan p = { .rootfd = -1, .o = &o };

	ns_join_init(&p.join);
	parse(&p, &o, argc, argv);
	if (o.unbind)
		return unbind(o.unbind);
	if (o.map_root && (o.users.n || o.groups.n))
		die_usage(125, "--map-root and --map exclude each other");
	if (o.map_root) {
		o.users = (struct idmaps){ .n = 1, .v = { { .host = geteuid(), .count = 1 } } };
		o.groups = (struct idmaps){ .n = 1, .v = { { .host = getegid(), .count = 1 } } };
	}
	make_plan(&p);
	return run(&p, argv);
}
