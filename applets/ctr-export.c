/* ctr-export: a container's files as a tar. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/copy.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	const char *file;
};

static const struct opt opts[] = { { 'o', "output", "FILE", OPT_STR, offsetof(struct options, file),
				     "write FILE instead of stdout", NULL },
				   OPT_END };

static const struct usage usage = {
	.name = "ctr-export",
	.synopsis = "[-o FILE] CTR > ROOTFS.tar",
	.about = "Writes a container's whole root, image and changes, as a tar, running or not; not what is mounted in "
		 "it:\n"
		 "volumes, /proc, /sys, /dev.",
	.opts = opts,
	.bad = 2,
};

static int open_output(const char *file)
{
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO;
	struct err err = { 0 };

	if (fd < 0) {
		err_sys(&err, -errno, "%s", file);
		die_err(1, NULL, &err);
	}
	if (isatty(fd))
		die_usage(2, "stdout is a terminal: send the tar to a file");
	return fd;
}

/* Half a tar would look like a whole one. */
static void drop_output(const char *file, int fd)
{
	struct stat st;

	if (file && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		unlink(file);
}

int ctr_export_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err err = { 0 };
	struct store store;
	struct record record;
	int fd;

	if (opt_parse(&usage, &o, argc, argv) != 1)
		die_usage(2, "one container is expected");
	if (store_get(&store, &err) < 0 || record_open(&store, argv[0], &record, &err) < 0)
		die_err(1, argv[0], &err);
	fd = open_output(o.file);
	if (copy_root(&store, &record, fd, &err) < 0) {
		drop_output(o.file, fd);
		die_err(1, argv[0], &err);
	}
	return 0;
}
