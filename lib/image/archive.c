#include "image/archive.h"

#include "base/path.h"
#include "image/load.h"
#include "image/sha256.h"
#include "image/tar_place.h"
#include "image/unpack.h"
#include "image/zstd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 8

/* Whether the file is packed as a whole: then there is no stepping over anything. */
static bool packed(int fd)
{
	unsigned char magic[4];
	off_t at = lseek(fd, 0, SEEK_CUR);

	return at < 0 || (pread(fd, magic, 4, at) == 4 && ((magic[0] == 0x1f && magic[1] == 0x8b) || zstd_is(load32(magic))));
}

static int read_stream(struct archive *a, struct err *err)
{
	struct fd_source from;
	struct source *unpacked;
	int rc;

	fd_source_init(&from, a->fd);
	unpacked = unpack_new(&from.s, a->max_window);
	rc = archive_read_stream(a, unpacked, err);
	unpack_free(unpacked);
	return rc;
}

int archive_open(struct archive *a, int fd, struct err *err)
{
	struct stat st;

	a->fd = fd;
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "stat");
	a->kind = S_ISDIR(st.st_mode) ? ARCHIVE_DIR : S_ISREG(st.st_mode) && !packed(fd) ? ARCHIVE_FILE : ARCHIVE_STREAM;
	if (a->kind == ARCHIVE_FILE)
		return archive_read_index(a, err);
	return a->kind == ARCHIVE_STREAM ? read_stream(a, err) : 0;
}

void archive_close(struct archive *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		free(a->v[i].link);
		free(a->v[i].wrong);
		buf_free(&a->v[i].text);
	}
	free(a->v);
	for (size_t i = 0; i < a->nlayers; i++)
		layer_unmake(a->folder, &a->layers[i].made);
	free(a->layers);
}

/* Where a link of the current entry leads: a symlink from its own directory, a hard link from the top. */
static char *link_target(const struct tar_entry *e, const char *name)
{
	struct buf out = { 0 };
	char *path = xasprintf("%.*s/%s", e->type == '2' ? (int)tar_parent_len(name) : 0, name, e->link.p);

	tar_clean(&(struct tar_extract){ 0 }, path, &out);
	free(path);
	return out.p;
}

struct archive_member *archive_add(struct archive *a, const struct tar_reader *r, struct err *err)
{
	struct archive_member *m;
	struct buf name = { 0 };

	tar_clean(&(struct tar_extract){ 0 }, r->e.name.p, &name);
	a->kept += name.len + sizeof *m;
	if (a->kept > ARCHIVE_KEEP_MAX) {
		buf_free(&name);
		err_msg(err, -E2BIG, "too many files for an archive of images");
		return NULL;
	}
	a->v = xrealloc(a->v, (a->n + 1) * sizeof *a->v);
	m = &a->v[a->n++];
	*m = (struct archive_member){ .name = name.p, .size = r->e.type == '0' ? r->e.size : -1 };
	if (r->e.type == '1' || r->e.type == '2')
		m->link = link_target(&r->e, name.p);
	return m;
}

static struct archive_member *find(struct archive *a, const char *name)
{
	for (size_t i = a->n; i--;)
		if (strcmp(a->v[i].name, name) == 0)
			return &a->v[i];
	return NULL;
}

/* The file that NAME is or leads to, or NULL. */
static struct archive_member *find_file(struct archive *a, const char *name)
{
	struct buf clean = { 0 };
	struct archive_member *m;

	tar_clean(&(struct tar_extract){ 0 }, name, &clean);
	m = find(a, clean.p);
	for (int i = 0; m && m->link && i < LINKS_MAX; i++)
		m = find(a, m->link);
	buf_free(&clean);
	return m && m->size >= 0 ? m : NULL;
}

/* NAME in a directory or a file, as a range. The descriptor, which is the caller's if it isn't a->fd, or -errno. */
static int open_range(struct archive *a, const char *name, struct range_source *r, struct err *err)
{
	struct archive_member *m;
	struct stat st;
	int fd;

	if (a->kind == ARCHIVE_FILE) {
		m = find_file(a, name);
		if (!m)
			return err_msg(err, -ENOENT, "missing: %.200s", name);
		range_source_init(r, a->fd, m->at, m->at + m->size);
		return a->fd;
	}
	fd = path_open(a->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ENOENT)
		return err_msg(err, fd, "missing: %.200s", name);
	if (fd < 0)
		return err_sys(err, fd, "%.200s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_msg(err, -EINVAL, "%.200s: not a regular file", name);
	}
	range_source_init(r, fd, 0, st.st_size);
	return fd;
}

