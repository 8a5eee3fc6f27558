#include "ctr/streams.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool may_hand_over(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == 0x103);
}

/* Lets whoever gets stream I's end open it anew by /dev/stdin, /dev/stdout or /dev/stderr: the container's user, whoever that becomes, in
 * whatever user namespace. Nobody else can name a pipe that has no name; a fifo that has one stays as it is. */
static void open_to_all(int fd, int i)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC)
		fchmod(fd, i == 0 ? 0644 : 0622);
}

/* A pipe whose container's end is for stream I. */
static int make_pipe(struct streams *s, int i)
{
	int ends[2], ours = i == 0 ? 1 : 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fcntl(ends[ours], F_SETFL, O_NONBLOCK);
	s->ours[i] = ends[ours];
	s->child[i] = ends[!ours];
	s->made[i] = true;
	return 0;
}

int streams_make(struct streams *s, bool local, bool input, bool logged)
{
	bool wanted[3] = { input, true, true };
	int r = 0;

	for (int i = 0; i < 3; i++)
		s->child[i] = s->ours[i] = -1, s->made[i] = false;
	for (int i = 0; i < 3 && !r; i++) {
		if (!wanted[i])
			continue;
		if (local && !(i && logged) && may_hand_over(i))
			s->child[i] = i;
		else
			r = make_pipe(s, i);
		if (!r)
			open_to_all(s->child[i], i);
	}
	if (r < 0)
		streams_close(s);
	return r;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void streams_close_child(struct streams *s)
{
	for (int i = 0; i < 3; i++)
		if (s->made[i])
			close_one(&s->child[i]);
}

void streams_close(struct streams *s)
{
	streams_close_child(s);
	for (int i = 0; i < 3; i++)
		close_one(&s->ours[i]);
}
