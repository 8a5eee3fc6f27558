#include "sys/overlay.h"
#include "base/kernel.h"
#include "sys/helper.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>

struct stack {
	const char *source;
	int *fds, n;                 /* lower ones, UPPER and WORK */
	bool upper, userxattr;
};

static void close_all(const int *fds, int n)
{
	while (n--)
		if (fds[n] >= 0)
			close(fds[n]);
}

/* FDS becomes those of the same names in this namespace. */
static int reopen(int *fds, int n)
{
	char name[256];

	for (int i = 0; i < n; i++) {
		int fd = fds[i] < 0 ? -1 : open(mount_name(fds[i], name), O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 && fds[i] >= 0) {
			fd = -errno;
			close_all(fds, i);
			return fd;
		}
		fds[i] = fd;
	}
	return 0;
}

/* Names as short as can be: 500 layers, which is all that overlay takes, fit into a page. */
static void options(const struct stack *t, struct buf *b)
{
	for (int i = 0; i < t->n; i++)
		buf_fmt(b, "%s%d", i ? ":" : "lowerdir=", t->fds[i]);
	if (t->upper)
		buf_fmt(b, ",upperdir=%d,workdir=%d", t->fds[t->n], t->fds[t->n + 1]);
	for (int i = 0; i < OVERLAY_SAFE_OPTIONS; i++)
		buf_fmt(b, ",%s=%s", overlay_safe_options[i][0], overlay_safe_options[i][1]);
	if (t->userxattr)
		buf_str(b, ",userxattr");
}

/* /proc is a directory that is always there; nobody else sees what becomes of it here. */
static int mount_here(const struct stack *t)
{
	struct buf b = { 0 };
	int r;

	options(t, &b);
	r = chdir("/proc/self/fd") < 0 || mount(t->source, "/proc", "overlay", 0, b.p) < 0 ? -errno : 0;
	buf_free(&b);
	return r ? r : sys_open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int mount_apart(void *arg)
{
	const struct stack *t = arg;
	int r = unshare(CLONE_NEWNS) < 0 ? -errno : mount_make_private(NULL);

	if (!r)
		r = reopen(t->fds, t->n + 2);
	if (r)
		return r;
	r = mount_here(t);
	close_all(t->fds, t->n + 2); /* the table is the caller's too */
	return r;
}

static bool all_named(const int *fds, int n)
{
	char name[256];

	for (int i = 0; i < n; i++)
		if (starts_with(mount_name(fds[i], name), "/proc/self/fd/"))
			return false;
	return true;
}

int overlay_by_mount(const char *source, const int *lower, int n, int upper, int work, bool userxattr)
{
	struct stack t = { source, xcalloc((size_t)n + 2, sizeof *lower), 0, upper >= 0, userxattr };
	int r;

	t.n = overlay_each_once(lower, n, t.fds);
	t.fds[t.n] = upper;
	t.fds[t.n + 1] = work;
	r = all_named(t.fds, t.n) ? helper_open(mount_apart, &t) : -E2BIG;
	free(t.fds);
	return r;
}
