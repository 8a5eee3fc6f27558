/* What it is made of: an image and what its config says, or a directory. */
#include "ctr/options.h"
#include "base/interrupt.h"
#include "base/userns.h"
#include "image/image.h"
#include "image/progress.h"
#include "image/registry.h"
#include "sys/fsimage.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file's content is read-only: what changes needs a layer of the container's own. */
static int set_file(const struct run_options *o, struct spec *spec, struct err *err)
{
	int r;

	if (!ns_user_first())
		return err_msg(err, -EPERM, "root file system %s: is no directory, and an ordinary user can't mount a file", o->rootfs);
	spec->rootfs_overlay = true;
	r = fsimage_check(o->rootfs, err);
	return r < 0 ? (err_prefix(err, "root file system %s", o->rootfs), r) : 0;
}

/* --rootfs DIR or FILE, as it is named on the host. */
static int set_rootfs(const struct run_options *o, struct spec *spec, struct err *err)
{
	struct stat st;

	if (stat(o->rootfs, &st) < 0)
		return err_sys(err, -errno, "root file system %s", o->rootfs);
	spec->rootfs = realpath(o->rootfs, NULL);
	if (!spec->rootfs)
		return err_sys(err, -errno, "root file system %s", o->rootfs);
	if (!strcmp(spec->rootfs, "/"))
		return err_msg(err, -EINVAL, "root file system /: is the host's own");
	spec->rootfs_overlay = o->overlay;
	return S_ISDIR(st.st_mode) ? 0 : set_file(o, spec, err);
}

/* What the image's config says, where the options don't. */
static void from_config(const struct image *img, const char *name, struct spec *spec)
{
	struct process *p = &spec->process;

	spec->image = xstrdup(name);
	spec->image_id = xstrdup(img->id);
	strs_append(&spec->layers, &img->layers);
	strs_append(&p->env, &img->env);
	strs_append(&spec->labels, &img->labels);
	p->user = img->user && *img->user ? xstrdup(img->user) : NULL;
	p->cwd = img->workdir && *img->workdir ? xstrdup(img->workdir) : NULL;
	spec->stop_signal = img->stop_signal && *img->stop_signal ? xstrdup(img->stop_signal) : NULL;
	strs_append(&spec->health_cmd, &img->healthcheck_test);
	spec->health_interval_ms = img->health_interval_ms;
	spec->health_timeout_ms = img->health_timeout_ms;
	spec->health_start_ms = img->health_start_ms;
	spec->health_retries = img->health_retries;
}

/* docker's form, ["CMD-SHELL", "text"] or ["CMD", argv..] or ["NONE"], as an argv. */
static void plain_health(struct spec *spec)
{
	struct strs *h = &spec->health_cmd, out = { 0 };

	if (!h->n || (strcmp(h->v[0], "CMD-SHELL") && strcmp(h->v[0], "CMD") && strcmp(h->v[0], "NONE")))
		return;
	if (!strcmp(h->v[0], "CMD-SHELL")) {
		strs_add(&out, "/bin/sh");
		strs_add(&out, "-c");
	}
	for (size_t i = 1; strcmp(h->v[0], "NONE") && i < h->n; i++)
		strs_add(&out, h->v[i]);
	strs_free(h);
	*h = out;
}

/* Entrypoint and command: --entrypoint drops the image's command with its entrypoint. */
static int set_args(const struct run_options *o, const struct image *img, int n, char **cmd, struct spec *spec, struct err *err)
{
	struct strs *args = &spec->process.args;

	if (o->entrypoint && *o->entrypoint)
		strs_add(args, o->entrypoint);
	else if (!o->entrypoint)
		strs_append(args, &img->entrypoint);
	for (int i = 0; i < n; i++)
		strs_add(args, cmd[i]);
	if (!n && !o->entrypoint)
		strs_append(args, &img->cmd);
	if (args->n)
		return 0;
	if (o->rootfs)
		return err_msg(err, -EINVAL, "no command given (--rootfs DIR|FILE CMD [ARG]..)");
	err_msg(err, -EINVAL, "no command given and the image has none");
	return err_hint(err, "give one after IMAGE, or set one: ctr-image import -c 'CMD [\"sh\"]'");
}

static int pull(const struct store *s, const char *name, const char *platform, struct err *err)
{
	struct registry_options registry = { 0 };
	struct progress bar;
	struct image_pull how = { .load = { .platform = platform, .progress = progress_update, .progress_arg = &bar }, .registry = &registry, .sized = progress_size };
	bool caught = interrupt_catch(); /* what was begun is taken back */
	int r;

	progress_begin(&bar, name, 0, false);
	r = image_pull(s->root, name, &how, err);
	if (caught)
		interrupt_release();
	progress_end(&bar);
	strs_free(&how.load.loaded);
	return r < 0 ? err_prefix(err, "pull %.200s", name) : 0;
}

int options_image(const struct store *s, const char *when, const char *name, const char *platform, struct image *img, struct err *err)
{
	bool always = when && !strcmp(when, "always"), never = when && !strcmp(when, "never");
	int r = -ENOENT;

	if (when && !always && !never && strcmp(when, "missing"))
		return err_msg(err, -EINVAL, "--pull %s: none of always, missing, never", when);
	if (!always)
		r = image_find_or_import(s->root, name, img, err);
	if (r != -ENOENT || never || (!always && !image_name_has_registry(name)))
		return r;
	if (err)
		*err = (struct err){ 0 };
	r = pull(s, name, platform, err);
	return r < 0 ? r : image_find(s->root, name, img, err);
}

int options_root(const struct store *s, struct run_options *o, int n, char **operands, struct spec *spec, struct err *err)
{
	bool confined = !o->privileged && !strs_has(&o->security, "systempaths=unconfined");
	struct image img = { 0 };
	int r;

	if (o->rootfs) {
		spec_default_mounts(spec, confined);
		r = set_rootfs(o, spec, err);
		return r ? r : set_args(o, &img, n, operands, spec, err);
	}
	if (o->overlay)
		return err_msg(err, -EINVAL, "--overlay goes with --rootfs: an image has one already");
	r = o->made ? 0 : options_image(s, o->pull, operands[0], NULL, &img, err);
	if (r < 0)
		return r;
	from_config(o->made ? o->made : &img, operands[0], spec);
	plain_health(spec);
	r = set_args(o, &img, n - 1, operands + 1, spec, err);
	spec_default_mounts(spec, confined);
	strs_append(&o->image_volumes, &img.volumes);
	strs_append(&o->exposed, &img.exposed);
	image_free(&img);
	return r;
}
