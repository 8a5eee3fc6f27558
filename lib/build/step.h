/* The files of one step: a container of the image so far, and what it changed as a layer. Killed on the way it leaves a container that was to be removed
 * at its end, which ctr-gc does. */
#ifndef BUILD_STEP_H
#define BUILD_STEP_H

#include "ctr/options.h"

struct step {
	const struct store *store;
	struct record record;
	int lock;
};

/* Makes the container of O, which is filled further; WHAT is shown as its image, ARGS is its command. 0 or -errno, told. */
int step_begin(struct step *s, const struct store *store, struct run_options *o, const char *what, const struct strs *args, struct err *err);

/* Does WORK in a process of its own, below the container's root. 0 or -errno, told. */
int step_work(struct step *s, int (*work)(int root, void *arg, struct err *err), void *arg, struct err *err);

/* Its changes become a layer of IMG: on the ones that are there, or, where overlay can't be had, instead of them. No mtime is after LATEST (epoch
 * seconds; INT64_MAX: any may be). A descriptor that keeps the layer, or -errno, told. */
int step_layer(struct step *s, struct image *img, int64_t latest, struct layer_import *how, struct err *err);

/* Removes it. 0 or -errno, told. */
int step_end(struct step *s, struct err *err);

#endif
