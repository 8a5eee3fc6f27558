#include "ctr/log.h"
#include "base/clock.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int open_file(struct log *l, struct err *err)
{
	struct stat st;

	l->fd = openat(l->dir, "log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (l->fd < 0)
		return err_sys(err, -errno, "open the container's log");
	l->size = fstat(l->fd, &st) == 0 ? st.st_size : 0;
	return 0;
}

static int open_syslog(struct log *l, struct err *err)
{
	struct sockaddr_un to = { AF_UNIX, "/dev/log" };

	l->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof to) < 0)
		return err_sys(err, -errno, "connect to the system log at /dev/log");
	l->syslog = true;
	return 0;
}

int log_open(struct log *l, int dir, const char *driver, int64_t max, const char *name, struct err *err)
{
	*l = (struct log){ .dir = dir, .fd = -1, .max = max ? max : 10 << 20, .tag = xstrdup(name) };
	if (!strcmp(driver, "none"))
		return 0;
	return !strcmp(driver, "syslog") ? open_syslog(l, err) : open_file(l, err);
}

void log_close(struct log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->tag);
	*l = (struct log){ .fd = -1 };
}

/* The file is full: it becomes log.1, whose place the one before loses. */
static void rotate(struct log *l)
{
	renameat(l->dir, "log", l->dir, "log.1");
	close(l->fd);
	open_file(l, NULL);
}

static void put_file(struct log *l, const struct buf *b)
{
	if (l->size && l->size + (int64_t)b->len > l->max)
		rotate(l);
	if (l->fd >= 0 && write_all(l->fd, b->p, b->len) == 0)
		l->size += (int64_t)b->len;
}

static void put_syslog(const struct log *l, const char *stream, const char *line, size_t n)
{
	char text[1024];
	int len = snprintf(text, sizeof text, "<%d>%s: %.*s", *stream && stream[3] == 'e' ? 27 : 30, l->tag, (int)n, line);

	send(l->fd, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1, MSG_NOSIGNAL);
}

void log_write(struct log *l, const char *stream, const char *data, size_t n)
{
	char when[36];
	struct buf b = { 0 };

	if (l->fd < 0)
		return;
	clock_rfc3339(clock_wall_ns(), when);
	for (size_t len; n; data += len, n -= len) {
		const char *end = memchr(data, '\n', n);

		len = end ? (size_t)(end - data) + 1 : n;
		if (l->syslog) {
			put_syslog(l, stream, data, len - (end != NULL));
			continue;
		}
		buf_fmt(&b, "%s %s %c ", when, stream, end ? 'F' : 'P');
		buf_add(&b, data, len);
		if (!end)
			buf_char(&b, '\n');
	}
	if (b.len)
		put_file(l, &b);
	buf_free(&b);
}
