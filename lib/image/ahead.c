#include "image/ahead.h"

#include "base/buf.h"
#include "base/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CHUNKS 8
#define CHUNK (128 << 10)
#define FIRST_BYTES (256 << 10)   /* before a thread is worth while */

/* What one read of the source gave. */
struct chunk {
	ssize_t n;                /* the count; 0 at the end, or -errno: the last chunk */
	unsigned char data[CHUNK];
};

/* The chunks go round: of `empty` the thread takes, to `full` it gives. Whoever has taken one is the only one who touches it. */
struct ahead {
	struct source s;
	struct source *from;
	enum { FIRST, ALONE, THREAD } how;
	int64_t passed;           /* before there is a thread */
	pthread_t thread;
	int empty, full;          /* eventfd(2) that count them */
	atomic_bool stop;
	struct chunk *ring, *now; /* NOW: the one that is being handed on, or NULL */
	size_t at, given;         /* its place in the ring; bytes of it that were handed on */
	struct err err;           /* why the last chunk is an error */
};

static bool count_up(int fd)
{
	return write(fd, &(uint64_t){ 1 }, sizeof(uint64_t)) > 0;
}

static bool count_down(int fd)
{
	uint64_t one;

	return read(fd, &one, sizeof one) > 0;
}

static void *run(void *arg)
{
	struct ahead *a = arg;
	ssize_t n = 1;

	for (size_t i = 0; n > 0 && count_down(a->empty); i = (i + 1) % CHUNKS) {
		struct chunk *c = &a->ring[i];

		n = a->stop ? 0 : a->from->read(a->from, c->data, CHUNK, &a->err);
		c->n = n;
		count_up(a->full);
	}
	return NULL;
}

static bool processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

/* Signals are for who waits for the thread: it takes none. */
static bool begin_thread(struct ahead *a)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0;
}

static void give_back(struct ahead *a)
{
	if (a->empty >= 0)
		close(a->empty);
	if (a->full >= 0)
		close(a->full);
	free(a->ring);
}

static void begin(struct ahead *a)
{
	a->how = ALONE;
	if (!processors())
		return;
	a->empty = eventfd(CHUNKS, EFD_CLOEXEC | EFD_SEMAPHORE);
	a->full = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE | EFD_NONBLOCK);
	a->ring = malloc(CHUNKS * sizeof *a->ring);
	if (a->empty >= 0 && a->full >= 0 && a->ring && begin_thread(a))
		a->how = THREAD;
	else
		give_back(a);
}

/* Gives back the chunk that was read and waits for the next one: 1; 0 when there is none after it; -EINTR. */
static int next(struct ahead *a)
{
	if (a->now && a->now->n <= 0)
		return 0;
	if (a->now)
		count_up(a->empty);
	a->now = NULL;
	while (!count_down(a->full))
		if (interrupt_wait(a->full) < 0)
			return -EINTR;
	a->now = &a->ring[a->at];
	a->at = (a->at + 1) % CHUNKS;
	a->given = 0;
	return 1;
}

static ssize_t take(struct ahead *a, void *data, size_t len, struct err *err)
{
	if ((!a->now || (ssize_t)a->given == a->now->n) && next(a) < 0)
		return err_sys(err, -EINTR, "read");
	if (a->now->n <= 0) {
		if (a->now->n < 0 && err)
			*err = a->err;
		return a->now->n;
	}
	if (len > (size_t)a->now->n - a->given)
		len = (size_t)a->now->n - a->given;
	memcpy(data, a->now->data + a->given, len);
	a->given += len;
	return (ssize_t)len;
}

static ssize_t ahead_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct ahead *a = (struct ahead *)s;
	ssize_t n;

	if (a->how == FIRST && a->passed >= FIRST_BYTES)
		begin(a);
	if (a->how == THREAD)
		return take(a, data, len, err);
	n = a->from->read(a->from, data, len, err);
	a->passed += n > 0 ? n : 0;
	return n;
}

struct source *ahead_new(struct source *from)
{
	struct ahead *a = xcalloc(1, sizeof *a);

	a->s.read = ahead_read;
	a->from = from;
	return &a->s;
}

void ahead_free(struct source *ahead, bool keep)
{
	struct ahead *a = (struct ahead *)ahead;

	if (a->how == THREAD) {
		a->stop = true;
		while (keep && next(a) > 0)
			;
		pthread_cancel(a->thread); /* acts where a system call waits, and nowhere else */
		pthread_join(a->thread, NULL);
		give_back(a);
	}
	free(a);
}
