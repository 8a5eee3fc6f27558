#include "image/store.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/kernel.h"
#include "base/num.h"
#include "base/say.h"
#include "image/ahead.h"
#include "image/sha256.h"
#include "image/tar_index.h"
#include "image/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A source that digests what passes through it, or counts it. */
struct hash_source {
	struct source s;
	struct source *from;
	struct sha256 sha;
	int64_t bytes, max;          /* passed so far; no more than MAX (0: any number) may */
};

struct count_source {
	struct source s;
	struct source *from;
	struct layer_import *how;
	int64_t bytes;
};

struct hash_sink {
	struct sink s;
	struct sha256 sha;
};

static ssize_t hash_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct hash_source *h = (struct hash_source *)s;
	ssize_t n = h->from->read(h->from, data, len, err);

	if (n <= 0)
		return n;
	if (interrupted())
		return err_sys(err, -EINTR, "read");
	h->bytes += n;
	if (h->max && h->bytes > h->max)
		return err_msg(err, -EFBIG, "unpacked it is larger than was allowed (--max-size)");
	sha256_add(&h->sha, data, (size_t)n);
	return n;
}

static ssize_t count_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct count_source *c = (struct count_source *)s;
	ssize_t n = c->from->read(c->from, data, len, err);

	if (n > 0 && c->how->progress)
		c->how->progress(c->how->progress_arg, c->bytes += n);
	return n;
}

static int hash_write(struct sink *s, const void *data, size_t len, struct err *err)
{
	(void)err;
	sha256_add(&((struct hash_sink *)s)->sha, data, len);
	return 0;
}

/* `docker save` and its kin put a manifest at the top of their archive; a root file system has other things there. */
static int refuse_archive(int tree, struct err *err)
{
	if (!file_there(tree, "oci-layout") && (!file_there(tree, "manifest.json") || file_there(tree, "etc") || file_there(tree, "bin") || file_there(tree, "usr")))
		return 0;
	return err_msg(err, -EINVAL, "this is an archive of images (as docker save writes it), not of a root file system");
}

/* In a user namespace an image may not become quite what it was; said once. */
static void tell_changed(const struct tar_extract *t)
{
	static bool told;

	if (told || (!t->unmapped && !t->left_out))
		return;
	told = true;
	if (t->unmapped)
		say("%llu file%s of users without an id in this user namespace: they are root's (newuidmap and /etc/subuid give ids)",
		    (unsigned long long)t->unmapped, t->unmapped == 1 ? " is" : "s are");
	if (t->left_out)
		say("%llu device nodes can't be made in a user namespace", (unsigned long long)t->left_out);
}

/* FROM into the directory TREE, which INDEX (may be NULL) is told of; digest and size into HOW. A second processor takes the decompression, or,
 * where there is none, reading and the digest. */
static int extract(int tree, struct tar_index *index, struct source *from, struct layer_import *how, struct err *err)
{
	struct tar_extract t = { .rootfd = tree, .strip = how->strip, .unended = how->digested, .whiteouts = true, .index = index };
	struct count_source count = { { count_read }, from, how, 0 };
	struct source *unpacked = unpack_new(&count.s, how->max_window), *ahead;
	struct hash_source hash = { .s = { hash_read }, .max = how->max_size };
	int packed = unpack_packed(unpacked, err), rc = packed;

	ahead = ahead_new(packed ? unpacked : &hash.s);
	hash.from = packed ? ahead : unpacked;
	sha256_init(&hash.sha);
	if (rc >= 0)
		rc = tar_extract(&t, packed ? &hash.s : ahead, err);
	ahead_free(ahead, how->resumed && layer_is_bad(rc));
	tell_changed(&t);
	unpack_free(unpacked);
	if (rc == 0 && how->rootfs)
		rc = refuse_archive(tree, err);
	sha256_end(&hash.sha, how->diff_id);
	how->size = t.bytes;
	how->unpacked = hash.bytes;
	return rc;
}

bool layer_is_bad(int rc)
{
	return rc == -EINVAL || rc == -ENOTSUP || rc == -ENAMETOOLONG || rc == -E2BIG;
}

/* The same, with an index of the tar. With components stripped it isn't that tar that will be wanted back. */
static int extract_indexed(int tmp, int tree, struct source *from, struct layer_import *how, struct err *err)
{
	struct tar_index *index = NULL;
	int rc = how->strip ? 0 : tar_index_begin(&index, tmp, err), ended;

	if (rc == 0)
		rc = extract(tree, index, from, how, err);
	if (!index)
		return rc;
	ended = tar_index_end(index, rc < 0 ? NULL : err);
	return rc < 0 ? rc : ended;
}

