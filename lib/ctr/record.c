#include "ctr/record.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/num.h"
#include "base/userns.h"
#include "ctr/attach.h"
#include "ctr/lost.h"
#include "sys/proc.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define STATE_MAX (1 << 20)

#define T(m) offsetof(struct state, m)
static const struct field state_fields[] = {
	{ "boot_id", FIELD_STR, T(boot_id), NULL, 0 },
	{ "pid", FIELD_I64, T(pid), NULL, 0 },
	{ "pid_start", FIELD_I64, T(pid_start), NULL, 0 },
	{ "supervisor", FIELD_I64, T(supervisor), NULL, 0 },
	{ "supervisor_start", FIELD_I64, T(supervisor_start), NULL, 0 },
	{ "cgroup", FIELD_STR, T(cgroup), NULL, 0 },
	{ "started", FIELD_I64, T(started), NULL, 0 },
	{ "started_boot_ms", FIELD_I64, T(started_boot_ms), NULL, 0 },
	{ "starts", FIELD_I64, T(starts), NULL, 0 },
	{ "restarting", FIELD_BOOL, T(restarting), NULL, 0 },
	{ "pivot_fallback", FIELD_BOOL, T(pivot_fallback), NULL, 0 },
	{ "health", FIELD_STR, T(health), NULL, 0 },
	{ "helper", FIELD_I64, T(helper), NULL, 0 },
	{ "helper_start", FIELD_I64, T(helper_start), NULL, 0 },
	{ "attachments", FIELD_ARRAY, T(attachments), attachment_fields, sizeof(struct attachment) },
	{ "ports", FIELD_ARRAY, T(ports), port_fields, sizeof(struct port) },
	{ 0 },
};

#define L(m) offsetof(struct last, m)
static const struct field last_fields[] = {
	{ "exit_code", FIELD_I64, L(exit_code), NULL, 0 },
	{ "started", FIELD_I64, L(started), NULL, 0 },
	{ "finished", FIELD_I64, L(finished), NULL, 0 },
	{ "restarts", FIELD_I64, L(restarts), NULL, 0 },
	{ "stopped_by_user", FIELD_BOOL, L(stopped_by_user), NULL, 0 },
	{ "oom", FIELD_BOOL, L(oom), NULL, 0 },
	{ "error", FIELD_STR, L(error), NULL, 0 },
	{ 0 },
};

/* Reads a state file into zeroed INTO. 0, -ENOENT, or what is wrong with it. */
static int read_fields(int dirfd, const char *path, const struct field *table, void *into, struct err *err)
{
	struct buf b = { 0 };
	struct json *j = NULL;
	int r = file_read(dirfd, path, &b, STATE_MAX);

	if (r < 0) {
		err_sys(err, r, "read %s", path);
	} else {
		j = json_parse(b.p, b.len, err);
		r = j ? fields_read(j, table, into, err) : -EINVAL;
		if (r < 0) {
			err_prefix(err, "%s", path);
			fields_free(table, into);
		}
	}
	json_free(j);
	buf_free(&b);
	return r;
}

static int write_fields(int dirfd, const char *path, const struct field *table, const void *from, bool sync, struct err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b };
	int r;

	fields_write(&o, NULL, table, from);
	buf_char(&b, '\n');
	r = file_replace(dirfd, path, b.p, b.len, 0600, sync);
	if ((r == -ENOSPC || r == -EDQUOT) && table == last_fields) /* how it ended outweighs that a power cut now could garble it */
		r = file_overwrite(dirfd, path, &b) < 0 ? r : 0;
	buf_free(&b);
	return r < 0 ? err_sys(err, r, "write %s", path) : 0;
}

static char *run_path(const char *id, char out[40])
{
	memcpy(out, "containers/", 11);
	memcpy(out + 11, id, ID_LENGTH + 1);
	return out;
}

static int refresh(const struct store *s, struct record *r)
{
	struct state state = { 0 };
	struct last last = { 0 };
	char path[40];
	int code;

	if (r->run < 0)
		r->run = dir_open(s->run, run_path(r->id, path));
	code = r->run < 0 ? r->run : read_fields(r->run, "state.json", state_fields, &state, NULL);
	if (file_is_known(code))
		code = read_fields(r->dir, "last.json", last_fields, &last, NULL);
	if (!file_is_known(code)) {
		fields_free(state_fields, &state);
		return code;
	}
	fields_free(state_fields, &r->state);
	fields_free(last_fields, &r->last);
	r->state = state;
	r->last = last;
	return 0;
}

void record_refresh(const struct store *s, struct record *r)
{
	refresh(s, r);
}

/* A spec that couldn't be read, or is another container's. */
static void check_spec(struct record *r, int code)
{
	if (!code && r->spec.id && !strcmp(r->spec.id, r->id))
		return;
	r->garbled = true;
	spec_free(&r->spec);
	r->spec = (struct spec){ .id = xstrdup(r->id), .name = xstrdup(r->id) };
}

