#include "ctr/others.h"
#include "base/file.h"
#include "base/kernel.h"
#include "sys/helper.h"
#include "sys/init.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define S(m) offsetof(struct spec, m)
static const struct {
	int flag;
	size_t mode; /* a member of struct spec */
} kinds[] = {
	{ CLONE_NEWPID, S(pid) }, { CLONE_NEWIPC, S(ipc) }, { CLONE_NEWUTS, S(uts) }, { CLONE_NEWNET, S(net) },
};

static const struct {
	size_t mode;
	bool mapped; /* only for a container with a user namespace: others mount it anew */
	const char *path;
} trees[OTHER_TREES] = {
	[OTHER_PROC] = { S(pid), true, "/proc" },
	[OTHER_SYS] = { S(net), true, "/sys" },
	[OTHER_MQUEUE] = { S(ipc), true, "/dev/mqueue" },
	[OTHER_SHM] = { S(ipc), false, "/dev/shm" },
};
#undef S

enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *member(const struct spec *spec, size_t offset)
{
	return *(char *const *)((const char *)spec + offset);
}

/* Another container's namespace: a descriptor, -1 if none is asked for, or an error told. */
static int open_other(const struct store *s, const char *mode, int flag, int *fd, struct err *err)
{
	const char *id = ns_container(mode);
	struct record other;
	pid_t pid;
	int r;

	if (!id)
		return 0;
	r = record_open(s, id, &other, err);
	if (r < 0)
		return err_prefix(err, "%s", mode);
	r = record_running(s, &other) ? record_way_in(&other, &pid) : -ESRCH;
	if (r >= 0) {
		close(r);
		r = ns_open(pid, flag);
	}
	record_close(&other);
	if (r == -ESRCH)
		return err_msg(err, r, "%s: that container isn't running", mode);
	if (r < 0)
		return err_sys(err, r, "%s: open its %s namespace", mode, ns_name(flag));
	*fd = r;
	return 0;
}

struct place {
	int mntns;
	const char *path;
};

/* What is mounted at PATH, alone: what the host or another container has mounted below it is no business of ours. */
static int open_tree_here(const char *path)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
	int tree = sys_open_tree(AT_FDCWD, path, flags);

	if (tree == -EINVAL && !ns_user_first()) /* what the host has below is locked to it there: mount_namespaces(7) */
		tree = sys_open_tree(AT_FDCWD, path, flags | AT_RECURSIVE);
	return tree;
}

/* A mount can't be taken out of another mount namespace by way of /proc, and who comes back from there has lost its root and working
 * directory: for a helper. */
static int open_tree_there(void *arg)
{
	const struct place *p = arg;

	return setns(p->mntns, CLONE_NEWNS) < 0 ? -errno : open_tree_here(p->path);
}

static int open_one_tree(const struct store *s, const struct spec *spec, int i, int *out, struct err *err)
{
	const char *mode = member(spec, trees[i].mode);
	struct place at = { -1, trees[i].path };
	int r;

	if (trees[i].mapped ? !(spec->idmaps.n || s->rootless) || ns_is_private(mode) : !ns_container(mode))
		return 0;
	r = open_other(s, mode, CLONE_NEWNS, &at.mntns, err);
	if (r < 0)
		return r;
	*out = at.mntns < 0 ? open_tree_here(at.path) : helper_open(open_tree_there, &at);
	if (at.mntns >= 0)
		close(at.mntns);
	if (*out >= 0 && (r = mount_set_private(*out, true)) < 0) { /* nor is what we shall mount below it theirs */
		close(*out);
		*out = r;
	}
	if (*out >= 0 || (*out == -ENOENT && i == OTHER_MQUEUE)) /* a host that doesn't mount them: no harm */
		return 0;
	return err_sys(err, *out, "%s: open its %s", mode, at.path);
}

int others_open(const struct store *s, const struct spec *spec, struct others *out, struct err *err)
{
	int r;

	for (int i = 0; i < KINDS; i++)
		out->ns[i] = -1;
	for (int i = 0; i < OTHER_TREES; i++)
		out->tree[i] = -1;
	out->user = -1;
	out->one_way = s->rootless;
	r = open_other(s, spec->userns, CLONE_NEWUSER, &out->user, err);
	for (int i = 0; i < KINDS && !r; i++)
		r = open_other(s, member(spec, kinds[i].mode), kinds[i].flag, &out->ns[i], err);
	for (int i = 0; i < OTHER_TREES && !r; i++)
		r = open_one_tree(s, spec, i, &out->tree[i], err);
	return r;
}

static void drop(int fd)
{
	if (fd >= 0)
		close(fd);
}

