#include "base/file.h"
#include "ctr/networking.h"
#include "net/lease.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names are lines of each member's hosts file, which is bound into it and so rewritten in place. Leases say who is a member and what it is called;
 * both change under networks_lock alone, so that one never tells what the other doesn't. */

int networks_lock(const struct store *s, struct err *err)
{
	int r = dir_make_all(s->run, "net", 0700);

	r = r < 0 ? r : dir_lock(s->run, "net", -1);
	return r < 0 ? err_sys(err, r, "lock %s/net", s->run_path) : r;
}

/* "<id> <name> <hostname> <alias>..": what a lease names and what others find it by. */
char *networks_owner(const struct record *r)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%s %s", r->id, r->spec.name);
	if (r->spec.hostname && strcmp(r->spec.hostname, r->spec.name))
		buf_fmt(&b, " %s", r->spec.hostname);
	for (size_t i = 0; i < r->spec.aliases.n && b.len < 900; i++)
		buf_fmt(&b, " %s", r->spec.aliases.v[i]);
	return b.p;
}

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

/* Whether LINE is of one of the ADDRESSES. */
static bool is_of(const char *line, size_t len, const struct strs *addresses)
{
	for (size_t i = 0; i < addresses->n; i++) {
		size_t n = strlen(addresses->v[i]);

		if (len > n && !strncmp(line, addresses->v[i], n) && line[n] == '\t')
			return true;
	}
	return false;
}

/* What the members of one network have to learn of one of them. */
struct telling {
	const struct store *s;
	const char *id;
	bool has_ip;             /* each of them has an address of every family that the network has: told once, by this one or else by IPv6 */
	struct strs addresses;   /* its own */
	struct strs strangers;   /* the others' */
	struct buf mine, others; /* lines */
	struct buf all, kept;    /* of a file that is rewritten */
};

static void telling_end(struct telling *t)
{
	strs_free(&t->addresses);
	strs_free(&t->strangers);
	buf_free(&t->mine);
	buf_free(&t->others);
	buf_free(&t->all);
	buf_free(&t->kept);
}

static bool is_other(const struct telling *t, const char *owner)
{
	return strlen(owner) >= ID_LENGTH && strncmp(owner, t->id, ID_LENGTH) != 0;
}

static bool is_its_turn(const struct telling *t, const char *address)
{
	return !strchr(address, ':') == t->has_ip;
}

static void tell_one(void *arg, const char *address, const char *owner)
{
	struct telling *t = arg;

	if (!is_other(t, owner))
		return;
	add_line(&t->others, address, owner);
	if (is_its_turn(t, address))
		append(t->s, owner, &t->mine);
}

void networks_tell_one(const struct store *s, const struct record *r, const struct attachment *a)
{
	struct telling t = { .s = s, .id = r->id, .has_ip = a->ip };
	char *owner = networks_owner(r);

	if (a->ip)
		add_line(&t.mine, a->ip, owner);
	if (a->ip6)
		add_line(&t.mine, a->ip6, owner);
	if (t.mine.len)
		lease_each(s->run, a->network, tell_one, &t);
	append(s, r->id, &t.mine);
	append(s, r->id, &t.others);
	telling_end(&t);
	free(owner);
}

static void keep_lines(struct telling *t, const struct strs *but)
{
	t->kept.len = 0;
	for (size_t at = 0; at < t->all.len;) {
		const char *line = t->all.p + at, *end = memchr(line, '\n', t->all.len - at);
		size_t len = end ? (size_t)(end - line) + 1 : t->all.len - at;

		if (!is_of(line, len, but))
			buf_add(&t->kept, line, len);
		at += len;
	}
}

/* Takes the lines of ADDRESSES out of one file, which the container may have filled with anything. */
static void strike(struct telling *t, const char *id, const struct strs *addresses)
{
	struct buf *all = &t->all, *kept = &t->kept;
	int fd = open_hosts(t->s, id, O_RDWR);

	if (fd < 0)
		return;
	all->len = 0;
	for (ssize_t got = 1; got > 0 && all->len < 1 << 20;) {
		buf_reserve(all, 8192);
		got = read(fd, all->p + all->len, 8192);
		all->len += got > 0 ? (size_t)got : 0;
	}
	if (all->len < 1 << 20) {
		keep_lines(t, addresses);
		if (kept->len < all->len && lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, kept->p, kept->len) == 0)
			(void)ftruncate(fd, (off_t)kept->len);
	}
	close(fd);
}

static void sort_lease(void *arg, const char *address, const char *owner)
{
	struct telling *t = arg;

	if (is_other(t, owner)) {
		strs_add(&t->strangers, address);
	} else if (!strncmp(owner, t->id, ID_LENGTH)) {
		strs_add(&t->addresses, address);
		t->has_ip |= !strchr(address, ':');
	}
}

static void strike_one(void *arg, const char *address, const char *owner)
{
	struct telling *t = arg;

	if (is_other(t, owner) && is_its_turn(t, address))
		strike(t, owner, &t->addresses);
}

void networks_forget_one(const struct store *s, const char *id, const char *network, bool stays)
{
	struct telling t = { .s = s, .id = id };

	lease_each(s->run, network, sort_lease, &t);
	if (t.addresses.n)
		lease_each(s->run, network, strike_one, &t);
	if (stays) {
		strike(&t, id, &t.addresses);
		strike(&t, id, &t.strangers);
	}
	telling_end(&t);
}

void networks_tell_names(const struct store *s, const struct record *r)
{
	const struct attachment *a = r->state.attachments.v;

	for (size_t i = 0; i < r->state.attachments.n; i++)
		if (a[i].ip || a[i].ip6)
			networks_tell_one(s, r, &a[i]);
}

int networks_rename_leases(const struct store *s, const struct record *r)
{
	const struct attachment *a = r->state.attachments.v;
	char *owner = networks_owner(r);
	int code = 0;

	for (size_t i = 0; i < r->state.attachments.n && !code; i++) {
		if (a[i].ip)
			code = lease_rename(s->run, a[i].network, a[i].ip, owner);
		if (a[i].ip6 && !code)
			code = lease_rename(s->run, a[i].network, a[i].ip6, owner);
	}
	free(owner);
	return code;
}

int networks_rename(const struct store *s, const struct record *r, struct err *err)
{
	const struct attachment *a = r->state.attachments.v;
	int lock, code;

	if (!r->state.attachments.n)
		return 0;
	lock = networks_lock(s, NULL);
	code = lock < 0 ? lock : networks_rename_leases(s, r);
	for (size_t i = 0; i < r->state.attachments.n && !code; i++) {
		networks_forget_one(s, r->id, a[i].network, true);
		networks_tell_one(s, r, &a[i]);
	}
	if (lock >= 0)
		close(lock);
	return code < 0 ? err_sys(err, code, "it is \"%s\" now, but not on its networks until its next start", r->spec.name) : 0;
}
