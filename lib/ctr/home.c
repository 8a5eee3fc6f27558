#include "ctr/home.h"
#include "base/buf.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const variables[] = { "CTRBOX_ROOT", "CTRBOX_RUN" };

/* Absolute ones only, as the specification wants it. */
static const char *xdg(const char *variable)
{
	const char *dir = getenv(variable);

	return dir && *dir == '/' ? dir : NULL;
}

/* The place that an ordinary user gets. */
static char *of_user(enum home which)
{
	const char *dir = xdg(which == HOME_ROOT ? "XDG_DATA_HOME" : "XDG_RUNTIME_DIR"), *home = xdg("HOME");

	if (dir)
		return xasprintf("%s/ctrbox", dir);
	if (which == HOME_RUN)
		return xasprintf("/tmp/ctrbox-%u", geteuid());
	return home ? xasprintf("%s/.local/share/ctrbox", home) : NULL;
}

char *home_name(enum home which)
{
	const char *said = getenv(variables[which]);

	if (said && *said)
		return xstrdup(said);
	if (geteuid())
		return of_user(which);
	return xstrdup(which == HOME_ROOT ? "/var/lib/ctrbox" : "/run/ctrbox");
}

/* In /tmp anybody may have been there before us. */
static int check_owner(int fd, const char *name, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "stat %s", name);
	if (st.st_uid != geteuid())
		return err_msg(err, -EPERM, "%s: belongs to user %u (set CTRBOX_ROOT and CTRBOX_RUN to places of your own)", name, st.st_uid);
	if (st.st_mode & 077)
		return err_msg(err, -EPERM, "%s: is open to other users (chmod 700 it)", name);
	return 0;
}

static int told_open(enum home which, const char *name, int code, struct err *err)
{
	err_sys(err, code, "open %s", name);
	if (code == -EROFS || (code == -EACCES && geteuid()))
		return err_hint(err, which == HOME_ROOT ? "set CTRBOX_ROOT to a place that you can write"
							: "set CTRBOX_RUN, or XDG_RUNTIME_DIR, to a place that you can write");
	return code == -EACCES ? err_hint(err, "are you root?") : code;
}

/* Opens NAME, which is never followed where a stranger could have put a link. */
static int open_or_make(const char *name, bool own)
{
	int fd = own ? open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : dir_open(AT_FDCWD, name), r;

	if (own && fd < 0)
		fd = -errno;
	if (fd != -ENOENT)
		return fd;
	r = dir_make_all(AT_FDCWD, name, geteuid() ? 0700 : 0711);
	return r < 0 ? r : dir_open(AT_FDCWD, name);
}

int home_open(enum home which, char **path, struct err *err)
{
	bool said = getenv(variables[which]) && *getenv(variables[which]), own = geteuid() && !said;
	char *name = home_name(which);
	int fd, r = 0;

	if (!name)
		return err_msg(err, -ENOENT, "neither HOME nor XDG_DATA_HOME nor CTRBOX_ROOT says where the store is to be");
	fd = open_or_make(name, own);
	if (fd < 0)
		r = told_open(which, name, fd, err);
	else if (own)
		r = check_owner(fd, name, err);
	if (!r && path && !(*path = realpath(name, NULL)))
		r = err_sys(err, -errno, "resolve %s", name);
	if (r < 0 && fd >= 0)
		close(fd);
	free(name);
	return r < 0 ? r : fd;
}
