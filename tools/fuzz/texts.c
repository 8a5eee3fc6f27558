/* Files of lines: the image's passwd and group, the host's subuid, --env-file. Any text gives a user, ranges, variables that make sense, or is refused with a word. The
 * input is a user as -u takes it, passwd and group, with a byte 255 between them. */
#include "check.h"
#include "scratch.h"

#include "ctr/options.h"
#include "ctr/userdb.h"
#include "sys/subid.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The next part of the input, which goes on at *P. */
static size_t next(const unsigned char **p, const unsigned char *end, const unsigned char **part)
{
	const unsigned char *stop = memchr(*p, 255, (size_t)(end - *p));

	*part = *p;
	stop = stop ? stop : end;
	*p = stop < end ? stop + 1 : end;
	return (size_t)(stop - *part);
}

static void put(int root, const char *path, const void *data, size_t len)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static void find_user(int root, const char *name)
{
	struct strs extra = { 0 };
	struct err err = { 0 };
	struct user u;

	strs_add(&extra, "wheel");
	check_told(user_find(root, name, &extra, &u, &err), &err);
	CHECK(u.home && u.home[0] == '/' && u.uid != (uid_t)-1 && u.gid != (gid_t)-1 && u.ngroups > 0 && u.ngroups <= 64);
	free(u.home);
	free(user_name(root, 1000));
	strs_free(&extra);
}

static void read_lines(int root, const char *user)
{
	struct strs files = { 0 }, env = { 0 }, none = { 0 };
	struct err err = { 0 };
	struct subids ids;
	char path[48];

	snprintf(path, sizeof path, "/proc/self/fd/%d/etc/passwd", root);
	CHECK(subid_ranges(path, user, 1000, &ids) == 0 && ids.n >= 0 && ids.n <= SUBID_MAX);
	for (int i = 0; i < ids.n; i++)
		CHECK(ids.v[i].count && ids.v[i].count <= UINT32_MAX - ids.v[i].first);
	strs_add(&files, path);
	check_told(options_env(&files, &none, false, &env, &err), &err);
	for (size_t i = 0; i < env.n; i++)
		CHECK(strchr(env.v[i], '=') > env.v[i]);
	strs_free(&files);
	strs_free(&env);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	const unsigned char *p = data, *end = data + len, *part;
	static int root = -1;
	char *user;
	size_t n;

	if (root < 0) {
		root = scratch_dir();
		CHECK(mkdirat(root, "etc", 0755) == 0);
	}
	n = next(&p, end, &part);
	user = xstrndup((const char *)part, n);
	n = next(&p, end, &part);
	put(root, "etc/passwd", part, n);
	n = next(&p, end, &part);
	put(root, "etc/group", part, n);
	find_user(root, user);
	read_lines(root, user);
	free(user);
	return 0;
}
