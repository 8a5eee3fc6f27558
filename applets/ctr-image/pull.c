/* ctr-image pull: an image from a registry. */
#include "ctr-image.h"
#include "base/interrupt.h"
#include "base/opt.h"
#include "base/say.h"
#include "image/progress.h"
#include "image/registry.h"

struct pull_options {
	struct registry_options registry;
	const char *platform;
	int64_t max_size, max_window;
	bool quiet;
};

#define O(M) offsetof(struct pull_options, M)
static const struct opt pull_opts[] = {
	{ 0, "creds", "USER:PASSWORD", OPT_STR, O(registry.credentials), "what to tell a registry that asks, instead of docker's config.json", NULL },
	{ 0, "insecure", NULL, OPT_FLAG, O(registry.insecure), "with TLS, but without verifying whose it is", NULL },
	{ 0, "max-size", "SIZE", OPT_SIZE, O(max_size), "refuse more than SIZE of unpacked layers", NULL },
	{ 0, "max-window", "SIZE", OPT_SIZE, O(max_window), "memory for zstd's window (8m)", NULL },
	{ 0, "plain-http", NULL, OPT_FLAG, O(registry.plain_http), "without TLS: anybody on the way can read along; localhost's needs no saying", NULL },
	{ 0, "platform", "OS/ARCH[/VARIANT]", OPT_STR, O(platform), "take the image for another machine than this", NULL },
	{ 'q', "quiet", NULL, OPT_FLAG, O(quiet), "no progress bar", NULL },
	{ 0, "timeout", "T", OPT_TIME, O(registry.timeout_ms), "give up when nothing has come for so long (60s)", NULL },
	OPT_END
};
static const struct usage pull_usage = {
	"ctr-image pull", "[OPT].. HOST[:PORT]/NAME[:TAG][@DIGEST]", "Brings an image from its registry and prints its name. Layers that are in the store aren't fetched again.",
	pull_opts, NULL, 2, false,
};

int ctr_image_pull(int argc, char **argv)
{
	struct pull_options o = { 0 };
	struct progress bar;
	struct err err = { 0 };
	int rc;

	image_operands(opt_parse(&pull_usage, &o, argc, argv), 1, "NAME");
	image_credentials(&o.registry.credentials);
	if (o.max_size < 0 || o.max_window < 0)
		die_usage(2, "--max-%s is a size", o.max_size < 0 ? "size" : "window");
	progress_begin(&bar, argv[0], 0, o.quiet);
	struct image_pull how = {
		.load = { .platform = o.platform, .max_window = o.max_window, .max_size = o.max_size, .progress = progress_update, .progress_arg = &bar },
		.registry = &o.registry, .sized = progress_size,
	};
	image_allow_descriptors();
	interrupt_catch();
	rc = image_pull(image_store(), argv[0], &how, &err);
	progress_end(&bar);
	if (rc < 0) {
		interrupt_end();
		die_err(1, argv[0], &err);
	}
	for (size_t i = 0; i < how.load.loaded.n; i++)
		out_line(how.load.loaded.v[i]);
	return 0;
}
