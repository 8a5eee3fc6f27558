#include "image/tar.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The writing process: its error, if any, goes to TELL. A reader that has given up (EPIPE) has its own reason. */
static void writer(const struct tar_write *from, int data, int tell)
{
	struct err err = { 0 };
	struct fd_sink sink;

	signal(SIGPIPE, SIG_IGN);
	fd_sink_init(&sink, data);
	if (tar_write(from, &sink.s, &err) == 0 || err.code == -EPIPE)
		_exit(0);
	write_all(tell, &err, sizeof err);
	_exit(1);
}

int tree_source_begin(struct tree_source *s, const struct tar_write *from, struct err *err)
{
	int d[2], t[2];

	if (pipe2(d, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	if (pipe2(t, O_CLOEXEC) < 0) {
		err_sys(err, -errno, "make a pipe");
		close(d[0]);
		close(d[1]);
		return -EMFILE;
	}
	s->pid = fork();
	if (s->pid == 0) {
		close(d[0]);
		close(t[0]);
		writer(from, d[1], t[1]);
	}
	if (s->pid < 0)
		err_sys(err, -errno, "start a process to read files");
	close(d[1]);
	close(t[1]);
	fd_source_init(&s->from, d[0]);
	s->tell = t[0];
	return s->pid < 0 ? tree_source_end(s, -EAGAIN, NULL) : 0;
}

int tree_source_end(struct tree_source *s, int rc, struct err *err)
{
	struct err theirs = { 0 };
	int status = 0;
	bool told;

	close(s->from.fd);
	told = read_full(s->tell, &theirs, sizeof theirs) == (ssize_t)sizeof theirs;
	close(s->tell);
	while (s->pid > 0 && waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	/* what became of the writer is the cause; that its archive is cut short only the effect */
	if (told && err)
		*err = theirs;
	if (told)
		return theirs.code;
	return status ? err_msg(err, -EIO, "the process that reads files ended early") : rc;
}

int tree_copy(const struct tar_write *from, struct tar_extract *to, struct err *err)
{
	struct tree_source s;
	int rc = tree_source_begin(&s, from, err);

	return rc < 0 ? rc : tree_source_end(&s, tar_extract(to, &s.from.s, err), err);
}
