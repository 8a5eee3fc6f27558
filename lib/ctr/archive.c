#include "ctr/archive.h"
#include "base/say.h"
#include <errno.h>
#include <fcntl.h>
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

int archive_output(const char *file)
{
	return use(file, file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO,
		   "stdout is a terminal: send the tar to a file");
}

void archive_drop(const char *file, int fd)
{
	struct stat st;

	if (file && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		unlink(file);
}
