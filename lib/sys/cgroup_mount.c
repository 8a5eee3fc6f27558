/* Mounting hierarchies where nobody did: initramfs, rescue systems, boards without systemd. cgroups(7). */
#include "base/file.h"
#include "base/num.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define TOP           "/sys/fs/cgroup"
#define FLAGS         (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define CGROUP2_MAGIC 0x63677270
#define SYSFS_MAGIC   0x62656572

static bool is_v2(const char *what)
{
	return !strcmp(what, "v2");
}

/* The mounted hierarchy that WHAT names, or NULL: "v2", a controller or "cpu,cpuacct", "name=foo". */
static const struct cgroup_hierarchy *named(const struct cgroup_host *host, const char *what)
{
	struct strs words = { 0 };
	const struct cgroup_hierarchy *h;

	if (is_v2(what))
		return host->unified < 0 ? NULL : &host->h[host->unified];
	strs_split(&words, what, ',');
	h = words.n ? cgroup_find(host, words.v[0]) : NULL;
	strs_free(&words);
	return h;
}

/* A file system of type MAGIC is mounted at TOP. */
static bool top_is(unsigned magic)
{
	struct statfs fs;

	return !statfs(TOP, &fs) && (unsigned)fs.f_type == magic;
}

/* Below sysfs no directory can be made: hierarchies of v1 stand in a tmpfs. */
static int make_top(struct strs *made, struct err *err)
{
	if (access(TOP, F_OK)) {
		int r = err_sys(err, -errno, "%s", TOP);

		err_hint(err, "mount sysfs on /sys first; the kernel needs CONFIG_CGROUPS");
		return r;
	}
	if (!top_is(SYSFS_MAGIC))
		return 0;
	if (mount("cgroup", TOP, "tmpfs", FLAGS, "mode=755,size=64k"))
		return err_sys(err, -errno, "mount a tmpfs on %s", TOP);
	strs_add(made, TOP);
	return 0;
}

/* Words that mount(2) would take for other options, or that would name a directory elsewhere. */
static int check_what(const char *what, struct err *err)
{
	const char *name = starts_with(what, "name=") ? what + 5 : what;

	if (*name && *name != '.' && !strpbrk(name, "/\\ \t\n=") && !(name != what && strchr(name, ',')))
		return 0;
	return err_msg(err, -EINVAL, "%s: want v2, controllers (\"cpu,cpuacct\") or name=NAME", what);
}

static int mount_at(const char *what, const char *dir, struct strs *made, struct err *err)
{
	char data[300];
	int r;

	r = dir_make_all(AT_FDCWD, dir, 0755);
	if (r)
		return err_sys(err, r, "make %s", dir);
	snprintf(data, sizeof data, "%s%s", starts_with(what, "name=") ? "none," : "", what);
	r = is_v2(what) ? mount("cgroup2", dir, "cgroup2", FLAGS, NULL) : mount("cgroup", dir, "cgroup", FLAGS, data);
	if (!r) {
		strs_add(made, dir);
		return 0;
	}
	r = -errno;
	rmdir(dir);
	err_sys(err, r, "mount cgroup %s on %s", what, dir);
	if (r == -ENODEV || r == -ENOENT)
		err_hint(err, is_v2(what) ? "the kernel has no cgroup v2" : "the kernel has no such v1 controller");
	return r;
}

int cgroup_mount(const struct cgroup_host *host, const char *what, const char *dir, struct strs *made, struct err *err)
{
	const struct cgroup_hierarchy *h = named(host, what);
	const char *name = starts_with(what, "name=") ? what + 5 : what;
	char usual[300];
	int r = check_what(what, err);

	if (r)
		return r;
	if (h)
		return err_msg(err, -EEXIST, "%s: is mounted at %s", what, h->mount);
	if (!dir) {
		r = make_top(made, err);
		snprintf(usual, sizeof usual, "%s/%.255s", TOP, is_v2(what) ? "unified" : name);
	}
	return r ? r : mount_at(what, dir ? dir : usual, made, err);
}

