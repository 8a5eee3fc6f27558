/* ctr-init: a PID 1 for programs that aren't made to be one. */
#include "base/opt.h"
#include "base/say.h"
#include "sys/exec.h"
#include "sys/init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct usage usage = {
	.name = "ctr-init",
	.synopsis = "CMD [ARG]..",
	.about = "Runs CMD as its child, forwards signals to it, reaps whatever loses its parent, and ends with CMD's\n"
		 "exit code (128+N if signal N killed it). In a container it is PID 1; elsewhere orphans below it become\n"
		 "its children all the same.",
	.bad = 125,
	.command = true,
};

static void run(char **argv)
{
	struct err e = { 0 };

	exec_command(argv, environ, &e);
	die_err(125, NULL, &e);
}

int ctr_init_main(int argc, char **argv)
{
	sigset_t old;
	pid_t child;
	int r;

	if (opt_parse(&usage, NULL, argc, argv) == 0)
		die_usage(125, "a command is missing");
	r = getpid() == 1 ? 0 : init_adopt();
	if (r < 0)
		die(125, "adopt orphans: %s", strerror(-r));
	init_block(&old);
	child = fork();
	if (child < 0)
		die(125, "fork: %s", strerror(errno));
	if (child == 0) {
		init_unblock(&old);
		run(argv);
	}
	return init_loop(child);
}
