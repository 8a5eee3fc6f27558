#include "ctr/store.h"
#include "base/clock.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens the directory that VARIABLE names; *PATH becomes its absolute path. */
static int open_place(const char *variable, const char *otherwise, char **path, struct err *err)
{
	const char *name = getenv(variable);
	int fd, r;

	if (!name || !*name)
		name = otherwise;
	fd = dir_open(AT_FDCWD, name);
	if (fd == -ENOENT) {
		r = dir_make_all(AT_FDCWD, name, 0711);
		fd = r < 0 ? r : dir_open(AT_FDCWD, name);
	}
	if (fd < 0) {
		err_sys(err, fd, "open %s", name);
		if (fd == -EACCES || fd == -EROFS)
			err_hint(err, fd == -EROFS ? "set CTRBOX_ROOT and CTRBOX_RUN to writable places" : "are you root?");
		return fd;
	}
	if (path && !(*path = realpath(name, NULL))) {
		r = -errno;
		close(fd);
		return err_sys(err, r, "resolve %s", name);
	}
	return fd;
}

/* The tag is made once: whoever links its temporary first has made it. */
static int make_tag(int root)
{
	char tag[9], temp[20] = ".tmp-";
	int r;

	random_hex(tag, 8);
	random_hex(temp + 5, 8);
	r = file_replace(root, temp, tag, 8, 0644, true);
	if (r < 0)
		return r;
	if (linkat(root, temp, root, "tag", 0) < 0 && errno != EEXIST && errno != ENOENT) /* a sweep may have taken it */
		r = -errno;
	unlinkat(root, temp, 0);
	return r;
}

static int read_tag(int root, char tag[9])
{
	struct buf b = { 0 };
	int r = file_read(root, "tag", &b, 64);

	if (!r && (b.len < 8 || strspn(b.p, "0123456789abcdef") != 8))
		r = -EINVAL;
	if (!r) {
		memcpy(tag, b.p, 8);
		tag[8] = 0;
	}
	buf_free(&b);
	return r;
}

/* A tag that a power cut left empty is made anew: nothing named by it can be alive. */
static int get_tag(int root, char tag[9], struct err *err)
{
	int r = read_tag(root, tag);

	if (r == -EINVAL)
		unlinkat(root, "tag", 0);
	if (r == -ENOENT || r == -EINVAL) {
		r = make_tag(root);
		if (!r)
			r = read_tag(root, tag);
	}
	return r < 0 ? err_sys(err, r, "the store's tag") : 0;
}

int store_open(struct err *err)
{
	return open_place("CTRBOX_ROOT", "/var/lib/ctrbox", NULL, err);
}

int store_get(struct store *s, struct err *err)
{
	int r;

	*s = (struct store){ .root = -1, .run = -1, .cgroups = xcalloc(1, sizeof *s->cgroups) };
	s->cgroups->n = -1;
	s->root = open_place("CTRBOX_ROOT", "/var/lib/ctrbox", &s->root_path, err);
	s->run = s->root < 0 ? s->root : open_place("CTRBOX_RUN", "/run/ctrbox", &s->run_path, err);
	r = s->run < 0 ? s->run : get_tag(s->root, s->tag, err);
	if (r < 0)
		store_close(s);
	return r;
}

const struct cgroup_host *store_cgroups(const struct store *s)
{
	if (s->cgroups->n < 0 && cgroup_detect(s->cgroups, NULL) < 0)
		*s->cgroups = (struct cgroup_host){ .unified = -1 };
	return s->cgroups;
}

void store_close(struct store *s)
{
	if (s->root >= 0)
		close(s->root);
	if (s->run >= 0)
		close(s->run);
	free(s->root_path);
	free(s->run_path);
	if (s->cgroups && s->cgroups->n > 0)
		cgroup_host_free(s->cgroups);
	free(s->cgroups);
	*s = (struct store){ .root = -1, .run = -1 };
}
