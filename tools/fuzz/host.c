/* What the host's files say: /proc/self/mountinfo and cgroup, a group's files, /proc/PID/stat, resolv.conf. Whatever stands there is understood or
 * passed over. The input is what one file_read() after another gets, with a byte 255 between them. */
#include "check.h"
#include "scratch.h"

#include "base/file.h"
#include "ctr/hostfiles.h"
#include "sys/cgroup.h"
#include "sys/proc_info.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const unsigned char *at, *end;
static int group = -1; /* what each hierarchy is mounted from: /x is there, device 0:26 */

/* The linker puts these in the place of the program's own. */
int __wrap_file_read(int dirfd, const char *path, struct buf *out, size_t max);
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *st);
int __real_fstat(int fd, struct stat *st);

int __wrap_file_read(int dirfd, const char *path, struct buf *out, size_t max)
{
	const unsigned char *stop = memchr(at, 255, (size_t)(end - at));
	size_t n = (size_t)((stop ? stop : end) - at);

	(void)dirfd;
	(void)path;
	if (at == end)
		return -ENOENT;
	if (n > max)
		return -EFBIG;
	buf_add(out, at, n);
	at += n + !!stop;
	return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (group < 0) /* scratch_dir() */
		return __real_open(path, flags);
	if (path[0] == '/')
		return fcntl(group, F_DUPFD_CLOEXEC, 3);
	errno = ENOENT;
	return -1;
}

int __wrap_fstat(int fd, struct stat *st)
{
	int r = __real_fstat(fd, st);

	st->st_dev = makedev(0, 26);
	return r;
}

static void groups(void)
{
	struct cgroup_host host;
	struct cgroup_stat use = { 0 };
	struct err err = { 0 };

	check_told(cgroup_detect(&host, &err), &err);
	CHECK(host.unified < host.n);
	for (int i = 0; i < host.n; i++)
		CHECK(host.h[i].fd >= 0 && host.h[i].mount && host.h[i].self);
	cgroup_stat(&host, "/x", &use);
	cgroup_oom_kills(&host, "/x");
	cgroup_find(&host, "memory");
	cgroup_host_free(&host);
}

/* A server of the host's own loopback is none that a container could ask. */
static void names(void)
{
	struct record r = { .run = group, .spec = { .hostname = "x", .name = "x" } };
	char text[70000];
	struct err err = { 0 };
	ssize_t n;
	int fd;

	CHECK(hostfiles_write(&r, 0, &err) == 0);
	fd = openat(group, "resolv.conf", O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof text - 1);
	CHECK(fd >= 0 && n >= 0);
	text[n] = 0;
	CHECK(!strstr(text, "\nnameserver 127.") && strncmp(text, "nameserver 127.", 15));
	close(fd);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static void (*const all[])(void) = { groups, names };
	struct proc_info info;

	if (!len)
		return -1;
	if (group < 0) {
		group = scratch_dir();
		CHECK(mkdirat(group, "x", 0755) == 0);
	}
	at = data + 1;
	end = data + len;
	if (data[0] % 3 < 2)
		all[data[0] % 3]();
	else if (proc_info(getpid(), &info) == 0)
		free(info.command);
	return 0;
}
