#include "sys/mount.h"
#include "base/kernel.h"
#include "base/path.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *name;
	unsigned long set, clear;
} flag_words[] = {
	{ "ro", MS_RDONLY, 0 },          { "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },      { "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },        { "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },      { "exec", 0, MS_NOEXEC },
	{ "noatime", MS_NOATIME, 0 },    { "relatime", MS_RELATIME, 0 },
	{ "strictatime", MS_STRICTATIME, 0 }, { "nodiratime", MS_NODIRATIME, 0 },
	{ "sync", MS_SYNCHRONOUS, 0 },
};

static const struct {
	const char *name;
	unsigned long flags;
} propagation_words[] = {
	{ "private", MS_PRIVATE }, { "rprivate", MS_PRIVATE | MS_REC },
	{ "slave", MS_SLAVE },     { "rslave", MS_SLAVE | MS_REC },
	{ "shared", MS_SHARED },   { "rshared", MS_SHARED | MS_REC },
};

static bool is_word(const char *word, size_t n, const char *name)
{
	return strlen(name) == n && !memcmp(word, name, n);
}

static bool parse_word(const char *word, size_t n, struct mount_options *out)
{
	for (size_t i = 0; i < sizeof flag_words / sizeof *flag_words; i++)
		if (is_word(word, n, flag_words[i].name)) {
			out->set = (out->set | flag_words[i].set) & ~flag_words[i].clear;
			out->clear = (out->clear | flag_words[i].clear) & ~flag_words[i].set;
			return true;
		}
	for (size_t i = 0; i < sizeof propagation_words / sizeof *propagation_words; i++)
		if (is_word(word, n, propagation_words[i].name)) {
			out->propagation = propagation_words[i].flags;
			return true;
		}
	if (is_word(word, n, "bind") || is_word(word, n, "rbind")) {
		out->bind = true;
		out->recursive = *word == 'r';
		return true;
	}
	return false;
}

void mount_options_parse(const char *options, struct mount_options *out)
{
	for (const char *s = options ? options : ""; *s;) {
		size_t n = strcspn(s, ",");

		if (n && !parse_word(s, n, out)) {
			if (out->data.len)
				buf_char(&out->data, ',');
			buf_add(&out->data, s, n);
		}
		s += n + (s[n] == ',');
	}
}

int mount_make_private(struct err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		int code = -errno;

		err_sys(err, code, "make mounts below / private");
		if (code == -EINVAL)
			err_hint(err, "/ is no mount point: inside a chroot?");
		return code;
	}
	return 0;
}

int mount_fs(const char *fstype, const char *source, int dst_fd, unsigned long flags, const char *data)
{
	char dst[32];

	return mount(source, path_of_fd(dst_fd, dst), fstype, flags, data) < 0 ? -errno : 0;
}

uint64_t mount_attrs(unsigned long flags)
{
	return (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0) | (flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
	       (flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0) | (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0) |
	       (flags & MS_NODIRATIME ? MOUNT_ATTR_NODIRATIME : 0) | (flags & MS_NOATIME ? MOUNT_ATTR_NOATIME : 0) |
	       (flags & MS_STRICTATIME ? MOUNT_ATTR_STRICTATIME : 0);
}

const char *mount_name(int fd, char name[256])
{
	char link[32];
	struct stat a, b;
	ssize_t n = readlink(path_of_fd(fd, link), name, 256);

	if (n > 0 && n < 256) {
		name[n] = 0;
		if (!strpbrk(name, ":,\\") && stat(name, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
			return name;
	}
	return strcpy(name, link);
}

void mount_kernel_words(int fs, struct err *err)
{
	char line[256];
	ssize_t n = read(fs, line, sizeof line - 1);

	if (n <= 0)
		return;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	err_hint(err, line + (n > 2 && line[1] == ' ' ? 2 : 0));
}

/* "mode=755,size=64m" to a file system that is being made. */
static int configure(int fs, const char *data)
{
	struct strs words = { 0 };
	int r = 0;

	strs_split(&words, data ? data : "", ',');
	for (size_t i = 0; i < words.n && !r; i++) {
		char *eq = strchr(words.v[i], '=');

		if (eq)
			*eq = 0;
		r = sys_fsconfig(fs, eq ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, words.v[i], eq ? eq + 1 : NULL, 0);
	}
	strs_free(&words);
	return r;
}

int mount_open(const char *fstype, unsigned long flags, const char *data)
{
	int fs = sys_fsopen(fstype, FSOPEN_CLOEXEC), r;

	if (fs < 0)
		return fs;
	r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", fstype, 0);
	if (!r)
		r = configure(fs, data);
	if (!r)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (!r)
		r = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)mount_attrs(flags));
	close(fs);
	return r;
}

int mount_attach(int mount_fd, int dst_fd)
{
	return sys_move_mount(mount_fd, "", dst_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int bind_by_name(int src_fd, int dst_fd, bool recursive)
{
	char src[32], dst[32];
	unsigned long flags = MS_BIND | (recursive ? MS_REC : 0);

	return mount(path_of_fd(src_fd, src), path_of_fd(dst_fd, dst), NULL, flags, NULL) < 0 ? -errno : 0;
}

int mount_bind(int src_fd, int dst_fd, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	int tree = sys_open_tree(src_fd, "", flags), r;

	if (tree == -ENOSYS || tree == -EPERM) /* EPERM: a seccomp filter's way of not knowing it */
		return bind_by_name(src_fd, dst_fd, recursive);
	if (tree < 0)
		return tree;
	r = mount_attach(tree, dst_fd);
	close(tree);
	return r;
}
