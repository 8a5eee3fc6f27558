/* A blob on its way: a connection that is cut is made anew and the blob read on (RFC 9110, 14: range requests). */
#include "image/registry.h"

#include "base/interrupt.h"
#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "bytes 100-199/200": whether it begins at AT. */
static bool range_begins(const char *range, int64_t at)
{
	char *want = xasprintf("bytes %lld-", (long long)at);
	bool good = range && starts_with(range, want);

	free(want);
	return good;
}

/* What was read before comes again, from a server that knows no ranges. */
static int skip(struct registry_blob *b, struct err *err)
{
	char data[4096];
	int64_t left = b->at;

	while (left > 0) {
		ssize_t n = b->a.s.read(&b->a.s, data, left < (int64_t)sizeof data ? (size_t)left : sizeof data, err);

		if (n <= 0)
			return n < 0 ? (int)n : err_msg(err, -EPROTO, "it is shorter than it was");
		left -= n;
	}
	return 0;
}

/* The length that is told is the first thing that may be wrong. */
static int check_length(const struct registry_blob *b, int64_t from, struct err *err)
{
	if (b->a.body != HTTP_LENGTH || b->size < 0 || b->a.left == b->size - from)
		return 0;
	return err_msg(err, -EINVAL, "the registry has %lld bytes of it, not %lld", (long long)(b->a.left + from), (long long)b->size);
}

static int open_at(struct registry_blob *b, struct err *err)
{
	struct strs headers = { 0 };
	bool part;
	int rc;

	if (b->at)
		strs_fmt(&headers, "Range: bytes=%lld-", (long long)b->at);
	rc = registry_get(b->r, b->path, &headers, &b->a, err);
	strs_free(&headers);
	if (rc < 0)
		return rc;
	b->open = true;
	part = b->a.status == 206;
	if (part && !range_begins(http_header(&b->a, "content-range"), b->at))
		return err_msg(err, -EPROTO, "it answers with another part than it was asked for");
	rc = check_length(b, part ? b->at : 0, err);
	return rc == 0 && !part ? skip(b, err) : rc;
}

static void shut(struct registry_blob *b)
{
	if (b->open)
		http_end(&b->a);
	b->open = false;
}

void registry_pause(int n)
{
	int64_t ms = n > 1 ? 50LL << n : 0;
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	if (ms)
		nanosleep(&t, NULL);
}

static ssize_t attempt(struct registry_blob *b, void *data, size_t len, struct err *err)
{
	ssize_t n = b->open ? 0 : open_at(b, err);

	if (n == 0)
		n = b->a.s.read(&b->a.s, data, len, err);
	if (n == 0 && b->size >= 0 && b->at < b->size)
		return err_msg(err, -ECONNRESET, "cut off after %lld of %lld bytes", (long long)b->at, (long long)b->size);
	if (n > 0 && b->size >= 0 && b->at + n > b->size)
		return err_msg(err, -EINVAL, "it is larger than the %lld bytes that its manifest tells of", (long long)b->size);
	return n;
}

static ssize_t blob_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct registry_blob *b = (struct registry_blob *)s;
	ssize_t n;

	if (b->ended)
		return 0;
	while ((n = attempt(b, data, len, err)) < 0) {
		shut(b);
		if (!http_was_cut((int)n) || ++b->tries == REGISTRY_TRIES || interrupted())
			return n;
		registry_pause(b->tries);
	}
	if (n > 0)
		b->tries = 0;
	b->at += n;
	b->ended = n == 0;
	return n;
}

void registry_blob_init(struct registry_blob *b, struct registry *r, const char *hex, int64_t size)
{
	*b = (struct registry_blob){ .s = { blob_read }, .r = r, .path = xasprintf("blobs/sha256:%s", hex), .size = size };
}

void registry_blob_end(struct registry_blob *b)
{
	shut(b);
	free(b->path);
}
