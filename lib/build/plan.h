/* A Containerfile's stages, and what each of them needs of the others. */
#ifndef BUILD_PLAN_H
#define BUILD_PLAN_H

#include "build/build.h"
#include "build/containerfile.h"
#include "build/ignore.h"
#include "image/image.h"

struct stage {
	const struct instruction *from; /* FROM; the stage's own ones follow, up to END */
	const struct instruction *end;
	char *name;               /* AS; or its number */
	bool named;               /* by AS */
	char *base;               /* what FROM names, variables expanded */
	char *platform;           /* NULL: the build's */
	int parent;               /* the stage that BASE is, or -1 */
	bool *needs;              /* of each earlier stage: whether this one needs it */
	bool wanted;              /* it is, or the wanted stage needs it */

	/* once it is done */
	bool done;
	struct image image;
	struct strs args;         /* ARG's NAME=VALUE that hold at its end, for stages that begin with it */
};

struct plan {
	const struct build *build;
	char *file;               /* what the Containerfile is called, for messages */
	struct containerfile text;
	struct strs globals;      /* ARG's NAME=VALUE before the first FROM */
	struct stage *v;
	size_t n, target;
	struct ignore ignored;    /* of the context */
	int context;              /* its directory; -1: none */
	int64_t epoch;            /* SOURCE_DATE_EPOCH; INT64_MAX: not given */
};

/* Reads the Containerfile and .dockerignore. 0 or -errno, told. P is plan_free's in either case. */
int plan_read(struct plan *p, const struct build *b, struct err *err);
void plan_free(struct plan *p);

/* The stage before BEFORE that NAME means, case aside, or, where BY_NUMBER, NAME's number: its place, or -1. */
int plan_stage(const struct plan *p, const char *name, size_t before, bool by_number);

/* The value of FLAG ("from") of an instruction, or NULL; "" for one without. */
const char *instruction_flag(const struct instruction *i, const char *flag);

/* What --build-arg gives NAME: its value, or NULL. */
const char *build_arg(const struct build *b, const char *name);

/* The variables by which programs are told of proxies, ended by NULL: --build-arg gives them to each RUN, without an ARG and in no layer's key. */
extern const char *const args_proxies[];

/* Says which --build-arg nothing takes. */
void args_check(const struct plan *p);

/* The variables that every build has (TARGETARCH, ..), as NAME=VALUE. */
void plan_platform(const struct plan *p, struct strs *out);

#endif