/* Adds controller NAME of hierarchy ID. Those of a hierarchy that still lives, though nobody sees it mounted, can only be mounted together:
 * they become one word, "cpu,cpuacct". */
static void add_missing(struct strs *out, struct strs *ids, const char *name, const char *id)
{
	for (size_t i = 0; i < ids->n && atoi(id); i++) {
		char *both;

		if (atoi(ids->v[i]) != atoi(id))
			continue;
		both = xasprintf("%s,%s", out->v[i], name);
		free(out->v[i]);
		out->v[i] = both;
		return;
	}
	strs_add(out, name);
	strs_add(ids, id);
}

/* The controllers of /proc/cgroups ("NAME HIERARCHY GROUPS ENABLED") that are enabled and in no mounted hierarchy. */
static int missing(const struct cgroup_host *host, struct strs *out, struct err *err)
{
	struct buf b = { 0 };
	struct strs lines = { 0 }, ids = { 0 };
	int r = file_read(AT_FDCWD, "/proc/cgroups", &b, 1 << 16);

	if (r == -ENOENT)
		return err_msg(err, r, "this kernel has no control groups (CONFIG_CGROUPS)");
	if (r)
		return err_sys(err, r, "read /proc/cgroups");
	strs_split(&lines, b.p, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		const char *id = word_at(lines.v[i], 1), *enabled = word_at(lines.v[i], 3);
		char *name = lines.v[i];

		name[strcspn(name, " \t")] = '\0';
		if (enabled && *enabled == '1' && !cgroup_find(host, name) && !(!strcmp(name, "blkio") && cgroup_find(host, "io")))
			add_missing(out, &ids, name, id);
	}
	strs_free(&ids);
	strs_free(&lines);
	buf_free(&b);
	return 0;
}

/* Nothing is mounted: v2 on TOP itself, as everybody has it today. -ENODEV where it has no memory controller, as
 * before Linux 4.5 or when a v1 hierarchy holds it. */
static int mount_v2_alone(struct strs *made)
{
	struct buf b = { 0 };
	int r;

	if (mount("cgroup2", TOP, "cgroup2", FLAGS, NULL))
		return -errno;
	r = file_read(AT_FDCWD, TOP "/cgroup.controllers", &b, 4096);
	if (!r && (!b.len || !strstr(b.p, "memory") || !strstr(b.p, "cpu")))
		r = -ENODEV;
	buf_free(&b);
	if (r)
		umount2(TOP, MNT_DETACH);
	else
		strs_add(made, TOP);
	return r;
}

int cgroup_mount_missing(const struct cgroup_host *host, struct strs *made, struct err *err)
{
	struct strs left = { 0 };
	int r, first;

	if (!host->n && top_is(SYSFS_MAGIC) && !mount_v2_alone(made))
		return 0;
	if (top_is(CGROUP2_MAGIC))
		return 0; /* v2 alone: what it doesn't have isn't to be had */
	first = missing(host, &left, err);
	for (size_t i = 0; i < left.n; i++) {
		r = cgroup_mount(host, left.v[i], NULL, made, first ? NULL : err);
		if (r && !first)
			first = r;
	}
	strs_free(&left);
	return first;
}

int cgroup_umount(struct cgroup_host *host, const char *what, struct err *err)
{
	const struct cgroup_hierarchy *h = named(host, what);
	char *dir;
	int r = 0;

	for (int i = 0; i < host->n && !h; i++)
		if (!strcmp(host->h[i].mount, what))
			h = &host->h[i];
	dir = h ? xstrdup(h->mount) : NULL;
	cgroup_host_free(host);
	if (!dir)
		return err_msg(err, -ENOENT, "%s: no such hierarchy is mounted", what);
	if (umount2(dir, UMOUNT_NOFOLLOW))
		r = err_sys(err, -errno, "unmount %s", dir);
	else if (starts_with(dir, TOP "/"))
		rmdir(dir);
	free(dir);
	return r;
}
