/* ctr-image build: a Containerfile and the files beside it become an image (docker's Dockerfile reference). */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "base/buf.h"
#include "base/err.h"
#include "ctr/store.h"

struct build {
	const struct store *store;
	const char *context;      /* a directory; "-": there is none, and the Containerfile is stdin if none is named */
	const char *file;         /* the Containerfile; "-": stdin; NULL: Containerfile or Dockerfile in the context */
	const char *target;       /* the stage that is wanted, by its name or number; NULL: the last one */
	const char *platform;     /* "os/arch[/variant]" of images that FROM names; NULL: this machine's */
	const char *network;      /* RUN's: "none", "host", a network's name; NULL: the default one */
	struct strs names;        /* what the image is to be called */
	struct strs args;         /* --build-arg: NAME=VALUE, or NAME alone: our own environment's */
	struct strs secrets;      /* --secret: id=ID,src=FILE or id=ID,env=NAME */
	struct strs labels;       /* NAME=VALUE */
	bool no_cache;            /* every step is done anew */
	bool pull;                /* base images are fetched, whether they are there or not */
	bool quiet;               /* nothing is told of the steps */
	char id[65];              /* out: the image's, hex */
};

/* Tells each step on stderr, in lines of their own. Stages that don't need one another are built at the same time. $SOURCE_DATE_EPOCH (epoch
 * seconds, reproducible-builds.org) is the image's time then, and no file's is later. 0 or -errno, told with the file and the line; then nothing is
 * left but what later builds can use (image/build_cache.h). */
int build(struct build *b, struct err *err);

#endif
