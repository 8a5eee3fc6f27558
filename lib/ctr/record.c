#include "ctr/record.h"
#include "base/clock.h"
#include "base/file.h"
#include "sys/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	buf_free(&b);
	return r < 0 ? err_sys(err, r, "write %s", path) : 0;
}

static char *run_path(const char *id, char out[40])
{
	memcpy(out, "containers/", 11);
	memcpy(out + 11, id, ID_LENGTH + 1);
	return out;
}

void record_refresh(const struct store *s, struct record *r)
{
	char path[40];

	fields_free(state_fields, &r->state);
	fields_free(last_fields, &r->last);
	r->state = (struct state){ 0 };
	r->last = (struct last){ 0 };
	if (r->run < 0)
		r->run = dir_open(s->run, run_path(r->id, path));
	if (r->run >= 0)
		read_fields(r->run, "state.json", state_fields, &r->state, NULL);
	read_fields(r->dir, "last.json", last_fields, &r->last, NULL);
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
	if (r < 0 || !out->spec.id || strcmp(out->spec.id, id)) {
		out->garbled = true;
		spec_free(&out->spec);
		out->spec = (struct spec){ .id = xstrdup(out->id), .name = xstrdup(out->id) };
	}
	record_refresh(s, out);
	return 0;
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

enum status record_status(const struct store *s, const struct record *r)
{
	const struct state *st = &r->state;

	if (r->garbled)
		return DEAD;
	if (st->supervisor && st->boot_id && !strcmp(st->boot_id, clock_boot_id()) &&
	    proc_alive((pid_t)st->supervisor, (uint64_t)st->supervisor_start)) {
		if (st->restarting)
			return RESTARTING;
		if (!st->pid)
			return r->last.finished ? EXITED : CREATED;
		return st->cgroup && cgroup_frozen(store_cgroups(s), st->cgroup) ? PAUSED : RUNNING;
	}
	return r->last.finished || st->pid ? EXITED : CREATED;
}

bool record_running(const struct store *s, const struct record *r)
{
	enum status status = record_status(s, r);

	return status == RUNNING || status == PAUSED;
}

int record_pidfd(const struct record *r)
{
	return r->state.pid ? proc_open((pid_t)r->state.pid, (uint64_t)r->state.pid_start) : -ESRCH;
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
		int code = dir_make_all(s->run, run_path(r->id, path), 0711);

		r->run = code < 0 ? code : dir_open(s->run, path);
		if (r->run < 0)
			return err_sys(err, r->run, "make %s/%s", s->run_path, path);
	}
	return write_fields(r->run, "state.json", state_fields, &r->state, false, err);
}

int record_write_last(struct record *r, struct err *err)
{
	return write_fields(r->dir, "last.json", last_fields, &r->last, !r->spec.auto_remove, err);
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
