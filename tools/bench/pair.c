/* Times commands against each other: A B C A B C .., so that what disturbs the machine disturbs them all.
 *
 *	pair ROUNDS IDLE_MS NAME[@BASE]=COMMANDLINE..
 *
 * Each is forked, executed and waited for (its words split at blanks, stdout to /dev/null), after IDLE_MS of sleep. A line for each:
 * name, median and p10 in milliseconds, both as multiples of BASE's, median of the processor time, peak memory in KB. A command
 * that fails ends it all. $BEFORE, a line of shell, is run before each, uncounted. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS 32
#define WORDS 64

struct command {
	char *name, *base;
	char *argv[WORDS];
	double *ms, *cpu_ms;
	long peak_kb;
};

extern char **environ;

static void parse(char *text, struct command *c)
{
	char *line = strchr(text, '='), *save, *word;
	int n = 0;

	if (!line) {
		fprintf(stderr, "pair: %s: NAME=COMMAND is wanted\n", text);
		exit(2);
	}
	*line++ = 0;
	c->name = strtok_r(text, "@", &save);
	c->base = strtok_r(NULL, "@", &save);
	for (word = strtok_r(line, " ", &save); word && n < WORDS - 1; word = strtok_r(NULL, " ", &save))
		c->argv[n++] = word;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double to_ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* How long it took; *CPU_MS of it on a processor, its own children included. */
static double run_once(struct command *c, const posix_spawn_file_actions_t *actions, double *cpu_ms)
{
	double start = now_ms();
	struct rusage usage;
	int status = 0, r;
	pid_t pid;

	r = posix_spawnp(&pid, c->argv[0], actions, NULL, c->argv, environ);
	if (r || wait4(pid, &status, 0, &usage) < 0 || status) {
		fprintf(stderr, "pair: %s: %s (status %#x)\n", c->name, r ? strerror(r) : "failed", status);
		exit(1);
	}
	if (usage.ru_maxrss > c->peak_kb)
		c->peak_kb = usage.ru_maxrss;
	*cpu_ms = to_ms(usage.ru_utime) + to_ms(usage.ru_stime);
	return now_ms() - start;
}

/* What $BEFORE says is done before each run, uncounted. */
static void before(void)
{
	const char *command = getenv("BEFORE");

	if (command && system(command)) {
		fprintf(stderr, "pair: BEFORE failed\n");
		exit(1);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static const struct command *named(const struct command *c, int n, const char *name)
{
	for (int i = 0; i < n && name; i++)
		if (!strcmp(c[i].name, name))
			return &c[i];
	return NULL;
}

static void print(const struct command *c, const struct command *base, int rounds)
{
	double median = c->ms[rounds / 2], p10 = c->ms[rounds / 10];

	printf("%-26s %8.2f %8.2f", c->name, median, p10);
	if (base)
		printf(" %7.2fx %7.2fx", median / base->ms[rounds / 2], p10 / base->ms[rounds / 10]);
	else
		printf(" %8s %8s", "", "");
	printf(" %8.2f %8ld\n", c->cpu_ms[rounds / 2], c->peak_kb);
}

int main(int argc, char **argv)
{
	static struct command c[COMMANDS];
	int rounds = argc > 3 ? atoi(argv[1]) : 0, n = argc - 3;
	long idle_ms = argc > 3 ? atol(argv[2]) : 0;
	posix_spawn_file_actions_t actions;

	if (rounds < 1 || n > COMMANDS)
		return 2;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	for (int i = 0; i < n; i++) {
		parse(argv[3 + i], &c[i]);
		c[i].ms = calloc((size_t)rounds, sizeof *c[i].ms);
		c[i].cpu_ms = calloc((size_t)rounds, sizeof *c[i].cpu_ms);
		before();
		run_once(&c[i], &actions, c[i].cpu_ms); /* so that nobody pays for reading from the disk */
	}
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++) {
			before();
			nanosleep(&(struct timespec){ idle_ms / 1000, idle_ms % 1000 * 1000000 }, NULL);
			c[i].ms[round] = run_once(&c[i], &actions, &c[i].cpu_ms[round]);
		}
	for (int i = 0; i < n; i++) {
		qsort(c[i].ms, (size_t)rounds, sizeof *c[i].ms, ascending);
		qsort(c[i].cpu_ms, (size_t)rounds, sizeof *c[i].cpu_ms, ascending);
	}
	printf("%-26s %8s %8s %8s %8s %8s %8s\n", "ms", "median", "p10", "median/", "p10/", "cpu", "peak KB");
	for (int i = 0; i < n; i++)
		print(&c[i], named(c, n, c[i].base), rounds);
	return 0;
}
