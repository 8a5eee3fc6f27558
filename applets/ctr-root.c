/* ctr-root: another root directory for a command, and what is to be mounted in it. */
#include "base/fields.h"
#include "base/kernel.h"
#include "base/opt.h"
#include "base/path.h"
#include "base/say.h"
#include "sys/exec.h"
#include "sys/mount.h"
#include "sys/ns.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --bind and --tmpfs, in the order given. */
struct place {
	const char *source; /* NULL: a tmpfs */
	const char *target, *options;
};

struct options {
	bool chroot, pivot, proc, dev, sys;
	const char *overlay;
	struct array places;
};

/* Cuts S at its next colon; NULL if there is none. */
static char *cut(char *s)
{
	char *colon = strchr(s, ':');

	if (colon)
		*colon++ = '\0';
	return colon;
}

static int add_place(struct options *o, const char *source, const char *target, const char *options, struct err *err)
{
	struct place *p;

	if (!target || *target != '/')
		return err_msg(err, -EINVAL, "the target has to be an absolute path");
	p = array_add(&o->places, sizeof *p);
	*p = (struct place){ source, target, options };
	return 0;
}

static int set_bind(void *into, const char *value, struct err *err)
{
	char *source = xstrdup(value), *target = cut(source), *options = target ? cut(target) : NULL;

	return *source ? add_place(into, source, target, options, err) : err_msg(err, -EINVAL, "the source is missing");
}

static int set_tmpfs(void *into, const char *value, struct err *err)
{
	char *target = xstrdup(value), *options = cut(target);

	return add_place(into, NULL, target, options, err);
}

#define AT(m) offsetof(struct options, m)
static const struct opt opts[] = {
	{ 0, "pivot", NULL, OPT_FLAG, AT(pivot), "DIR becomes the root by pivot_root(2): the default, safe", NULL },
	{ 0, "chroot", NULL, OPT_FLAG, AT(chroot), "by chroot(2) alone: works everywhere, root can leave it", NULL },
	{ 0, "overlay", "UPPER:WORK", OPT_STR, AT(overlay), "DIR stays as it is: writes go to UPPER", NULL },
	{ 0, "proc", NULL, OPT_FLAG, AT(proc), "a proc on /proc (nosuid,noexec,nodev)", NULL },
	{ 0, "sys", NULL, OPT_FLAG, AT(sys), "a read-only sysfs on /sys", NULL },
	{ 0, "dev", NULL, OPT_FLAG, AT(dev), "a /dev of its own: null, zero, random, tty, pts, shm, ..", NULL },
	{ 0, "bind", "SRC:DST[:OPT,..]", OPT_CALL, 0, "the host's SRC is seen at DST (ro, nosuid, ..)", set_bind },
	{ 0, "tmpfs", "DST[:OPT,..]", OPT_CALL, 0, "a tmpfs on DST (size=64m,mode=700, ..)", set_tmpfs },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-root",
	.synopsis = "[OPT].. DIR [CMD [ARG]..]",
	.about = "Runs CMD ($SHELL, else sh) with DIR as its root and working directory. It replaces itself by CMD.",
	.opts = opts,
	.more = "All mounts are in a mount namespace of CMD's own. /proc, /sys and /dev come first, then --bind and --tmpfs in\n"
		"their order. Mount points are made where they are missing.\n"
		"example: ctr-ns -muipn -- ctr-root --proc --dev rootfs sh",
	.bad = 125,
	.command = true,
};

static int open_dir(const char *path)
{
	return or_die((int)kernel_result(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)), "open", path);
}

static void own_mounts(void)
{
	struct err e = { 0 };

	say_step("unshare the mount namespace");
	or_die((int)kernel_result(unshare(CLONE_NEWNS)), "unshare", "the mount namespace");
	if (mount_make_private(&e) == -EINVAL)
		err_hint(&e, "--chroot without mounts works there");
	or_die_err(e.code, &e);
}

static void mount_overlay(char *dirs, int dir, const char *path)
{
	struct err e = { 0 };
	char *work = cut(dirs);
	int upper, workfd, fd;

	if (!*dirs || !work || !*work)
		die_usage(125, "--overlay: not UPPER:WORK");
	upper = open_dir(dirs);
	workfd = open_dir(work);
	say_step("mount an overlay on %s, upper %s", path, dirs);
	fd = overlay_open(NULL, &dir, 1, upper, workfd, !ns_user_first(), &e);
	or_die_err(fd, &e);
	or_die(mount_attach(fd, dir), "attach the overlay at", path);
	close(fd);
	close(upper);
	close(workfd);
}

