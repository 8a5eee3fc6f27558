/* RUN: a command in a container of the image so far. */
#include "build/run_mount.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "ctr/reap.h"
#include "ctr/supervise.h"
#include "sys/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SCRIPT "/dev/ctrbox-run"  /* where a heredoc that names its interpreter is, while that runs */
#define LAST_MAX 4096             /* bytes of output that are shown after a failure if nothing else was */

struct run {
	const struct instruction *from;
	struct act act;
	struct run_mount *mounts;
	size_t nmounts;
	const struct heredoc *script;
};

static int add_mount(struct run *r, struct work *w, const char *value, struct err *err)
{
	r->mounts = xrealloc(r->mounts, (r->nmounts + 1) * sizeof *r->mounts);
	return run_mount_read(&r->mounts[r->nmounts++], w, value, err);
}

static int read_flags(struct run *r, struct work *w, struct err *err)
{
	const char *network = w->plan->build->network;
	int rc = 0;

	for (size_t i = 0; i < r->from->flags.n && !rc; i++) {
		const char *flag = r->from->flags.v[i];

		if (starts_with(flag, "--mount="))
			rc = add_mount(r, w, flag + strlen("--mount="), err);
		else if (!strcmp(flag, "--network=none"))
			network = "none";
		else if (!strcmp(flag, "--network=host") && (!network || strcmp(network, "host"))) /* a stranger's file doesn't give itself the host's */
			rc = err_msg(err, -EPERM, "%s: only where the build has --net host", flag);
		else if (!strcmp(flag, "--network=host"))
			continue;
		else if (strcmp(flag, "--network=default") && strcmp(flag, "--security=sandbox"))
			rc = err_msg(err, -EINVAL, "%s: unknown here (--mount=.., --network=default|none|host)", flag);
	}
	if (network)
		strs_add(&r->act.options.nets, network);
	return rc;
}

/* A heredoc that is the whole command: what its first line names interprets it, or the shell. */
static void use_script(struct run *r, const struct heredoc *h)
{
	struct strs words = { 0 };
	char *line;

	if (!starts_with(h->text, "#!")) {
		strs_add(&r->act.args, h->text);
		return;
	}
	line = xstrndup(h->text + 2, strcspn(h->text + 2, "\n"));
	line[strcspn(line, "\r")] = 0;
	strs_free(&r->act.args);
	strs_split(&words, line + strspn(line, " \t"), ' ');
	for (size_t i = 0; i < words.n; i++)
		if (*words.v[i])
			strs_add(&r->act.args, words.v[i]);
	strs_add(&r->act.args, SCRIPT);
	r->script = h;
	strs_free(&words);
	free(line);
}

static void set_command(struct run *r, const struct work *w)
{
	const struct instruction *i = r->from;
	struct strs *args = &r->act.args;
	struct buf text = { 0 };

	if (words_json(i->text, args))
		return;
	strs_append(args, &w->image.shell);
	if (!args->n) {
		strs_add(args, "/bin/sh");
		strs_add(args, "-c");
	}
	if (i->nheredocs == 1 && !strchr(i->text, ' ') && instruction_heredoc(i, i->text)) {
		use_script(r, &i->heredocs[0]);
		return;
	}
	buf_str(&text, i->text);
	for (size_t k = 0; k < i->nheredocs; k++)
		buf_fmt(&text, "\n%s%s", i->heredocs[k].text, i->heredocs[k].name);
	strs_add(args, text.p);
	buf_free(&text);
}

/* The variables that aren't the image's. */
static void set_env(struct run *r, const struct work *w)
{
	struct strs *env = &r->act.options.env;

	act_key_strs(&r->act, &w->env);
	strs_append(env, &w->env);
	for (const char *const *name = args_proxies; *name; name++)
		if (!strs_getenv(env, *name) && build_arg(w->plan->build, *name))
			strs_setenv(env, *name, build_arg(w->plan->build, *name));
}

static int make_key(struct run *r, const struct work *w, struct err *err)
{
	struct act *a = &r->act;
	int rc = 0;

	act_key_strs(a, &a->args);
	act_key(a, w->image.user);
	act_key(a, w->image.workdir);
	act_key_strs(a, &a->options.nets);
	act_key(a, r->script ? r->script->text : NULL);
	for (size_t i = 0; i < r->nmounts && !rc; i++)
		rc = run_mount_key(&r->mounts[i], a, err);
	return rc;
}

/* The command's end, in a process whose output is the pipe's. */
static void supervise(struct step *s, pid_t stage, const int output[2], const int tell[2])
{
	struct start start = { .store = s->store, .record = &s->record, .lock = -1, .process = &s->record.spec.process };
	struct err err = { 0 };
	int rc, null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* with it goes the container */
	if (getppid() != stage)
		_exit(125);
	setpgid(0, 0); /* ^C is for the one who waits for us */
	dup2(null, 0);
	dup2(output[1], 1);
	dup2(output[1], 2);
	close(output[0]);
	close(output[1]);
	close(tell[0]);
	rc = supervise_here(&start, &err);
	if (rc < 0)
		write_all(tell[1], &err, sizeof err);
	_exit(rc < 0 ? 125 : rc);
}

