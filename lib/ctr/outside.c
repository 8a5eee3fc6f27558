#include "ctr/outside.h"
#include "ctr/outside_way.h"
#include "base/kernel.h"
#include "base/say.h"
#include "ctr/ports.h"
#include "base/tool.h"
#include "sys/ns.h"
#include "sys/proc.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const struct {
	const char *name;
	int (*start)(const struct way *w, pid_t *pid, struct err *err);
} programs[] = { { "pasta", outside_pasta }, { "slirp4netns", outside_slirp } };
#define PROGRAMS (sizeof programs / sizeof *programs)

bool outside_is(const char *name)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (!strcmp(name, programs[i].name))
			return true;
	return false;
}

/* The path of NAME, or of the first that is there if it is "any", malloc'ed; its place in the table in *WHICH. */
static char *find(const char *name, size_t *which)
{
	char *path = NULL;

	for (size_t i = 0; i < PROGRAMS && !path; i++)
		if (!strcmp(name, "any") || !strcmp(name, programs[i].name)) {
			path = tool_find(programs[i].name);
			*which = i;
		}
	return path;
}

bool outside_there(const char *name)
{
	size_t which;
	char *path = find(name, &which);

	free(path);
	return path != NULL;
}

/* By a name in our own mount namespace, as the program wants it. It has the namespace open afterwards; the empty file stays. */
static int start(struct way *w, size_t which, struct err *err)
{
	struct state *st = &w->record->state;
	pid_t pid = 0;
	int r = ns_keep_open(w->fd, w->netns);

	if (r < 0)
		return err_sys(err, r, "bind the container's network namespace at %s", w->netns);
	r = programs[which].start(w, &pid, err);
	umount2(w->netns, MNT_DETACH);
	if (r < 0) {
		if (faccessat(AT_FDCWD, "/dev/net/tun", R_OK | W_OK, 0) < 0)
			err_hint(err, "/dev/net/tun must be there and open to users");
		return r;
	}
	st->helper = pid;
	st->helper_start = (int64_t)proc_start_time(pid);
	return 0;
}

static int connect_by(struct way *w, size_t which, struct err *err)
{
	struct record *r = w->record;
	int code;

	ports_copy(&r->spec.ports, &r->state.ports);
	code = ports_take(&r->state.ports, err);
	if (!code) {
		say_step("start %s", w->program);
		code = start(w, which, err);
	}
	if (code < 0)
		outside_release(r);
	return code;
}

int outside_connect(const struct store *s, struct record *r, int netns, struct err *err)
{
	struct way w = { .record = r, .fd = netns };
	const char *name = r->spec.outside;
	size_t which;
	int code;

	if (!name)
		return 0;
	w.program = find(name, &which);
	w.run = xasprintf("%s/containers/%s", s->run_path, r->id);
	w.netns = xasprintf("%s/netns", w.run);
	code = w.program ? connect_by(&w, which, err) : err_msg(err, -ENOENT, "--net %s: isn't installed", name);
	if (code < 0 && !strcmp(name, "any") && !r->spec.ports.n) {
		say("%s: has no way out: %s", r->spec.name, err->text);
		*err = (struct err){ 0 };
		code = 0;
	}
	free(w.program);
	free(w.run);
	free(w.netns);
	return code;
}

void outside_release(struct record *r)
{
	struct state *st = &r->state;
	int fd = st->helper ? proc_open((pid_t)st->helper, (uint64_t)st->helper_start) : -1;

	if (!r->spec.outside)
		return;
	if (fd >= 0) {
		struct pollfd p = { fd, POLLIN, 0 };

		sys_pidfd_send_signal(fd, SIGKILL);
		poll(&p, 1, 5000); /* whoever starts next may want its ports */
		waitpid((pid_t)st->helper, NULL, WNOHANG); /* slirp4netns is a child of ours */
		close(fd);
	}
	if (r->run >= 0)
		unlinkat(r->run, "netns", 0);
	st->helper = st->helper_start = 0;
	fields_free_array(port_fields, sizeof(struct port), &st->ports);
}
