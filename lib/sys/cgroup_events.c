/* v2's events: a file that poll(2) wakes for (POLLPRI) whenever its content changes. */
#include "base/clock.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

void cgroup_pause(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* The value of KEY in the open events file, or -errno. */
static int64_t value_of(int fd, const char *key)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	if (n < 0)
		return errno == ENODEV ? -ENOENT : -errno;
	text[n] = '\0';
	return cgroup_flat(text, key);
}

int cgroup_await(const struct cgroup_hierarchy *h, const char *path, const char *key, int64_t value, int timeout_ms)
{
	int64_t end = clock_boot_ms() + timeout_ms, now;
	int fd = cgroup_file_open(h, path, "cgroup.events", O_RDONLY), r = -ETIMEDOUT;

	if (fd < 0)
		return fd;
	do {
		struct pollfd p = { fd, POLLPRI, 0 };
		int left;

		now = value_of(fd, key);
		if (now == value)
			r = 0;
		else if (now < -1)
			r = (int)now;
		left = clock_left_ms(end);
		if (r != -ETIMEDOUT || !left)
			break;
		poll(&p, 1, left);
	} while (true);
	close(fd);
	return r;
}
