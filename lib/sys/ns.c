#include "sys/ns.h"

#include "base/buf.h"
#include "base/kernel.h"
#include "base/num.h"
#include "base/path.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

const struct ns_kind ns_kinds[NS_COUNT] = {
	{ "user", 'U', CLONE_NEWUSER }, { "uts", 'u', CLONE_NEWUTS }, { "ipc", 'i', CLONE_NEWIPC }, { "net", 'n', CLONE_NEWNET },
	{ "cgroup", 'C', CLONE_NEWCGROUP }, { "pid", 'p', CLONE_NEWPID }, { "mnt", 'm', CLONE_NEWNS },
};

int ns_flag(const char *name)
{
	for (int i = 0; i < NS_COUNT; i++)
		if (strcmp(ns_kinds[i].name, name) == 0)
			return ns_kinds[i].flag;
	return -EINVAL;
}

const char *ns_name(int flag)
{
	for (int i = 0; i < NS_COUNT; i++)
		if (ns_kinds[i].flag == flag)
			return ns_kinds[i].name;
	return NULL;
}

static void ns_path(pid_t pid, int flag, char out[40])
{
	if (pid)
		snprintf(out, 40, "/proc/%d/ns/%s", (int)pid, ns_name(flag));
	else
		snprintf(out, 40, "/proc/self/ns/%s", ns_name(flag));
}

int ns_open(pid_t pid, int flag)
{
	char path[40];

	ns_path(pid, flag, path);
	return (int)kernel_result(open(path, O_RDONLY | O_CLOEXEC));
}

int ns_open_file(const char *path, int *flag)
{
	/* By O_PATH first: opening a stranger's fifo or device for reading may block or act. */
	struct statfs fs;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC) {
		close(fd);
		return -EINVAL;
	}
	close(fd);
	fd = (int)kernel_result(open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	*flag = (int)kernel_result(ioctl(fd, NS_GET_NSTYPE));
	if (*flag > 0)
		return fd;
	close(fd);
	return *flag;
}

int ns_hint(int flags, int code, struct err *err)
{
	char hint[64];

	for (int i = 0; i < NS_COUNT && code == -EINVAL; i++) {
		if (!(flags & ns_kinds[i].flag) || ns_inode(0, ns_kinds[i].flag))
			continue;
		snprintf(hint, sizeof hint, "this kernel has no %.6s namespaces; ctr-info tells more", ns_kinds[i].name);
		err_hint(err, hint);
	}
	return code;
}

ino_t ns_inode(pid_t pid, int flag)
{
	char path[40];
	struct stat st;

	ns_path(pid, flag, path);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

int ns_members(pid_t pid, int flag, pid_t **pids)
{
	ino_t wanted = ns_inode(pid, flag);
	DIR *d = wanted ? opendir("/proc") : NULL;
	struct dirent *e;
	int64_t n;
	int count = 0;

	*pids = NULL;
	while (d && (e = readdir(d))) {
		if (num_range(e->d_name, 1, INT32_MAX, &n) < 0 || ns_inode((pid_t)n, flag) != wanted)
			continue;
		if (!(count & (count + 1)))
			*pids = xrealloc(*pids, 2 * ((size_t)count + 1) * sizeof **pids);
		(*pids)[count++] = (pid_t)n;
	}
	if (d)
		closedir(d);
	return count;
}

bool ns_is_kept(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

static int keep(const char *from, const char *path)
{
	int fd, r;

	if (ns_is_kept(path))
		return -EEXIST;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0 && errno != EEXIST)
		return -errno;
	r = (int)kernel_result(mount(from, path, NULL, MS_BIND, NULL));
	if (fd < 0)
		return r;
	close(fd);
	if (r < 0)
		unlink(path);
	return r;
}

int ns_keep(pid_t pid, int flag, const char *path)
{
	char from[40];

	ns_path(pid, flag, from);
	return keep(from, path);
}

int ns_keep_open(int fd, const char *path)
{
	char from[32];

	return keep(path_of_fd(fd, from), path);
}

int ns_unkeep(const char *path)
{
	if (!ns_is_kept(path))
		return -EINVAL;
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return -errno;
	return (int)kernel_result(unlink(path));
}
