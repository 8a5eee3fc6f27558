#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "ctr/log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
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

/* Where we read: a file keeps its descriptor when it is rotated away. */
struct reader {
	const struct log_query *q;
	int dir, fd;        /* -1: none yet */
	int64_t at;
	bool open_line;     /* a part without its newline was shown last */
};

/* Shows the whole lines from where we are to the end; what lacks its newline waits for the next call. */
static int show_rest(struct reader *r)
{
	struct buf b = { 0 };
	int code = 0;

	while (r->fd >= 0 && !code) {
		ssize_t n;
		char *line, *end;

		buf_reserve(&b, 65536);
		n = pread(r->fd, b.p + b.len, 65536, r->at + (int64_t)b.len);
		if (n <= 0)
			break;
		b.len += (size_t)n;
		for (line = b.p; !code && (end = memchr(line, '\n', b.len - (size_t)(line - b.p))); line = end + 1) {
			struct entry e;

			parse(line, (size_t)(end - line), &e);
			code = show(&e, r->q, &r->open_line);
		}
		r->at += line - b.p;
		b.len -= (size_t)(line - b.p);
		memmove(b.p, line, b.len);
	}
	buf_free(&b);
	return code;
}

static bool partial_at(int fd, int64_t at)
{
	char head[64];
	struct entry e;
	ssize_t n = pread(fd, head, sizeof head, at);

	if (n <= 0)
		return false;
	parse(head, (size_t)n, &e);
	return e.partial;
}

/* Going back through a file's lines. */
struct tail {
	int fd;
	int64_t left;       /* lines still wanted; the parts of one count as one */
	int64_t next;       /* where the line after this one begins; -1: there is none */
};

/* A line begins at AT: if the one after it is no continuation, that was one. True if it was the last one wanted. */
static bool count_line(struct tail *t, int64_t at)
{
	return t->next >= 0 && !partial_at(t->fd, at) && --t->left == 0;
}

/* Where the last t->left lines begin. */
static int64_t tail_offset(struct tail *t)
{
	int64_t size = lseek(t->fd, 0, SEEK_END), at = size;
	char chunk[4096];

	t->next = -1;
	while (at > 0) {
		size_t len = at < (int64_t)sizeof chunk ? (size_t)at : sizeof chunk;

		at -= (int64_t)len;
		if (pread(t->fd, chunk, len, at) != (ssize_t)len)
			return 0;
		for (size_t i = len; i > 0; i--) {
			int64_t line = at + (int64_t)i;

			if (chunk[i - 1] != '\n' || line == size)
				continue;
			if (count_line(t, line))
				return t->next;
			t->next = line;
		}
	}
	if (count_line(t, 0))
		return t->next;
	t->left -= size > 0;
	return 0;
}

static int open_log(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool same_file(int fd, int dir, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino;
}

/* Both files, which belong together: a rotation between the two openings would leave one out. */
static int open_both(int dir, int *log)
{
	int old, again;

	for (;;) {
		old = open_log(dir, "log.1");
		*log = open_log(dir, "log");
		again = old < 0 ? file_there(dir, "log.1") : !same_file(old, dir, "log.1");
		if (!again)
			return old;
		if (old >= 0)
			close(old);
		if (*log >= 0)
			close(*log);
	}
}

/* The first file, and the place in it, that the query asks for. */
static void begin(struct reader *r)
{
	int old = open_both(r->dir, &r->fd);
	struct tail t = { .left = r->q->tail, .fd = r->fd };

	if (t.left == 0 && r->fd >= 0)
		r->at = lseek(r->fd, 0, SEEK_END);
	if (t.left > 0 && r->fd >= 0)
		r->at = tail_offset(&t);
	if (t.left == 0 || old < 0) {
		if (old >= 0)
			close(old);
		return;
	}
	if (r->fd >= 0)
		close(r->fd);
	r->fd = t.fd = old;
	r->at = t.left > 0 ? tail_offset(&t) : 0;
}

/* Whether nothing else comes between the file at hand, or none, and "log". */
static bool before_log(const struct reader *r)
{
	return r->fd < 0 ? !file_there(r->dir, "log.1") : same_file(r->fd, r->dir, "log.1");
}

/* The file after the one at hand, as far as it is there still. */
static int open_next(const struct reader *r)
{
	int fd;

	while (before_log(r)) {
		fd = open_log(r->dir, "log");
		if (fd < 0 || before_log(r)) /* no rotation meanwhile */
			return fd;
		close(fd);
	}
	return open_log(r->dir, "log.1");
}

/* Moves on to it when the one at hand is read to its end. False: there is none. */
static bool next_file(struct reader *r)
{
	int fd;

	if (r->fd >= 0 && same_file(r->fd, r->dir, "log"))
		return false;
	fd = open_next(r);
	if (fd < 0)
		return false;
	show_rest(r);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = fd;
	r->at = 0;
	return true;
}

/* Waits until something changes in the log's directory: 1, END ends: 0, or nobody reads us any more: -EPIPE. */
static int await(int changes, int end)
{
	struct pollfd p[] = { { changes, POLLIN, 0 }, { end, POLLIN, 0 }, { STDOUT_FILENO, 0, 0 } };
	char events[4096];

	while (poll(p, 3, -1) < 0 && errno == EINTR)
		;
	if (p[2].revents & POLLERR)
		return -EPIPE;
	if (p[0].revents && read(changes, events, sizeof events) < 0 && errno != EAGAIN)
		return -errno;
	return p[1].revents ? 0 : 1;
}

static int watch(int dir, struct err *err)
{
	char path[32];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd >= 0 && inotify_add_watch(fd, path_of_fd(dir, path), IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0)
		return fd;
	err_sys(err, -errno, "watch the container's log");
	if (fd >= 0)
		close(fd);
	return err ? err->code : -EIO;
}

int log_show(int dir, const struct log_query *q, int end, struct err *err)
{
	struct reader r = { .q = q, .dir = dir };
	int changes = end < 0 ? -1 : watch(dir, err), more = end >= 0, code;

	if (end >= 0 && changes < 0)
		return changes;
	begin(&r);
	for (;;) {
		code = show_rest(&r);
		if (code < 0)
			break;
		if (next_file(&r))
			continue;
		if (more <= 0)
			break;
		more = await(changes, end);
	}
	if (r.fd >= 0)
		close(r.fd);
	if (changes >= 0)
		close(changes);
	if (code == -EPIPE || more == -EPIPE)
		return 0;
	return code < 0 ? err_sys(err, code, "print the log") : 0;
}
