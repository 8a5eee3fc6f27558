#include "ctr/copy.h"
#include "base/file.h"
#include "base/path.h"
#include "ctr/copy_path.h"
#include "ctr/inside.h"
#include "image/tar.h"
#include "image/unpack.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct job {
	const struct copy *c;
	const struct copy_source *from; /* copy_in: what comes */
	int data[2];                    /* a pipe; the tar goes through it */
};

/* The host's root, and PATH from there: `..` in a path relative to our working directory may lead above it. */
static int host_path(const char *path, char **absolute, struct err *err)
{
	char here[PATH_MAX];
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || (*path != '/' && !getcwd(here, sizeof here)))
		return err_sys(err, -errno, "open the working directory");
	*absolute = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", here, path);
	return root;
}

static int write_source(int root, const struct copy_source *s, const char *name, int fd, struct err *err)
{
	struct tar_write w = { .rootfd = root, .from = s->path, .name = name, .cross_mounts = !s->whole };
	struct fd_sink to;

	fd_sink_init(&to, fd);
	return tar_write(&w, &to.s, err);
}

static int read_target(int rootfd, const char *into, const struct copy_target *t, struct source *from, struct err *err)
{
	struct tar_extract x = {
		.rootfd = rootfd, .into = into, .rename = t->rename, .strip = t->strip, .merge_dirs = true
	};

	return tar_extract(&x, from, err);
}

/* copy_out, in the container: one byte says what the source is, then comes the tar. */
static int send_out(int root, void *arg, struct err *err)
{
	struct job *j = arg;
	struct copy_source s = { 0 };
	int r = copy_source(root, j->c->inside, j->c->follow, &s, err);

	if (r < 0)
		return r;
	if (!j->c->host)
		return write_source(root, &s, s.content ? NULL : s.name, STDOUT_FILENO, err);
	close(j->data[0]);
	r = write_all(j->data[1], s.dir ? "d" : "f", 1);
	return r < 0 ? err_sys(err, r, "write") : write_source(root, &s, s.name, j->data[1], err);
}

/* copy_out, on the host: nothing is written outside of the directory that the copy goes into, whatever symlinks earlier
 * copies left in it. */
static int take_out(const struct copy *c, const struct copy_source *s, int fd, struct err *err)
{
	struct copy_target t = { 0 };
	struct fd_source from;
	char *path;
	int root = host_path(c->host, &path, err), into, r;

	if (root < 0)
		return root;
	r = copy_target(root, path, s, &t, err);
	if (r < 0)
		return r;
	into = path_open(root, t.into, O_RDONLY | O_DIRECTORY, 0);
	if (into < 0)
		return err_sys(err, into, "%s", t.into);
	fd_source_init(&from, fd);
	r = read_target(into, NULL, &t, &from.s, err);
	close(into);
	close(root);
	return r;
}

/* Of two ends of a pipe the writer's error is the cause, but that the reader is gone; then it is the reader's. */
static int cause(const struct err *writer, const struct err *reader, struct err *err)
{
	const struct err *e = writer->code && (writer->code != -EPIPE || !reader->code) ? writer : reader;

	*err = *e;
	return e->code;
}

int copy_out(const struct copy *c, struct err *err)
{
	struct job j = { .c = c };
	struct inside in = { .store = c->store, .record = c->record, .mounts = true, .work = send_out, .arg = &j };
	struct err theirs = { 0 }, ours = { 0 };
	struct copy_source s = { 0 };
	char kind;

	if (pipe2(j.data, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	if (inside_begin(&in, err) < 0)
		return err->code;
	close(j.data[1]);
	if (read_full(j.data[0], &kind, 1) == 1) {
		s.dir = kind == 'd';
		copy_source_name(c->inside, &s);
		ours.code = take_out(c, &s, j.data[0], &ours);
	}
	close(j.data[0]);
	inside_end(&in, &theirs);
	return cause(&theirs, &ours, err);
}

/* copy_in, in the container. */
static int take_in(int root, void *arg, struct err *err)
{
	struct job *j = arg;
	struct copy_target t = { 0 };
	struct fd_source from;
	int r;

	if (j->c->host)
		close(j->data[1]);
	r = copy_target(root, j->c->inside, j->from, &t, err);
	if (r < 0)
		return r;
	if (!j->c->host && t.rename)
		return err_msg(err, -ENOTDIR, "%s: a tar stream needs a directory to go to", j->c->inside);
	fd_source_init(&from, j->c->host ? j->data[0] : STDIN_FILENO);
	return read_target(root, t.into, &t, j->c->host ? &from.s : unpack_new(&from.s, 0), err);
}

static int stream_in(const struct copy *c, struct err *err)
{
	struct job j = { .c = c, .from = &(struct copy_source){ .dir = false } };
	struct inside in = { .store = c->store, .record = c->record, .mounts = true, .work = take_in, .arg = &j };
	int r = inside_begin(&in, err);

	return r < 0 ? r : inside_end(&in, err);
}

int copy_in(const struct copy *c, struct err *err)
{
	struct copy_source s = { 0 };
	struct job j = { .c = c, .from = &s };
	struct inside in = { .store = c->store, .record = c->record, .mounts = true, .work = take_in, .arg = &j };
	struct err theirs = { 0 }, ours = { 0 };
	char *path;
	int root;

	if (!c->host)
		return stream_in(c, err);
	root = host_path(c->host, &path, err);
	if (root < 0 || copy_source(root, path, c->follow, &s, err) < 0)
		return err->code;
	if (pipe2(j.data, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	if (inside_begin(&in, err) < 0)
		return err->code;
	close(j.data[0]);
	signal(SIGPIPE, SIG_IGN);
	ours.code = write_source(root, &s, s.name, j.data[1], &ours);
	close(j.data[1]);
	inside_end(&in, &theirs);
	return cause(&ours, &theirs, err);
}

static int send_root(int root, void *arg, struct err *err)
{
	struct fd_sink to;

	fd_sink_init(&to, *(int *)arg);
	return tar_write(&(struct tar_write){ .rootfd = root }, &to.s, err);
}

int copy_root(const struct store *s, struct record *r, int fd, struct err *err)
{
	struct inside in = { .store = s, .record = r, .work = send_root, .arg = &fd };
	int code = inside_begin(&in, err);

	return code < 0 ? code : inside_end(&in, err);
}
