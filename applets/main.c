/* The multicall: which applet is meant, by argv[0] or by the first operand. */
#include "base/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLET(name, main) int main(int argc, char **argv);
#include "applets.h"
#undef APPLET

static const struct applet {
	const char *name;
	int (*main)(int argc, char **argv);
} applets[] = {
#define APPLET(name, main) { name, main },
#include "applets.h"
#undef APPLET
	{ NULL, NULL }
};

/* Words that fingers know, and the applet (and its subcommand) that they lead to. */
static const struct alias {
	const char *word, *applet, *sub;
} aliases[] = {
	{ "images", "ctr-image", "ls" }, { "rmi", "ctr-image", "rm" },      { "load", "ctr-image", "load" },
	{ "save", "ctr-image", "save" }, { "build", "ctr-image", "build" }, { "pull", "ctr-image", "pull" },
	{ "push", "ctr-image", "push" }, { "network", "ctr-net", NULL },
};

static const struct applet *find_applet(const char *name)
{
	for (const struct applet *a = applets; a->name; a++)
		if (!strcmp(name, a->name) || !strcmp(name, a->name + strlen("ctr-")))
			return a;
	return NULL;
}

static int run_applet(const struct applet *a, int argc, char **argv)
{
	argv[0] = (char *)a->name;
	say_init(a->name);
	return a->main(argc, argv);
}

static void list(void)
{
	for (const struct applet *a = applets; a->name; a++)
		puts(a->name);
}

static int usage(void)
{
	puts("usage: ctrbox [--root DIR] [--run DIR] APPLET [ARG]..\n"
	     "       ctrbox --list | --install [-s] DIR | --version | --help\n"
	     "Containers in one static binary. APPLET is one of these, with or without ctr-:");
	list();
	return 0;
}

/* Replaces what bore the name before. rename(2) of two links to one file leaves both: hence the last unlink. */
static int install_link(const char *exe, const char *dir, const char *name, bool symbolic)
{
	char path[PATH_MAX], temp[PATH_MAX + sizeof ".new"];

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	snprintf(temp, sizeof temp, "%s.new", path);
	unlink(temp);
	if (symbolic ? symlink(exe, temp) : link(exe, temp))
		return -errno;
	int r = rename(temp, path) ? -errno : 0;
	unlink(temp);
	return r;
}

static int install(char **argv)
{
	bool symbolic = *argv && !strcmp(*argv, "-s");
	const char *dir = argv[symbolic];
	char exe[PATH_MAX];

	if (!dir || *dir == '-' || argv[symbolic + 1])
		die_usage(2, "usage: --install [-s] DIR");
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n < 0)
		die(1, "/proc/self/exe: %s", strerror(errno));
	exe[n] = '\0';
	for (const struct applet *a = applets; a->name; a++) {
		int r = install_link(exe, dir, a->name, symbolic);
		if (r)
			die(1, "link %s/%s: %s%s", dir, a->name, strerror(-r),
			    r == -EXDEV ? " (-s makes symlinks)" : "");
	}
	return 0;
}

/* "--root DIR" or "--root=DIR" at argv[0] goes into VARIABLE. Returns how many words that took. */
static int store_option(char **argv, const char *option, const char *variable)
{
	size_t n = strlen(option);

	if (strncmp(argv[0], option, n) || (argv[0][n] && argv[0][n] != '='))
		return 0;
	const char *dir = argv[0][n] ? argv[0] + n + 1 : argv[1];
	if (!dir || !*dir)
		die_usage(2, "%s: a directory is missing", option);
	if (setenv(variable, dir, 1))
		die(1, "setenv: %s", strerror(errno));
	return argv[0][n] ? 1 : 2;
}

static int own_option(char **argv)
{
	if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h"))
		return usage();
	if (!strcmp(*argv, "--install"))
		return install(argv + 1);
	if (!strcmp(*argv, "--list"))
		list();
	else if (!strcmp(*argv, "--version"))
		puts("ctrbox " VERSION);
	else
		die_usage(2, "%s: unknown option", *argv);
	return 0;
}

/* argv[0] is the word that names the applet; argv[-1] exists and may be overwritten. */
static int dispatch(int argc, char **argv)
{
	const struct applet *a = find_applet(argv[0]);

	if (a)
		return run_applet(a, argc, argv);
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
		const struct alias *alias = &aliases[i];
		if (strcmp(argv[0], alias->word) || !(a = find_applet(alias->applet)))
			continue;
		if (!alias->sub)
			return run_applet(a, argc, argv);
		argv[0] = (char *)alias->sub;
		return run_applet(a, argc + 1, argv - 1);
	}
	die(127, "%s: no such applet (see \"ctrbox --list\")", argv[0]);
}

/* Nothing that we open may become stdin, stdout or stderr: where one of them is closed, a descriptor that can't be read or written, and
 * that goes at execve, takes its place. */
static void hold_stdio(void)
{
	int fd;

	while ((fd = open("/", O_PATH | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
		;
	close(fd);
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc ? argv[0] : "ctrbox";
	int i = 1, took;

	hold_stdio();
	say_init("ctrbox");
	if (!strncmp(name, "ctr-", 4)) {
		const struct applet *a = find_applet(name);
		if (!a)
			die(127, "%s: no such applet (see \"ctrbox --list\")", name);
		return run_applet(a, argc, argv);
	}
	while (i < argc && ((took = store_option(argv + i, "--root", "CTRBOX_ROOT")) ||
			    (took = store_option(argv + i, "--run", "CTRBOX_RUN"))))
		i += took;
	if (i >= argc)
		return usage();
	return argv[i][0] == '-' ? own_option(argv + i) : dispatch(argc - i, argv + i);
}
