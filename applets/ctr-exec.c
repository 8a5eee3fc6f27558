/* ctr-exec: a further command in a running container. */
#include "base/say.h"
#include "ctr/exec.h"
#include "ctr/options.h"
#include "ctr/targets.h"
#include "sys/caps.h"
#include "sys/sealed.h"

struct options {
	bool interactive, tty, detach, privileged;
	const char *workdir, *user;
	struct strs env, env_files;
};

#define O(m) offsetof(struct options, m)
static const struct opt opts[] = {
	{ 'i', "interactive", NULL, OPT_FLAG, O(interactive), "our stdin is the command's", NULL },
	{ 't', "tty", NULL, OPT_FLAG, O(tty), "a terminal of its own", NULL },
	{ 'd', "detach", NULL, OPT_FLAG, O(detach), "don't wait for it", NULL },
	{ 'e', "env", "K[=V]", OPT_STRS, O(env), "a variable more; without =V ours", NULL },
	{ 0, "env-file", "FILE", OPT_STRS, O(env_files), "variables, one K=V a line", NULL },
	{ 'w', "workdir", "DIR", OPT_STR, O(workdir), "working directory", NULL },
	{ 'u', "user", "USER[:GROUP]", OPT_STR, O(user), "names of the container's, or ids", NULL },
	{ 0, "privileged", NULL, OPT_FLAG, O(privileged), "all capabilities, all system calls", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-exec",
	.synopsis = "[OPT].. CTR CMD [ARG]..",
	.about = "Runs CMD inside a running container, with its environment, limits and confinement. The exit code is the\n"
		 "command's; 125: ctrbox failed, 126: not executable, 127: not found, 128+N: killed by signal N.",
	.opts = opts,
	.bad = 125,
	.command = true,
};

/* The container's own process with what the options change. */
static void fill_process(const struct options *o, char **cmd, struct process *p)
{
	struct err err = { 0 };

	p->args = (struct strs){ .v = cmd };
	while (cmd[p->args.n])
		p->args.n++;
	p->tty = o->tty && !o->detach; /* nobody is there to type */
	if (o->workdir)
		p->cwd = xstrdup(o->workdir);
	if (o->user) {
		p->user = xstrdup(o->user);
		p->groups = (struct strs){ 0 };
	}
	if (o->privileged) {
		p->caps = (int64_t)caps_all();
		p->seccomp = xstrdup("unconfined");
	}
	if (options_env(&o->env_files, &o->env, o->tty, &p->env, &err) < 0)
		die_err(125, NULL, &err);
	if (p->cwd && *p->cwd != '/')
		die_usage(125, "working directory \"%s\" must begin with /", p->cwd);
}

int ctr_exec_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	struct process process;
	struct exec_options eo;
	int n, r;

	or_die_err(sealed_program(argv, &err), &err);
	n = opt_parse(&usage, &o, argc, argv);
	if (n < 2)
		die_usage(125, n ? "a command is missing" : "a container is missing");
	target_open(argv[0], 125, &store, &record);
	process = record.spec.process;
	fill_process(&o, argv + 1, &process);
	eo = (struct exec_options){ .input = o.interactive, .detach = o.detach };
	r = exec_run(&store, &record, &process, &eo, &err);
	if (r < 0)
		die_err(125, argv[0], &err);
	return r;
}
