/* ctr-image push: an image to a registry. */
#include "ctr-image.h"
#include "base/interrupt.h"
#include "base/opt.h"
#include "base/say.h"
#include "image/progress.h"
#include "image/registry.h"

#include <stdlib.h>
#include <string.h>

struct push_options {
	struct registry_options registry;
	bool quiet;
};

#define O(M) offsetof(struct push_options, M)
static const struct opt push_opts[] = {
	{ 0, "creds", "USER:PASSWORD", OPT_STR, O(registry.credentials), "what to tell a registry that asks, instead of docker's config.json", NULL },
	{ 0, "insecure", NULL, OPT_FLAG, O(registry.insecure), "with TLS, but without verifying whose it is", NULL },
	{ 0, "plain-http", NULL, OPT_FLAG, O(registry.plain_http), "without TLS: anybody on the way can read along; localhost's needs no saying", NULL },
	{ 'q', "quiet", NULL, OPT_FLAG, O(quiet), "no progress bar", NULL },
	{ 0, "timeout", "T", OPT_TIME, O(registry.timeout_ms), "give up when nothing went for so long (60s)", NULL },
	OPT_END
};
static const struct usage push_usage = {
	"ctr-image push", "[OPT].. HOST[:PORT]/NAME[:TAG]",
	"Sends an image to the registry in its name (ctr-image tag gives it one) and prints it with its digest there. What the registry has isn't sent.",
	push_opts, NULL, 2, false,
};

/* HOST/NAME@sha256:.. : what brings just this image back. */
static void tell(const char *name, const char *digest)
{
	size_t slash = strcspn(name, "/"), n = slash + strcspn(name + slash, ":");
	char *line = xasprintf("%.*s@sha256:%s", (int)n, name, digest);

	out_line(line);
	free(line);
}

int ctr_image_push(int argc, char **argv)
{
	struct push_options o = { 0 };
	struct progress bar;
	struct err err = { 0 };
	int rc;

	image_operands(opt_parse(&push_usage, &o, argc, argv), 1, "NAME");
	image_credentials(&o.registry.credentials);
	progress_begin(&bar, argv[0], 0, o.quiet);
	struct image_push how = { .registry = &o.registry, .progress = progress_update, .sized = progress_size, .progress_arg = &bar };

	interrupt_catch();
	rc = image_push(image_store(), argv[0], &how, &err);
	progress_end(&bar);
	if (rc < 0) {
		interrupt_end();
		die_err(1, argv[0], &err);
	}
	tell(argv[0], how.digest);
	return 0;
}
