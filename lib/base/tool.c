#include "base/tool.h"

#include "base/buf.h"
#include "base/kernel.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SAID_MAX 4096

char *tool_find(const char *name)
{
	const char *dir = getenv("PATH");

	for (size_t n; dir && *dir; dir += n + (dir[n] == ':')) {
		char *path;

		n = strcspn(dir, ":");
		if (*dir != '/')
			continue;
		path = xasprintf("%.*s/%s", (int)n, dir, name);
		if (faccessat(AT_FDCWD, path, X_OK, 0) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static void become(char **argv, const struct tool_files *f)
{
	int input = f->input >= 0 ? f->input : open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(input, STDIN_FILENO);
	dup2(f->output, STDOUT_FILENO);
	dup2(f->errors, STDERR_FILENO);
	if (f->third >= 0) {
		dup2(f->third, 3);
		fcntl(3, F_SETFD, 0);
	}
	sys_close_range(f->third >= 0 ? 4 : 3, 0);
	execv(argv[0], argv);
	_exit(127);
}

/* All that it says, as far as there is room. */
static void listen_to(int fd, struct buf *said)
{
	char part[512];
	ssize_t n;

	while ((n = read(fd, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && said->len + (size_t)n < SAID_MAX)
			buf_add(said, part, (size_t)n);
}

const char *tool_last_line(struct buf *said)
{
	char *line;

	while (said->len && said->p[said->len - 1] == '\n')
		said->p[--said->len] = 0;
	line = said->len ? strrchr(said->p, '\n') : NULL;
	return line ? line + 1 : said->len ? said->p : "it said nothing";
}

int tool_run(char **argv, struct err *err)
{
	struct buf said = { 0 };
	int pipe[2], status = 0, r = 0;
	pid_t pid;

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	pid = fork();
	if (!pid)
		become(argv, &(struct tool_files){ -1, pipe[1], pipe[1], -1 });
	close(pipe[1]);
	if (pid < 0)
		r = err_sys(err, -errno, "start %s", argv[0]);
	else
		listen_to(pipe[0], &said);
	close(pipe[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		r = err_msg(err, -ECHILD, "%s: %s", argv[0], tool_last_line(&said));
	buf_free(&said);
	return r;
}

pid_t tool_start(char **argv, const struct tool_files *files)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	become(argv, files);
	_exit(127);
}
