/* Death, errors and snapshots at any system call: `inject [OPTION].. WHAT CMD [ARG]..` runs CMD and follows it and all that it starts, until all have
 * ended; its exit code is CMD's (128+N: by signal N). As strace -f does, but a call is named by whose it is: P:N is the Nth call of the Pth process or
 * thread, in the order of their creation (1 is CMD, from its execve on).
 *
 *	-l              lists the points, "P:N NAME" a line
 *	P:N kill        the process is killed when it comes there: that call isn't made any more
 *	P:N int         it gets SIGINT there
 *	P:N ENOSPC      that call isn't made, and gives this error; calls that can't fail (exit) aren't counted
 *	-x HOOK         a shell runs HOOK before each call ($POINT: "P:N NAME"), while that process waits
 *
 *	-f NAME[,..]    counts only the calls of these names, or of these kinds: creat (an open that may make a file), fwrite (to a file, but not to stderr)
 *	-e PROGRAM      counts only those of processes while they execute this file
 *	-a              refuses that call and every later one, whoever's
 *	-o FILE         for what -l lists, else for a line "P:N NAME" for each call at which something was done: none, none (stderr)
 *	-p PID          follows this one too, which runs already: numbers 2, 3 ..
 *	-d              lets those go that are left when CMD has ended and it has struck, or nothing moves any more (daemons)
 *	-t SECONDS      then it hangs: says where each one waits, kills all, and exits with 124
 *
 * For root of the host. Whoever kills us kills all that we follow. inject_lib.sh makes it, and inject_names.h. */
#include "inject_follow.h"
#include "inject_names.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum what { POINT, LIST, SIGNAL, ERROR, HOOK };

struct inject {
	struct follow f;
	enum what what;
	int number, call;
	int value;       /* of SIGNAL and ERROR */
	const char *hook, *family;
	bool always, fired;
	FILE *out;
	pid_t pids[16];
	int n;
};

static const struct { const char *name; int number; } errors[] = {
	{ "ENOSPC", ENOSPC }, { "EIO", EIO }, { "ENOMEM", ENOMEM }, { "EINTR", EINTR }, { "EMFILE", EMFILE }, { "ENFILE", ENFILE },
	{ "EAGAIN", EAGAIN }, { "EPERM", EPERM }, { "EACCES", EACCES }, { "EROFS", EROFS }, { "EDQUOT", EDQUOT }, { "EBUSY", EBUSY },
	{ "ENOENT", ENOENT }, { "EEXIST", EEXIST }, { "EINVAL", EINVAL }, { "ENOSYS", ENOSYS }, { "ENODEV", ENODEV }, { "ENOBUFS", ENOBUFS },
};

static const char *call_name(unsigned long nr, char room[24])
{
	if (nr < sizeof call_names / sizeof *call_names && call_names[nr])
		return call_names[nr];
	snprintf(room, 24, "call_%lu", nr);
	return room;
}

/* Whether NAME is one of LIST's, with commas between them. */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

static void run_hook(const struct inject *in, const char *point)
{
	pid_t pid = fork();

	if (!pid) {
		setenv("POINT", point, 1);
		execl("/bin/sh", "sh", "-c", in->hook, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void act(struct inject *in, struct task *t, const char *name)
{
	char point[64];

	snprintf(point, sizeof point, "%d:%d %s", t->number, t->calls, name);
	if (in->what == HOOK) {
		run_hook(in, point);
		return;
	}
	fprintf(in->out, "%s\n", point);
	if (in->what == SIGNAL)
		kill(t->tid, in->value);
	if (in->what == ERROR)
		refuse(t, in->value);
	in->fired = true;
	in->f.enough = in->what != LIST && !in->always;
}

/* Whether its file descriptor FD is a file's; what it complains about is to come through. */
static bool is_file(const struct task *t, int fd)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)t->tid, fd);
	return fd != 2 && !stat(path, &st) && S_ISREG(st.st_mode);
}

/* What only arguments tell: which calls need room on a disk. */
static const char *kind(const struct task *t, const char *name, const uint64_t args[6])
{
	unsigned long flags = args[2];

	if (!strcmp(name, "openat2"))
		flags = (unsigned long)ptrace(PTRACE_PEEKDATA, t->tid, args[2], 0);
	if (!strcmp(name, "open"))
		flags = args[1];
	if (!strncmp(name, "open", 4) && strcmp(name, "open_tree") && flags & O_CREAT)
		return "creat";
	return listed("write,pwrite64,writev,pwritev", name) && is_file(t, (int)args[0]) ? "fwrite" : name;
}

static void ask(struct follow *f, struct task *t, unsigned long nr, const uint64_t args[6])
{
	struct inject *in = f->arg;
	char room[24];
	const char *name = call_name(nr, room);

	if ((in->family && !listed(in->family, name) && !listed(in->family, kind(t, name, args))) || (in->what == ERROR && listed("exit,exit_group,rt_sigreturn", name)))
		return;
	t->calls++;
	if (in->what == LIST || in->what == HOOK || in->fired || (t->number == in->number && t->calls == in->call))
		act(in, t, name);
}

static bool parse_point(struct inject *in, const char *point, const char *what)
{
	if (!point || sscanf(point, "%d:%d", &in->number, &in->call) != 2 || !what)
		return false;
	in->value = !strcmp(what, "kill") ? SIGKILL : !strcmp(what, "int") ? SIGINT : 0;
	in->what = in->value ? SIGNAL : ERROR;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (!strcmp(errors[i].name, what))
			in->value = errors[i].number;
	return in->value && (in->what == ERROR || !in->always);
}

static bool option(struct inject *in, int c)
{
	switch (c) {
	case 'l': in->what = LIST; return true;
	case 'x': in->what = HOOK; in->hook = optarg; return true;
	case 'f': in->family = optarg; return true;
	case 'e': in->f.program = optarg; return true;
	case 'a': in->always = true; return true;
	case 'd': in->f.release = true; return true;
	case 't': in->f.seconds = atoi(optarg); return true;
	case 'p': in->pids[in->n % 16] = atoi(optarg); return ++in->n <= 16;
	case 'o':
		in->out = fopen(optarg, "we");
		if (!in->out || setvbuf(in->out, NULL, _IOLBF, 0))
			die(optarg);
		return true;
	default: return false;
	}
}

int main(int argc, char **argv)
{
	struct inject in = { .f = { .ask = ask, .arg = &in }, .out = stderr };
	bool good = true;
	int code;

	for (int c; good && (c = getopt(argc, argv, "+lx:f:e:adt:p:o:")) > 0;)
		good = option(&in, c);
	argv += optind;
	if (good && in.what == POINT && (good = parse_point(&in, argv[0], argv[0] ? argv[1] : NULL)))
		argv += 2;
	if (!good || !*argv) {
		fprintf(stderr, "inject: usage: inject [OPTION].. {-l|-x HOOK|P:N kill|P:N int|P:N ERROR} CMD [ARG]..\n");
		return 125;
	}
	code = follow(&in.f, argv, in.pids, in.n);
	return fclose(in.out) ? 125 : code;
}
