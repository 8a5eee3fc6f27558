#include "sys/idmap.h"

#include "base/file.h"
#include "base/kernel.h"
#include "base/num.h"
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>

static int parse_three(const char *s, int64_t out[3])
{
	struct strs parts = { 0 };
	int r = 0;

	strs_split(&parts, s, ':');
	if (parts.n != 3)
		r = -EINVAL;
	for (int i = 0; i < 3 && r == 0; i++)
		r = num_range(parts.v[i], i == 2, UINT32_MAX, &out[i]);
	strs_free(&parts);
	return r;
}

static bool overlap(uint32_t a, uint32_t na, uint32_t b, uint32_t nb)
{
	return a < (uint64_t)b + nb && b < (uint64_t)a + na;
}

int idmap_parse(const char *s, struct idmaps *maps, struct err *err)
{
	int64_t v[3];
	struct idmap m;

	/* The last id, 4294967295, is the kernel's "none". */
	if (parse_three(s, v) < 0 || v[0] + v[2] > UINT32_MAX || v[1] + v[2] > UINT32_MAX)
		return err_msg(err, -EINVAL, "id map %s: not HOST:INSIDE:COUNT", s);
	m = (struct idmap){ .host = (uint32_t)v[0], .inside = (uint32_t)v[1], .count = (uint32_t)v[2] };
	for (int i = 0; i < maps->n; i++) {
		const struct idmap *o = &maps->v[i];

		if (overlap(m.host, m.count, o->host, o->count) || overlap(m.inside, m.count, o->inside, o->count))
			return err_msg(err, -EINVAL, "id map %s: overlaps another", s);
	}
	if (maps->n == IDMAP_MAX)
		return err_msg(err, -EINVAL, "id map %s: more than %d", s, IDMAP_MAX);
	maps->v[maps->n++] = m;
	return 0;
}

static void map_text(const struct idmaps *maps, struct buf *text)
{
	for (int i = 0; i < maps->n; i++)
		buf_fmt(text, "%u %u %u\n", maps->v[i].inside, maps->v[i].host, maps->v[i].count);
}

int idmap_check(const struct idmaps *maps, struct err *err)
{
	struct buf text = { 0 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len;

	map_text(maps, &text);
	len = text.len;
	buf_free(&text);
	if (len >= page)
		return err_msg(err, -EINVAL, "%d id maps take %zu bytes, and the kernel takes less than %zu", maps->n, len, page);
	if (idmap_host(maps, 0) < 0)
		return err_msg(err, -EINVAL, "no id map has the container's id 0");
	return 0;
}

/* The kernel takes a map by one write only, and only once. */
static int write_map(pid_t pid, const char *file, const struct idmaps *maps, struct err *err)
{
	struct buf text = { 0 };
	char path[40];
	int r;

	if (maps->n == 0)
		return 0;
	map_text(maps, &text);
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	r = file_put(AT_FDCWD, path, text.p);
	buf_free(&text);
	return r < 0 ? err_sys(err, r, "write %s", path) : 0;
}

int idmap_write(pid_t pid, const struct idmaps *users, const struct idmaps *groups, bool deny_setgroups, struct err *err)
{
	char path[40];
	int r;

	snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
	if (deny_setgroups && (r = file_put(AT_FDCWD, path, "deny")) < 0)
		return err_sys(err, r, "write %s", path);
	r = write_map(pid, "uid_map", users, err);
	return r < 0 ? r : write_map(pid, "gid_map", groups, err);
}

int64_t idmap_host(const struct idmaps *maps, uint32_t inside)
{
	for (int i = 0; i < maps->n; i++)
		if (inside >= maps->v[i].inside && inside - maps->v[i].inside < maps->v[i].count)
			return (int64_t)maps->v[i].host + (inside - maps->v[i].inside);
	return maps->n ? -1 : (int64_t)inside;
}

static int refused_id(int code, const char *kind, int64_t id, struct err *err)
{
	if (code == -EINVAL)
		return err_sys(err, code, "%s %lld is not in the map of this user namespace", kind, (long long)id);
	return err_sys(err, code, "become %s %lld", kind, (long long)id);
}

int idmap_become(int64_t uid, int64_t gid, bool root, struct err *err)
{
	gid_t g = gid < 0 ? 0 : (gid_t)gid;
	uid_t u = uid < 0 ? 0 : (uid_t)uid;

	/* EPERM: denied (/proc/PID/setgroups), or no group is mapped */
	if ((root || gid >= 0) && setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(err, -errno, "drop groups");
	if ((root || gid >= 0) && setresgid(g, g, g) < 0 && gid >= 0)
		return refused_id(-errno, "group", gid, err);
	if ((root || uid >= 0) && setresuid(u, u, u) < 0 && uid >= 0)
		return refused_id(-errno, "user", uid, err);
	return 0;
}
