#include "build/ignore.h"

#include "base/file.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether C is in the class that *P, behind its '[', begins; *P is behind its ']' then. A class without an end is none. */
static bool in_class(const char **p, char c)
{
	const char *s = *p;
	bool negated = *s == '^', in = false;

	s += negated;
	do {
		char low, high;

		if (*s == '\\' && s[1])
			s++;
		if (!*s)
			return false;
		low = high = *s++;
		if (*s == '-' && s[1] && s[1] != ']') {
			s += s[1] == '\\' && s[2] ? 2 : 1;
			high = *s++;
		}
		in |= low <= c && c <= high;
	} while (*s != ']');
	*p = s + 1;
	return in != negated && c != '/';
}

/* Whether what *P begins with, other than a star, stands for C: *P is behind it then. */
static bool one(const char **p, char c)
{
	const char *s = *p;
	bool is;

	if (*s == '[') {
		s++;
		is = in_class(&s, c);
	} else if (*s == '?') {
		is = c != '/';
		s++;
	} else {
		s += *s == '\\' && s[1];
		is = *s++ == c;
	}
	if (is)
		*p = s;
	return is;
}

/* What failed behind a star is tried again with one character more for that star; what failed behind two, with one directory more for those. Only the
 * last of each need be tried: whatever the ones before them could take as well, they can. */
bool glob_matches(const char *p, const char *s)
{
	const char *star = NULL, *star_at = NULL, *deep = NULL, *deep_at = NULL;
	bool whole = false; /* the two stars stand for whole directories */

	for (;;) {
		if (p[0] == '*' && p[1] == '*') {
			p += 2;
			whole = *p == '/';
			p += whole;
			deep = p;
			deep_at = s;
			star = NULL;
			if (!*p && !whole)
				return true;
		} else if (*p == '*') {
			star = ++p;
			star_at = s;
		} else if (*s && *p && one(&p, *s)) {
			s++;
		} else if (!*s && !*p) {
			return true;
		} else if (star && *star_at && *star_at != '/') {
			s = ++star_at;
			p = star;
		} else if (deep && *deep_at) {
			deep_at += whole ? strcspn(deep_at, "/") : 1;
			if (whole && !*deep_at++)
				return false;
			s = deep_at;
			p = deep;
			star = NULL;
		} else {
			return false;
		}
	}
}

bool glob_is(const char *pattern)
{
	return strpbrk(pattern, "*?[\\") != NULL;
}

int ignore_add(struct ignore *g, const char *line, struct err *err)
{
	const char *blank = " \t\r\n";
	size_t n;
	struct buf path = { 0 };
	char *text;
	bool back;

	if (*line == '#')
		return 0;
	line += strspn(line, blank);
	for (n = strlen(line); n && strchr(blank, line[n - 1]); n--)
		;
	back = *line == '!';
	text = xstrndup(line + back, n - back);
	path_clean(text + strspn(text, blank), &path);
	free(text);
	if (path.len) /* the whole of it, ".", is no name in it */
		strs_fmt(&g->patterns, "%s%s", back ? "!" : "", path.p);
	g->brings_back |= back;
	buf_free(&path);
	return back && n == 1 ? err_msg(err, -EINVAL, "\"!\" without a pattern") : 0;
}

/* Whether PATTERN fits PATH or a directory that it is in. */
static bool fits(const char *pattern, const char *path, char *room)
{
	for (size_t n = 0;; n++) {
		n += strcspn(path + n, "/");
		memcpy(room, path, n);
		room[n] = 0;
		if (glob_matches(pattern, room))
			return true;
		if (!path[n])
			return false;
	}
}

bool ignore_has(const struct ignore *g, const char *path)
{
	char *room = g->patterns.n ? xmalloc(strlen(path) + 1) : NULL;
	bool out = false;

	for (size_t i = 0; i < g->patterns.n; i++) {
		const char *p = g->patterns.v[i];
		bool back = *p == '!';

		if (out == back && fits(p + back, path, room))
			out = !back;
	}
	free(room);
	return out;
}

/* Whether what was kept last is below PATH. So a tree isn't walked once for every directory on the way to that. */
static bool has_kept(const struct ignore *g, const char *path)
{
	size_t n = strlen(path);

	return g->kept && g->kept->len > n && !memcmp(g->kept->p, path, n) && g->kept->p[n] == '/';
}

bool ignore_has_all(const struct ignore *g, const char *path, int dirfd, const char *last)
{
	struct strs names = { 0 };
	bool all = ignore_has(g, path) && !has_kept(g, path);
	int fd = all && g->brings_back ? openat(dirfd, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (!all && g->kept && !has_kept(g, path)) {
		g->kept->len = 0;
		buf_str(g->kept, path);
	}
	if (fd < 0)
		return all;
	dir_names(fd, ".", dir_entry, &names);
	for (size_t i = 0; i < names.n && all; i++) {
		char *below = xasprintf("%s/%s", path, names.v[i]);

		all = ignore_has_all(g, below, fd, names.v[i]);
		free(below);
	}
	strs_free(&names);
	close(fd);
	return all;
}

void ignore_free(struct ignore *g)
{
	strs_free(&g->patterns);
	if (g->kept)
		buf_free(g->kept);
	free(g->kept);
	*g = (struct ignore){ 0 };
}
