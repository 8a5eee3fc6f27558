/* Layers: a tar of any bytes becomes a tree, of which the index makes the very same bytes again, or nothing. Nothing of it gets outside. */
#include "check.h"
#include "memory.h"
#include "scratch.h"
#include "tar_seal.h"

#include "base/file.h"
#include "image/image.h"
#include "image/save.h"
#include "image/store.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

struct comparison {
	struct sink s;
	const unsigned char *left;
	size_t len;
};

static int compare(struct sink *s, const void *data, size_t len, struct err *err)
{
	struct comparison *c = (struct comparison *)s;

	(void)err;
	CHECK(len <= c->len && !memcmp(data, c->left, len));
	c->left += len;
	c->len -= len;
	return 0;
}

/* How many names DIR/PATH has. */
static int names_in(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = -2;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* The layer gives back what it was made of: all LEN bytes, but for what was behind the end where the digest says so. */
static void give_back(int store, const struct layer_import *how, const unsigned char *data, size_t len)
{
	struct comparison c = { { compare }, data, len };
	struct layer_tar t;
	struct err err = { 0 };

	CHECK(layer_tar_plan(store, how->diff_id, &t, &err) == 0);
	CHECK(t.indexed && !strcmp(t.digest, how->diff_id) && t.length == (int64_t)len);
	CHECK(layer_tar_write(store, &t, &c.s, &err) == 0 && !c.len);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static int top = -1, store;
	struct layer_import how = { .digested = true, .max_size = 400 << 10 };
	struct err err = { 0 };
	unsigned char *copy;
	struct memory m;
	int fd;

	if (!len)
		return -1;
	if (top < 0) {
		top = scratch_dir();
		CHECK(mkdirat(top, "store", 0700) == 0);
		store = openat(top, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(store >= 0 && names_in(top, ".") == 1);
	}
	copy = malloc(len);
	memcpy(copy, data, len);
	tar_seal(copy + 1, len - 1);
	memory_init(&m, copy, len);
	fd = check_told(layer_import(store, &m.s, &how, &err), &err);
	if (fd >= 0) {
		if (how.unpacked == (int64_t)len - 1) /* else it was packed */
			give_back(store, &how, copy + 1, len - 1);
		close(fd);
		CHECK(tree_remove(store, LAYERS) == 0);
	}
	CHECK(names_in(store, LAYERS) <= 0 && names_in(store, ".") <= 1 && names_in(top, ".") == 1);
	free(copy);
	return 0;
}
