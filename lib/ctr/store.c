#include "ctr/store.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/userns.h"
#include "ctr/home.h"
#include "ctr/lost.h"
#include "ctr/rootless.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* In our environment: we came from an ordinary user. */
#define ROOTLESS "CTRBOX_ROOTLESS"

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

/* What an ordinary user does before anything else: their names are said once more for when we are root of a user namespace. */
static int enter(struct err *err)
{
	char *root = NULL, *run = NULL;
	int fd = home_open(HOME_ROOT, &root, err), r = fd;

	if (fd >= 0)
		close(fd);
	fd = r < 0 ? r : home_open(HOME_RUN, &run, err);
	if (fd >= 0) {
		r = rootless_enter(fd, err);
		close(fd);
	}
	if (fd < 0)
		r = fd;
	if (!r && (setenv("CTRBOX_ROOT", root, 1) || setenv("CTRBOX_RUN", run, 1) || setenv(ROOTLESS, "1", 1)))
		r = err_sys(err, -errno, "set the environment");
	free(root);
	free(run);
	return r;
}

static bool is_rootless(void)
{
	return getenv(ROOTLESS) && !ns_user_first();
}

int store_open(struct err *err)
{
	int r = geteuid() ? enter(err) : 0;

	return r < 0 ? r : home_open(HOME_ROOT, NULL, err);
}

/* Else what runs would be taken for dead, and removed. */
static int check_proc(struct err *err)
{
	if (*clock_boot_id())
		return 0;
	err_sys(err, -ENOENT, "read /proc/sys/kernel/random/boot_id");
	return err_hint(err, "is /proc mounted?");
}

int store_get(struct store *s, struct err *err)
{
	int r = geteuid() ? enter(err) : 0;

	if (!r)
		r = check_proc(err);
	*s = (struct store){ .root = -1, .run = -1, .rootless = is_rootless(), .cgroups = xcalloc(1, sizeof *s->cgroups) };
	s->cgroups->n = -1;
	s->root = r < 0 ? r : home_open(HOME_ROOT, &s->root_path, err);
	s->run = s->root < 0 ? s->root : home_open(HOME_RUN, &s->run_path, err);
	r = s->run < 0 ? s->run : get_tag(s->root, s->tag, err);
	if (r < 0)
		store_close(s);
	else if (!file_there(s->run, "containers")) /* a new boot, or it was emptied */
		lost_recover(s);
	return r;
}

/* Found once and kept, one a line, in `cgroups`: a later command may come from a place where nothing is delegated. When all of them
 * have gone they are looked for anew. */
static void take_delegated(const struct store *s)
{
	struct strs bases = { 0 };
	struct buf b = { 0 };
	bool known = file_read(s->run, "cgroups", &b, 1 << 16) == 0 && b.len;

	if (known)
		strs_split(&bases, b.p, '\n');
	cgroup_delegated(s->cgroups, &bases);
	b.len = 0;
	for (size_t i = 0; i < bases.n; i++)
		buf_fmt(&b, "%s\n", bases.v[i]);
	if (known && !s->cgroups->n)
		unlinkat(s->run, "cgroups", 0);
	else if (!known && b.len)
		file_replace(s->run, "cgroups", b.p, b.len, 0600, false);
	buf_free(&b);
	strs_free(&bases);
}

const struct cgroup_host *store_cgroups(const struct store *s)
{
	if (s->cgroups->n >= 0)
		return s->cgroups;
	cgroup_detect(s->cgroups, NULL);
	if (s->rootless)
		take_delegated(s);
	return s->cgroups;
}

int store_group_hold(const struct store *s)
{
	int fd = dir_open(s->run, ".");

	while (fd >= 0 && flock(fd, LOCK_SH) < 0 && errno == EINTR)
		;
	return fd;
}

/* A group that has processes or other groups stays: rmdir(2), EBUSY. */
bool store_group_leave(const struct store *s)
{
	const struct cgroup_host *host = store_cgroups(s);
	char name[20] = "ctrbox-";
	int fd = dir_open(s->run, ".");
	bool gone = false;

	memcpy(name + 7, s->tag, sizeof s->tag);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		for (int i = 0; i < host->n; i++)
			gone |= unlinkat(host->h[i].fd, name, AT_REMOVEDIR) == 0;
	if (fd >= 0)
		close(fd);
	return gone;
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
