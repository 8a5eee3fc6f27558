/* Telling events. v2: poll(2) wakes for cgroup.events and memory.events (POLLPRI); v1: an eventfd(2), registered in
 * cgroup.event_control, for memory.oom_control. That the group is gone is told by inotify(7) of the group above. */
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

struct source {
	const struct cgroup_hierarchy *h;
	const char *file; /* NULL: the group's own end */
	struct buf last;  /* the file's content as told */
};

#define SOURCES 3
struct watch {
	const char *path;
	struct source s[SOURCES];
	struct pollfd fds[SOURCES];
	int n;
	int (*tell)(void *arg, const char *line);
	void *arg;
};

static void add(struct watch *w, const struct cgroup_hierarchy *h, const char *file, int fd, short events)
{
	if (fd < 0)
		return;
	w->s[w->n] = (struct source){ h, file, { 0 } };
	w->fds[w->n++] = (struct pollfd){ fd, events, 0 };
}

/* "EVENTFD FD-OF-THE-FILE" to cgroup.event_control. The eventfd, or -errno. */
static int register_v1(const struct cgroup_hierarchy *h, const char *path, const char *file)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd = cgroup_file_open(h, path, file, O_RDONLY), r;
	char text[32];

	snprintf(text, sizeof text, "%d %d", event, fd);
	r = fd < 0 ? fd : cgroup_file_put(h, path, "cgroup.event_control", text);
	if (fd >= 0)
		close(fd);
	if (!r)
		return event;
	close(event);
	return r;
}

static void add_memory(struct watch *w, const struct cgroup_hierarchy *h)
{
	if (h->v2)
		add(w, h, "memory.events", cgroup_file_open(h, w->path, "memory.events", O_RDONLY), POLLPRI);
	else
		add(w, h, "memory.oom_control", register_v1(h, w->path, "memory.oom_control"), POLLIN);
}

static void add_end(struct watch *w, const struct cgroup_hierarchy *h)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char parent[CGROUP_PATH_MAX];
	char *dir;

	cgroup_parent(w->path, parent);
	dir = xasprintf("%s%s", h->mount, parent);
	if (inotify_add_watch(fd, dir, IN_DELETE | IN_ONLYDIR) >= 0)
		add(w, h, NULL, fd, POLLIN);
	else if (fd >= 0)
		close(fd);
	free(dir);
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *s = text; s && (s = strstr(s, line)); s += n)
		if ((s == text || s[-1] == '\n') && (!s[n] || s[n] == '\n'))
			return true;
	return false;
}

/* Tells the lines that are other than they were. -ENOENT once the group is gone. */
static int tell_changes(struct watch *w, struct source *s)
{
	struct buf now = { 0 };
	struct strs lines = { 0 };
	int r;

	if (!s->file)
		return cgroup_in(s->h, w->path) ? 0 : -ENOENT;
	r = cgroup_file_get(s->h, w->path, s->file, &now);
	if (!r)
		strs_split(&lines, now.p, '\n');
	for (size_t i = 0; i < lines.n && !r; i++)
		if (!s->last.p || !has_line(s->last.p, lines.v[i]))
			r = w->tell(w->arg, lines.v[i]);
	strs_free(&lines);
	buf_free(&s->last);
	s->last = now;
	return r == -ENODEV ? -ENOENT : r;
}

/* Takes the wake-up back: what is read again is what comes after it. */
static void rearm(const struct pollfd *p)
{
	char b[4096];

	if (p->events == POLLPRI)
		(void)!pread(p->fd, b, sizeof b, 0);
	else if (read(p->fd, b, sizeof b) == sizeof(uint64_t))
		cgroup_pause(10); /* an eventfd: v1 wakes before it kills, and counts after it */
}

static int loop(struct watch *w)
{
	int r = 0;

	for (int i = 0; i < w->n && !r; i++)
		r = tell_changes(w, &w->s[i]);
	while (!r) {
		if (poll(w->fds, (nfds_t)w->n, -1) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < w->n && !r; i++)
			if (w->fds[i].revents) {
				rearm(&w->fds[i]);
				r = tell_changes(w, &w->s[i]);
			}
	}
	return r;
}

int cgroup_watch(const struct cgroup_host *host, const char *path, int (*tell)(void *arg, const char *line), void *arg,
		 struct err *err)
{
	struct watch w = { .path = path, .tell = tell, .arg = arg };
	const struct cgroup_hierarchy *unified = host->unified < 0 ? NULL : &host->h[host->unified];
	const struct cgroup_hierarchy *memory = cgroup_find(host, "memory");
	int r;

	if (!cgroup_exists(host, path))
		return err_sys(err, -ENOENT, "group %s", path);
	if (unified)
		add(&w, unified, "cgroup.events", cgroup_file_open(unified, path, "cgroup.events", O_RDONLY), POLLPRI);
	if (memory)
		add_memory(&w, memory);
	if (w.n)
		add_end(&w, w.s[0].h);
	r = w.n ? loop(&w) : err_msg(err, -ENOTSUP, "group %s: no hierarchy tells its events", path);
	for (int i = 0; i < w.n; i++) {
		buf_free(&w.s[i].last);
		close(w.fds[i].fd);
	}
	return r == -ENOENT ? 0 : r;
}
