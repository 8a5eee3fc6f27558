#include "inject_follow.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
#define TICK_MS 20
#define CALL_STOP (SIGTRAP | 0x80)

static volatile sig_atomic_t ticked;

void die(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* At the entry of a call: its number. At its exit: what it gives. */
#if defined(__x86_64__)
static void change(pid_t tid, bool entry, long value)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0)
		return;
	*(entry ? &regs.orig_rax : &regs.rax) = (unsigned long)value;
	ptrace(PTRACE_SETREGS, tid, 0, &regs);
}
#elif defined(__aarch64__)
static void change(pid_t tid, bool entry, long value)
{
	struct user_regs_struct regs;
	int number = (int)value;
	struct iovec call = { &number, sizeof number }, all = { &regs, sizeof regs };

	if (entry) {
		ptrace(PTRACE_SETREGSET, tid, 0x404 /* NT_ARM_SYSTEM_CALL */, &call);
	} else if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all) == 0) {
		regs.regs[0] = (unsigned long)value;
		ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all);
	}
}
#else
#error "inject: how are calls changed on this processor?"
#endif

/* The kernel makes no call of number -1. */
void refuse(struct task *t, int error)
{
	change(t->tid, true, -1);
	t->error = error;
}

/* Whether it executes what is followed, or a copy (memfd_create(2)): that is as long. */
static bool executes(const struct follow *f, pid_t tid)
{
	char path[32];
	struct stat ours, its;

	if (!f->program)
		return true;
	snprintf(path, sizeof path, "/proc/%d/exe", (int)tid);
	return stat(f->program, &ours) == 0 && stat(path, &its) == 0 && ours.st_size == its.st_size;
}

static struct task *find(struct follow *f, pid_t tid)
{
	for (int i = 0; i < f->n; i++)
		if (f->tasks[i].tid == tid)
			return &f->tasks[i];
	return NULL;
}

/* The one of that TID, which may be new: whether its own first stop or its parent's news of it comes first isn't certain. */
static struct task *add(struct follow *f, pid_t tid)
{
	struct task *t = find(f, tid);

	if (t)
		return t;
	if (f->n == f->room) {
		f->room = f->room * 2 + 16;
		f->tasks = realloc(f->tasks, (size_t)f->room * sizeof *f->tasks);
		if (!f->tasks)
			die("realloc");
	}
	t = &f->tasks[f->n++];
	*t = (struct task){ .tid = tid, .number = ++f->numbers, .counts = f->numbers > 1 && executes(f, tid) };
	return t;
}

static void drop(struct follow *f, struct task *t)
{
	if (t)
		*t = f->tasks[--f->n];
}

static void at_call(struct follow *f, struct task *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, (void *)sizeof info, &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->error) {
		change(t->tid, false, -t->error);
		t->error = 0;
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && t->counts && !f->enough)
		f->ask(f, t, info.entry.nr, info.entry.args);
}

/* A thread that executed becomes its process. */
static struct task *executed(struct follow *f, struct task *t, pid_t former)
{
	pid_t tid = t->tid;

	if (former != tid && find(f, former)) {
		drop(f, t);
		t = find(f, former);
		t->tid = tid;
	}
	t->counts = executes(f, tid);
	return t;
}

static bool group_stop(int event, int sig)
{
	return event == PTRACE_EVENT_STOP && (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU);
}

static void stopped(struct follow *f, pid_t tid, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);
	long deliver = event || sig == CALL_STOP ? 0 : sig;
	struct task *t = add(f, tid);
	unsigned long other = 0;
	bool failing;

	if (event)
		ptrace(PTRACE_GETEVENTMSG, tid, 0, &other);
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)
		add(f, (pid_t)other);
	else if (event == PTRACE_EVENT_EXEC)
		t = executed(f, t, (pid_t)other);
	else if (sig == CALL_STOP)
		at_call(f, t);
	t = find(f, tid);
	failing = t->error;
	if (f->letting_go && !failing) {
		ptrace(PTRACE_DETACH, tid, 0, (void *)deliver);
		drop(f, t);
	} else if (group_stop(event, sig)) {
		ptrace(PTRACE_LISTEN, tid, 0, 0);
	} else {
		ptrace(f->enough && !failing ? PTRACE_CONT : PTRACE_SYSCALL, tid, 0, (void *)deliver);
	}
}

static void show(pid_t tid, const char *file)
{
	char path[48], text[4096];
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	fprintf(stderr, "  %s: %s%s", file, text, n > 0 && text[n - 1] == '\n' ? "" : "\n");
}

/* Where each of them waits. */
static void hangs(struct follow *f)
{
	for (int i = 0; i < f->n; i++) {
		fprintf(stderr, "inject: process %d (%d) hangs after %d calls\n", f->tasks[i].number, (int)f->tasks[i].tid, f->tasks[i].calls);
		show(f->tasks[i].tid, "comm");
		show(f->tasks[i].tid, "syscall");
		show(f->tasks[i].tid, "wchan");
		show(f->tasks[i].tid, "stack");
	}
	for (int i = 0; i < f->n; i++)
		kill(f->tasks[i].tid, SIGKILL);
	f->code = 124;
}

static void let_go(struct follow *f)
{
	f->letting_go = true;
	for (int i = 0; i < f->n; i++)
		ptrace(PTRACE_INTERRUPT, f->tasks[i].tid, 0, 0);
}

static void tick(int sig)
{
	ticked = sig;
}

/* Every TICK_MS, until the tasks end. False: they don't. */
static bool goes_on(struct follow *f)
{
	if (!ticked)
		return true;
	ticked = 0;
	if (f->seconds && ++f->ticks > f->seconds * (1000 / TICK_MS)) {
		hangs(f);
		return false;
	}
	if (f->release && f->code >= 0 && !f->moved && !f->letting_go)
		let_go(f);
	f->moved = false;
	return true;
}

static void ended(struct follow *f, pid_t tid, int status)
{
	drop(f, find(f, tid));
	if (tid == f->first)
		f->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void seize(struct follow *f, pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, 0, (void *)OPTIONS) < 0)
		die("PTRACE_SEIZE");
	add(f, pid);
}

/* It waits until we follow it. */
static void start(struct follow *f, char **argv)
{
	int go[2];
	char c;

	if (pipe2(go, O_CLOEXEC) < 0 || (f->first = fork()) < 0)
		die("start");
	if (!f->first) {
		close(go[1]);
		if (read(go[0], &c, 1) == 1)
			execvp(*argv, argv);
		die(*argv);
	}
	close(go[0]);
	seize(f, f->first);
	if (write(go[1], "", 1) < 0)
		die("write");
	close(go[1]);
}

int follow(struct follow *f, char **argv, const pid_t *pids, int n)
{
	struct itimerval each = { { 0, TICK_MS * 1000 }, { 0, TICK_MS * 1000 } };
	int status;

	f->code = -1;
	start(f, argv);
	for (int i = 0; i < n; i++) {
		seize(f, pids[i]);
		ptrace(PTRACE_INTERRUPT, pids[i], 0, 0);
	}
	signal(SIGINT, SIG_IGN);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = tick }, NULL);
	setitimer(ITIMER_REAL, &each, NULL);
	while (f->n && goes_on(f)) {
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno != EINTR)
			break;
		if (tid < 0)
			continue;
		f->moved = true;
		if (WIFSTOPPED(status))
			stopped(f, tid, status);
		else
			ended(f, tid, status);
		if (f->enough && f->release && f->code >= 0 && !f->letting_go)
			let_go(f);
	}
	return f->code;
}
