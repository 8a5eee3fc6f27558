#include "sys/probe.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/kernel.h"
#include "base/release.h"
#include "base/userns.h"
#include "sys/idmap.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

enum { LIST_MAX = 8 << 20 }; /* modules.dep of a distribution: 600 KB */

/* Whether the file PATH contains TEXT. */
static int mentions(const char *path, const char *text)
{
	struct buf b = { 0 };
	int r = file_read(AT_FDCWD, path, &b, LIST_MAX);

	if (r == 0)
		r = b.p && strstr(b.p, text);
	buf_free(&b);
	return r;
}

int probe_filesystem(const char *name)
{
	char line[32];

	snprintf(line, sizeof line, "\t%s\n", name);
	return mentions("/proc/filesystems", line);
}

int probe_loop(void)
{
	return mentions("/proc/misc", " loop-control\n");
}

enum module_state probe_module(const char *name)
{
	struct utsname u;
	char path[sizeof u.release + 32], file[48];

	snprintf(path, sizeof path, "/sys/module/%s/initstate", name); /* what is built in has none */
	if (faccessat(AT_FDCWD, path, F_OK, 0) == 0)
		return MODULE_LOADED;
	uname(&u);
	snprintf(path, sizeof path, "/lib/modules/%s/modules.dep", u.release);
	snprintf(file, sizeof file, "/%s.ko", name);
	return mentions(path, file) > 0 ? MODULE_LOADABLE : MODULE_NONE;
}

static int try_upper(int dir)
{
	int code = opaque_mark(dir);

	if (!code && mknodat(dir, "whiteout", S_IFCHR, makedev(0, 0)) < 0)
		code = -errno;
	unlinkat(dir, "whiteout", 0);
	return !code ? 1 : code == -EACCES || code == -EROFS || code == -ENOSPC ? code : 0;
}

int probe_overlay_upper(const char *path)
{
	char *dir = xstrdup(path), *slash, name[TMP_NAME];
	int folder, fd, r;

	/* up to a directory that is there */
	while ((folder = dir_open(AT_FDCWD, *dir ? dir : "/")) == -ENOENT && (slash = strrchr(dir, '/')))
		*slash = '\0';
	free(dir);
	if (folder < 0)
		return folder;
	fd = r = folder_tmp(folder, name);
	if (fd >= 0) {
		r = try_upper(fd);
		unlinkat(folder, name, AT_REMOVEDIR);
		close(fd);
	}
	close(folder);
	return r;
}

int probe_idmapped(const char *path)
{
	struct idmaps maps = { .v = { { 0, 0, 1 } }, .n = 1 };
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	char *dir = xstrdup(path), *slash;
	int userns = kernel_since(5, 19) ? idmap_namespace(&maps, NULL) : -ENOSYS, tree, r;

	while ((tree = sys_open_tree(AT_FDCWD, *dir ? dir : "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)) == -ENOENT &&
	       (slash = strrchr(dir, '/')))
		*slash = '\0';
	attr.userns_fd = (uint64_t)userns;
	r = userns < 0 ? userns : tree < 0 ? tree : sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (userns >= 0)
		close(userns);
	if (tree >= 0)
		close(tree);
	free(dir);
	return r == -EPERM ? r : r == 0;
}
