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
	if (tar_write(from, &sink.s, &err) < 0 && err.code != -EPIPE)
		write_all(tell, &err, sizeof err);
	_exit(err.code < 0);
}

/* Starts it: its pid; DATA and TELL are the ends to read from. Or -errno. */
static pid_t start(const struct tar_write *from, int *data, int *tell)
{
	int d[2], t[2];
	pid_t pid;

	if (pipe2(d, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(t, O_CLOEXEC) < 0) {
		pid = -errno;
		close(d[0]);
		close(d[1]);
		return pid;
	}
	pid = fork();
	if (pid == 0) {
		close(d[0]);
		close(t[0]);
		writer(from, d[1], t[1]);
	}
	if (pid < 0)
		pid = -errno, close(d[0]), close(t[0]);
	close(d[1]);
	close(t[1]);
	*data = d[0];
	*tell = t[0];
	return pid;
}

int tree_copy(const struct tar_write *from, struct tar_extract *to, struct err *err)
{
	struct err theirs = { 0 };
	struct fd_source source;
	int data, tell, status, rc;
	pid_t pid = start(from, &data, &tell);

	if (pid < 0)
		return err_sys(err, pid, "start a process to copy");
	fd_source_init(&source, data);
	rc = tar_extract(to, &source.s, err);
	close(data);
	/* what the writer says is the cause; that its archive is cut short only the effect */
	if (read_full(tell, &theirs, sizeof theirs) == (ssize_t)sizeof theirs) {
		if (err)
			*err = theirs;
		rc = theirs.code;
	}
	close(tell);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0 && status)
		rc = err_msg(err, -EIO, "the copying process ended early");
	return rc;
}
