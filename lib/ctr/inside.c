#include "ctr/inside.h"
#include "base/file.h"
#include "base/kernel.h"
#include "ctr/mounts.h"
#include "ctr/reap.h"
#include "ctr/rootfs.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "sys/init.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

int inside_lock(const struct store *s, struct record *r, bool *running, struct err *err)
{
	int lock = record_lock(r, 10000, err), code = 0;
	enum status status;

	if (lock < 0)
		return lock;
	record_refresh(s, r);
	status = record_status(s, r);
	*running = status == RUNNING || status == PAUSED;
	if (status == DEAD)
		code = err_msg(err, -EINVAL, "its record is damaged: it can only be removed");
	else if (status == RESTARTING)
		code = err_msg(err, -EAGAIN, "is being started again: try later, or stop it first");
	else if (!*running)
		code = reap_remains(s, r, err);
	if (code < 0)
		close(lock);
	return code < 0 ? code : lock;
}

/* Takes on the ids of the user namespace FD (or PIDFD's). */
static int join_user(int fd, struct err *err)
{
	int r = ns_join_fd(fd, CLONE_NEWUSER);

	if (r < 0)
		return err_sys(err, r, "join the container's user namespace");
	return idmap_become(0, 0, true, err);
}

/* The root as it is in the container's mount namespace. We stay there no longer than it takes to open it: /proc, by
 * which descriptors are named, has to be the host's, not what the container shows as that. */
static int open_running(const struct inside *in, struct err *err)
{
	pid_t pid;
	int pidfd = record_way_in(in->record, &pid), back = ns_open(0, CLONE_NEWNS), root, r;

	if (back < 0)
		return err_sys(err, back, "open our mount namespace");
	r = pidfd < 0 ? pidfd : ns_join_fd(pidfd, CLONE_NEWNS);
	if (r == -ESRCH)
		return err_msg(err, r, "the container ended at this moment (try again)");
	if (r < 0)
		return err_sys(err, r, "join the container's mount namespace");
	root = in->mounts ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
			  : sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (root == -1)
		root = -errno;
	if (setns(back, CLONE_NEWNS) < 0)
		return err_sys(err, -errno, "come back from the container's mount namespace");
	if (root < 0)
		return err_sys(err, root, "open the container's root");
	r = in->record->spec.idmaps.n ? join_user(pidfd, err) : 0;
	return r < 0 ? r : root;
}

/* Mounts the volumes and host directories of a container that doesn't run; its tmpfs are gone with the last run. */
static int mount_volumes(const struct inside *in, int root, int userns, struct err *err)
{
	const struct spec *spec = &in->record->spec;
	const struct mount_spec *all = spec->mounts.v;
	struct mount_spec *some = xcalloc(spec->mounts.n + 1, sizeof *some);
	struct spec volumes = { .mounts.v = some };
	int *trees = xcalloc(spec->mounts.n + 1, sizeof *trees), r = 0;

	for (size_t i = 0; i < spec->mounts.n && r >= 0; i++) {
		if (strcmp(all[i].type, "bind") && strcmp(all[i].type, "volume"))
			continue;
		r = trees[volumes.mounts.n] = tree_open(in->store, &all[i], userns, err);
		some[volumes.mounts.n++] = all[i];
	}
	if (r >= 0)
		r = mounts_perform(
			&(struct mount_work){ .store = in->store, .spec = &volumes, .root = root, .trees = trees },
			err);
	free(some);
	free(trees);
	return r < 0 ? r : 0;
}

/* The root is attached over the container's directory, where only this mount namespace sees it. */
static int attach_root(const struct inside *in, int root, struct err *err)
{
	char *path = xasprintf("%s/containers/%s", in->store->root_path, in->record->id);
	int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), r = at < 0 ? -errno : mount_attach(root, at);

	free(path);
	if (at >= 0)
		close(at);
	return r < 0 ? err_sys(err, r, "attach the container's root") : 0;
}

/* All that is mounted for a user namespace is made before the host's mount namespace is left. */
static int open_mapped(const struct inside *in, int *userns, struct err *err)
{
	const struct spec *spec = &in->record->spec;
	struct idmaps maps;
	int r = spec_idmaps(spec, &maps, err);

	*userns = r < 0 ? r : idmap_namespace(&maps, err);
	return *userns < 0 ? *userns : rootfs_open(in->store, spec, *userns, err);
}

/* The root in a mount namespace of our own. */
static int mount_root(const struct inside *in, int root, int userns, struct err *err)
{
	const struct spec *spec = &in->record->spec;
	int r = mount_make_private(err), image = -1;

	umask(0);
	if (!r && root < 0)
		r = rootfs_image(spec, &image, err);
	if (!r && root < 0)
		r = root = rootfs_open_here(in->store, spec, image, err);
	if (r >= 0)
		r = attach_root(in, root, err);
	if (!r && in->mounts)
		r = mount_volumes(in, root, userns, err);
	if (!r && spec->read_only) {
		r = mount_flags(root, MS_RDONLY, 0, false);
		if (r < 0)
			err_sys(err, r, "make the root file system read-only");
	}
	return r < 0 ? r : root;
}

static int open_stopped(const struct inside *in, struct err *err)
{
	const struct spec *spec = &in->record->spec;
	int userns = -1, root = -1, r = rootfs_prepare(in->record, spec_owner(spec), err);

	if (!r && spec->idmaps.n)
		r = root = open_mapped(in, &userns, err);
	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(err, -errno, "make a mount namespace");
	root = mount_root(in, root, userns, err);
	if (root >= 0 && userns >= 0 && (r = join_user(userns, err)) < 0)
		return r;
	return root;
}

static void child(const struct inside *in, pid_t parent, int tell)
{
	struct err err = { 0 };
	int root, r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_DUMPABLE, 0); /* what is inside must not look into us: CVE-2016-9962 */
	signal(SIGPIPE, SIG_IGN);
	root = in->running ? open_running(in, &err) : open_stopped(in, &err);
	r = root < 0 ? root : in->work(root, in->arg, &err);
	if (r < 0) {
		err.code = r;
		write_all(tell, &err, sizeof err);
	}
	_exit(r < 0);
}

int inside_begin(struct inside *in, struct err *err)
{
	int tell[2], r = 0;
	pid_t parent = getpid();

	in->running = false;
	in->lock = -1;
	if (!in->locked)
		r = in->lock = inside_lock(in->store, in->record, &in->running, err);
	if (r < 0)
		return r;
	if (in->running) {
		close(in->lock);
		in->lock = -1;
	}
	r = pipe2(tell, O_CLOEXEC) < 0 ? -errno : 0;
	in->pid = r < 0 ? r : fork();
	if (!in->pid) {
		close(tell[0]);
		child(in, parent, tell[1]);
	}
	if (!r)
		close(tell[1]);
	in->tell = tell[0];
	if (in->pid < 0 && in->lock >= 0)
		close(in->lock);
	return in->pid < 0 ? err_sys(err, r < 0 ? r : -errno, "start a process for the container's files") : 0;
}

int inside_end(struct inside *in, struct err *err)
{
	struct err theirs = { 0 };
	int code, r = 0;

	if (read_full(in->tell, &theirs, sizeof theirs) == (ssize_t)sizeof theirs) {
		r = theirs.code;
		if (err)
			*err = theirs;
	}
	close(in->tell);
	code = child_wait(in->pid);
	if (!r && code)
		r = err_msg(err, -EIO, "the process for the container's files ended early");
	if (in->lock >= 0)
		close(in->lock);
	return r;
}
