#include "ctr/userdb.h"
#include "base/num.h"
#include "base/path.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DB_MAX (4 << 20) /* a file larger than this is no passwd */

/* The whole of a file that the image wrote; empty where there is none. */
static char *read_db(int rootfd, const char *path)
{
	int fd = path_open(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct buf b = { 0 };

	buf_add(&b, "", 0);
	while (fd >= 0 && b.len < DB_MAX) {
		ssize_t n;

		buf_reserve(&b, 1024);
		n = read(fd, b.p + b.len, b.cap - b.len - 1);
		if (n <= 0)
			break;
		b.len += (size_t)n;
		b.p[b.len] = 0;
	}
	if (fd >= 0)
		close(fd);
	return b.p;
}

/* Cuts the next line of *REST into N fields at its colons; missing ones are "". False at the end. */
static bool next_line(char **rest, char **fields, int n)
{
	char *line = *rest;

	if (!*line)
		return false;
	*rest = line + strcspn(line, "\n");
	if (**rest)
		*(*rest)++ = 0;
	for (int i = 0; i < n; i++) {
		fields[i] = line;
		if (i == n - 1)
			break;
		line += strcspn(line, ":");
		if (*line)
			*line++ = 0;
	}
	return true;
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* A decimal id: (uid_t)-1 means "leave it" to the kernel and is refused. */
static int parse_id(const char *s, unsigned *out)
{
	int64_t n;

	if (!is_number(s) || num_range(s, 0, 0xfffffffe, &n) < 0)
		return -EINVAL;
	*out = (unsigned)n;
	return 0;
}

/* Names may hold what useradd allows; "0x1", "+1", "" or a control character are no names. */
static bool is_name(const char *s)
{
	if (!*s || strlen(s) > 64 || strchr("-+", *s) || (*s >= '0' && *s <= '9'))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr(":,/\\", *s))
			return false;
	return true;
}

static int find_user(int rootfd, const char *name, struct user *out, char **login, struct err *err)
{
	char *db, *rest, *f[7];
	unsigned id = 0, uid, gid;
	bool number = is_number(name), found = false;

	if (number ? parse_id(name, &id) < 0 : !is_name(name))
		return err_msg(err, -EINVAL, "user \"%s\": neither a name nor an id", name);
	out->uid = id;
	db = rest = read_db(rootfd, "/etc/passwd");
	while (!found && next_line(&rest, f, 7)) {
		if (parse_id(f[2], &uid) < 0 || parse_id(f[3], &gid) < 0)
			continue;
		found = number ? uid == id : !strcmp(f[0], name);
		if (!found)
			continue;
		out->uid = uid;
		out->gid = gid;
		*login = xstrdup(f[0]);
		if (*f[5] == '/')
			out->home = xstrdup(f[5]);
	}
	free(db);
	if (!found && !number)
		return err_msg(err, -ENOENT, "user \"%s\": not in the container's /etc/passwd", name);
	return 0;
}

static int find_group(int rootfd, const char *name, gid_t *out, struct err *err)
{
	char *db, *rest, *f[4];
	unsigned gid;
	bool found = false;

	if (is_number(name) && parse_id(name, out) == 0)
		return 0;
	if (is_number(name) || !is_name(name))
		return err_msg(err, -EINVAL, "group \"%s\": neither a name nor an id", name);
	db = rest = read_db(rootfd, "/etc/group");
	while (!found && next_line(&rest, f, 4))
		if (!strcmp(f[0], name) && parse_id(f[2], &gid) == 0) {
			*out = gid;
			found = true;
		}
	free(db);
	return found ? 0 : err_msg(err, -ENOENT, "group \"%s\": not in the container's /etc/group", name);
}

static void add_group(struct user *u, gid_t gid)
{
	for (int i = 0; i < u->ngroups; i++)
		if (u->groups[i] == gid)
			return;
	if (u->ngroups < (int)(sizeof u->groups / sizeof *u->groups))
		u->groups[u->ngroups++] = gid;
}

/* Whether the comma-separated MEMBERS name LOGIN. */
static bool is_member(const char *members, const char *login)
{
	size_t n = strlen(login);

	for (const char *s = members; *s; s += strcspn(s, ","), s += *s == ',')
		if (!strncmp(s, login, n) && (s[n] == ',' || !s[n]))
			return true;
	return false;
}

static void add_memberships(int rootfd, const char *login, struct user *u)
{
	char *db, *rest, *f[4];
	unsigned gid;

	if (!login)
		return;
	db = rest = read_db(rootfd, "/etc/group");
	while (next_line(&rest, f, 4))
		if (parse_id(f[2], &gid) == 0 && is_member(f[3], login))
			add_group(u, gid);
	free(db);
}

/* USER's part before and after its one colon. */
static int split(const char *user, char **name, char **group, struct err *err)
{
	const char *colon = strchr(user, ':');

	if (colon == user || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return err_msg(err, -EINVAL, "user \"%s\": not USER or USER:GROUP", user);
	*name = colon ? xstrndup(user, (size_t)(colon - user)) : xstrdup(user);
	*group = colon ? xstrdup(colon + 1) : NULL;
	return 0;
}

int user_find(int rootfd, const char *user, const struct strs *extra, struct user *out, struct err *err)
{
	char *name = NULL, *group = NULL, *login = NULL;
	int r;

	*out = (struct user){ 0 };
	r = split(user && *user ? user : "0", &name, &group, err);
	if (!r)
		r = find_user(rootfd, name, out, &login, err);
	if (!r && group)
		r = find_group(rootfd, group, &out->gid, err);
	add_group(out, out->gid);
	if (!r && !group) /* docker's way: an explicit group is the only one */
		add_memberships(rootfd, login, out);
	for (size_t i = 0; !r && i < extra->n; i++) {
		gid_t gid;

		r = find_group(rootfd, extra->v[i], &gid, err);
		if (!r)
			add_group(out, gid);
	}
	if (!out->home)
		out->home = xstrdup("/");
	free(name);
	free(group);
	free(login);
	return r;
}

char *user_name(int rootfd, uid_t uid)
{
	struct user u = { 0 };
	char number[16], *login = NULL;

	snprintf(number, sizeof number, "%u", uid);
	find_user(rootfd, number, &u, &login, NULL);
	free(u.home);
	return login;
}
