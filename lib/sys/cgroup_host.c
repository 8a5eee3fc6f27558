/* What control groups this host has: /proc/self/cgroup names the hierarchies, /proc/self/mountinfo where they are. See
 * cgroups(7), proc(5). */
#include "base/file.h"
#include "base/num.h"
#include "sys/cgroup_internal.h"
#include "sys/mount.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A mountinfo line of a cgroup file system. */
struct mount_line {
	unsigned major, minor;
	char *root, *point, *options; /* options: the super block's, "rw,cpu,cpuacct" */
	bool v2;
};

/* "ID:cpu,cpuacct:/path" or "0::/path". */
static void add_hierarchy(struct cgroup_host *host, char *line)
{
	char *controllers = strchr(line, ':');
	char *self = controllers ? strchr(controllers + 1, ':') : NULL;
	struct cgroup_hierarchy *h;

	if (!self || host->n == CGROUP_MAX)
		return;
	*controllers++ = *self++ = '\0';
	h = &host->h[host->n++];
	*h = (struct cgroup_hierarchy){ .v2 = !*controllers && !strcmp(line, "0"), .fd = -1, .self = xstrdup(self) };
	strs_split(&h->controllers, controllers, ',');
}

/* "36 35 98:0 /root /point rw,.. [optional].. - TYPE SOURCE OPTIONS", cut up in place. */
static bool parse_mount(char *line, struct mount_line *m)
{
	char *tail = strstr(line, " - cgroup"), *save, *end;
	const char *device;

	if (!tail)
		return false;
	*tail = '\0';
	tail += 9;
	m->v2 = *tail == '2';
	tail = strchr(tail, ' ');
	m->options = tail ? strchr(tail + 1, ' ') : NULL;
	device = word_at(line, 2);
	if (!m->options || !device)
		return false;
	m->options++;
	m->major = (unsigned)strtoul(device, &end, 10);
	m->minor = *end == ':' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
	strtok_r(line, " ", &save);
	strtok_r(NULL, " ", &save);
	strtok_r(NULL, " ", &save);
	m->root = strtok_r(NULL, " ", &save);
	m->point = strtok_r(NULL, " ", &save);
	if (!m->point)
		return false;
	mountinfo_decode(m->root);
	mountinfo_decode(m->point);
	return true;
}

/* A mount belongs to the hierarchy whose first controller (or name=) is among its options. */
static bool belongs(const struct cgroup_hierarchy *h, const struct mount_line *m)
{
	struct strs options = { 0 };
	bool yes;

	if (h->fd >= 0 || h->v2 != m->v2 || h->v2)
		return h->fd < 0 && h->v2 && m->v2;
	strs_split(&options, m->options, ',');
	yes = h->controllers.n && strs_has(&options, h->controllers.v[0]);
	strs_free(&options);
	return yes;
}

/* The root directory of the mount, unless another mount hides it. */
static int open_mount(const struct mount_line *m)
{
	int fd = open(m->point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && st.st_dev == makedev(m->major, m->minor))
		return fd;
	close(fd);
	return -ENOENT;
}

/* Where only a part of the hierarchy is mounted (a container without a cgroup namespace), paths begin there. */
static void rebase_self(struct cgroup_hierarchy *h, const char *root)
{
	size_t n = strcmp(root, "/") ? strlen(root) : 0;
	char *self;

	if (!n || strncmp(h->self, root, n) || (h->self[n] && h->self[n] != '/'))
		return;
	self = xstrdup(h->self[n] ? h->self + n : "/");
	free(h->self);
	h->self = self;
}

static void read_v2_controllers(struct cgroup_hierarchy *h)
{
	struct buf b = { 0 };

	if (!cgroup_file_get(h, "/", "cgroup.controllers", &b))
		strs_split(&h->controllers, b.p, ' ');
	buf_free(&b);
}

/* 0, or -errno if it is there and can't be opened for now. */
static int place(struct cgroup_host *host, const struct mount_line *m)
{
	for (int i = 0; i < host->n; i++) {
		struct cgroup_hierarchy *h = &host->h[i];

		if (!belongs(h, m))
			continue;
		h->fd = open_mount(m);
		if (h->fd < 0)
			return h->fd == -ENOENT || h->fd == -ENOTDIR || h->fd == -EACCES ? 0 : h->fd;
		h->mount = xstrdup(m->point);
		rebase_self(h, m->root);
		if (h->v2)
			read_v2_controllers(h);
		break;
	}
	return 0;
}

void cgroup_hierarchy_free(struct cgroup_hierarchy *h)
{
	if (h->fd >= 0)
		close(h->fd);
	free(h->mount);
	free(h->self);
	strs_free(&h->controllers);
}

/* Keeps the hierarchies that are mounted. */
static void drop_unmounted(struct cgroup_host *host)
{
	int n = 0;

	for (int i = 0; i < host->n; i++) {
		if (host->h[i].fd < 0) {
			cgroup_hierarchy_free(&host->h[i]);
			continue;
		}
		if (host->h[i].v2)
			host->unified = n;
		host->h[n++] = host->h[i];
	}
	host->n = n;
}

/* The line at *TEXT, cut off there, and *TEXT at the next; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end++ = '\0';
	*text = end;
	return line;
}

int cgroup_detect(struct cgroup_host *host, struct err *err)
{
	struct buf groups = { 0 }, mounts = { 0 };
	struct mount_line m;
	char *text, *line;
	int r;

	host->n = 0;
	host->unified = -1;
	host->lacking = NULL;
	host->failed = 0;
	r = file_read(AT_FDCWD, "/proc/self/mountinfo", &mounts, 64 << 20);
	if (r < 0) {
		err_sys(err, r, "read /proc/self/mountinfo");
		err_hint(err, "is proc mounted on /proc?");
	} else if ((r = file_read(AT_FDCWD, "/proc/self/cgroup", &groups, 1 << 20)) == -ENOENT) {
		r = 0; /* no CONFIG_CGROUPS */
	} else if (r < 0) {
		err_sys(err, r, "read /proc/self/cgroup");
	}
	for (text = groups.p; (line = next_line(&text));)
		add_hierarchy(host, line);
	for (text = mounts.p; host->n && (line = next_line(&text));) {
		int failed = parse_mount(line, &m) ? place(host, &m) : 0;

		if (failed && !r)
			r = err_sys(err, failed, "open %s", m.point);
	}
	drop_unmounted(host);
	host->failed = r;
	buf_free(&groups);
	buf_free(&mounts);
	return r;
}

void cgroup_host_free(struct cgroup_host *host)
{
	for (int i = 0; i < host->n; i++)
		cgroup_hierarchy_free(&host->h[i]);
	host->n = 0;
	host->unified = -1;
}

const struct cgroup_hierarchy *cgroup_find(const struct cgroup_host *host, const char *controller)
{
	for (int i = 0; i < host->n; i++)
		if (strs_has(&host->h[i].controllers, controller))
			return &host->h[i];
	return NULL;
}
