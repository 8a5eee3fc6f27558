/* Layers of an archive on their way into the store. */
#include "image/archive.h"

#include "image/load.h"
#include "image/sha256.h"
#include "image/zstd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static ssize_t blob_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct archive_blob *b = (struct archive_blob *)s;
	size_t kept = b->have - b->given;
	ssize_t n;

	if (kept) {
		n = (ssize_t)(kept < len ? kept : len);
		memcpy(data, b->head + b->given, (size_t)n);
		b->given += (size_t)n;
	} else {
		n = b->from->read(b->from, data, len, err);
	}
	if (n <= 0)
		return n;
	if (b->digest)
		sha256_add(&b->sha, data, (size_t)n);
	b->passed += n;
	b->a->done += n;
	if (b->a->progress)
		b->a->progress(b->a->progress_arg, b->a->done);
	return n;
}

int archive_blob_begin(struct archive_blob *b, struct archive *a, struct source *from, struct err *err)
{
	*b = (struct archive_blob){ .s = { blob_read }, .from = from, .a = a };
	while (b->have < sizeof b->head) {
		ssize_t n = from->read(from, b->head + b->have, sizeof b->head - b->have, err);

		if (n <= 0)
			return (int)n;
		b->have += (size_t)n;
	}
	return 0;
}

enum archive_content archive_blob_content(const struct archive_blob *b)
{
	static const unsigned char zeros[TAR_BLOCK];
	size_t blank = 0;

	if (b->have == TAR_BLOCK && (memcmp(b->head + offsetof(struct tar_header, magic), "ustar", 5) == 0 || memcmp(b->head, zeros, TAR_BLOCK) == 0))
		return ARCHIVE_TAR;
	if (b->have >= 4 && ((b->head[0] == 0x1f && b->head[1] == 0x8b) || zstd_is(load32(b->head))))
		return ARCHIVE_PACKED;
	while (blank < b->have && b->head[blank] && strchr(" \t\r\n", b->head[blank]))
		blank++;
	return blank < b->have && (b->head[blank] == '{' || b->head[blank] == '[') ? ARCHIVE_TEXT : ARCHIVE_OTHER;
}

const char *archive_blob_hex(const char *name)
{
	static const char blobs[] = "blobs/sha256/";

	if (starts_with(name, blobs))
		name += sizeof blobs - 1;
	return sha256_is_hex(name) ? name : NULL;
}

static int add_layer(struct archive *a, const struct layer_made *made)
{
	a->layers = xrealloc(a->layers, (a->nlayers + 1) * sizeof *a->layers);
	a->layers[a->nlayers++] = (struct archive_layer){ .made = *made };
	return (int)a->nlayers;
}

/* One more than the place of DIFF_ID, or 0. */
static int find_layer(const struct archive *a, const char *diff_id)
{
	for (size_t i = 0; i < a->nlayers; i++)
		if (strcmp(a->layers[i].made.diff_id, diff_id) == 0)
			return (int)i + 1;
	return 0;
}

int archive_known_layer(struct archive *a, const char *diff_id)
{
	struct layer_made made;
	int at = find_layer(a, diff_id);

	if (at)
		return at;
	return layer_hold(a->folder, diff_id, &made) ? add_layer(a, &made) : 0;
}

/* What stands behind the packed layer belongs to its digest too. */
static int drain(struct archive_blob *b, struct err *err)
{
	char data[4096];
	ssize_t n;

	while ((n = blob_read(&b->s, data, sizeof data, err)) > 0)
		;
	return (int)n;
}

static int check_digest(struct archive_blob *b, const char *hex, const char *diff_id, struct err *err)
{
	char is[65];

	if (!hex)
		return 0;
	if (b->digest)
		sha256_end(&b->sha, is);
	else
		memcpy(is, diff_id, sizeof is); /* as it is: one digest is enough */
	return strcmp(is, hex) ? err_msg(err, -EINVAL, "corrupt: its digest is sha256:%s", is) : 0;
}

int archive_fill_layer(struct archive *a, struct archive_blob *b, const char *hex, struct layer_made *made, int64_t *unpacked, struct err *err)
{
	struct layer_import how = { .digested = true, .resumed = a->kind == ARCHIVE_STREAM, .max_window = a->max_window, .max_size = a->max_size };
	int rc;

	b->digest = hex && archive_blob_content(b) == ARCHIVE_PACKED;
	sha256_init(&b->sha);
	rc = layer_fill(made, &b->s, &how, err);
	if (rc == 0)
		rc = drain(b, err);
	*unpacked = how.unpacked;
	if (rc == 0)
		rc = check_digest(b, hex, how.diff_id, err);
	return rc == 0 && b->digest ? layer_note_packed(made->fd, hex, b->passed, zstd_is(load32(b->head)), err) : rc;
}

int archive_join_layer(struct archive *a, struct layer_made *made, int64_t unpacked)
{
	int at = archive_known_layer(a, made->diff_id);

	if (at) {
		layer_unmake(a->folder, made);
		return at;
	}
	if (a->max_size) /* 0 means any */
		a->max_size = unpacked < a->max_size ? a->max_size - unpacked : 1;
	return add_layer(a, made);
}

int archive_make_layer(struct archive *a, struct archive_blob *b, const char *hex, struct err *err)
{
	struct layer_made made;
	int64_t unpacked;
	int rc = layer_begin(a->folder, &made, err);

	if (rc < 0)
		return rc;
	rc = archive_fill_layer(a, b, hex, &made, &unpacked, err);
	if (rc < 0) {
		layer_unmake(a->folder, &made);
		return rc;
	}
	return archive_join_layer(a, &made, unpacked);
}
