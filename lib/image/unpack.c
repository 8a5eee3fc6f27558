#include "image/unpack.h"

#include "base/buf.h"
#include "image/gzip.h"
#include "image/load.h"
#include "image/zstd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 6

struct unpack {
	struct source s;
	struct source *from;
	struct source head;           /* what was read to find out, and the rest after it */
	unsigned char magic[MAGIC];
	size_t have, given;           /* bytes in `magic`, and of those handed on */
	bool known;
	int64_t max_window;
	struct gzip *gzip;            /* one of these, or none: as it is */
	struct zstd *zstd;
};

static ssize_t head_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct unpack *u = (struct unpack *)((char *)s - offsetof(struct unpack, head));
	size_t n = u->have - u->given;

	if (!n)
		return u->from->read(u->from, data, len, err);
	n = n < len ? n : len;
	memcpy(data, u->magic + u->given, n);
	u->given += n;
	return (ssize_t)n;
}

static const char *refused(const unsigned char *m, size_t n)
{
	static const struct {
		const char *magic, *name;
		size_t len;
	} kinds[] = { { "\xfd" "7zXZ", "xz", 5 }, { "BZh", "bzip2", 3 }, { "\x04\x22\x4d\x18", "lz4", 4 } };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (n >= kinds[i].len && memcmp(m, kinds[i].magic, kinds[i].len) == 0)
			return kinds[i].name;
	return NULL;
}

static int find_out(struct unpack *u, struct err *err)
{
	const char *name;

	if (u->known)
		return 0;
	while (u->have < MAGIC) {
		ssize_t n = u->from->read(u->from, u->magic + u->have, MAGIC - u->have, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		u->have += (size_t)n;
	}
	name = refused(u->magic, u->have);
	if (name)
		return err_msg(err, -ENOTSUP, "compressed with %s, which is not supported: gzip and zstd are", name);
	if (u->have >= 2 && u->magic[0] == 0x1f && u->magic[1] == 0x8b) {
		u->gzip = xmalloc(sizeof *u->gzip);
		gzip_init(u->gzip, &u->head);
	}
	if (u->have >= 4 && zstd_is(load32(u->magic)))
		u->zstd = zstd_new(&u->head, u->max_window ? u->max_window : ZSTD_WINDOW);
	u->known = true;
	return 0;
}

static ssize_t unpack_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct unpack *u = (struct unpack *)s;
	int rc = find_out(u, err);

	if (rc < 0)
		return rc;
	if (u->gzip)
		return gzip_read(u->gzip, data, len, err);
	return u->zstd ? zstd_read(u->zstd, data, len, err) : head_read(&u->head, data, len, err);
}

struct source *unpack_new(struct source *from, int64_t max_window)
{
	struct unpack *u = xcalloc(1, sizeof *u);

	u->s.read = unpack_read;
	u->head.read = head_read;
	u->from = from;
	u->max_window = max_window;
	return &u->s;
}

int unpack_packed(struct source *unpacked, struct err *err)
{
	struct unpack *u = (struct unpack *)unpacked;
	int rc = find_out(u, err);

	return rc < 0 ? rc : u->gzip || u->zstd;
}

void unpack_free(struct source *unpacked)
{
	struct unpack *u = (struct unpack *)unpacked;

	free(u->gzip);
	zstd_free(u->zstd);
	free(u);
}
