#include "base/clock.h"
#include "base/file.h"
#include "base/say.h"
#include "ctr/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line of the file, cut into its parts. A damaged line (a power cut's) is shown as it stands. */
struct entry {
	char when[36];
	const char *text;
	size_t len;
	bool stderr_, partial;
};

static void parse(const char *line, size_t n, struct entry *e)
{
	const char *stream = memchr(line, ' ', n);

	*e = (struct entry){ .text = line, .len = n };
	if (!stream || stream - line >= (long)sizeof e->when || n - (size_t)(stream - line) < 10 ||
	    (strncmp(stream, " stdout ", 8) && strncmp(stream, " stderr ", 8)) || stream[9] != ' ')
		return;
	memcpy(e->when, line, (size_t)(stream - line));
	e->when[stream - line] = 0;
	e->stderr_ = stream[4] == 'e';
	e->partial = stream[8] == 'P';
	e->text = stream + 10;
	e->len = n - (size_t)(e->text - line);
}

static int show(const struct entry *e, const struct log_query *q, bool *open_line)
{
	struct buf b = { 0 };
	int64_t when = 0;
	int r;

	if (q->since_ns && *e->when && clock_parse(e->when, &when) == 0 && when < q->since_ns)
		return 0;
	if (q->timestamps && !*open_line)
		buf_fmt(&b, "%s ", e->when);
	buf_add(&b, e->text, e->len);
	if (!e->partial)
		buf_char(&b, '\n');
	*open_line = e->partial;
	r = write_all(e->stderr_ ? STDERR_FILENO : STDOUT_FILENO, b.p, b.len);
	buf_free(&b);
	return r;
}

/* Shows whole lines of FD from *OFFSET on; what lacks its newline waits for the next call. */
static int show_from(int fd, int64_t *offset, const struct log_query *q, bool *open_line)
{
	struct buf b = { 0 };
	int r = 0;

	for (;;) {
		ssize_t n;
		char *line, *end;

		buf_reserve(&b, 65536);
		n = pread(fd, b.p + b.len, 65536, *offset + (int64_t)b.len);
		if (n <= 0)
			break;
		b.len += (size_t)n;
		for (line = b.p; !r && (end = memchr(line, '\n', b.len - (size_t)(line - b.p))); line = end + 1) {
			struct entry e;

			parse(line, (size_t)(end - line), &e);
			r = show(&e, q, open_line);
		}
		*offset += line - b.p;
		b.len -= (size_t)(line - b.p);
		memmove(b.p, line, b.len);
		if (r < 0)
			break;
	}
	buf_free(&b);
	return r;
}

/* Where the last N lines of FD begin; *N becomes how many are still wanted before it. */
static int64_t tail_offset(int fd, int64_t *n)
{
	struct stat st;
	int64_t at = fstat(fd, &st) == 0 ? st.st_size : 0;
	char chunk[4096];
	bool last = true; /* the newline that ends the last line isn't one before it */

	while (at > 0) {
		size_t len = at < (int64_t)sizeof chunk ? (size_t)at : sizeof chunk;

		if (pread(fd, chunk, len, at - (int64_t)len) != (ssize_t)len)
			return 0;
		for (size_t i = len; i > 0; i--) {
			if (chunk[i - 1] != '\n')
				continue;
			if (!last && --*n == 0)
				return at - (int64_t)(len - i);
			last = false;
		}
		at -= (int64_t)len;
	}
	if (!last)
		--*n; /* the first line has no newline before it */
	return 0;
}

static int open_log(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int log_print(int dir, const struct log_query *q, int64_t *offset, struct err *err)
{
	int now = open_log(dir, "log"), old = open_log(dir, "log.1"), r = 0;
	int64_t left = q->tail, old_at = 0;
	bool open_line = false;

	*offset = 0;
	if (q->tail >= 0) {
		if (q->tail == 0)
			*offset = now >= 0 ? lseek(now, 0, SEEK_END) : 0;
		else if (now >= 0)
			*offset = tail_offset(now, &left);
		if (old >= 0)
			old_at = left > 0 ? tail_offset(old, &left) : lseek(old, 0, SEEK_END);
	}
	if (old >= 0)
		r = show_from(old, &old_at, q, &open_line);
	if (!r && now >= 0)
		r = show_from(now, offset, q, &open_line);
	if (old >= 0)
		close(old);
	if (now >= 0)
		close(now);
	if (now < 0 && now != -ENOENT)
		return err_sys(err, now, "open the container's log");
	return r < 0 ? err_sys(err, r, "print the log") : 0;
}

int log_follow(int dir, const struct log_query *q, int64_t *offset, struct err *err)
{
	struct stat st;
	bool open_line = false;
	int fd = open_log(dir, "log"), r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : err_sys(err, fd, "open the container's log");
	if (fstat(fd, &st) == 0 && st.st_size < *offset) {
		int old = open_log(dir, "log.1"); /* rotated: first the rest of what it was */

		if (old >= 0) {
			show_from(old, offset, q, &open_line);
			close(old);
		}
		*offset = 0;
	}
	r = show_from(fd, offset, q, &open_line);
	close(fd);
	return r < 0 ? err_sys(err, r, "print the log") : 0;
}
