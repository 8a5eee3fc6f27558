#include "sys/fsimage.h"
#include "base/kernel.h"
#include "sys/loop.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

enum { SUPERBLOCKS = 2048, SECOND = 1024 /* where all but squashfs have theirs */ };

static uint64_t le(const unsigned char *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

/* Bytes that each says it has. Shifts that are none are the kernel's to refuse. */

static uint64_t squashfs_size(const unsigned char *b)
{
	return le(b + 40, 8);
}

static uint64_t erofs_size(const unsigned char *b)
{
	return le(b + SECOND + 36, 4) << (b[SECOND + 12] & 31);
}

static uint64_t ext4_size(const unsigned char *b)
{
	return le(b + SECOND + 4, 4) << (10 + (b[SECOND + 24] & 15));
}

static const struct kind {
	const char *name, *config;
	int at;
	const char *magic;
	uint64_t (*size)(const unsigned char *b);
} kinds[] = {
	{ "squashfs", "is CONFIG_SQUASHFS in this kernel?", 0, "hsqs", squashfs_size },
	{ "erofs", "is CONFIG_EROFS_FS in this kernel?", SECOND, "\xe2\xe1\xf5\xe0", erofs_size },
	{ "ext4", "is CONFIG_EXT4_FS in this kernel?", SECOND + 56, "\x53\xef", ext4_size },
};

static int find_kind(int file, off_t size, const struct kind **out, struct err *err)
{
	unsigned char b[SUPERBLOCKS] = { 0 };

	if (pread(file, b, sizeof b, 0) < 0)
		return err_sys(err, -errno, "read");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct kind *k = *out = &kinds[i];

		if (memcmp(b + k->at, k->magic, strlen(k->magic)))
			continue;
		if (k->size(b) <= (uint64_t)size)
			return 0;
		return err_msg(err, -EINVAL, "is truncated: it has %lld bytes of its %s's %llu", (long long)size, k->name,
			       (unsigned long long)k->size(b));
	}
	return err_msg(err, -EINVAL, "holds no squashfs, erofs or ext4");
}

static int open_image(const char *path, const struct kind **kind, struct err *err)
{
	int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), r; /* a pipe isn't waited for */
	struct stat st;

	if (file < 0)
		return err_sys(err, -errno, "open");
	if (fstat(file, &st) < 0)
		r = err_sys(err, -errno, "look at it");
	else if (!S_ISREG(st.st_mode))
		r = err_msg(err, -EINVAL, "is no regular file");
	else
		r = find_kind(file, st.st_size, kind, err);
	if (r < 0)
		close(file);
	return r < 0 ? r : file;
}

int fsimage_check(const char *path, struct err *err)
{
	const struct kind *kind = kinds;
	int file = open_image(path, &kind, err);

	if (file < 0)
		return file;
	close(file);
	return 0;
}

static int mount_source(const struct kind *k, const char *source, struct err *err)
{
	int fs = sys_fsopen(k->name, FSOPEN_CLOEXEC), r;

	if (fs < 0) {
		err_sys(err, fs, "mount as %s", k->name);
		return fs == -ENODEV ? err_hint(err, k->config) : fs;
	}
	r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0);
	if (!r)
		r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0);
	if (!r)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (!r)
		r = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	if (r < 0) {
		err_sys(err, r, "mount as %s", k->name);
		mount_kernel_words(fs, err);
	}
	close(fs);
	return r;
}

static int mount_loop(const struct kind *k, int file, struct err *err)
{
	char device[24];
	int loop = loop_open(file, device, err), r = loop < 0 ? loop : mount_source(k, device, err);

	if (loop >= 0)
		close(loop);
	if (r == -EROFS)
		err_hint(err, "its journal is to be replayed first: e2fsck");
	return r;
}

int fsimage_open(const char *path, struct err *err)
{
	const struct kind *k = kinds;
	char name[256];
	int file = open_image(path, &k, err), r = -ENOTBLK;

	if (file < 0)
		return file;
	if (!strcmp(k->name, "erofs"))
		r = mount_source(k, mount_name(file, name), err);
	if (r == -ENOTBLK) /* another, Linux before 6.12 or without CONFIG_EROFS_FS_BACKED_BY_FILE, or a file on tmpfs or overlay */
		r = mount_loop(k, file, err);
	close(file);
	return r;
}