/* DIR as a mount of its own, which pivot_root asks for: its descriptor. */
static int root_mount(const struct options *o, const char *path)
{
	int dir = open_dir(path);

	if (o->overlay) {
		mount_overlay(xstrdup(o->overlay), dir, path);
	} else if (!o->chroot) {
		say_step("bind %s onto itself", path);
		or_die(mount_bind(dir, dir, true), "bind onto itself", path);
	} else {
		return dir;
	}
	close(dir);
	return open_dir(path);
}

static void mount_new(int rootfd, const char *fstype, const char *target, unsigned long flags, const char *data)
{
	int fd = or_die(path_mkdirs(rootfd, target, 0755), "make", target);

	say_step("mount %s on %s", fstype, target);
	or_die(mount_fs(fstype, fstype, fd, flags, data), "mount", target);
	close(fd);
}

static void bind_place(int rootfd, const struct place *p, const struct mount_options *m)
{
	int from = or_die((int)kernel_result(open(p->source, O_PATH | O_CLOEXEC)), "bind", p->source), to;
	struct stat st;

	or_die((int)kernel_result(fstat(from, &st)), "bind", p->source);
	to = S_ISDIR(st.st_mode) ? path_mkdirs(rootfd, p->target, 0755) : path_mkfile(rootfd, p->target, 0644);
	or_die(to, "make", p->target);
	say_step("bind %s at %s", p->source, p->target);
	or_die(mount_bind(from, to, true), "bind at", p->target);
	close(from);
	close(to);
	if (!m->set && !m->clear)
		return;
	to = or_die(path_open(rootfd, p->target, O_PATH, 0), "open", p->target);
	or_die(mount_flags(to, m->set, m->clear, true), "set flags of", p->target);
	close(to);
}

static void mount_place(int rootfd, const struct place *p)
{
	struct mount_options m = { 0 };

	mount_options_parse(p->options, &m);
	if (!p->source)
		mount_new(rootfd, "tmpfs", p->target, ((MS_NOSUID | MS_NODEV) & ~m.clear) | m.set, m.data.p);
	else if (m.data.len)
		die_usage(125, "--bind %s: unknown option %s", p->target, m.data.p);
	else
		bind_place(rootfd, p, &m);
	buf_free(&m.data);
}

static void mount_all(int rootfd, const struct options *o)
{
	const unsigned long safe = MS_NOSUID | MS_NOEXEC | MS_NODEV;
	const struct place *places = o->places.v;
	struct err e = { 0 };
	int dev;

	if (o->proc)
		mount_new(rootfd, "proc", "/proc", safe, NULL);
	if (o->sys)
		mount_new(rootfd, "sysfs", "/sys", safe | MS_RDONLY, NULL);
	if (o->dev) {
		say_step("make /dev");
		dev = dev_populate(rootfd, !ns_user_first(), 64 << 20, &e);
		or_die_err(dev, &e);
		close(dev);
	}
	for (size_t i = 0; i < o->places.n; i++)
		mount_place(rootfd, &places[i]);
}

static void enter(int rootfd, const struct options *o, const char *path)
{
	struct err e = { 0 };
	bool fallback = false;

	say_step("%s to %s", o->chroot ? "chroot" : "pivot_root", path);
	if (!o->chroot) {
		if (root_switch(rootfd, &fallback, &e) == -EINVAL)
			err_hint(&e, "--chroot works there too");
		or_die_err(e.code, &e);
	} else {
		or_die((int)kernel_result(fchdir(rootfd)), "enter", path);
		or_die((int)kernel_result(chroot(".")), "chroot", path);
		or_die((int)kernel_result(chdir("/")), "enter", "/");
	}
	if (fallback)
		say_step("pivot_root refused on an initramfs: moved onto / instead");
}

int ctr_root_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err e = { 0 };
	int n = opt_parse(&usage, &o, argc, argv), rootfd;
	char path[PATH_MAX];

	if (n == 0)
		die_usage(125, "a directory is missing");
	if (o.chroot && o.pivot)
		die_usage(125, "--chroot and --pivot exclude each other");
	if (!realpath(argv[0], path))
		die(125, "%s: %s", argv[0], strerror(errno));
	if (path[strspn(path, "/")] == '\0')
		die(125, "%s: is the root already", argv[0]);
	if (!o.chroot || o.overlay || o.proc || o.dev || o.sys || o.places.n)
		own_mounts();
	rootfd = root_mount(&o, path);
	mount_all(rootfd, &o);
	enter(rootfd, &o, path);
	say_step("exec %s", n > 1 ? argv[1] : "a shell");
	if (n > 1)
		exec_command(argv + 1, environ, &e);
	else
		exec_shell(environ, &e);
	die_err(125, NULL, &e);
}
