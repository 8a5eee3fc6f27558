/* tar.idx: whatever stands in it, what is replayed has the promised length, or the index is refused. The magic is put before the input, and its
 * first three bytes, the length, behind it. */
#include "check.h"
#include "scratch.h"

#include "base/file.h"
#include "image/tar_index.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The linker puts these in the place of the system's: what is behind a mapped file's end can be read, behind this not. */
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t from);
int __wrap_munmap(void *p, size_t len);

void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t from)
{
	void *p = malloc(len);

	(void)at;
	(void)protection;
	(void)flags;
	CHECK(pread(fd, p, len, from) == (ssize_t)len);
	return p;
}

int __wrap_munmap(void *p, size_t len)
{
	(void)len;
	free(p);
	return 0;
}

struct counter {
	struct sink s;
	int64_t n;
};

static int count(struct sink *s, const void *data, size_t len, struct err *err)
{
	volatile unsigned char sum = 0;

	(void)err;
	for (size_t i = 0; i < len; i += 64) /* all of it may be looked at */
		sum ^= ((const unsigned char *)data)[i];
	((struct counter *)s)->n += (int64_t)len;
	return 0;
}

static void make(int dir, const char *path, size_t len)
{
	static const char text[3000] = "content";

	CHECK(file_replace(dir, path, text, len, 0644, false) == 0);
}

/* DIR with a tree in it, once. */
static void begin(int *dir, int *tree, int *index)
{
	*dir = scratch_dir();
	CHECK(mkdirat(*dir, "tree", 0755) == 0 && mkdirat(*dir, "tree/d", 0755) == 0 && mkdirat(*dir, TAR_INDEX_REPLACED, 0755) == 0);
	make(*dir, "tree/f", 3000);
	make(*dir, "tree/d/g", 700);
	make(*dir, TAR_INDEX_REPLACED "/7", 5);
	CHECK(symlinkat("f", *dir, "tree/link") == 0 && symlinkat("../../../../etc/passwd", *dir, "tree/out") == 0);
	*tree = openat(*dir, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*index = openat(*dir, TAR_INDEX_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(*tree >= 0 && *index >= 0);
}

static void put(int index, const unsigned char *data, size_t len)
{
	unsigned char tail[8] = { data[0], data[1], data[2] };
	off_t at = TAR_INDEX_MAGIC_LEN;

	CHECK(ftruncate(index, 0) == 0 && pwrite(index, TAR_INDEX_MAGIC, (size_t)at, 0) == at);
	CHECK(pwrite(index, data + 3, len - 3, at) == (ssize_t)len - 3);
	CHECK(pwrite(index, tail, sizeof tail, at + (off_t)len - 3) == sizeof tail);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static int dir = -1, tree, index;
	struct counter counter = { .s = { count } };
	struct err err = { 0 };
	int64_t length;
	int r;

	if (len < 3)
		return -1;
	if (dir < 0)
		begin(&dir, &tree, &index);
	put(index, data, len);
	length = tar_index_length(dir);
	r = check_told(tar_index_replay(dir, tree, &counter.s, &err), &err);
	CHECK(length == (data[0] | data[1] << 8 | data[2] << 16));
	CHECK(r < 0 ? counter.n <= length : counter.n == length);
	return 0;
}