/* With components stripped the tree isn't what the tar said: its id is that of the tar it would be written to. */
static int digest_tree(int tree, char diff_id[65], struct err *err)
{
	struct hash_sink sink = { .s = { hash_write } };
	int rc;

	sha256_init(&sink.sha);
	rc = tar_write(&(struct tar_write){ .rootfd = tree, .whiteouts = true, .cross_mounts = true }, &sink.s, err);
	sha256_end(&sink.sha, diff_id);
	return rc;
}

/* Everything that makes the layer, in its temporary directory TMP. */
static int fill(int tmp, struct source *from, struct layer_import *how, struct err *err)
{
	const struct timespec never[2] = { { 0 }, { 0 } };
	char size[24];
	int tree, rc;

	if (mkdirat(tmp, "tree", 0755) < 0)
		return err_sys(err, -errno, "create a layer");
	tree = dir_open(tmp, "tree");
	if (tree < 0)
		return err_sys(err, tree, "create a layer");
	/* a top that the tar says nothing about is the same whenever it is imported */
	rc = fchmod(tree, 0755) < 0 || futimens(tree, never) < 0 ? err_sys(err, -errno, "create a layer") : extract_indexed(tmp, tree, from, how, err);
	if (rc == 0 && how->strip)
		rc = digest_tree(tree, how->diff_id, err);
	close(tree);
	if (rc < 0)
		return rc;
	rc = file_replace(tmp, "size", size, (size_t)sprintf(size, "%lld\n", (long long)how->size), 0644, false);
	return rc < 0 ? err_sys(err, rc, "write the layer") : 0;
}

int layer_begin(int folder, struct layer_made *made, struct err *err)
{
	made->fd = folder_tmp(folder, made->tmp);
	return made->fd < 0 ? err_sys(err, made->fd, "create a layer") : 0;
}

int layer_fill(struct layer_made *made, struct source *from, struct layer_import *how, struct err *err)
{
	int rc = fill(made->fd, from, how, err);

	memcpy(made->diff_id, how->diff_id, sizeof made->diff_id);
	return rc;
}

int layer_make(int folder, struct source *from, struct layer_import *how, struct layer_made *made, struct err *err)
{
	int rc = layer_begin(folder, made, err);

	if (rc < 0)
		return rc;
	rc = layer_fill(made, from, how, err);
	if (rc < 0)
		layer_unmake(folder, made);
	return rc;
}

int64_t layer_size(int store, const char *diff_id)
{
	char path[sizeof LAYERS + 80];
	struct buf text = { 0 };
	int64_t size = -1;

	snprintf(path, sizeof path, LAYERS "/%s/size", diff_id);
	if (file_read(store, path, &text, 64) == 0 && text.len) {
		text.p[strcspn(text.p, "\n")] = 0;
		num_i64(text.p, &size);
	}
	buf_free(&text);
	return size;
}

int layer_note_packed(int dir, const char *hex, int64_t length, bool zstd, struct err *err)
{
	char *text = xasprintf("%s %lld %s\n", hex, (long long)length, zstd ? "zstd" : "gzip");
	int rc = file_replace(dir, "packed", text, strlen(text), 0644, false);

	free(text);
	return rc < 0 ? err_sys(err, rc, "write the layer") : 0;
}

bool layer_packed(int store, const char *diff_id, struct layer_packed *out)
{
	char path[sizeof LAYERS + 80];
	struct buf text = { 0 };
	bool good;

	snprintf(path, sizeof path, LAYERS "/%s/packed", diff_id);
	good = file_read(store, path, &text, 128) == 0 && text.len > 66 && text.p[64] == ' ';
	if (good) {
		char *end;

		snprintf(out->hex, sizeof out->hex, "%s", text.p);
		out->length = strtoll(text.p + 65, &end, 10);
		out->zstd = strcmp(end, " zstd\n") == 0;
		good = sha256_is_hex(out->hex) && out->length > 0;
	}
	buf_free(&text);
	return good;
}

int layer_open(int store, const char *diff_id)
{
	char path[sizeof LAYERS + 80];

	snprintf(path, sizeof path, LAYERS "/%s/tree", diff_id);
	return dir_open(store, path);
}