/* Each whole line of B to stderr, behind a label if stages are built side by side. */
static void show_lines(const struct work *w, struct buf *b, bool all)
{
	size_t n = 0, end;

	while (n < b->len && (all || memchr(b->p + n, '\n', b->len - n))) {
		char *newline = memchr(b->p + n, '\n', b->len - n), *line;

		end = newline ? (size_t)(newline - b->p) : b->len;
		line = xasprintf("[%s] %.*s\n", w->stage->name, (int)(end - n), b->p + n);
		write_all(STDERR_FILENO, line, strlen(line));
		free(line);
		n = end + (newline != NULL);
	}
	if (n)
		memmove(b->p, b->p + n, b->len -= n);
}

/* Whatever it is at, its supervisor goes at once, and all of it with that: step_end takes back what it leaves. */
static void end(struct step *s, pid_t supervisor)
{
	kill(supervisor, SIGKILL);
	record_refresh(s->store, &s->record);
	kill_now(s->store, &s->record);
}

/* Shows what comes from FD until its end. If we are told to end meanwhile, so is who writes. */
static void relay(const struct work *w, struct step *s, pid_t supervisor, int fd, struct buf *kept)
{
	bool quiet = w->plan->build->quiet, ended = false;
	char data[8192], last = '\n';
	ssize_t n = 1;

	while (n) {
		if (!ended && interrupt_wait(fd) == -EINTR) {
			end(s, supervisor);
			ended = true;
		}
		n = read(fd, data, sizeof data);
		if (n < 0 && errno != EINTR)
			break;
		if (n <= 0)
			continue;
		if (!quiet && !w->labelled) {
			write_all(STDERR_FILENO, data, (size_t)n);
			last = data[n - 1];
			continue;
		}
		buf_add(kept, data, (size_t)n);
		if (!quiet)
			show_lines(w, kept, kept->len > LAST_MAX);
		else if (kept->len > LAST_MAX) {
			memmove(kept->p, kept->p + kept->len - LAST_MAX, LAST_MAX);
			kept->len = LAST_MAX;
		}
	}
	if (!quiet)
		show_lines(w, kept, true);
	if (last != '\n')
		write_all(STDERR_FILENO, "\n", 1); /* what follows is a line of its own */
}

/* The command's exit code, or -errno, told. */
static int run(const struct work *w, struct step *s, struct buf *kept, struct err *err)
{
	struct err theirs = { 0 };
	int output[2], tell[2], code;
	pid_t pid, stage = getpid();

	if (pipe2(output, O_CLOEXEC) < 0 || pipe2(tell, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	pid = fork();
	if (!pid)
		supervise(s, stage, output, tell);
	close(output[1]);
	close(tell[1]);
	if (pid > 0)
		relay(w, s, pid, output[0], kept);
	close(output[0]);
	code = pid < 0 ? err_sys(err, -errno, "start a process") : child_wait(pid);
	if (pid > 0 && read_full(tell[0], &theirs, sizeof theirs) == (ssize_t)sizeof theirs) {
		*err = theirs;
		err->exit = 0; /* that of a ctr-run */
		code = theirs.code < 0 ? theirs.code : -EPROTO;
	}
	close(tell[0]);
	return code;
}

/* The script of a heredoc, as a mount that the others come before. */
static int make_script(const struct run *r, struct step *s, struct err *err)
{
	char *path;
	int rc;

	if (!r->script)
		return 0;
	rc = file_replace(s->record.dir, "script", r->script->text, strlen(r->script->text), 0555, FILE_LAZY);
	if (rc < 0)
		return err_sys(err, rc, "write the script");
	path = xasprintf("%s/containers/%s/script", s->store->root_path, s->record.id);
	spec_mount(&s->record.spec, "bind", path, SCRIPT, "bind,ro");
	free(path);
	return 0;
}

static int perform(struct work *w, struct step *s, void *arg, struct err *err)
{
	struct run *r = arg;
	struct strs missing = { 0 };
	struct buf kept = { 0 };
	int rc = make_script(r, s, err);

	if (!rc)
		rc = run_mounts_lock(r->mounts, r->nmounts, w, err);
	for (size_t i = 0; i < r->nmounts && !rc; i++)
		rc = run_mount_make(&r->mounts[i], w, s, (int)i, err);
	if (!rc)
		rc = run_places_note(w, &s->record.spec, &missing, err);
	if (!rc)
		rc = run(w, s, &kept, err);
	for (size_t i = 0; i < r->nmounts && !rc; i++)
		r->act.unsure |= run_mount_changed(&r->mounts[i], w);
	if (!rc)
		rc = run_places_clean(s, &missing, err);
	if (interrupted())
		rc = err_msg(err, -EINTR, "interrupted");
	if (rc && kept.len)
		write_all(STDERR_FILENO, kept.p, kept.len);
	if (rc > 0)
		rc = err_msg(err, -ECHILD, "the command ended with exit code %d", rc);
	strs_free(&missing);
	buf_free(&kept);
	return rc;
}

int work_run(struct work *w, const struct instruction *i, struct err *err)
{
	struct run r = { .from = i };
	char *done = work_line(i);
	int rc;

	act_begin(&r.act, w, "RUN");
	rc = read_flags(&r, w, err);
	set_command(&r, w);
	set_env(&r, w);
	if (!rc)
		rc = make_key(&r, w, err);
	if (!rc) {
		r.act.done = done;
		r.act.perform = perform;
		r.act.arg = &r;
		rc = act_perform(&r.act, w, err);
	}
	for (size_t k = 0; k < r.nmounts; k++)
		run_mount_free(&r.mounts[k], w);
	free(r.mounts);
	free(done);
	return rc;
}
