/* A step that changes files: from the cache, or done. */
#include "build/work.h"

#include "base/say.h"
#include "image/build_cache.h"
#include "image/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a key's making: whoever changes what a key is made of, or what an act does with it, changes this. */
#define KEYS "ctrbox build 2"

/* In the cache, of a layer that is all of the image (step_layer); the other ones' are their ids alone. */
#define WHOLE '='

void act_begin(struct act *a, const struct work *w, const char *kind)
{
	*a = (struct act){ .done = NULL };
	sha256_init(&a->key);
	act_key(a, KEYS);
	act_key(a, kind);
	act_key_strs(a, &w->image.layers);
	sha256_add(&a->key, &w->plan->epoch, sizeof w->plan->epoch);
}

void act_key(struct act *a, const char *text)
{
	sha256_add(&a->key, text ? "+" : "-", 1);
	sha256_add(&a->key, text ? text : "", text ? strlen(text) + 1 : 0);
}

void act_key_strs(struct act *a, const struct strs *l)
{
	for (size_t i = 0; i < l->n; i++)
		act_key(a, l->v[i]);
	act_key(a, NULL);
}

static void keep(struct work *w, int fd)
{
	*(int *)array_add(&w->held, sizeof fd) = fd;
}

int work_hold(struct work *w, const struct image *img, struct err *err)
{
	for (size_t i = 0; i < img->layers.n; i++) {
		int fd = build_cache_hold(w->plan->build->store->root, img->layers.v[i]);

		if (fd < 0)
			return err_sys(err, fd, "layer %.12s", img->layers.v[i]);
		keep(w, fd);
	}
	return 0;
}

static void note(struct work *w, const char *done, bool empty)
{
	struct image *img = &w->image;

	img->history = xrealloc(img->history, (img->nhistory + 1) * sizeof *img->history);
	img->history[img->nhistory++] = (struct image_step){ .created_by = xstrdup(done), .empty = empty };
}

void work_note(struct work *w, const char *done)
{
	note(w, done, true);
}

/* What an earlier build made: whether it is there still, and kept now. */
static bool find(struct work *w, const char *key)
{
	int store = w->plan->build->store->root, fd;
	char word[BUILD_WORD];
	bool whole;

	if (w->plan->build->no_cache || build_cache_find(store, key, word) < 0)
		return false;
	whole = *word == WHOLE;
	fd = build_cache_hold(store, word + whole);
	if (fd < 0)
		return false;
	keep(w, fd);
	if (whole)
		image_flatten(&w->image);
	strs_add(&w->image.layers, word + whole);
	return true;
}

/* KEY NULL: nobody is to find it. */
static int make_layer(struct work *w, struct step *s, const char *key, struct err *err)
{
	const struct build *b = w->plan->build;
	struct progress bar;
	struct layer_import how = { .progress = progress_update, .progress_arg = &bar };
	char word[BUILD_WORD];
	int fd;

	progress_begin(&bar, "layer", 0, b->quiet || w->labelled);
	fd = step_layer(s, &w->image, w->plan->epoch, &how, err);
	progress_end(&bar);
	if (fd < 0)
		return fd;
	keep(w, fd);
	if (!key)
		return 0;
	word[0] = WHOLE;
	strcpy(word + 1, how.diff_id);
	return build_cache_note(b->store->root, key, s->record.spec.rootfs ? word : word + 1, err);
}

static int make(struct act *a, struct work *w, const char *key, struct err *err)
{
	const struct image *img = &w->image;
	struct image made = { .layers = img->layers, .env = img->env, .user = img->user, .workdir = img->workdir };
	struct err ending = { 0 };
	struct step s;
	int rc;

	a->options.made = &made;
	rc = step_begin(&s, w->plan->build->store, &a->options, "build", &a->args, err);
	if (rc < 0)
		return rc;
	rc = a->perform(w, &s, a->arg, err);
	if (!rc)
		rc = make_layer(w, &s, a->unsure ? NULL : key, err);
	if (step_end(&s, &ending) < 0)
		say_err("build", &ending);
	return rc;
}

int act_perform(struct act *a, struct work *w, struct err *err)
{
	char key[65];
	int rc = 0;

	sha256_end(&a->key, key);
	if (find(w, key))
		work_say(w, "cached");
	else
		rc = make(a, w, key, err);
	if (!rc)
		note(w, a->done, false);
	return rc;
}
