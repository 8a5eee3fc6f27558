#include "ctr/idrange.h"
#include "base/file.h"
#include "base/num.h"
#include "sys/subid.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 65536u

struct name {
	char text[12];
};

static struct name block_name(uint32_t block)
{
	struct name n;

	snprintf(n.text, sizeof n.text, "%u", block);
	return n;
}

static int open_leases(const struct store *s)
{
	int fd = dir_open(s->root, "idranges");

	if (fd != -ENOENT)
		return fd;
	fd = dir_make_all(s->root, "idranges", 0700);
	return fd < 0 ? fd : dir_open(s->root, "idranges");
}

static bool container_there(const struct store *s, const char *id, size_t n)
{
	char path[40];

	snprintf(path, sizeof path, "containers/%.*s", (int)n, id);
	return n == ID_LENGTH && file_there(s->root, path);
}

/* The ids that both files give to `containers`. */
static int read_span(struct subids *span)
{
	struct subids users, groups;
	int r = subid_ranges("/etc/subuid", "containers", -1, &users);

	if (!r)
		r = subid_ranges("/etc/subgid", "containers", -1, &groups);
	if (r < 0)
		return r;
	*span = (struct subids){ .v = { { IDRANGE_FIRST, IDRANGE_COUNT } }, .n = !users.n && !groups.n };
	for (int i = 0; i < users.n; i++)
		for (int k = 0; k < groups.n && span->n < SUBID_MAX; k++) {
			struct subid u = users.v[i], g = groups.v[k];
			uint32_t first = u.first > g.first ? u.first : g.first;
			uint32_t end = u.first + u.count < g.first + g.count ? u.first + u.count : g.first + g.count;

			if (first < end)
				span->v[span->n++] = (struct subid){ first, end - first };
		}
	return 0;
}

/* How many places V has for COUNT ids, and the first of them: at the beginnings of blocks, or where that leaves no room, at its own. */
static uint32_t places(const struct subid *v, uint32_t count, uint32_t *first)
{
	uint32_t skip = -v->first % BLOCK;

	if ((uint64_t)skip + count > v->count)
		skip = 0;
	*first = v->first + skip;
	return count > v->count ? 0 : (v->count - skip - count) / BLOCK + 1;
}

/* The first id of the Nth place in SPAN. */
static uint32_t place(const struct subids *span, uint32_t count, uint32_t n)
{
	uint32_t first = 0, here;

	for (int i = 0; i < span->n; i++) {
		here = places(&span->v[i], count, &first);
		if (n < here)
			break;
		n -= here;
	}
	return first + n * BLOCK;
}