static int read_range(struct range_source *r, struct buf *out, struct err *err)
{
	if (r->end - r->at > ARCHIVE_TEXT_MAX)
		return err_msg(err, -EFBIG, "%lld bytes are too many for what should be JSON", (long long)(r->end - r->at));
	return source_text(&r->s, ARCHIVE_TEXT_MAX, out, err);
}

static int stream_text(struct archive *a, const char *name, struct buf *out, struct err *err)
{
	struct archive_member *m = find_file(a, name);

	if (!m)
		return err_msg(err, -ENOENT, "missing: %.200s", name);
	if (!m->text.len)
		return err_msg(err, -EINVAL, "%s", m->wrong ? m->wrong : "not JSON");
	buf_add(out, m->text.p, m->text.len);
	return 0;
}

static int check_text(const char *text, size_t len, const char *hex, struct err *err)
{
	size_t values = 0;
	char is[65];

	for (size_t i = 0; i < len; i++)
		values += text[i] == ',' || text[i] == '[' || text[i] == '{';
	if (values > ARCHIVE_VALUES_MAX)
		return err_msg(err, -E2BIG, "more than %d values", ARCHIVE_VALUES_MAX);
	sha256_hex(text, len, is);
	return hex && strcmp(is, hex) ? err_msg(err, -EINVAL, "corrupt: its digest is sha256:%s", is) : 0;
}

int archive_text(struct archive *a, const char *name, const char *hex, struct buf *out, struct err *err)
{
	struct range_source r;
	size_t before = out->len;
	int fd, rc;

	buf_str(out, "");
	if (a->kind == ARCHIVE_REMOTE) {
		rc = a->remote->text(a->remote, name, out, err);
	} else if (a->kind == ARCHIVE_STREAM) {
		rc = stream_text(a, name, out, err);
	} else {
		rc = fd = open_range(a, name, &r, err);
		if (fd >= 0)
			rc = read_range(&r, out, err);
		if (fd >= 0 && fd != a->fd)
			close(fd);
	}
	if (rc == -ENOENT)
		return rc;
	if (rc == 0)
		rc = check_text(out->p + before, out->len - before, hex, err);
	return rc < 0 ? err_prefix(err, "%.200s", name) : 0;
}

/* The layer of a member that can be read now. */
static int read_layer(struct archive *a, const char *name, const char *hex, struct err *err)
{
	struct range_source r;
	struct archive_blob b;
	int fd = open_range(a, name, &r, err), rc;

	if (fd < 0)
		return fd;
	rc = archive_blob_begin(&b, a, &r.s, err);
	if (rc == 0)
		rc = archive_make_layer(a, &b, hex, err);
	if (fd != a->fd)
		close(fd);
	return rc < 0 ? err_prefix(err, "%.200s", name) : rc;
}

/* The layer of a member that was read long ago. */
static int stream_layer(struct archive *a, const char *name, struct err *err)
{
	struct archive_member *m = find_file(a, name);

	if (!m)
		return err_msg(err, -ENOENT, "missing: %.200s", name);
	if (!m->layer)
		return err_msg(err, -EINVAL, "%.200s: %s", name, m->wrong ? m->wrong : "not a layer");
	return (int)m->layer;
}

int archive_layer(struct archive *a, const char *name, const char *hex, const char *diff_id, struct err *err)
{
	int at = archive_known_layer(a, diff_id);

	if (!at)
		at = a->kind == ARCHIVE_STREAM ? stream_layer(a, name, err) : read_layer(a, name, hex, err);
	if (at < 0)
		return at;
	if (strcmp(a->layers[at - 1].made.diff_id, diff_id))
		return err_msg(err, -EINVAL, "%.200s: corrupt: unpacked its digest is sha256:%s, not sha256:%s", name, a->layers[at - 1].made.diff_id, diff_id);
	a->layers[at - 1].wanted = true;
	return 0;
}
