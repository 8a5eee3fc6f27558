/* What a stage begins with, and what it takes from elsewhere. */
#include "build/work.h"

#include "base/file.h"
#include "ctr/image_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int work_image(struct work *w, const char *name, const char *platform, struct image *img, struct err *err)
{
	const struct build *b = w->plan->build;
	const char *wanted = platform ? platform : b->platform;
	int rc;

	rc = options_image(b->store, b->pull && image_name_has_registry(name) ? "always" : NULL, name, wanted, img, err);
	if (!rc && platform_rank(wanted, img->os, img->architecture, NULL) < 0 && image_name_has_registry(name)) {
		image_free(img); /* the one that is there is for another machine */
		rc = options_image(b->store, "always", name, wanted, img, err);
	}
	if (!rc && wanted && platform_rank(wanted, img->os, img->architecture, NULL) < 0)
		rc = err_msg(err, -EINVAL, "image %s: is for %s/%s, not for %s", name, img->os, img->architecture, wanted);
	return rc < 0 ? rc : work_hold(w, img, err);
}

static int copy_image(const struct image *from, struct image *to, struct err *err)
{
	struct buf text = { 0 };
	int rc;

	image_config_write(from, &text);
	rc = image_config_read(text.p, text.len, to, err);
	buf_free(&text);
	return rc;
}

/* Nothing, but for the path that commands are looked for in. */
static void from_scratch(struct work *w)
{
	struct strs platform = { 0 };
	struct image *img = &w->image;

	plan_platform(w->plan, &platform);
	strs_add(&img->env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	img->os = xstrdup(strs_getenv(&platform, "TARGETOS"));
	img->architecture = xstrdup(strs_getenv(&platform, "TARGETARCH"));
	strs_free(&platform);
}

int work_from(struct work *w, struct err *err)
{
	const struct stage *s = w->stage;
	int rc = 0;

	if (s->parent >= 0) {
		rc = copy_image(&w->plan->v[s->parent].image, &w->image, err);
		strs_append(&w->args, &w->plan->v[s->parent].args);
	} else if (strcasecmp(s->base, "scratch")) {
		rc = work_image(w, s->base, s->platform, &w->image, err);
	} else {
		from_scratch(w);
	}
	w->onbuild = w->image.onbuild;
	w->image.onbuild = (struct strs){ 0 };
	return rc;
}

int work_tree(struct work *w, const char *from, struct source_tree *t, struct err *err)
{
	const struct plan *p = w->plan;
	int stage = from ? plan_stage(p, from, (size_t)(w->stage - p->v), true) : -1, rc = 0;
	struct image img = { 0 };

	*t = (struct source_tree){ .root = p->context, .from = from, .ignored = from ? NULL : &p->ignored };
	if (!from)
		return t->root < 0 ? err_msg(err, -ENOENT, "there is no context to take files from") : 0;
	if (stage >= 0 && !w->stage->needs[stage]) /* it may be done, or not */
		return err_msg(err, -ENOENT, "stage %s: is named by an ONBUILD, or by a variable, and isn't built before this one for that", from);
	if (stage < 0)
		rc = work_image(w, from, NULL, &img, err);
	if (!rc)
		rc = t->root = image_tree_open(p->build->store->root, stage < 0 ? &img : &p->v[stage].image, err);
	image_free(&img);
	return rc < 0 ? err_prefix(err, "--from=%s", from) : 0;
}
