/* ctr-image load: images that other tools, or ctr-image save, wrote. */
#include "ctr-image.h"
#include "base/interrupt.h"
#include "base/opt.h"
#include "base/say.h"
#include "ctr/archive.h"
#include "image/progress.h"

#include <sys/resource.h>
#include <sys/stat.h>

struct load_options {
	const char *file, *platform;
	int64_t max_size, max_window;
	bool quiet;
};

#define O(M) offsetof(struct load_options, M)
static const struct opt load_opts[] = {
	{ 'i', "input", "FILE|DIR", OPT_STR, O(file), "read a file, an OCI layout's directory or skopeo's dir: instead of stdin", NULL },
	{ 0, "max-size", "SIZE", OPT_SIZE, O(max_size), "refuse more than SIZE of unpacked layers", NULL },
	{ 0, "max-window", "SIZE", OPT_SIZE, O(max_window), "memory for zstd's window (8m): what --ultra and --long packed needs more", NULL },
	{ 0, "platform", "OS/ARCH[/VARIANT]", OPT_STR, O(platform), "take images for another machine than this", NULL },
	{ 'q', "quiet", NULL, OPT_FLAG, O(quiet), "no progress bar", NULL },
	OPT_END
};
static const struct usage load_usage = {
	"ctr-image load", "[OPT].. [FILE|DIR] [< ARCHIVE]", "Loads all images of an archive (docker's or OCI's) and prints their names, or ids where they have none.",
	load_opts, NULL, 2, false,
};

void image_allow_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

int ctr_image_load(int argc, char **argv)
{
	struct load_options o = { 0 };
	struct progress bar;
	struct stat st;
	struct err err = { 0 };
	int n = opt_parse(&load_usage, &o, argc, argv), fd, rc;

	if (n > 1 || (n && o.file))
		die_usage(2, "more than one FILE or DIR was given");
	if (o.max_size < 0 || o.max_window < 0)
		die_usage(2, "--max-%s is a size", o.max_size < 0 ? "size" : "window");
	if (n)
		o.file = argv[0];
	fd = archive_input(o.file);
	progress_begin(&bar, o.file ? o.file : "load", fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0, o.quiet);
	struct image_load how = {
		.platform = o.platform, .max_window = o.max_window, .max_size = o.max_size, .progress = progress_update, .progress_arg = &bar,
	};
	image_allow_descriptors();
	interrupt_catch();
	rc = image_load(image_store(), fd, &how, &err);
	progress_end(&bar);
	if (rc < 0) {
		interrupt_end();
		die_err(1, o.file, &err);
	}
	for (size_t i = 0; i < how.loaded.n; i++)
		out_line(how.loaded.v[i]);
	return 0;
}
