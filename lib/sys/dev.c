#include "base/kernel.h"
#include "base/path.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct {
	const char *name;
	unsigned char major, minor;
} nodes[] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const char *const links[][2] = {
	{ "/proc/self/fd", "fd" },        { "/proc/self/fd/0", "stdin" }, { "/proc/self/fd/1", "stdout" },
	{ "/proc/self/fd/2", "stderr" },  { "pts/ptmx", "ptmx" },         { "/proc/kcore", "core" },
};

static int bind_node(int dev, const char *name, struct err *err)
{
	char host[32];
	int src, dst, r;

	snprintf(host, sizeof host, "/dev/%s", name);
	src = open(host, O_PATH | O_CLOEXEC);
	if (src < 0)
		return err_sys(err, -errno, "open the host's %s", host);
	dst = path_mkfile(dev, name, 0644);
	r = dst < 0 ? dst : mount_bind(src, dst, false);
	close(src);
	if (dst >= 0)
		close(dst);
	return r < 0 ? err_sys(err, r, "bind %s", host) : 0;
}

static int make_nodes(int dev, bool bind, struct err *err)
{
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		int r = 0;

		if (bind)
			r = bind_node(dev, nodes[i].name, err);
		else if (mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0)
			r = err_sys(err, -errno, "make /dev/%s", nodes[i].name);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (symlinkat(links[i][0], dev, links[i][1]) < 0)
			return err_sys(err, -errno, "make /dev/%s", links[i][1]);
	return 0;
}

/* A file system of its own on the new directory NAME of DEV. */
static int mount_below(int dev, const char *name, const char *fstype, const char *data, struct err *err)
{
	int fd, r;

	if (mkdirat(dev, name, 0755) < 0)
		return err_sys(err, -errno, "make /dev/%s", name);
	fd = openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, -errno, "open /dev/%s", name);
	r = mount_fs(fstype, fstype, fd, MS_NOSUID | MS_NOEXEC | (*fstype == 'd' ? 0 : MS_NODEV), data);
	close(fd);
	return r < 0 ? err_sys(err, r, "mount /dev/%s", name) : 0;
}

static int fill(int dev, bool bind_nodes, int64_t shm_size, struct err *err)
{
	static const char pts[] = "newinstance,ptmxmode=0666,mode=0620,gid=5";
	char shm[64];
	int r = make_nodes(dev, bind_nodes, err);

	snprintf(shm, sizeof shm, "mode=1777,size=%lld", (long long)shm_size);
	if (!r) {
		r = mount_below(dev, "pts", "devpts", pts, err);
		if (r == -EINVAL) { /* gid 5 isn't mapped in this user namespace */
			unlinkat(dev, "pts", AT_REMOVEDIR);
			r = mount_below(dev, "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620", err);
		}
	}
	if (!r && shm_size)
		r = mount_below(dev, "shm", "tmpfs", shm, err);
	return r;
}

int dev_populate(int rootfd, bool bind_nodes, int64_t shm_size, struct err *err)
{
	int dst = path_mkdir_plain(rootfd, "dev", 0755), dev, r;

	if (dst == -ELOOP)
		return err_msg(err, dst, "/dev: is a symbolic link in the root file system");
	if (dst < 0)
		return err_sys(err, dst, "make /dev");
	dev = mount_open("tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=64m");
	r = dev < 0 ? dev : mount_attach(dev, dst);
	close(dst);
	r = r < 0 ? err_sys(err, r, "mount /dev") : fill(dev, bind_nodes, shm_size, err);
	if (r < 0 && dev >= 0)
		close(dev);
	return r < 0 ? r : dev;
}
