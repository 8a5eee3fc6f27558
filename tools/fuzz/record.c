/* A container's record: whatever stands in spec.json, state.json and last.json, it opens, garbled or not. What is then written of it opens as the same, and a listing,
 * which reads in its own quick way and not what nobody writes (a key twice), sees that too. The input is the three texts, a NUL between them. */
#include "check.h"
#include "scratch.h"

#include "base/file.h"
#include "ctr/record.h"
#include "net/network.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "0123456789ab"

static struct store store;

static void begin(void)
{
	store.root = scratch_dir();
	store.run = scratch_dir();
	CHECK(dir_make_all(store.root, "containers/" ID, 0700) == 0 && dir_make_all(store.run, "containers/" ID, 0700) == 0);
	CHECK(mkdirat(store.root, "networks", 0700) == 0);
}

static void put(int dir, const char *path, const char *text, size_t len)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
}

/* The next text of those at *P. */
static size_t next(const char **p, const char *end, const char **text)
{
	const char *stop = memchr(*p, 0, (size_t)(end - *p));

	*text = *p;
	stop = stop ? stop : end;
	*p = stop < end ? stop + 1 : end;
	return (size_t)(stop - *text);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void peek(struct record *out)
{
	struct buf room = { 0 };

	CHECK(record_peek(&store, ID, PEEK_STATE | PEEK_LAST, &room, out) == 0);
	buf_free(&room);
}

static void compare(const struct record *r)
{
	struct record p;

	peek(&p);
	CHECK(!p.garbled && same(p.spec.name, r->spec.name) && same(p.spec.image, r->spec.image) && p.spec.created == r->spec.created);
	CHECK(p.spec.labels.n == r->spec.labels.n && p.spec.process.args.n == r->spec.process.args.n);
	CHECK(p.state.pid == r->state.pid && p.state.supervisor == r->state.supervisor && same(p.state.boot_id, r->state.boot_id));
	CHECK(p.last.exit_code == r->last.exit_code && p.last.finished == r->last.finished && same(p.last.error, r->last.error));
	record_close(&p);
}

/* Written and opened again it is the same. */
static void again(struct record *r)
{
	struct buf first = { 0 }, then = { 0 };
	struct record back;

	CHECK(record_write_spec(r, NULL) == 0 && record_write_state(&store, r, NULL) == 0 && record_write_last(r, false, NULL) == 0);
	CHECK(record_open_id(&store, ID, &back, NULL) == 0 && !back.garbled);
	compare(&back);
	spec_write(&r->spec, false, &first);
	spec_write(&back.spec, false, &then);
	CHECK(first.len == then.len && !memcmp(first.p, then.p, first.len));
	record_close(&back);
	buf_free(&first);
	buf_free(&then);
}

static void network(const char *text, size_t len)
{
	struct network n = { 0 };
	struct err err = { 0 };

	put(store.root, "networks/n.json", text, len);
	check_told(network_load(store.root, "n", &n, &err), &err);
	network_free(&n);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	const char *p = (const char *)data, *end = p + len, *text;
	struct record r, listed;
	size_t n;

	if (!store.root)
		begin();
	n = next(&p, end, &text);
	put(store.root, "containers/" ID "/spec.json", text, n);
	network(text, n);
	n = next(&p, end, &text);
	put(store.run, "containers/" ID "/state.json", text, n);
	n = next(&p, end, &text);
	put(store.root, "containers/" ID "/last.json", text, n);
	CHECK(record_open_id(&store, ID, &r, NULL) == 0);
	peek(&listed);
	record_close(&listed);
	if (!r.garbled)
		again(&r);
	record_close(&r);
	return 0;
}
