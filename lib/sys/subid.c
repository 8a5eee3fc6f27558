#include "sys/subid.h"

#include "base/file.h"
#include "base/num.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Whether OWNER, a line's first word, is the name or the number asked for. */
static bool is_owner(const char *owner, const char *user, int64_t uid)
{
	int64_t n;

	if (user && !strcmp(owner, user))
		return true;
	return uid >= 0 && num_range(owner, 0, UINT32_MAX - 1, &n) == 0 && n == uid;
}

/* OWNER:FIRST:COUNT; the id 4294967295 is the kernel's "none". */
static void take_line(const char *line, const char *user, int64_t uid, struct subids *out)
{
	struct strs part = { 0 };
	int64_t first, count;

	strs_split(&part, line, ':');
	if (out->n < SUBID_MAX && part.n == 3 && is_owner(part.v[0], user, uid) &&
	    num_range(part.v[1], 0, UINT32_MAX - 1, &first) == 0 && num_range(part.v[2], 1, UINT32_MAX - first, &count) == 0)
		out->v[out->n++] = (struct subid){ (uint32_t)first, (uint32_t)count };
	strs_free(&part);
}

int subid_ranges(const char *path, const char *user, int64_t uid, struct subids *out)
{
	struct buf text = { 0 };
	int r = file_read(AT_FDCWD, path, &text, 1 << 20);

	out->n = 0;
	for (char *line = r < 0 ? NULL : text.p, *end; line && *line; line = end) {
		end = strchrnul(line, '\n');
		if (*end)
			*end++ = 0;
		take_line(line, user, uid, out);
	}
	buf_free(&text);
	return r == -ENOENT ? 0 : r;
}
