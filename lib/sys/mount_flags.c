/* mount_setattr(2), and how it was done before Linux 5.12: by mount(2), which sees attached mounts only, one at a time, and takes all the flags it
 * doesn't name away. */
#include "base/fields.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/num.h"
#include "base/path.h"
#include "sys/mount.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* The flags of a mount, the times' apart: those stay if none is named. */
static int remount(int fd, unsigned long set, unsigned long clear)
{
	char name[32];
	struct statvfs fs;
	unsigned long now;

	if (fstatvfs(fd, &fs) < 0)
		return -errno;
	now = fs.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC); /* as they are called there too */
	return mount(NULL, path_of_fd(fd, name), NULL, MS_REMOUNT | MS_BIND | (now & ~clear) | set, NULL) < 0 ? -errno : 0;
}

static bool listed(const struct array *ids, int64_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (((int64_t *)ids->v)[i] == id)
			return true;
	return false;
}

static const char *next(const char *line)
{
	line = strchr(line, '\n');
	return line && line[1] ? line + 1 : NULL;
}

/* The mounts below those that IDS has, in any order, among MOUNTS: "ID PARENT ..". */
static void add_below(const char *mounts, struct array *ids)
{
	size_t before;

	do {
		before = ids->n;
		for (const char *line = mounts; line; line = next(line)) {
			char *end;
			int64_t id = strtol(line, &end, 10);

			if (!listed(ids, id) && listed(ids, strtol(end, NULL, 10)))
				*(int64_t *)array_add(ids, sizeof id) = id;
		}
	} while (ids->n > before);
}

/* Where LINE's mount is; somebody may have put something else there meanwhile. */
static int open_mount(const char *line, const struct array *ids)
{
	const char *point = word_at(line, 4);
	char *path = point ? xstrndup(point, strcspn(point, " ")) : xstrdup("");
	int fd;

	mountinfo_decode(path);
	fd = (int)kernel_result(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
	free(path);
	if (fd < 0 || listed(ids, fd_info(fd, "mnt_id")))
		return fd;
	close(fd);
	return -ESTALE;
}

static int remount_below(int top, unsigned long set, unsigned long clear)
{
	struct array ids = { 0 };
	struct buf mounts = { 0 };
	int64_t id = fd_info(top, "mnt_id");
	int r = id < 0 ? (int)id : file_read(AT_FDCWD, "/proc/self/mountinfo", &mounts, 64 << 20);

	*(int64_t *)array_add(&ids, sizeof id) = id;
	if (!r)
		add_below(mounts.p, &ids);
	for (const char *line = r ? NULL : mounts.p; line && !r && ids.n > 1; line = next(line)) {
		int64_t this = strtol(line, NULL, 10);
		int fd = this != id && listed(&ids, this) ? open_mount(line, &ids) : -1;

		if (this == id || !listed(&ids, this))
			continue;
		r = fd < 0 ? fd : remount(fd, set, clear);
		if (fd >= 0)
			close(fd);
	}
	buf_free(&mounts);
	free(ids.v);
	return r;
}

static int flags_old(int fd, unsigned long set, unsigned long clear, bool recursive)
{
	int r = remount(fd, set, clear);

	return r || !recursive ? r : remount_below(fd, set, clear);
}

static bool is_unknown(int r)
{
	return r == -ENOSYS || r == -EPERM; /* EPERM: a filter's way of not knowing it */
}

static int set_flags(int fd, unsigned long set, unsigned long clear, bool recursive)
{
	struct mount_attr attr = { .attr_set = mount_attrs(set), .attr_clr = mount_attrs(clear) };

	if (set & (MS_NOATIME | MS_STRICTATIME | MS_RELATIME))
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);
}

int mount_flags(int fd, unsigned long set, unsigned long clear, bool recursive)
{
	int r = set_flags(fd, set, clear, recursive);

	return is_unknown(r) ? flags_old(fd, set, clear, recursive) : r;
}

int mount_attach_flags(int tree, int dst_fd, unsigned long set, unsigned long clear, bool recursive)
{
	int now = set | clear ? set_flags(tree, set, clear, recursive) : 0, r;
	char name[32];

	if (now && !is_unknown(now))
		return now;
	r = mount_attach(tree, dst_fd);
	if (r || !now)
		return r;
	r = flags_old(tree, set, clear, recursive);
	if (r < 0)
		umount2(path_of_fd(tree, name), MNT_DETACH);
	return r;
}

int mount_set_private(int tree, bool recursive)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	char name[32];
	int r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);

	if (!is_unknown(r))
		return r;
	return mount(NULL, path_of_fd(tree, name), NULL, MS_PRIVATE | (recursive ? MS_REC : 0), NULL) < 0 ? -errno : 0;
}

void mountinfo_decode(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}