void others_close(struct others *o)
{
	for (int i = 0; i < KINDS; i++)
		drop(o->ns[i]);
	for (int i = 0; i < OTHER_TREES; i++)
		drop(o->tree[i]);
	drop(o->user);
}

/* A child is born in the namespaces that its maker is in: one of pids takes effect in children only, and a mapped root may go to none that
 * isn't its own user namespace's. OWN: by which to come back. */
static int visit(const struct others *o, int own[KINDS], struct err *err)
{
	for (int i = 0; i < KINDS; i++) {
		if (o->ns[i] < 0)
			continue;
		own[i] = ns_open(0, kinds[i].flag);
		if (own[i] < 0)
			return err_sys(err, own[i], "open our own %s namespace", ns_name(kinds[i].flag));
		if (setns(o->ns[i], kinds[i].flag) < 0)
			return err_sys(err, -errno, "join the other container's %s namespace", ns_name(kinds[i].flag));
	}
	return 0;
}

static int come_back(int own[KINDS], struct err *err)
{
	int r = 0;

	for (int i = 0; i < KINDS; i++) {
		if (own[i] < 0)
			continue;
		if (setns(own[i], kinds[i].flag) < 0)
			r = err_sys(err, -errno, "come back from the other container's %s namespace", ns_name(kinds[i].flag));
		close(own[i]);
	}
	return r;
}

static int clone_or_tell(struct clone_args *args, struct err *err)
{
	int r = sys_clone3(args);

	if (r >= 0)
		return r;
	err_sys(err, r, "clone into new namespaces");
	return r == -ENOSPC || r == -EUSERS ? err_hint(err, "see /proc/sys/user/max_*_namespaces") : ns_hint((int)args->flags, r, err);
}

static int clone_visiting(const struct others *o, struct clone_args *args, struct err *err)
{
	int own[KINDS] = { -1, -1, -1, -1 }, r = visit(o, own, err), back;

	if (!r && (r = clone_or_tell(args, err)) == 0)
		return 0;
	back = come_back(own, err);
	if (back < 0 && r > 0) {
		kill(r, SIGKILL);
		waitpid(r, NULL, __WALL);
	}
	return back < 0 ? back : r;
}

struct answer {
	int pid, pidfd;
	struct err err;
};

/* In the helper. Its own descriptors are ours, and stay open only where the child has them too. */
static int clone_from_there(const struct others *o, struct clone_args *args, struct answer *a)
{
	int own[KINDS] = { -1, -1, -1, -1 };

	prctl(PR_SET_DUMPABLE, 0); /* CVE-2016-9962 */
	args->flags |= CLONE_PARENT;
	args->exit_signal = 0; /* as the helper's */
	a->pid = visit(o, own, &a->err);
	if (!a->pid && o->user >= 0 && setns(o->user, CLONE_NEWUSER) < 0)
		a->pid = err_sys(&a->err, -errno, "join the other container's user namespace");
	if (!a->pid && (a->pid = clone_or_tell(args, &a->err)) == 0)
		return 0;
	a->pidfd = *(int *)(uintptr_t)args->pidfd;
	for (int i = 0; i < KINDS; i++)
		drop(own[i]);
	return a->pid;
}

/* Only oneself can go to another user namespace, and not come back: a helper does so, whose child becomes ours. It shares our
 * descriptors, so that the child's pidfd is among them. */
static int clone_by_helper(const struct others *o, struct clone_args *args, struct err *err)
{
	struct clone_args helper = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	struct answer a = { .pid = -ESRCH };
	int tell[2], pid;

	if (pipe2(tell, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, -errno, "make a pipe");
	pid = sys_clone3(&helper);
	if (!pid) {
		if (clone_from_there(o, args, &a) == 0)
			return 0;
		write_all(tell[1], &a, sizeof a);
		_exit(0);
	}
	if (pid > 0) {
		child_wait(pid);
		if (read_full(tell[0], &a, sizeof a) != (ssize_t)sizeof a)
			err_msg(&a.err, a.pid, "the process that went to the other container's user namespace died");
	} else {
		a.pid = err_sys(&a.err, pid, "make a process");
	}
	close(tell[0]);
	close(tell[1]);
	if (a.pid < 0)
		*err = a.err;
	*(int *)(uintptr_t)args->pidfd = a.pidfd;
	return a.pid;
}

int others_clone(const struct others *o, struct clone_args *args, struct err *err)
{
	bool helped = o->user >= 0;

	for (int i = 0; i < KINDS && o->one_way; i++)
		helped |= o->ns[i] >= 0;
	return helped ? clone_by_helper(o, args, err) : clone_visiting(o, args, err);
}
