/* An archive in a file: where its members are is found out without reading them. */
#include "image/archive.h"

#include <errno.h>
#include <unistd.h>

static ssize_t range_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct range_source *r = (struct range_source *)s;
	ssize_t n;

	if (r->most && len > r->most)
		len = r->most;
	if ((int64_t)len > r->end - r->at)
		len = (size_t)(r->end > r->at ? r->end - r->at : 0);
	do
		n = pread(r->fd, data, len, r->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, -errno, "read");
	r->at += n;
	return n;
}

void range_source_init(struct range_source *r, int fd, int64_t at, int64_t end)
{
	*r = (struct range_source){ .s = { range_read }, .fd = fd, .at = at, .end = end };
}

/* Steps over the current member's content without reading it. */
static void step_over(struct tar_reader *r, struct range_source *from)
{
	int64_t n = r->left + r->padding, have = (int64_t)(r->end - r->pos);

	if (n <= have)
		return; /* read already */
	from->at += n - have;
	r->offset += n;
	r->pos = r->end = 0;
	r->left = r->padding = 0;
}

int archive_read_index(struct archive *a, struct err *err)
{
	struct range_source from;
	struct tar_reader r;
	int64_t base = lseek(a->fd, 0, SEEK_CUR), end = lseek(a->fd, 0, SEEK_END);
	int rc;

	range_source_init(&from, a->fd, base, end);
	from.most = 4096; /* what lies between headers isn't wanted */
	tar_reader_init(&r, &from.s);
	while ((rc = tar_next(&r, err)) > 0) {
		struct archive_member *m = archive_add(a, &r, err);

		if (!m) {
			rc = err->code;
			break;
		}
		m->at = base + r.offset;
		if (r.e.sparse || r.e.size > end - m->at) {
			rc = err_msg(err, -EINVAL, r.e.sparse ? "%.200s: a sparse file" : "%.200s: truncated: the archive ends within it", m->name);
			break;
		}
		step_over(&r, &from);
	}
	tar_reader_free(&r);
	return rc;
}