int record_open_id(const struct store *s, const char *id, struct record *out, struct err *err)
{
	char path[40];
	int r;

	*out = (struct record){ .dir = -1, .run = -1 };
	memcpy(out->id, id, ID_LENGTH);
	out->dir = dir_open(s->root, run_path(id, path));
	if (out->dir < 0)
		return err_sys(err, out->dir, "open container %s", id);
	r = read_fields(out->dir, "spec.json", spec_fields, &out->spec, NULL);
	if (file_is_known(r)) {
		check_spec(out, r);
		r = refresh(s, out);
	}
	if (r < 0) {
		record_close(out);
		err_sys(err, r, "read the record of container %s", id);
	}
	return r;
}

static int skim(int dirfd, const char *id, const char *file, const struct field *table, void *into, struct buf *room)
{
	char path[64];
	int r;

	snprintf(path, sizeof path, "containers/%s/%s", id, file);
	r = file_load(dirfd, path, room, STATE_MAX);
	if (r < 0)
		return r;
	r = fields_skim(room->p, table, into);
	if (r < 0)
		fields_free(table, into);
	return r;
}

int record_peek(const struct store *s, const char *id, unsigned parts, struct buf *room, struct record *out)
{
	int r;

	*out = (struct record){ .dir = -1, .run = -1 };
	memcpy(out->id, id, ID_LENGTH);
	r = skim(s->root, id, "spec.json", spec_summary, &out->spec, room);
	if (r == -ENOENT)
		return r;
	check_spec(out, r);
	if (parts & PEEK_STATE)
		skim(s->run, id, "state.json", state_fields, &out->state, room);
	if (parts & PEEK_LAST)
		skim(s->root, id, "last.json", last_fields, &out->last, room);
	return 0;
}

void record_refresh_networks(struct record *r)
{
	struct state now = { 0 }, *st = &r->state;

	if (!ns_is_private(r->spec.net))
		return;
	if (r->run < 0 || read_fields(r->run, "state.json", state_fields, &now, NULL) < 0)
		return;
	fields_free_array(attachment_fields, sizeof(struct attachment), &st->attachments);
	st->attachments = now.attachments;
	now.attachments = (struct array){ 0 };
	fields_free(state_fields, &now);
}

void record_refresh_spec(struct record *r)
{
	struct spec now = { 0 };
	struct cgroup_limits old = r->spec.limits;
	struct array nets = r->spec.nets;
	char *name = r->spec.name;

	if (read_fields(r->dir, "spec.json", spec_fields, &now, NULL) < 0)
		return;
	r->spec.limits = now.limits;
	now.limits = old;
	r->spec.nets = now.nets;
	now.nets = nets;
	r->spec.name = now.name;
	now.name = name;
	spec_free(&now);
}

void record_close(struct record *r)
{
	spec_free(&r->spec);
	fields_free(state_fields, &r->state);
	fields_free(last_fields, &r->last);
	if (r->dir >= 0)
		close(r->dir);
	if (r->run >= 0)
		close(r->run);
	*r = (struct record){ .dir = -1, .run = -1 };
}

const char *status_name(enum status s)
{
	static const char *const names[] = { "created", "running", "paused", "restarting", "exited", "dead" };

	return names[s];
}

/* Pids of another boot are anybody's. */
static bool this_boot(const struct state *st)
{
	return st->boot_id && !strcmp(st->boot_id, clock_boot_id());
}

/* The quick answer for what runs: its group, named after its id, is populated and somebody has the supervisor's pid. Reading
 * /proc/PID/stat for its start time takes longer than all the rest. 0: not sure. */
static int group_says(const struct store *s, const struct state *st)
{
	if (!st->pid || !st->cgroup || st->restarting || !this_boot(st))
		return 0;
	return kill((pid_t)st->supervisor, 0) == 0 || errno == EPERM ? cgroup_life(store_cgroups(s), st->cgroup) : 0;
}

enum status record_status(const struct store *s, const struct record *r)
{
	const struct state *st = &r->state;
	int life;

	if (r->garbled)
		return DEAD;
	life = group_says(s, st);
	if (life > 0)
		return life == 2 ? PAUSED : RUNNING;
	if (st->supervisor && this_boot(st) && proc_alive((pid_t)st->supervisor, (uint64_t)st->supervisor_start)) {
		if (st->restarting)
			return RESTARTING;
		if (!st->pid)
			return r->last.started ? EXITED : CREATED;
		return st->cgroup && cgroup_frozen(store_cgroups(s), st->cgroup) ? PAUSED : RUNNING;
	}
	return r->last.started || st->pid ? EXITED : CREATED;
}

bool record_running(const struct store *s, const struct record *r)
{
	enum status status = record_status(s, r);

	return status == RUNNING || status == PAUSED;
}

