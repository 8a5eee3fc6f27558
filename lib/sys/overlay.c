#include "sys/overlay.h"
#include "base/kernel.h"
#include "base/release.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const overlay_safe_options[OVERLAY_SAFE_OPTIONS][2] = {
	{ "redirect_dir", "nofollow" }, { "metacopy", "off" }, { "index", "off" },
};

static int set_string(int fs, const char *key, const char *value)
{
	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

int overlay_each_once(const int *lower, int n, int *out)
{
	struct stat *seen = xcalloc((size_t)n, sizeof *seen);
	int kept = 0;

	for (int i = 0, j; i < n; i++) {
		struct stat *st = &seen[kept];

		if (fstat(lower[i], st) < 0)
			memset(st, 0, sizeof *st);
		for (j = 0; j < kept && (seen[j].st_ino != st->st_ino || seen[j].st_dev != st->st_dev); j++)
			;
		if (j == kept)
			out[kept++] = lower[i];
	}
	free(seen);
	return kept;
}

/* -E2BIG: the kernel doesn't know how. */
static int append_lower(int fs, const int *lower, int n)
{
	char name[256];
	int r = kernel_since(6, 8) ? 0 : -E2BIG; /* the attempt would be in the kernel's log */

	for (int i = 0; i < n && !r; i++) {
		r = set_string(fs, "lowerdir+", mount_name(lower[i], name));
		if (r == -EINVAL && !i)
			r = -E2BIG;
	}
	return r;
}

static int set_lower(int fs, const int *lower, int n)
{
	struct buf all = { 0 };
	char name[256];
	int r;

	for (int i = 0; i < n; i++)
		buf_fmt(&all, "%s%s", i ? ":" : "", mount_name(lower[i], name));
	/* fsconfig(2) refuses longer strings */
	r = all.len < 256 ? set_string(fs, "lowerdir", all.p) : append_lower(fs, lower, n);
	buf_free(&all);
	return r;
}

static int set_layers(int fs, const int *lower, int n, int upper, int work)
{
	int *once = xcalloc((size_t)n, sizeof *once), r;
	char name[256];

	r = set_lower(fs, once, overlay_each_once(lower, n, once));
	free(once);
	if (!r && upper >= 0)
		r = set_string(fs, "upperdir", mount_name(upper, name));
	if (!r && work >= 0)
		r = set_string(fs, "workdir", mount_name(work, name));
	return r;
}

static int configure(int fs, const char *source, const int *lower, int n, int upper, int work, bool userxattr)
{
	int r = set_string(fs, "source", source);

	if (!r)
		r = set_layers(fs, lower, n, upper, work);
	for (int i = 0; i < OVERLAY_SAFE_OPTIONS && !r; i++)
		r = set_string(fs, overlay_safe_options[i][0], overlay_safe_options[i][1]);
	if (!r && userxattr)
		r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
	return r ? r : sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

const char overlay_many[] = "with a user namespace so many need Linux 6.8";

int overlay_open(const char *source, const int *lower, int n, int upper, int work, bool userxattr, struct err *err)
{
	int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC), r, fd;

	if (fs == -ENODEV) {
		err_sys(err, fs, "mount overlay");
		return err_hint(err, "is CONFIG_OVERLAY_FS in this kernel?");
	}
	if (fs < 0)
		return err_sys(err, fs, "open overlay file system");
	source = source ? source : "overlay";
	r = configure(fs, source, lower, n, upper, work, userxattr);
	fd = r == -E2BIG ? overlay_by_mount(source, lower, n, upper, work, userxattr) : r ? r : sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (fd < 0) {
		err_sys(err, fd, "mount overlay of %d layer%s", n, n == 1 ? "" : "s");
		mount_kernel_words(fs, err);
		if (fd == -E2BIG)
			err_hint(err, overlay_many);
	}
	close(fs);
	return fd;
}
