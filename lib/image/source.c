#include "image/tar.h"

#include "base/file.h"
#include "base/interrupt.h"

#include <errno.h>
#include <unistd.h>

static ssize_t fd_read(struct source *s, void *data, size_t len, struct err *err)
{
	ssize_t n;

	do
		n = read(((struct fd_source *)s)->fd, data, len);
	while (n < 0 && errno == EINTR && !interrupted());
	return n < 0 ? err_sys(err, -errno, "read") : n;
}

static int fd_write(struct sink *s, const void *data, size_t len, struct err *err)
{
	int rc = interrupted() ? -EINTR : write_all(((struct fd_sink *)s)->fd, data, len);

	return rc < 0 ? err_sys(err, rc, "write") : 0;
}

int source_text(struct source *s, size_t max, struct buf *out, struct err *err)
{
	size_t before = out->len;
	char data[4096];
	ssize_t n;

	while ((n = s->read(s, data, sizeof data, err)) > 0) {
		if (out->len - before + (size_t)n > max)
			return err_msg(err, -EFBIG, "more than %zu bytes are too many for what should be JSON", max);
		buf_add(out, data, (size_t)n);
	}
	return (int)n;
}

void fd_source_init(struct fd_source *s, int fd)
{
	*s = (struct fd_source){ { fd_read }, fd };
}

void fd_sink_init(struct fd_sink *s, int fd)
{
	*s = (struct fd_sink){ { fd_write }, fd };
}
