#include "ctr/places.h"
#include "base/path.h"
#include "sys/mount.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char *const names[PLACES] = { "/proc", "/sys", "/dev" };

/* Which of them PATH is in, and *REST, what it is called there ("" for itself); -1: none. */
static int place_of(const char *path, const char **rest)
{
	for (int i = 0; i < PLACES; i++) {
		size_t n = strlen(names[i]);

		if (strncmp(path, names[i], n) || (path[n] && path[n] != '/'))
			continue;
		*rest = path + n + (path[n] == '/');
		return i;
	}
	return -1;
}

int place_open(const struct places *p, const char *target)
{
	const char *rest;
	int i = place_of(target, &rest);

	return i < 0 || p->fd[i] < 0 ? -EXDEV : path_open(p->fd[i], rest, O_PATH | O_NOFOLLOW, 0);
}

int place_directory(const struct places *p, const char *target, struct err *err)
{
	const char *rest;
	int i = place_of(target, &rest), fd;

	if (i < 0 || (*rest && p->fd[i] < 0))
		return err_msg(err, -EINVAL, "%s: no place for a file system of ours", target);
	fd = *rest ? path_mkdir_plain(p->fd[i], rest, 0755) : path_mkdir_plain(p->root, names[i] + 1, 0755);
	if (fd == -ELOOP) /* it would land somewhere else (CVE-2019-16884, CVE-2023-27561, CVE-2026-41579) */
		return err_msg(err, fd, "%s: is a symbolic link in the root file system", target);
	return fd < 0 ? err_sys(err, fd, "make mount point %s", target) : fd;
}

int place_mount(const struct places *p, const char *target, const char *fstype, unsigned long flags, const char *data, struct err *err)
{
	int dst = place_directory(p, target, err), mount, r;

	if (dst < 0)
		return dst;
	mount = mount_open(fstype, flags, data);
	r = mount < 0 ? mount : mount_attach(mount, dst);
	close(dst);
	if (r < 0 && mount >= 0)
		close(mount);
	return r < 0 ? err_sys(err, r, "mount %s on %s", fstype, target) : mount;
}

void place_keep(struct places *p, const char *target, int mount)
{
	const char *rest;
	int i = place_of(target, &rest);

	if (i >= 0 && !*rest && p->fd[i] < 0)
		p->fd[i] = mount;
	else
		close(mount);
}

static bool is_proc(int fd)
{
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

int place_guard(int dst, int tree, const char *target, struct err *err)
{
	static const char *const computed[] = {
		"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg",
		"/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",
	};

	if (!is_proc(dst) || is_proc(tree))
		return 0;
	for (size_t i = 0; i < sizeof computed / sizeof *computed; i++)
		if (!strcmp(target, computed[i]))
			return 0;
	return err_msg(err, -EPERM, "mount point %s: is in /proc, which stays the kernel's own", target);
}
