#include "base/file.h"
#include "ctr/networking.h"
#include "net/lease.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names are lines of each member's hosts file, which is bound into it and so rewritten in place, under the network's lock. */

/* "<id> <name> <alias>.." -> "<address>\t<name> <alias>..\n" */
static void add_line(struct buf *b, const char *address, const char *owner)
{
	const char *names = strchr(owner, ' ');

	if (names)
		buf_fmt(b, "%s\t%s\n", address, names + 1);
}

static int open_hosts(const struct store *s, const char *id, int flags)
{
	char path[64] = "containers/";

	memcpy(path + 11, id, ID_LENGTH);
	strcpy(path + 11 + ID_LENGTH, "/hosts");
	return openat(s->run, path, flags | O_NOFOLLOW | O_CLOEXEC);
}

static void append(const struct store *s, const char *id, const struct buf *text)
{
	int fd = open_hosts(s, id, O_WRONLY | O_APPEND);

	if (fd >= 0 && text->len)
		write_all(fd, text->p, text->len);
	if (fd >= 0)
		close(fd);
}

/* Takes the lines of ADDRESS out of one file. */
static void strike(const struct store *s, const char *id, const char *address)
{
	struct buf all = { 0 }, kept = { 0 };
	size_t n = strlen(address);
	int fd = open_hosts(s, id, O_RDWR);

	if (fd < 0)
		return;
	buf_add(&kept, "", 0);
	for (ssize_t got = 1; got > 0 && all.len < 1 << 20;) {
		buf_reserve(&all, 8192);
		got = read(fd, all.p + all.len, 8192);
		all.len += got > 0 ? (size_t)got : 0;
	}
	for (size_t at = 0; at < all.len;) {
		const char *line = all.p + at, *end = memchr(line, '\n', all.len - at);
		size_t len = end ? (size_t)(end - line) + 1 : all.len - at;

		if (len <= n || strncmp(line, address, n) || line[n] != '\t')
			buf_add(&kept, line, len);
		at += len;
	}
	if (kept.len < all.len && lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, kept.p, kept.len) == 0)
		if (ftruncate(fd, (off_t)kept.len) < 0)
			kept.len = 0;
	close(fd);
	buf_free(&all);
	buf_free(&kept);
}

struct telling {
	const struct store *s;
	const char *id;          /* whose names come or go */
	struct buf mine;         /* its lines; the address alone when they go */
	struct buf others;       /* what it has to learn */
	bool leaving;
};

static void tell_one(void *arg, const char *address, const char *owner)
{
	struct telling *t = arg;

	if (strlen(owner) < ID_LENGTH || !strncmp(owner, t->id, ID_LENGTH))
		return;
	if (t->leaving) {
		strike(t->s, owner, t->mine.p);
	} else {
		append(t->s, owner, &t->mine);
		add_line(&t->others, address, owner);
	}
}

static void find_mine(void *arg, const char *address, const char *owner)
{
	struct telling *t = arg;

	if (!strncmp(owner, t->id, ID_LENGTH))
		add_line(&t->mine, address, owner);
}

static void tell(const struct store *s, const struct record *r, const struct attachment *a)
{
	struct telling t = { .s = s, .id = r->id };
	int dir = lease_directory(s->run, a->network), lock = dir < 0 ? dir : dir_lock(dir, ".", -1);

	lease_each(s->run, a->network, find_mine, &t);
	if (t.mine.len)
		lease_each(s->run, a->network, tell_one, &t);
	append(s, r->id, &t.mine);
	append(s, r->id, &t.others);
	buf_free(&t.mine);
	buf_free(&t.others);
	if (lock >= 0)
		close(lock);
	if (dir >= 0)
		close(dir);
}

void networks_tell_names(const struct store *s, const struct record *r)
{
	const struct attachment *a = r->state.attachments.v;

	for (size_t i = 0; i < r->state.attachments.n; i++)
		if (a[i].ip || a[i].ip6)
			tell(s, r, &a[i]);
}

static void forget(const struct store *s, const struct record *r, const struct attachment *a, const char *address)
{
	struct telling t = { .s = s, .id = r->id, .leaving = true };
	int dir = lease_directory(s->run, a->network), lock = dir < 0 ? dir : dir_lock(dir, ".", -1);

	buf_str(&t.mine, address);
	lease_each(s->run, a->network, tell_one, &t);
	buf_free(&t.mine);
	if (lock >= 0)
		close(lock);
	if (dir >= 0)
		close(dir);
}

void networks_forget_names(const struct store *s, const struct record *r)
{
	const struct attachment *a = r->state.attachments.v;

	for (size_t i = 0; i < r->state.attachments.n; i++) {
		if (a[i].ip)
			forget(s, r, &a[i], a[i].ip);
		if (a[i].ip6)
			forget(s, r, &a[i], a[i].ip6);
	}
}
