/* Archives of images: whatever their manifests, indexes and configs say, all of it is loaded or nothing is left.
 *
 * The input's first byte says how it comes (bit 0: by a pipe, else a file; bit 1: as a tar of any bytes). Else the rest is text of which a tar is made, since a fuzzer
 * finds neither checksums nor digests: "==NAME", a line, begins a member; `$0` to `$9` are the digests of the members so far, in hex; a
 * member that begins with "!tar " is a tar itself, of one file with the rest as its content. */
#include "check.h"
#include "memory.h"
#include "scratch.h"
#include "tar_seal.h"

#include "base/file.h"
#include "image/image.h"
#include "image/sha256.h"
#include "image/store.h"

#include <ctype.h>
#include <sys/mman.h>
#include <unistd.h>

#define DIGESTS 10

struct members {
	struct buf tar;
	char digests[DIGESTS][65];
	int n;
};

/* TEXT with its digests put in; malloc'ed. */
static struct buf expand(const struct members *m, const char *text, size_t len)
{
	struct buf out = { 0 };

	buf_str(&out, "");
	for (size_t i = 0; i < len; i++)
		if (text[i] == '$' && i + 1 < len && isdigit((unsigned char)text[i + 1]))
			buf_str(&out, m->digests[text[++i] - '0']);
		else
			buf_char(&out, text[i]);
	return out;
}

static void put_member(struct buf *tar, const char *name, const void *data, size_t len)
{
	struct tar_header h = { .mode = "0000644", .uid = "0000000", .gid = "0000000", .mtime = "00000000000", .type = '0', .magic = "ustar" };
	size_t at = tar->len;

	strncpy(h.name, name, sizeof h.name);
	snprintf(h.size, sizeof h.size, "%011zo", len);
	buf_add(tar, &h, sizeof h);
	buf_add(tar, data, len);
	buf_reserve(tar, TAR_BLOCK);
	while (tar->len % TAR_BLOCK)
		buf_char(tar, 0);
	tar_seal((unsigned char *)tar->p + at, TAR_BLOCK);
}

static void end_tar(struct buf *tar)
{
	static const char zeros[2 * TAR_BLOCK];

	buf_add(tar, zeros, sizeof zeros);
}

static void add_member(struct members *m, const char *name, size_t name_len, const char *text, size_t len)
{
	struct buf content = expand(m, text, len), inner = { 0 }, full;

	if (starts_with(content.p, "!tar ")) {
		put_member(&inner, "file", content.p + 5, content.len - 5);
		end_tar(&inner);
		buf_free(&content);
		content = inner;
	}
	if (m->n < DIGESTS)
		sha256_hex(content.p, content.len, m->digests[m->n++]);
	full = expand(m, name, name_len); /* it may be called after its own digest */
	put_member(&m->tar, full.p, content.p, content.len);
	buf_free(&full);
	buf_free(&content);
}

/* The archive that the text describes. */
static struct buf build(const char *p, size_t len)
{
	struct members m = { .n = 0 };
	const char *end = p + len;

	while (p < end) {
		const char *name = end - p > 2 && !memcmp(p, "==", 2) ? p + 2 : p;
		const char *line = memchr(name, '\n', (size_t)(end - name)), *next;

		if (!line)
			break;
		next = memmem(line, (size_t)(end - line), "\n==", 3);
		next = next ? next + 1 : end;
		add_member(&m, name, (size_t)(line - name), line + 1, (size_t)(next - line - 1));
		p = next;
	}
	end_tar(&m.tar);
	return m.tar;
}

/* A descriptor that gives these bytes; -1: a pipe can't hold so many. */
static int give(const struct buf *b, bool pipe_it)
{
	int fds[2] = { -1, -1 };

	if (!pipe_it) {
		fds[0] = memfd_create("archive", MFD_CLOEXEC);
		CHECK(fds[0] >= 0 && pwrite(fds[0], b->p, b->len, 0) == (ssize_t)b->len);
		return fds[0];
	}
	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	if (fcntl(fds[1], F_SETPIPE_SZ, b->len + 4096) < 0 || write(fds[1], b->p, b->len) != (ssize_t)b->len) {
		close(fds[0]);
		fds[0] = -1;
	}
	close(fds[1]);
	return fds[0];
}

static int nothing(void *arg, const struct image *img, const char *name)
{
	(void)arg;
	(void)img;
	(void)name;
	return -1;
}

static void load(int store, int fd)
{
	struct image_load how = { .platform = "linux/amd64", .max_size = 400 << 10 };
	struct strs removed = { 0 };
	struct err err = { 0 };
	int r = check_told(image_load(store, fd, &how, &err), &err);

	CHECK(r < 0 || how.loaded.n);
	if (r < 0)
		CHECK(image_each(store, nothing, NULL, NULL) == 0);
	else
		CHECK(tree_remove(store, IMAGES) == 0);
	CHECK(image_prune(store, &(struct image_use){ 0 }, false, &removed, NULL) == 0 && (r == 0 || !removed.n));
	strs_free(&removed);
	strs_free(&how.loaded);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static int store = -1;
	struct buf tar = { 0 };
	int fd;

	if (len < 2)
		return -1;
	if (store < 0)
		store = scratch_dir();
	if (data[0] & 2) {
		buf_add(&tar, data + 1, len - 1);
		tar_seal((unsigned char *)tar.p, tar.len);
	} else {
		tar = build((const char *)data + 1, len - 1);
	}
	fd = give(&tar, data[0] & 1);
	if (fd >= 0) {
		load(store, fd);
		close(fd);
	}
	buf_free(&tar);
	return 0;
}