static int take_blocks(int dir, uint32_t first, uint32_t count, const char *id)
{
	uint32_t from = first / BLOCK, to = (first + (count - 1)) / BLOCK;

	for (uint32_t b = from; b <= to; b++) {
		int r = symlinkat(id, dir, block_name(b).text) < 0 ? -errno : 0;

		while (r < 0 && b-- > from)
			unlinkat(dir, block_name(b).text, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Tried from a place that the id tells: it is free unless many are taken, however many containers there are. */
static int take_any(int dir, const struct subids *span, uint32_t count, const char *id, uint32_t *first)
{
	uint32_t n = 0, start = 0;

	for (const char *p = id; *p; p++)
		start = start * 31 + (unsigned char)*p;
	for (int i = 0; i < span->n; i++)
		n += places(&span->v[i], count, first);
	for (uint32_t i = 0; i < n; i++) {
		int r;

		*first = place(span, count, (start % n + i) % n);
		r = take_blocks(dir, *first, count, id);
		if (r != -EEXIST)
			return r;
	}
	return -ENOSPC;
}

/* BLOCK's owners become TEXT; none, and it is free. Under the store's lock. */
static int write_owners(int dir, const char *block, const char *text)
{
	unlinkat(dir, ".new", 0); /* what a crash left */
	if (!*text)
		return unlinkat(dir, block, 0) < 0 ? -errno : 0;
	if (symlinkat(text, dir, ".new") < 0)
		return -errno;
	return renameat(dir, ".new", dir, block) < 0 ? -errno : 0;
}

static ssize_t read_owners(int dir, const char *block, char text[PATH_MAX])
{
	ssize_t n = readlinkat(dir, block, text, PATH_MAX - 1);

	text[n < 0 ? 0 : n] = 0;
	return n;
}

/* Takes those from BLOCK's owners that don't exist any more. True if it is free now. Under the store's lock. */
static bool mend(const struct store *s, int dir, const char *block)
{
	char old[PATH_MAX];
	struct buf now = { 0 };
	bool free_now, changed;

	if (read_owners(dir, block, old) < 0)
		return false;
	buf_str(&now, "");
	for (const char *p = old; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (container_there(s, p, n))
			buf_fmt(&now, "%s%.*s", now.len ? " " : "", (int)n, p);
		p += n;
	}
	changed = strcmp(old, now.p) != 0;
	free_now = changed && write_owners(dir, block, now.p) == 0 && !now.len;
	buf_free(&now);
	return free_now;
}

void idrange_sweep(const struct store *s, struct strs *freed)
{
	int lock = file_lock(s->root, "lock", -1), fd = dir_open(s->root, "idranges");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t block;

	while (d && lock >= 0 && (e = readdir(d)))
		if (num_u64(e->d_name, &block) == 0 && mend(s, dirfd(d), e->d_name) && freed)
			strs_fmt(freed, "id range %llu", (unsigned long long)block * BLOCK);
	if (d)
		closedir(d);
	if (lock >= 0)
		close(lock);
}

/* Calls EACH for every block that SPEC's maps touch, until one fails, under the store's lock. */
static int each_block(const struct store *s, const struct spec *spec, int dir,
		      int (*each)(const struct store *s, const struct spec *spec, int dir, const char *block))
{
	struct idmaps maps;
	int lock, r = spec_idmaps(spec, &maps, NULL);

	lock = r < 0 ? r : file_lock(s->root, "lock", -1);
	if (lock < 0)
		return lock;
	for (int i = 0; i < maps.n && !r; i++) {
		uint32_t last = (maps.v[i].host + (maps.v[i].count - 1)) / BLOCK;

		for (uint32_t b = maps.v[i].host / BLOCK; b <= last && !r; b++)
			r = each(s, spec, dir, block_name(b).text);
	}
	close(lock);
	return r;
}

static int release_block(const struct store *s, const struct spec *spec, int dir, const char *block)
{
	(void)spec;
	mend(s, dir, block);
	return 0;
}

/* Adds SPEC's container to the owners of a block that the one whose namespace it joins has of its own. */
static int share_block(const struct store *s, const struct spec *spec, int dir, const char *block)
{
	const char *other = ns_container(spec->userns);
	char old[PATH_MAX];
	char *now;
	int r;

	if (!container_there(s, other, strlen(other)))
		return -ENOENT;
	if (read_owners(dir, block, old) < 0 || !strstr(old, other) || strstr(old, spec->id))
		return 0;
	now = xasprintf("%s %s", old, spec->id);
	r = write_owners(dir, block, now);
	free(now);
	return r;
}

static int take_auto(const struct store *s, struct spec *spec, int dir, struct err *err)
{
	uint32_t count = (uint32_t)spec->userns_size, first;
	struct subids span;
	int r = read_span(&span);

	if (r < 0)
		return err_sys(err, r, "read /etc/subuid and /etc/subgid");
	r = take_any(dir, &span, count, spec->id, &first);
	if (r == -ENOSPC) { /* perhaps one that was removed by hand has one still */
		idrange_sweep(s, NULL);
		r = take_any(dir, &span, count, spec->id, &first);
	}
	if (r == -ENOSPC) {
		err_msg(err, r, "--userns auto: no range of %u ids is left", count);
		return err_hint(err, "of what /etc/subuid and /etc/subgid give to \"containers\", else of 1879048192-2147352575");
	}
	if (r < 0)
		return err_sys(err, r, "--userns auto: take a range of ids");
	strs_fmt(&spec->idmaps, "%u:0:%u", first, count);
	return 0;
}

static bool has_lease(const struct spec *spec)
{
	return spec->userns && (!strcmp(spec->userns, "auto") || ns_container(spec->userns));
}

int idrange_take(const struct store *s, struct spec *spec, struct err *err)
{
	int dir, r;

	if (!has_lease(spec))
		return 0;
	dir = open_leases(s);
	if (dir < 0)
		return err_sys(err, dir, "open %s/idranges", s->root_path);
	if (!ns_container(spec->userns))
		r = take_auto(s, spec, dir, err);
	else if ((r = each_block(s, spec, dir, share_block)) < 0)
		err_sys(err, r, "--userns %s: share its ids", spec->userns);
	close(dir);
	return r;
}

void idrange_release(const struct store *s, const struct spec *spec)
{
	int dir;

	if (!has_lease(spec))
		return;
	dir = open_leases(s);
	if (dir < 0)
		return;
	each_block(s, spec, dir, release_block);
	close(dir);
}