int record_pidfd(const struct record *r)
{
	const struct state *st = &r->state;

	return st->pid && this_boot(st) ? proc_open((pid_t)st->pid, (uint64_t)st->pid_start) : -ESRCH;
}

/* The first child of PID, or 0: proc_tid_children(5). */
static pid_t first_child(pid_t pid)
{
	struct buf b = { 0 };
	char path[48];
	int64_t child = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if (file_read(AT_FDCWD, path, &b, 1 << 16) == 0 && b.len) {
		b.p[strcspn(b.p, " ")] = 0;
		num_range(b.p, 1, INT32_MAX, &child);
	}
	buf_free(&b);
	return (pid_t)child;
}

int record_way_in(const struct record *r, pid_t *pid)
{
	int init = record_pidfd(r), child;

	*pid = (pid_t)r->state.pid;
	if (init < 0 || !r->spec.init || ns_user_first())
		return init;
	*pid = first_child((pid_t)r->state.pid);
	child = *pid ? sys_pidfd_open(*pid) : -ESRCH;
	if (child >= 0 && (first_child((pid_t)r->state.pid) != *pid || sys_pidfd_send_signal(init, 0) < 0)) {
		close(child);
		child = -ESRCH;
	}
	close(init);
	return child;
}

/* Where state.json was lost under a living supervisor, the attach socket tells whose it is: unix(7), SO_PEERCRED. */
static int listening(const struct record *r)
{
	struct ucred peer;
	socklen_t n = sizeof peer;
	int fd = attach_connect(r, ATTACH_WAIT, NULL), pidfd;

	if (fd < 0)
		return -ESRCH;
	pidfd = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ? -ESRCH : sys_pidfd_open(peer.pid);
	close(fd);
	return pidfd;
}

int record_supervisor(const struct store *s, const struct record *r)
{
	const struct state *st = &r->state;

	if (!st->supervisor)
		return r->run < 0 ? lost_supervisor(s, r) : listening(r);
	if (!this_boot(st) || !proc_alive((pid_t)st->supervisor, (uint64_t)st->supervisor_start))
		return -ESRCH;
	return proc_open((pid_t)st->supervisor, (uint64_t)st->supervisor_start);
}

char *record_cgroup(const struct store *s, const struct record *r)
{
	if (r->state.cgroup)
		return xstrdup(r->state.cgroup);
	if (r->spec.cgroup_parent)
		return xasprintf("/%s/%s", r->spec.cgroup_parent, r->id);
	return xasprintf("/ctrbox-%s/%s", s->tag, r->id);
}

/* The file's mode says whose wish it is, so that one call makes both known. */
void record_mark_stopped(const struct record *r, bool by_user)
{
	mknodat(r->run, "stopped", S_IFREG | (by_user ? 0600 : 0400), 0);
}

bool record_marked_stopped(const struct record *r)
{
	return r->run >= 0 && faccessat(r->run, "stopped", F_OK, 0) == 0;
}

bool record_stopped_by_user(const struct record *r)
{
	struct stat st;

	return r->run >= 0 && fstatat(r->run, "stopped", &st, 0) == 0 && st.st_mode & S_IWUSR;
}

int record_lock(const struct record *r, int timeout_ms, struct err *err)
{
	int fd = dir_lock(r->dir, ".", timeout_ms);
	struct stat st;

	if (fd == -EWOULDBLOCK)
		return err_msg(err, fd, "container %s is busy: another command holds its lock", r->id);
	if (fd < 0)
		return err_sys(err, fd, "lock container %s", r->id);
	if (fstat(fd, &st) < 0 || st.st_nlink == 0) {
		close(fd);
		return err_msg(err, -ENOENT, "container %s was removed meanwhile", r->id);
	}
	return fd;
}

int record_write_state(const struct store *s, struct record *r, struct err *err)
{
	char path[40];

	if (r->run < 0) {
		int code = dir_make_all(s->run, run_path(r->id, path), 0700);

		r->run = code < 0 ? code : dir_open(s->run, path);
		if (r->run < 0)
			return err_sys(err, r->run, "make %s/%s", s->run_path, path);
	}
	return write_fields(r->run, "state.json", state_fields, &r->state, false, err);
}

int record_write_last(struct record *r, bool sync, struct err *err)
{
	return write_fields(r->dir, "last.json", last_fields, &r->last, sync && !r->spec.auto_remove, err);
}

int record_write_spec(struct record *r, struct err *err)
{
	return write_fields(r->dir, "spec.json", spec_fields, &r->spec, true, err);
}

void record_forget_state(const struct store *s, struct record *r)
{
	char path[40];

	if (r->run >= 0)
		close(r->run);
	r->run = -1;
	tree_remove(s->run, run_path(r->id, path));
	fields_free(state_fields, &r->state);
	r->state = (struct state){ 0 };
}
