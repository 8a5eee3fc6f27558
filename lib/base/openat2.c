/* For kernels before 5.6, and where a filter bars the call: component after component is opened without following links, those that are
 * met are read and walked by us, and `..` takes a component off the path that is walked then, from the root, anew: no step relies on
 * where a directory is now, so that renames can't lead it out. */
#include "base/file.h"
#include "base/kernel.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { LINKS_MAX = 40 }; /* as the kernel's */

struct walk {
	int root;
	const struct open_how *how;
	int links;
	char path[PATH_MAX]; /* once it is rewritten, it is walked from the root: -ERESTART */
};

/* Puts TEXT of N bytes in the place of path[FROM..TO). 0 or -ENAMETOOLONG. */
static int replace(struct walk *w, char *from, char *to, const char *text, size_t n)
{
	size_t rest = strlen(to) + 1;

	if ((size_t)(from - w->path) + n + rest > sizeof w->path)
		return -ENAMETOOLONG;
	memmove(from + n, to, rest);
	memcpy(from, text, n);
	return 0;
}

/* The links of procfs that are paths; its others are doors. */
static bool is_magic(int dir, const char *target)
{
	struct statfs fs;

	if (fstatfs(dir, &fs) < 0)
		return true;
	return fs.f_type == PROC_SUPER_MAGIC && (*target < '0' || *target > '9') && strncmp(target, "self/", 5) != 0;
}

/* NAME (up to END, a part of the path) in DIR gave CODE: was it because it is a link? */
static int follow(struct walk *w, int dir, char *name, char *end, int code)
{
	char target[PATH_MAX], cut = *end;
	ssize_t n;

	*end = 0;
	n = readlinkat(dir, name, target, sizeof target - 1);
	*end = cut;
	if (n <= 0)
		return n < 0 && errno != EINVAL ? -errno : code;
	target[n] = 0;
	if (w->how->resolve & RESOLVE_NO_SYMLINKS || ++w->links > LINKS_MAX || is_magic(dir, target))
		return -ELOOP;
	if (*target == '/' && w->how->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	code = replace(w, *target == '/' ? w->path : name, end, target, (size_t)n);
	return code ? code : -ERESTART;
}

/* Takes `..` (up to END) and what is before it off the path. */
static int go_up(struct walk *w, char *name, char *end)
{
	char *from = name;

	while (from > w->path && from[-1] == '/')
		from--;
	if (from == w->path)
		return w->how->resolve & RESOLVE_BENEATH ? -EXDEV : replace(w, name, end, "", 0);
	while (from > w->path && from[-1] != '/')
		from--;
	replace(w, from, end, "", 0);
	return -ERESTART;
}

/* FD, unless it is on another mount and mustn't. */
static int on_this_mount(const struct walk *w, int fd)
{
	int64_t id;

	if (fd < 0 || !(w->how->resolve & RESOLVE_NO_XDEV))
		return fd;
	id = fd_info(fd, "mnt_id");
	if (id >= 0 && id == fd_info(w->root, "mnt_id"))
		return fd;
	close(fd);
	return -EXDEV;
}

static bool is_link(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* One component: a directory on the way, or with LAST what the caller wants. */
static int step(struct walk *w, int dir, char *name, char *end, bool last)
{
	int flags = last ? (int)w->how->flags : O_PATH | O_DIRECTORY, fd;
	char cut = *end;

	*end = 0;
	fd = (int)kernel_result(openat(dir, *name ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC, (mode_t)w->how->mode));
	*end = cut;
	if (last && flags & O_NOFOLLOW)
		return on_this_mount(w, fd);
	if (fd >= 0 && flags & O_PATH && !(flags & O_DIRECTORY) && is_link(fd)) {
		close(fd);
		fd = -ELOOP;
	}
	if (fd == -ELOOP || fd == -ENOTDIR)
		return follow(w, dir, name, end, fd);
	return on_this_mount(w, fd);
}

/* Along the whole path. A slash at its end leaves an empty last component, which is the directory itself. */
static int walk(struct walk *w)
{
	int at = w->root, r = 0;
	char *s = w->path;

	for (bool last = false; !last && r >= 0;) {
		char *end;

		s += strspn(s, "/");
		end = s + strcspn(s, "/");
		if (end - s == 1 && *s == '.') {
			replace(w, s, end, "", 0);
			continue;
		}
		if (end - s == 2 && s[0] == '.' && s[1] == '.') {
			r = go_up(w, s, end);
			continue;
		}
		last = !*end;
		r = step(w, at, s, end, last);
		if (at != w->root)
			close(at);
		at = r;
		s = end;
	}
	if (r < 0 && at >= 0 && at != w->root) /* `..` ended it half way */
		close(at);
	return r;
}

static int walk_all(int dirfd, const char *path, const struct open_how *how)
{
	struct walk w = { .root = dirfd, .how = how };
	size_t n = strlen(path);
	int r;

	if (!n || n >= sizeof w.path)
		return n ? -ENAMETOOLONG : -ENOENT;
	if (*path == '/' && how->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	memcpy(w.path, path, n + 1);
	do
		r = walk(&w);
	while (r == -ERESTART);
	return r;
}

int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	long r = kernel_result(syscall(SYS_openat2, dirfd, path, how, sizeof *how));

	return r == -ENOSYS || r == -EPERM ? walk_all(dirfd, path, how) : (int)r;
}
