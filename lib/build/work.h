/* One stage while it is being built: a process of its own. */
#ifndef BUILD_WORK_H
#define BUILD_WORK_H

#include "build/plan.h"
#include "build/source.h"
#include "build/step.h"
#include "image/words.h"

struct work {
	const struct plan *plan;
	const struct stage *stage;
	struct image image;       /* so far */
	struct strs args;         /* ARG's NAME=VALUE that hold */
	struct strs env;          /* these, and ENV's before them: the variables */
	struct words words;       /* texts are read with those */
	bool cmd_set;             /* CMD is this Containerfile's, not its base's */
	int step, steps;          /* the instruction that is at work, from 1, and how many there are */
	bool labelled;            /* lines begin with the stage's name: several are built */
	struct strs onbuild;      /* the base's, still to be done */
	struct array held;        /* int: descriptors that keep layers */
};

/* Does all of W's stage; W->image and W->args are the result. 0 or -errno, told with the line. Layers are kept while the process lives. */
int work_stage(struct work *w, struct err *err);

/* For the instructions' files: */

/* A new base. 0 or -errno, told. */
int work_from(struct work *w, struct err *err);

/* RUN; COPY and ADD; WORKDIR. 0 or -errno, told. */
int work_run(struct work *w, const struct instruction *i, struct err *err);
int work_copy(struct work *w, const struct instruction *i, struct err *err);
int work_dir(struct work *w, const struct instruction *i, struct err *err);

/* What the image's config alone says. 0 or -EINVAL, told. */
int work_config(struct work *w, const struct instruction *i, struct err *err);

/* PATH from the root, without a slash before it, and clean: relative ones are in the working directory. malloc'ed. */
char *work_path(const struct work *w, const char *path);

/* Keeps the image's layers. 0 or -errno, told. */
int work_hold(struct work *w, const struct image *img, struct err *err);

/* The image that --from or FROM names, which is no stage: in the store, or to be fetched. 0 or -errno, told. */
int work_image(struct work *w, const char *name, const char *platform, struct image *img, struct err *err);

/* The tree that FROM (NULL: the context) names, as --from does: T->root is to be closed, if it isn't the context. 0 or -errno, told. */
int work_tree(struct work *w, const char *from, struct source_tree *t, struct err *err);

/* What a step sees and does, as far as the files depend on it: everything in it is in the layer's key. */
struct act {
	struct sha256 key;
	struct run_options options;   /* of its container */
	struct strs args;             /* what that shows as its command, or runs */
	const char *done;             /* for the image's history */
	int (*perform)(struct work *w, struct step *s, void *arg, struct err *err);
	void *arg;
	bool unsure;                  /* out, of PERFORM: what it did may not be what the key says; it isn't noted */
};
/* Begins with the image's layers. KIND is the instruction's word. */
void act_begin(struct act *a, const struct work *w, const char *kind);
void act_key(struct act *a, const char *text);            /* NULL isn't "" */
void act_key_strs(struct act *a, const struct strs *l);

/* The layer that comes of it: an earlier build's, or made. Joins the image and its history. 0 or -errno, told. */
int act_perform(struct act *a, struct work *w, struct err *err);

/* The instruction as one line, malloc'ed. */
char *work_line(const struct instruction *i);

/* A line of the history for what made no layer. */
void work_note(struct work *w, const char *done);

/* A line on stderr, behind the stage's label; nothing if it is to be quiet. */
void work_say(const struct work *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
