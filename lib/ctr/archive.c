#include "ctr/archive.h"
#include "base/buf.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/say.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int use(const char *file, int fd, const char *terminal)
{
	if (fd < 0)
		die(1, "%s: %s", file, strerror(errno));
	if (isatty(fd))
		die_usage(2, "%s", terminal);
	return fd;
}

int archive_input(const char *file)
{
	return use(file, file ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, "stdin is a terminal: a tar is expected");
}

/* Where a file is to take FILE's place, and what is there now, if anything is. NULL: only FILE itself will do. */
static char *place_of(const char *file, struct stat *old)
{
	struct stat link;

	if (stat(file, old) == 0)
		return S_ISREG(old->st_mode) ? realpath(file, NULL) : NULL;
	old->st_mode = 0;
	return errno == ENOENT && lstat(file, &link) < 0 ? xstrdup(file) : NULL;
}

static int open_unnamed(const char *place)
{
	const char *slash = strrchr(place, '/');
	char *dir = slash ? xasprintf("%.*s/", (int)(slash - place), place) : xstrdup(".");
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	free(dir);
	return fd;
}

/* A file that isn't FILE yet, with the mode and, as far as may be, the owner of what it replaces. */
static int open_beside(struct archive_output *o)
{
	struct stat old;
	int fd;

	o->place = place_of(o->file, &old);
	if (!o->place)
		return -1;
	o->temp = xasprintf("%s.%d", o->place, (int)getpid());
	o->replaces = old.st_mode;
	fd = open_unnamed(o->place);
	o->named = fd < 0;
	if (o->named)
		fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (o->named && fd >= 0)
		interrupt_catch();
	if (o->replaces && fd >= 0)
		fchmod(fd, fchown(fd, old.st_uid, old.st_gid) == 0 ? old.st_mode & 07777 : old.st_mode & 0777);
	return fd;
}

static void forget(struct archive_output *o)
{
	free(o->place);
	free(o->temp);
	o->place = o->temp = NULL;
}

void archive_output(struct archive_output *o, const char *file)
{
	*o = (struct archive_output){ .file = file, .fd = file ? -1 : STDOUT_FILENO };
	if (file && (o->fd = open_beside(o)) < 0) {
		forget(o);
		o->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	use(file, o->fd, "stdout is a terminal: send the tar to a file");
}

static int put_in_place(const struct archive_output *o)
{
	char self[32];

	if (o->replaces && fsync(o->fd) < 0) /* a power cut must not take both */
		return -1;
	if (!o->named && linkat(AT_FDCWD, path_of_fd(o->fd, self), AT_FDCWD, o->temp, AT_SYMLINK_FOLLOW) < 0)
		return -1;
	return rename(o->temp, o->place);
}

void archive_keep(struct archive_output *o)
{
	int e;

	if (o->place && put_in_place(o) < 0) {
		e = errno;
		unlink(o->temp);
		die(1, "%s: %s", o->file, strerror(e));
	}
	forget(o);
}

void archive_drop(struct archive_output *o)
{
	if (o->named && o->temp)
		unlink(o->temp);
	forget(o);
	interrupt_end();
}
