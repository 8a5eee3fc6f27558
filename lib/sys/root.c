#include "base/kernel.h"
#include "base/path.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Whether `/` is the initial ramfs, which can't be pivoted away from before Linux 7.0: it has no
 * parent mount and is ramfs or tmpfs. */
static bool on_rootfs(void)
{
	struct statfs fs;

	return statfs("/", &fs) == 0 && (fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC);
}

/* Whether the caller's root is another than its mount namespace's, as after chroot(2). */
static bool chrooted(void)
{
	struct buf b = { 0 };
	bool found = false;
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, chunk, sizeof chunk)) > 0)
		buf_add(&b, chunk, (size_t)n);
	if (fd >= 0)
		close(fd);
	for (char *line = b.p; line && *line && !found; line = strchr(line, '\n'), line += line != NULL) {
		char *point = line;

		for (int i = 0; i < 4 && point; i++)
			point = strchr(point, ' '), point += point != NULL;
		found = point && starts_with(point, "/ ");
	}
	buf_free(&b);
	return fd >= 0 && !found;
}

/* What stays reachable below the moved root, by someone who climbs out of the chroot, must not be live: the
 * host's /proc and /sys are covered first. */
static int hide(const char *path)
{
	if (mount("none", path, "tmpfs", MS_RDONLY, "size=0") < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	return 0;
}

/* Whether the new root, our working directory, is mounted on `/` already, as a mapped root's is, which can walk nowhere else: `/..` is what
 * lies topmost there. */
static bool on_top(void)
{
	struct stat top, here;

	return stat("/..", &top) == 0 && stat(".", &here) == 0 && top.st_dev == here.st_dev && top.st_ino == here.st_ino;
}

static int move_onto_root(struct err *err)
{
	static const char *const live[] = { "/proc", "/sys", "/dev" };

	for (size_t i = 0; i < sizeof live / sizeof *live; i++) {
		int r = umount2(live[i], MNT_DETACH) < 0 ? hide(live[i]) : 0;

		if (r < 0)
			return err_sys(err, r, "hide the host's %s", live[i]);
	}
	if (!on_top() && mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_sys(err, -errno, "move the new root onto /");
	if (chroot(".") < 0 || chdir("/") < 0)
		return err_sys(err, -errno, "chroot to the new root");
	return 0;
}

int root_switch(int rootfd, bool *fallback, struct err *err)
{
	int r;

	if (fallback)
		*fallback = false;
	if (fchdir(rootfd) < 0)
		return err_sys(err, -errno, "enter the new root");
	/* pivot_root(".", "."): the old root ends stacked on the new one, no directory for it is needed */
	r = sys_pivot_root(".", ".");
	if (r == -EINVAL && on_rootfs() && !chrooted()) {
		if (fallback)
			*fallback = true;
		return move_onto_root(err);
	}
	if (r < 0) {
		err_sys(err, r, "pivot_root");
		if (r == -EINVAL) /* what else it can mean, we have seen to */
			err_hint(err, chrooted() ? "the caller runs in a chroot, whose root is no mount point" :
						   "the caller runs in a chroot, whose root is mounted on a shared mount");
		return r;
	}
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(err, -errno, "unmount the old root");
	return chdir("/") < 0 ? err_sys(err, -errno, "enter /") : 0;
}
