/* ctr-image build: an image of a Containerfile. */
#include "ctr-image.h"
#include "base/interrupt.h"
#include "base/opt.h"
#include "base/say.h"
#include "build/build.h"
#include "sys/sealed.h"

#include <errno.h>
#include <signal.h>

#define O(M) offsetof(struct build, M)
static const struct opt build_opts[] = {
	{ 0, "build-arg", "NAME[=VALUE]", OPT_STRS, O(args), "the value of an ARG; without one, the environment's", NULL },
	{ 'f', "file", "FILE", OPT_STR, O(file), "the Containerfile; -: stdin", NULL },
	{ 0, "label", "NAME=VALUE", OPT_STRS, O(labels), "a label of the image", NULL },
	{ 0, "net", "NET", OPT_STR, O(network), "RUN's network: none, host, or one of ctr-net's", NULL },
	{ 0, "network", "NET", OPT_STR, O(network), NULL, NULL },
	{ 0, "no-cache", NULL, OPT_FLAG, O(no_cache), "do every step anew", NULL },
	{ 0, "platform", "OS/ARCH[/VARIANT]", OPT_STR, O(platform), "begin with images for another machine than this", NULL },
	{ 0, "pull", NULL, OPT_FLAG, O(pull), "fetch the images that it begins with, though they are there", NULL },
	{ 'q', "quiet", NULL, OPT_FLAG, O(quiet), "say nothing of the steps, but what one that failed said last", NULL },
	{ 0, "secret", "id=ID[,src=FILE|,env=VAR]", OPT_STRS, O(secrets), "what RUN --mount=type=secret may ask for; no layer has it", NULL },
	{ 't', "tag", "NAME", OPT_STRS, O(names), "what the image is called, once or several times", NULL },
	{ 0, "target", "STAGE", OPT_STR, O(target), "the stage that is wanted, by name or number, instead of the last", NULL },
	OPT_END
};
static const struct usage build_usage = {
	"ctr-image build", "[OPT].. DIR|-",
	"Makes an image as DIR's Containerfile (or Dockerfile) says, with DIR's files; prints its id. What an earlier build made of the same\n"
	"files and commands is taken from the cache, which ctr-image prune empties. \"-\": the Containerfile is stdin, and there are no files.",
	build_opts,
	"DIR/.dockerignore (or .containerignore, or FILE.dockerignore) says what of DIR isn't there. With SOURCE_DATE_EPOCH in the environment that\n"
	"is the image's time, and no file is younger.",
	2, false,
};

int ctr_image_build(int argc, char **argv)
{
	struct build b = { 0 };
	struct err err = { 0 };
	struct store store;
	int rc;

	if (sealed_program(argv - 1, &err) < 0)
		die_err(1, NULL, &err);
	image_operands(opt_parse(&build_usage, &b, argc, argv), 1, "DIR");
	b.context = argv[0];
	rc = store_get(&store, &err);
	if (!rc) {
		b.store = &store;
		signal(SIGPIPE, SIG_IGN); /* who no longer reads what is told of the steps still wants the image */
		rc = build(&b, &err);
		interrupt_end();
	}
	if (rc < 0)
		die_err(1, NULL, &err);
	out_write(b.id, SHORT_ID);
	out_write("\n", 1);
	return 0;
}
