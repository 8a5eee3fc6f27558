/* An archive that can be read but once: what comes is known by its content, since what tells its meaning may come last. */
#include "image/archive.h"

#include "image/sha256.h"

#include <errno.h>
#include <string.h>

/* The current member's content. */
struct member_source {
	struct source s;
	struct tar_reader *r;
	bool failed;                 /* it was the archive that couldn't be read on */
};

static ssize_t member_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct member_source *m = (struct member_source *)s;
	const char *from;
	ssize_t n = tar_content(m->r, (int64_t)len, &from, err);

	if (n > 0)
		memcpy(data, from, (size_t)n);
	m->failed |= n < 0;
	return n;
}

static int keep_text(struct archive *a, struct archive_member *m, struct archive_blob *b, struct err *err)
{
	ssize_t n = 1;

	if (m->size > ARCHIVE_TEXT_MAX || m->size > ARCHIVE_KEEP_MAX - (int64_t)a->kept) {
		m->wrong = xstrdup("it is too large to be kept");
		return 0;
	}
	a->kept += (size_t)m->size;
	buf_reserve(&m->text, (size_t)m->size);
	while (n > 0 && m->text.len < (size_t)m->size) {
		char data[4096];

		n = b->s.read(&b->s, data, sizeof data, err);
		if (n > 0)
			buf_add(&m->text, data, (size_t)n);
	}
	return n < 0 ? (int)n : 0;
}

/* A layer without compression may be named after what it is: then one that is in the store needn't be unpacked. */
static int known_by_name(struct archive *a, const char *name)
{
	char hex[65];
	const char *last = strrchr(name, '/');
	size_t n;

	last = last ? last + 1 : name;
	n = strlen(last);
	if (n != 64 && !(n == 68 && ends_with(last, ".tar")))
		return 0;
	memcpy(hex, last, 64);
	hex[64] = 0;
	return sha256_is_hex(hex) ? archive_known_layer(a, hex) : 0;
}

/* What is wrong with one layer is told if an image turns out to have it. What is wrong with the archive or the store is told now. */
static int take_layer(struct archive *a, struct archive_member *m, struct archive_blob *b, struct err *err)
{
	struct member_source *from = (struct member_source *)b->from;
	int at = archive_blob_content(b) == ARCHIVE_TAR ? known_by_name(a, m->name) : 0;

	if (!at)
		at = archive_make_layer(a, b, archive_blob_hex(m->name), err);
	if (at > 0) {
		m->layer = (size_t)at;
		return 0;
	}
	if (from->failed || !layer_is_bad(at))
		return from->failed ? at : err_prefix(err, "%.100s", m->name);
	m->wrong = xstrdup(err->text);
	err->code = 0;
	return 0;
}

static int take_file(struct archive *a, struct tar_reader *r, struct archive_member *m, struct err *err)
{
	struct member_source from = { .s = { member_read }, .r = r };
	struct archive_blob b;
	enum archive_content content;
	int rc = archive_blob_begin(&b, a, &from.s, err);

	if (rc < 0)
		return rc;
	content = archive_blob_content(&b);
	if (content == ARCHIVE_TEXT)
		return keep_text(a, m, &b, err);
	if (content == ARCHIVE_TAR || content == ARCHIVE_PACKED)
		return take_layer(a, m, &b, err);
	m->wrong = xstrdup("it is neither a tar, nor packed by gzip or zstd");
	return 0;
}

int archive_read_stream(struct archive *a, struct source *from, struct err *err)
{
	struct tar_reader r;
	int rc;

	tar_reader_init(&r, from);
	while ((rc = tar_next(&r, err)) > 0) {
		struct archive_member *m = archive_add(a, &r, err);

		rc = !m ? err->code : r.e.type == '0' ? take_file(a, &r, m, err) : 0;
		if (rc < 0)
			break;
	}
	if (rc == 0)
		rc = tar_drain(&r, err); /* or who writes it would get EPIPE */
	tar_reader_free(&r);
	return rc;
}
