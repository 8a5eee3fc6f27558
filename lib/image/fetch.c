#include "image/fetch.h"

#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 3                    /* as docker: more gain little, and cost the registry */
#define GLANCE_MS 100                /* between two looks at how far they are */

/* What a fetching process says; its parent reads it too. */
struct report {
	atomic_uint done;            /* KB that came: no wider than what every processor writes at once */
	int rc;
	struct err err;
	char diff_id[65];
	int64_t unpacked;
};

struct job {
	const char *name, *diff_id;  /* blobs/sha256/HEX; what it will be unpacked */
	int64_t size;
	struct layer_made made;
	struct report *report;
	pid_t pid;                   /* 0: not begun, or ended */
	int alive;                   /* it holds the other end until it ends; -1: none */
};

struct jobs {
	struct job *v;
	size_t n, begun;
	struct report *reports;
};

static bool has_job(const struct jobs *j, const char *diff_id)
{
	for (size_t i = 0; i < j->n; i++)
		if (strcmp(j->v[i].diff_id, diff_id) == 0)
			return true;
	return false;
}

/* One for each layer that isn't there. The bytes that will come. */
static int64_t plan(struct load *l, struct jobs *j)
{
	int64_t sum = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct load_item *item = &l->v[i];

		for (size_t k = 0; k < item->layers.n; k++) {
			if (has_job(j, item->img.layers.v[k]) || archive_known_layer(&l->a, item->img.layers.v[k]))
				continue;
			j->v = xrealloc(j->v, (j->n + 1) * sizeof *j->v);
			j->v[j->n++] = (struct job){ .name = item->layers.v[k], .diff_id = item->img.layers.v[k], .size = item->sizes[k],
						     .made = { .fd = -1 }, .alive = -1 };
			sum += item->sizes[k] > 0 ? item->sizes[k] : 0;
		}
	}
	return sum;
}

/* The fetching process */

static void count(void *arg, int64_t bytes)
{
	((struct report *)arg)->done = (unsigned)(bytes >> 10);
}

static int bring(struct load *l, struct registry *r, struct job *j, struct err *err)
{
	struct archive a = l->a;
	struct registry_blob from;
	struct archive_blob b;
	int rc;

	if (j->size < 0)
		return err_msg(err, -EINVAL, "its manifest doesn't tell its size");
	a.progress = count;
	a.progress_arg = j->report;
	a.done = 0;
	registry_part(r);
	registry_blob_init(&from, r, archive_blob_hex(j->name), j->size);
	rc = archive_blob_begin(&b, &a, &from.s, err);
	if (rc == 0)
		rc = archive_fill_layer(&a, &b, archive_blob_hex(j->name), &j->made, &j->report->unpacked, err);
	registry_blob_end(&from);
	memcpy(j->report->diff_id, j->made.diff_id, sizeof j->report->diff_id);
	return rc;
}

/* ^C ends it at once: its parent takes back what it began. */
static void fetch(struct load *l, struct registry *r, struct job *j, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	interrupt_release();
	j->report->rc = bring(l, r, j, &j->report->err);
	_exit(0);
}

/* Its parent */

static int begin(struct load *l, struct registry *r, struct job *j, struct err *err)
{
	int ends[2], rc = layer_begin(l->a.folder, &j->made, err);
	pid_t parent = getpid();

	if (rc < 0)
		return rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	j->report->rc = -EIO; /* until it says another thing */
	err_msg(&j->report->err, -EIO, "the process that fetched it ended early");
	j->pid = fork();
	if (j->pid == 0)
		fetch(l, r, j, parent);
	if (j->pid < 0)
		rc = err_sys(err, -errno, "start a process that fetches");
	close(ends[1]);
	j->alive = ends[0];
	return rc;
}

static void reap(struct job *j)
{
	while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(j->alive);
	j->pid = 0;
	j->alive = -1;
}

/* What J brought becomes one of L's layers. */
static int end(struct load *l, struct job *j, struct err *err)
{
	int rc = j->report->rc;

	reap(j);
	if (rc < 0) {
		if (err)
			*err = j->report->err;
		return err_prefix(err, "%s", j->name);
	}
	memcpy(j->made.diff_id, j->report->diff_id, sizeof j->made.diff_id);
	rc = archive_join_layer(&l->a, &j->made, j->report->unpacked);
	j->made.fd = -1; /* it is the archive's now */
	return rc < 0 ? rc : 0;
}

static void tell(struct load *l, const struct jobs *j)
{
	int64_t sum = 0;

	for (size_t i = 0; i < j->begun; i++)
		sum += (int64_t)j->v[i].report->done << 10;
	if (l->a.progress)
		l->a.progress(l->a.progress_arg, sum);
}

/* Until one of those under way has ended; its number in *WHICH. 0; 1: nothing happened for a moment; or -EINTR. */
static int watch(const struct jobs *j, size_t *which)
{
	struct pollfd p[AT_ONCE];
	size_t at[AT_ONCE], n = 0;
	int rc;

	for (size_t i = 0; i < j->begun; i++) {
		if (j->v[i].alive < 0)
			continue;
		at[n] = i;
		p[n++] = (struct pollfd){ .fd = j->v[i].alive, .events = POLLIN };
	}
	rc = interrupted() ? -EINTR : poll(p, n, GLANCE_MS);
	if (rc < 0)
		return interrupted() ? -EINTR : 1;
	for (size_t i = 0; i < n; i++) {
		*which = at[i];
		if (p[i].revents)
			return 0;
	}
	return 1;
}

static int run(struct load *l, struct registry *r, struct jobs *j, struct err *err)
{
	size_t alive = 0, which;
	int rc = 0;

	while (rc >= 0 && (alive || j->begun < j->n)) {
		if (alive < AT_ONCE && j->begun < j->n) {
			rc = begin(l, r, &j->v[j->begun++], err);
			alive++;
			continue;
		}
		rc = watch(j, &which);
		tell(l, j);
		if (rc == -EINTR)
			err_sys(err, rc, "fetch");
		if (rc)
			continue;
		alive--;
		rc = end(l, &j->v[which], err);
	}
	return rc < 0 ? rc : 0;
}

/* Those that still run are of no use any more. */
static void stop(struct load *l, struct jobs *j)
{
	for (size_t i = 0; i < j->begun; i++) {
		if (j->v[i].pid > 0)
			kill(j->v[i].pid, SIGKILL);
		if (j->v[i].pid > 0)
			reap(&j->v[i]);
		if (j->v[i].alive >= 0)
			close(j->v[i].alive);
		if (j->v[i].made.fd >= 0)
			layer_unmake(l->a.folder, &j->v[i].made);
	}
}

int fetch_layers(struct load *l, struct registry *r, void (*sized)(void *arg, int64_t bytes), struct err *err)
{
	struct jobs j = { 0 };
	int64_t bytes = plan(l, &j);
	size_t room = j.n * sizeof *j.reports;
	int rc;

	if (!j.n)
		return 0;
	if (sized)
		sized(l->a.progress_arg, bytes);
	j.reports = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (j.reports == MAP_FAILED) {
		free(j.v);
		return err_sys(err, -errno, "map memory");
	}
	for (size_t i = 0; i < j.n; i++)
		j.v[i].report = &j.reports[i];
	rc = run(l, r, &j, err);
	stop(l, &j);
	munmap(j.reports, room);
	free(j.v);
	return rc;
}
