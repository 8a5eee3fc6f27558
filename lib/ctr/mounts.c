#include "ctr/mounts.h"
#include "base/kernel.h"
#include "base/path.h"
#include "ctr/places.h"
#include "ctr/rootfs.h"
#include "sys/mount.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct operation {
	const struct mount_work *w;
	struct places *places;
	const struct mount_spec *m;
	struct mount_options o;
	int tree;            /* -1: to be opened */
	struct err *err;
};

/* Mounts a file system on the target directory, made if it is missing. */
static int mount_on_target(const struct operation *op, const char *fstype, const char *data)
{
	int dst = path_mkdirs(op->w->root, op->m->target, 0755), r;

	if (dst >= 0 && place_guard(dst, -1, op->m->target, op->err) < 0) {
		close(dst);
		return -EPERM;
	}
	r = dst < 0 ? dst : mount_fs(fstype, fstype, dst, op->o.set, data);
	if (dst >= 0)
		close(dst);
	return r < 0 ? err_sys(op->err, r, "mount %s on %s", fstype, op->m->target) : 0;
}

/* Binds what SRC is onto DST with the operation's flags; closes both. The flags apply to the new mount, so DST's name is
 * looked up again on top of it. */
static int bind_and_flag(const struct operation *op, int tree, int dst)
{
	unsigned long set = op->o.set & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_RELATIME | MS_STRICTATIME | MS_NODIRATIME);
	int r = mount_attach_flags(tree, dst, set, set ? op->o.clear : 0, true);

	close(tree);
	close(dst);
	return r < 0 ? err_sys(op->err, r, "mount %s on %s", op->m->source ? op->m->source : op->m->type, op->m->target) : 0;
}

/* A place for TREE: a directory or an empty file, as it is one. */
static int make_target(const struct operation *op, int tree)
{
	struct stat st;
	int dst;

	if (fstat(tree, &st) < 0)
		return err_sys(op->err, -errno, "stat %s", op->m->source);
	dst = S_ISDIR(st.st_mode) ? path_mkdirs(op->w->root, op->m->target, 0755) : path_mkfile(op->w->root, op->m->target, 0644);
	if (dst < 0)
		return err_sys(op->err, dst, "make mount point %s", op->m->target);
	if (place_guard(dst, tree, op->m->target, op->err) == 0)
		return dst;
	close(dst);
	return -EPERM;
}

static int do_bind(struct operation *op)
{
	int tree = op->tree >= 0 ? op->tree : tree_open(op->w->store, op->m, -1, op->err), dst;

	if (tree < 0)
		return tree;
	dst = make_target(op, tree);
	if (dst < 0) {
		close(tree);
		return dst;
	}
	return bind_and_flag(op, tree, dst);
}

static int other_tree(const struct operation *op, int which)
{
	return op->w->others ? op->w->others->tree[which] : -1;
}

/* The other container's or the host's own mount in place of a file system that a user namespace may not mount for a namespace of theirs. */
static int bind_theirs(struct operation *op, int which)
{
	int tree = other_tree(op, which), dst, r;

	if (tree < 0)
		return err_sys(op->err, -ENOENT, "bind the %s of a shared namespace", op->m->type);
	dst = place_directory(op->places, op->m->target, op->err);
	if (dst < 0)
		return dst;
	op->o.set &= MS_RDONLY;
	r = fcntl(tree, F_DUPFD_CLOEXEC, 3);
	if (r >= 0)
		place_keep(op->places, op->m->target, r);
	return bind_and_flag(op, tree, dst);
}

/* Mounts one of our own file systems. */
static int mount_own(const struct operation *op, const char *fstype)
{
	int mount = place_mount(op->places, op->m->target, fstype, op->o.set, NULL, op->err);

	if (mount >= 0)
		place_keep(op->places, op->m->target, mount);
	return mount < 0 ? mount : 0;
}

static int do_proc(struct operation *op)
{
	if (op->w->userns && !ns_is_private(op->w->spec->pid))
		return bind_theirs(op, OTHER_PROC);
	return mount_own(op, "proc");
}

static int do_sysfs(struct operation *op)
{
	if (op->w->userns && !ns_is_private(op->w->spec->net))
		return bind_theirs(op, OTHER_SYS);
	return mount_own(op, "sysfs");
}

static int do_mqueue(struct operation *op)
{
	int r;

	if (op->w->userns && !ns_is_private(op->w->spec->ipc))
		r = bind_theirs(op, OTHER_MQUEUE);
	else
		r = mount_own(op, "mqueue");
	return r == -ENODEV || r == -ENOENT ? 0 : r; /* a kernel without POSIX message queues, a host that doesn't mount them: no harm */
}

