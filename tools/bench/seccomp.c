/* What the seccomp filter costs: `seccomp [PROFILE]`. Loading it (median over fresh processes), and a system call under it: one that is always allowed,
 * which newer kernels don't run the filter for (Linux 5.11), and one whose argument is looked at. With PROFILE, of docker's format, also the making of its
 * program and what that costs. */
#include "base/err.h"
#include "sys/caps.h"
#include "sys/seccomp.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 301
#define CALLS 100000

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int smaller(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What is measured of one process. */
struct sample {
	double load_us, plain_ns, judged_ns;
};

/* The best of ten: the machine may be busy. */
static double call_ns(long nr, long a, long b)
{
	double best = 1e9;

	for (int turn = 0; turn < 10; turn++) {
		double start = now_us(), ns;

		for (int i = 0; i < CALLS; i++)
			syscall(nr, a, b, 0);
		ns = (now_us() - start) * 1e3 / CALLS;
		best = ns < best ? ns : best;
	}
	return best;
}

static void measure(const char *filter, int how, struct sample *out)
{
	double start = now_us();
	int r = how == 0 ? 0 : how == 1 ? seccomp_load_default(caps_default) : seccomp_load(filter);

	out->load_us = now_us() - start;
	if (r < 0) {
		fprintf(stderr, "seccomp: can't load the filter: %d\n", r);
		_exit(1);
	}
}

/* The median over processes, each of which loads it anew; calls are measured in the first. */
static struct sample run(const char *filter, int how)
{
	struct sample *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), out;
	double loads[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			measure(filter, how, shared);
			if (i == 0) {
				shared->plain_ns = call_ns(SYS_getppid, 0, 0);
				shared->judged_ns = call_ns(SYS_ioctl, -1, 0);
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (status)
			exit(1);
		loads[i] = shared->load_us;
	}
	qsort(loads, ROUNDS, sizeof *loads, smaller);
	out = *shared;
	out.load_us = loads[ROUNDS / 2];
	munmap(shared, sizeof *shared);
	return out;
}

static void tell(const char *what, struct sample s)
{
	printf("%-22s %8.1f us to load  %6.0f ns getppid  %6.0f ns ioctl\n", what, s.load_us, s.plain_ns, s.judged_ns);
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	char *filter = NULL;
	double start;

	tell("no filter", run(NULL, 0));
	tell("default profile", run(NULL, 1));
	if (argc < 2)
		return 0;
	start = now_us();
	for (int i = 0; i < 100; i++) {
		free(filter);
		if (seccomp_profile(argv[1], caps_default, &filter, &err) < 0) {
			fprintf(stderr, "seccomp: %s\n", err.text);
			return 1;
		}
	}
	printf("%-22s %8.1f us to make\n", "given profile", (now_us() - start) / 100);
	tell("given profile", run(filter, 2));
	free(filter);
	return 0;
}
