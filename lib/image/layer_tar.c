/* A layer back as a tar: from its index the very bytes that came in, without one (a layer whose names were stripped, or of an older
 * store) as tar_write writes its tree. */
#include "image/save.h"

#include "base/file.h"
#include "image/sha256.h"
#include "image/store.h"
#include "image/tar_index.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A sink that digests and counts what passes through it; TO may be NULL. */
struct digest_sink {
	struct sink s;
	struct sink *to;
	struct sha256 sha;
	int64_t len;
};

static int digest_write(struct sink *s, const void *data, size_t len, struct err *err)
{
	struct digest_sink *d = (struct digest_sink *)s;

	sha256_add(&d->sha, data, len);
	d->len += (int64_t)len;
	return d->to ? d->to->write(d->to, data, len, err) : 0;
}

/* The layer's directory, which nobody removes while it is open. fd or -errno, told. */
static int hold(int store, const char *diff_id, struct err *err)
{
	int folder = store_folder(store, LAYERS, err), fd;

	if (folder < 0)
		return folder;
	fd = folder_lock(folder, diff_id, LOCK_SH);
	close(folder);
	return fd < 0 ? err_sys(err, fd, "open it") : fd;
}

/* The layer in DIR to SINK, by its index or not. */
static int write_tar(int dir, bool indexed, struct sink *to, struct err *err)
{
	int tree = dir_open(dir, "tree"), rc;

	if (tree < 0)
		return err_sys(err, tree, "open its tree");
	if (indexed)
		rc = tar_index_replay(dir, tree, to, err);
	else
		rc = tar_write(&(struct tar_write){ .rootfd = tree, .whiteouts = true, .cross_mounts = true }, to, err);
	close(tree);
	return rc;
}

static int plan(int dir, struct layer_tar *t, struct err *err)
{
	struct digest_sink d = { .s = { digest_write } };
	int rc;

	t->length = tar_index_length(dir);
	t->indexed = t->length != -ENOENT;
	if (t->length >= 0)
		return 0;
	if (t->indexed)
		return err_sys(err, (int)t->length, "read its %s", TAR_INDEX_FILE);
	sha256_init(&d.sha);
	rc = write_tar(dir, false, &d.s, err);
	sha256_end(&d.sha, t->digest);
	t->length = d.len;
	return rc;
}

int layer_tar_plan(int store, const char *diff_id, struct layer_tar *t, struct err *err)
{
	int dir = hold(store, diff_id, err), rc = dir;

	t->packing = NULL;
	memcpy(t->diff_id, diff_id, sizeof t->diff_id);
	memcpy(t->digest, diff_id, sizeof t->digest);
	if (dir >= 0) {
		rc = plan(dir, t, err);
		close(dir);
	}
	return rc < 0 ? err_prefix(err, "layer %.12s", diff_id) : 0;
}

int layer_tar_write(int store, const struct layer_tar *t, struct sink *to, struct err *err)
{
	struct digest_sink d = { .s = { digest_write }, .to = to };
	int dir = hold(store, t->diff_id, err), rc = dir;
	char digest[65];

	if (dir >= 0) {
		sha256_init(&d.sha);
		rc = write_tar(dir, t->indexed, &d.s, err);
		sha256_end(&d.sha, digest);
		close(dir);
	}
	if (rc >= 0 && (d.len != t->length || strcmp(digest, t->digest)))
		rc = err_msg(err, -EINVAL, "its files were changed in the store: its digest isn't what it was");
	return rc < 0 ? err_prefix(err, "layer %.12s", t->diff_id) : 0;
}