/* Makes the device nodes of the directory FROM in TO, and those of directories on the same file system. Closes both. */
static void copy_nodes(int from, int to, dev_t fs)
{
	DIR *d = fdopendir(from);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		if (*e->d_name == '.' || fstatat(from, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if ((S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) && mknodat(to, e->d_name, st.st_mode, st.st_rdev) == 0)
			fchownat(to, e->d_name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
		else if (S_ISDIR(st.st_mode) && st.st_dev == fs && mkdirat(to, e->d_name, 0755) == 0)
			copy_nodes(openat(from, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				   openat(to, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fs);
	}
	if (d)
		closedir(d);
	if (to >= 0)
		close(to);
}

/* All nodes of the host's /dev that aren't there already, to DEV. */
static int host_devices(struct operation *op, int dev)
{
	int from = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC), to = path_open(dev, ".", O_RDONLY | O_DIRECTORY, 0);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return err_sys(op->err, -errno, "open the host's /dev");
	copy_nodes(from, to, st.st_dev);
	return 0;
}

/* /dev with all that belongs there; /dev/shm goes with System V's memory: the host's or the other container's. */
static int do_dev(struct operation *op)
{
	const struct spec *s = op->w->spec;
	int64_t shm = s->shm_size ? s->shm_size : 64 << 20;
	int theirs = other_tree(op, OTHER_SHM);
	bool shared = ns_is_host(s->ipc) || theirs >= 0;
	int dev = dev_populate(op->w->root, op->w->userns, shared ? 0 : shm, op->err), r = dev < 0 ? dev : 0;

	if (!r && s->privileged && !op->w->userns)
		r = host_devices(op, dev);
	if (dev >= 0)
		place_keep(op->places, op->m->target, dev);
	if (!r && shared) {
		struct mount_spec m = { (char *)"bind", (char *)"/dev/shm", (char *)"/dev/shm", NULL };
		struct operation shm_op = { op->w, op->places, &m, { .set = MS_NOSUID | MS_NODEV | MS_NOEXEC }, theirs, op->err };

		r = do_bind(&shm_op);
	}
	return r;
}

static int do_tmpfs(struct operation *op)
{
	return mount_on_target(op, "tmpfs", op->o.data.p);
}

/* One v1 hierarchy below the cgroup tmpfs. */
static int mount_v1(struct operation *op, int base, const struct cgroup_hierarchy *h, const char *name)
{
	struct buf data = { 0 };
	int fd, r;

	if (mkdirat(base, name, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < h->controllers.n; i++)
		buf_fmt(&data, "%s%s", i ? "," : "", h->controllers.v[i]);
	r = mount_fs(h->v2 ? "cgroup2" : "cgroup", "cgroup", fd, op->o.set, h->v2 ? NULL : data.p);
	buf_free(&data);
	close(fd);
	return r;
}

/* The directory a hierarchy has on the host; one that is all of /sys/fs/cgroup there has each controller's, where programs look for it. */
static const char *shown_as(const struct cgroup_hierarchy *h, const char *controller)
{
	return strcmp(h->mount, "/sys/fs/cgroup") ? strrchr(h->mount, '/') + 1 : controller;
}

/* Only hierarchies in which the container has a group of its own are shown: the others would show the host's. */
static int mount_hierarchies(struct operation *op, int base)
{
	static const char *const shown[] = { "cpu", "memory", "pids", "freezer" };
	const struct cgroup_host *host = store_cgroups(op->w->store);

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		bool unused = host->unified >= 0 && !strcmp(shown[i], "freezer"); /* cgroup.freeze serves */
		const struct cgroup_hierarchy *h = unused ? NULL : cgroup_find(host, shown[i]);
		int r = h && !h->v2 ? mount_v1(op, base, h, shown_as(h, shown[i])) : 0;

		if (r < 0)
			return err_sys(op->err, r, "mount cgroup hierarchy %s", shown[i]);
	}
	if (host->unified >= 0) {
		int r = mount_v1(op, base, &host->h[host->unified], "unified");

		if (r < 0)
			return err_sys(op->err, r, "mount cgroup2");
	}
	return 0;
}

static int do_cgroup(struct operation *op)
{
	const struct cgroup_host *host = store_cgroups(op->w->store);
	int base, r;

	if (!host->n || !ns_is_private(op->w->spec->cgroupns))
		return 0;
	if (host->n == 1 && host->unified >= 0)
		return mount_own(op, "cgroup2");
	base = place_mount(op->places, op->m->target, "tmpfs", op->o.set & ~(unsigned long)MS_RDONLY, "mode=755,size=64k", op->err);
	if (base < 0)
		return base;
	r = mount_hierarchies(op, base);
	if (!r && op->o.set & MS_RDONLY)
		r = mount_flags(base, MS_RDONLY, 0, false);
	close(base);
	return r;
}

/* Covers a file with /dev/null and a directory with an empty read-only tmpfs; what isn't there needs no cover. */
static int do_mask(struct operation *op)
{
	int dst = place_open(op->places, op->m->target), null, r;
	struct stat st;

	if (dst < 0)
		return dst == -ENOENT || dst == -ENOTDIR ? 0 : err_sys(op->err, dst, "mask %s", op->m->target);
	if (fstat(dst, &st) < 0) {
		r = -errno;
	} else if (S_ISDIR(st.st_mode)) {
		r = mount_fs("tmpfs", "tmpfs", dst, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,nr_inodes=2");
	} else {
		null = place_open(op->places, "/dev/null");
		r = null < 0 ? null : fstat(null, &st) < 0 ? -errno : 0;
		if (!r && (!S_ISCHR(st.st_mode) || st.st_rdev != 0x103)) /* 1:3; a link would redirect the bind (CVE-2025-31133) */
			r = -EINVAL;
		if (!r)
			r = mount_bind(null, dst, false);
		if (null >= 0)
			close(null);
	}
	close(dst);
	return r < 0 ? err_sys(op->err, r, "mask %s", op->m->target) : 0;
}

/* Makes an existing path read-only by a bind of it on itself. */
static int do_readonly(struct operation *op)
{
	int dst = place_open(op->places, op->m->target), tree;

	if (dst < 0)
		return dst == -ENOENT || dst == -ENOTDIR ? 0 : err_sys(op->err, dst, "make %s read-only", op->m->target);
	tree = sys_open_tree(dst, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0) {
		close(dst);
		return err_sys(op->err, tree, "make %s read-only", op->m->target);
	}
	op->o.set = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	return bind_and_flag(op, tree, dst);
}

/* 0, or -errno. */
static int has_etc(int root)
{
	int fd = path_open(root, "/etc", O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* A file of the run directory. hosts and the like, which nobody asked for: only where the image has an /etc for them. */
static int do_file(struct operation *op)
{
	int etc = op->m->options ? 0 : has_etc(op->w->root), tree, dst;
	char *path;

	if (etc == -ENOENT || etc == -ENOTDIR)
		return 0;
	if (etc < 0)
		return err_sys(op->err, etc, "open /etc");
	path = xasprintf("%s/%s", op->w->run, op->m->source);
	tree = op->tree >= 0 ? op->tree : file_open(AT_FDCWD, path, -1, op->err);
	free(path);
	if (tree < 0)
		return tree;
	dst = make_target(op, tree);
	if (dst < 0) {
		close(tree);
		return dst == -EROFS ? 0 : dst; /* a read-only rootfs without the file: nothing to cover */
	}
	return bind_and_flag(op, tree, dst);
}

/* A device node of its own, with the host's numbers, owner and mode; bound where nodes can't be made. */
static int do_device(struct operation *op)
{
	char name[256];
	struct stat st, there;
	int dir, r;

	if (op->tree >= 0 || op->w->userns)
		return do_bind(op);
	if (stat(op->m->source, &st) < 0 || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
		return err_msg(op->err, -ENODEV, "device %s: no such device on the host", op->m->source);
	dir = path_parent(op->w->root, op->m->target, 0755, name);
	if (dir < 0)
		return err_sys(op->err, dir, "device %s", op->m->target);
	r = mknodat(dir, name, st.st_mode, st.st_rdev) < 0 || fchownat(dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	if (r == -EEXIST && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_rdev == st.st_rdev)
		r = 0; /* one of those that are always there */
	close(dir);
	return r < 0 ? err_sys(op->err, r, "make device %s", op->m->target) : 0;
}

static const struct {
	const char *type;
	int (*perform)(struct operation *op);
} kinds[] = {
	{ "proc", do_proc },     { "dev", do_dev },       { "mqueue", do_mqueue }, { "sysfs", do_sysfs },
	{ "cgroup", do_cgroup }, { "file", do_file },     { "mask", do_mask },     { "readonly", do_readonly },
	{ "bind", do_bind },     { "volume", do_bind },   { "tmpfs", do_tmpfs },   { "device", do_device },
};

bool mount_needs_tree(const struct mount_spec *m)
{
	return !strcmp(m->type, "file") || !strcmp(m->type, "bind") || !strcmp(m->type, "volume") || !strcmp(m->type, "device");
}

static int perform(const struct mount_work *w, struct places *places, size_t i, struct err *err)
{
	const struct mount_spec *m = (const struct mount_spec *)w->spec->mounts.v + i;
	struct operation op = { w, places, m, { 0 }, w->trees ? w->trees[i] : -1, err };
	int r = err_msg(err, -EINVAL, "mount of unknown type %s", m->type);

	mount_options_parse(m->options, &op.o);
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		if (!strcmp(m->type, kinds[k].type))
			r = kinds[k].perform(&op);
	buf_free(&op.o.data);
	return r;
}

int mounts_perform(const struct mount_work *w, struct err *err)
{
	struct places places = { w->root, { -1, -1, -1 } };
	int r = 0;

	for (size_t i = 0; i < w->spec->mounts.n && !r; i++)
		r = perform(w, &places, i, err);
	for (int i = 0; i < PLACES; i++)
		if (places.fd[i] >= 0)
			close(places.fd[i]);
	return r;
}
