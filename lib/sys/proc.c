#include "sys/proc.h"

#include "base/kernel.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

/* What /proc/PID/stat (proc_pid_stat(5)) says of a process. */
struct stat_line {
	char state;
	uint64_t start;
};

static int read_stat(pid_t pid, struct stat_line *out)
{
	char text[1024], *p;
	ssize_t n;
	int fd;

	snprintf(text, sizeof text, "/proc/%d/stat", (int)pid);
	fd = openat(AT_FDCWD, text, O_RDONLY | O_CLOEXEC); /* musl's open() makes a second call for O_CLOEXEC */
	if (fd < 0)
		return -errno;
	n = kernel_result(read(fd, text, sizeof text - 1));
	close(fd);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	/* Field 2 is the command in parentheses and may hold any byte, ')' and ' ' too: count from the last one. */
	p = strrchr(text, ')');
	if (!p || p[1] != ' ' || !p[2])
		return -EINVAL;
	out->state = p[2];
	p++; /* the blank before field 3 */
	for (int field = 3; field < 22; field++) {
		p = strchr(p + 1, ' ');
		if (!p)
			return -EINVAL;
	}
	out->start = strtoull(p + 1, NULL, 10);
	return 0;
}

uint64_t proc_start_time(pid_t pid)
{
	struct stat_line s;

	return read_stat(pid, &s) < 0 ? 0 : s.start;
}

int proc_open(pid_t pid, uint64_t start_time)
{
	int fd = sys_pidfd_open(pid);

	/* The descriptor pins whoever has the pid now; if that one started then, it is the one meant. */
	if (fd >= 0 && proc_start_time(pid) != start_time) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

bool proc_alive(pid_t pid, uint64_t start_time)
{
	struct stat_line s;

	return read_stat(pid, &s) == 0 && s.start == start_time && s.state != 'Z' && s.state != 'X';
}

int proc_fs_open(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs = { 0 };

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return fd;
	close(fd);
	return -ENOTSUP;
}

int proc_self_open(const char *name)
{
	struct open_how how = {
		.flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};
	int proc = proc_fs_open("/proc"), fd;
	char path[64];

	if (proc < 0)
		return proc;
	snprintf(path, sizeof path, "thread-self/%s", name);
	fd = sys_openat2(proc, path, &how);
	close(proc);
	return fd;
}
