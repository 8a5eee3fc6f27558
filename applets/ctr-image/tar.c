/* ctr-image import, export: root file systems as tars. */
#include "ctr-image.h"
#include "base/interrupt.h"
#include "base/opt.h"
#include "base/say.h"
#include "ctr/archive.h"
#include "ctr/image_tree.h"
#include "image/progress.h"

#include <sys/stat.h>

/* import */

struct import_options {
	struct strs changes;
	const char *file, *message;
	int64_t strip, max_window;
	bool quiet;
};

#define O(M) offsetof(struct import_options, M)
static const struct opt import_opts[] = {
	{ 'c', "change", "'CMD ..'", OPT_STRS, O(changes), "one of a Dockerfile's instructions but FROM, RUN, COPY, ADD and ARG", NULL },
	{ 'i', "input", "FILE", OPT_STR, O(file), "read FILE instead of stdin", NULL },
	{ 'm', "message", "TEXT", OPT_STR, O(message), "what the image's history says (ctr-image import)", NULL },
	{ 0, "max-window", "SIZE", OPT_SIZE, O(max_window), "memory for zstd's window (8m): what --ultra and --long packed needs more", NULL },
	{ 0, "strip", "N", OPT_INT, O(strip), "drop N leading folders from each name (--strip 1: busybox/bin/sh is bin/sh)", NULL },
	{ 'q', "quiet", NULL, OPT_FLAG, O(quiet), "no progress bar", NULL },
	OPT_END
};
static const struct usage import_usage = {
	"ctr-image import", "[OPT].. NAME < ROOTFS.tar[.gz|.zst]", "Makes an image of a root file system's tar and prints its id.", import_opts, NULL, 2, false,
};

int ctr_image_import(int argc, char **argv)
{
	struct import_options o = { .message = "ctr-image import" };
	struct image img;
	struct progress bar;
	struct fd_source from;
	struct stat st;
	struct err err = { 0 };
	int rc;

	image_operands(opt_parse(&import_usage, &o, argc, argv), 1, "NAME");
	if (o.strip < 0 || o.strip > 100)
		die_usage(2, "--strip %lld: 0 to 100", (long long)o.strip);
	if (o.max_window < 0)
		die_usage(2, "--max-window is a size");
	fd_source_init(&from, archive_input(o.file));
	progress_begin(&bar, argv[0], fstat(from.fd, &st) == 0 ? st.st_size : 0, o.quiet);
	struct image_import how = {
		.layer = { .strip = (int)o.strip, .rootfs = true, .max_window = o.max_window, .progress = progress_update, .progress_arg = &bar },
		.name = argv[0], .comment = o.message, .changes = o.changes,
	};
	interrupt_catch();
	rc = image_import(image_store(), &from.s, &how, &img, &err);
	progress_end(&bar);
	if (rc < 0) {
		interrupt_end();
		die_err(1, argv[0], &err);
	}
	out_write(img.id, SHORT_ID);
	out_write("\n", 1);
	return 0;
}

/* export */

struct export_options {
	const char *file;
};
static const struct opt export_opts[] = {
	{ 'o', "output", "FILE", OPT_STR, offsetof(struct export_options, file), "write FILE instead of stdout", NULL },
	OPT_END
};
static const struct usage export_usage = {
	"ctr-image export", "[-o FILE] NAME > ROOTFS.tar", "Writes an image's root file system, all layers in one, as a tar.", export_opts, NULL, 2, false,
};

int ctr_image_export(int argc, char **argv)
{
	struct export_options o = { 0 };
	struct image img = { 0 };
	struct err err = { 0 };
	struct archive_output out;
	struct fd_sink to;
	int store, fd;

	image_operands(opt_parse(&export_usage, &o, argc, argv), 1, "NAME");
	store = image_store();
	image_get(store, argv[0], &img);
	fd = image_tree_open(store, &img, &err);
	if (fd < 0)
		die_err(1, argv[0], &err);
	archive_output(&out, o.file);
	fd_sink_init(&to, out.fd);
	if (tar_write(&(struct tar_write){ .rootfd = fd, .cross_mounts = true }, &to.s, &err) < 0) {
		archive_drop(&out);
		die_err(1, argv[0], &err);
	}
	archive_keep(&out);
	return 0;
}
