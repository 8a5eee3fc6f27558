#include "image/image_load.h"

#include "base/interrupt.h"
#include "image/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* What is in there */

/* The digest that a config's name promises: HEX.json, sha256:HEX or blobs/sha256/HEX. OUT holds 65 bytes. */
static const char *promised(const char *name, char out[65])
{
	const char *last = strrchr(name, '/');

	last = last ? last + 1 : name;
	if (starts_with(last, "sha256:"))
		last += 7;
	snprintf(out, 65, "%s", last);
	return sha256_is_hex(out) && (!last[64] || strcmp(last + 64, ".json") == 0) ? out : NULL;
}

static int check_image(const struct load *l, const struct load_item *item, struct err *err)
{
	const struct image *img = &item->img;
	char want[80];

	if (img->layers.n != item->layers.n)
		return err_msg(err, -EINVAL, "it has %zu layers, but its config tells of %zu", item->layers.n, img->layers.n);
	if (img->layers.n > LOAD_LAYERS_MAX)
		return err_msg(err, -E2BIG, "%zu layers: no more than %d can be stacked", img->layers.n, LOAD_LAYERS_MAX);
	if (platform_rank(l->platform, img->os, img->architecture, NULL) >= 0)
		return 0;
	err_msg(err, -ENOEXEC, "it is for %.40s/%.40s, not for %s", img->os ? img->os : "linux", img->architecture ? img->architecture : "?",
		platform_wanted(l->platform, want));
	return l->platform ? -ENOEXEC : err_hint(err, "--platform takes it");
}

static int add_names(struct load_item *item, const struct strs *names, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < names->n && rc == 0; i++) {
		char *name;

		if (starts_with(names->v[i], "<none>"))
			continue;
		rc = image_name_check(names->v[i], &name, err);
		if (rc == 0) {
			strs_add(&item->names, name);
			free(name);
		}
	}
	return rc;
}

int load_add(struct load *l, const char *config, const struct strs *names, const struct strs *layers, struct err *err)
{
	struct load_item *item;
	char hex[65];
	int rc;

	l->v = xrealloc(l->v, (l->n + 1) * sizeof *l->v);
	item = &l->v[l->n++];
	*item = (struct load_item){ 0 };
	strs_append(&item->layers, layers);
	rc = add_names(item, names, err);
	if (rc < 0)
		return rc;
	rc = archive_text(&l->a, config, promised(config, hex), &item->config, err);
	l->kept += item->config.len;
	if (rc == 0 && l->kept > ARCHIVE_KEEP_MAX)
		rc = err_msg(err, -E2BIG, "the images' configs are too large");
	if (rc == 0) {
		sha256_hex(item->config.p, item->config.len, item->img.id);
		memcpy(hex, item->img.id, sizeof hex);
		rc = image_config_read(item->config.p, item->config.len, &item->img, err);
		memcpy(item->img.id, hex, sizeof hex);
	}
	if (rc == 0)
		rc = check_image(l, item, err);
	return rc < 0 && names->n ? err_prefix(err, "%.200s", names->v[0]) : rc;
}

/* manifest.json as `docker save` writes it: [{Config, RepoTags, Layers}]; or an image's manifest. */
static int load_docker(struct load *l, const struct buf *text, struct err *err)
{
	struct json *root = json_parse(text->p, text->len, err);
	int rc = !root ? err_prefix(err, "manifest.json") : root->type == JSON_OBJECT ? load_dir(l, root, err) :
		 root->type != JSON_ARRAY ? err_msg(err, -EINVAL, "manifest.json: not a list of images") : 0;

	if (rc == 0 && json_count(root) > LOAD_MANIFESTS_MAX)
		rc = err_msg(err, -E2BIG, "more than %d images", LOAD_MANIFESTS_MAX);
	for (const struct json *j = rc == 0 && !l->flat ? root->child : NULL; j && rc == 0; j = j->next) {
		struct strs names = { 0 }, layers = { 0 };
		const char *config = json_str(j, "Config");

		json_strs(j, "RepoTags", &names);
		json_strs(j, "Layers", &layers);
		rc = config ? load_add(l, config, &names, &layers, err) : err_msg(err, -EINVAL, "manifest.json: an image without a config");
		strs_free(&names);
		strs_free(&layers);
	}
	json_free(root);
	return rc;
}

static int read_manifests(struct load *l, struct err *err)
{
	struct buf text = { 0 };
	int rc = archive_text(&l->a, "manifest.json", NULL, &text, err);

	if (rc == 0) {
		rc = load_docker(l, &text, err);
	} else if (rc == -ENOENT) {
		text.len = 0;
		rc = archive_text(&l->a, "index.json", NULL, &text, err);
		if (rc == -ENOENT)
			rc = err_msg(err, -EINVAL, "not an archive of images: it has neither manifest.json nor index.json (ctr-image import takes a root file system)");
		else if (rc == 0)
			rc = load_oci(l, &text, err);
	}
	buf_free(&text);
	return rc < 0 || l->n ? rc : err_msg(err, -EINVAL, "no image is in it");
}

/* Into the store */

static int read_layers(struct load *l, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < l->n && rc == 0; i++) {
		struct load_item *item = &l->v[i];

		for (size_t j = 0; j < item->layers.n && rc == 0; j++)
			rc = archive_layer(&l->a, item->layers.v[j], archive_blob_hex(item->layers.v[j]), item->img.layers.v[j], err);
		if (rc < 0 && item->names.n)
			err_prefix(err, "%.200s", item->names.v[0]);
	}
	return rc;
}

static int settle_layers(struct load *l, struct strs *settled, struct err *err)
{
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < l->a.nlayers; i++)
		any |= l->a.layers[i].wanted && l->a.layers[i].made.tmp[0];
	if (any && syncfs(l->a.folder) < 0)
		return err_sys(err, -errno, "write the layers");
	for (size_t i = 0; i < l->a.nlayers && rc == 0; i++) {
		struct layer_made *m = &l->a.layers[i].made;

		if (!l->a.layers[i].wanted || !m->tmp[0])
			continue;
		rc = layer_settle(l->a.folder, m, err);
		strs_add(settled, m->diff_id);
	}
	return rc;
}

static int write_item(struct load *l, const struct load_item *item, struct strs *loaded, struct err *err)
{
	int lock = store_images_lock(l->store, LOCK_SH, err), rc = lock;

	if (lock >= 0)
		rc = store_image_write(l->store, &item->img, &item->config, err);
	for (size_t i = 0; i < item->names.n && rc == 0; i++) {
		rc = store_image_tag(l->store, &item->img, item->names.v[i], err);
		if (rc == 0)
			strs_add(loaded, item->names.v[i]);
	}
	if (rc == 0 && !item->names.n)
		strs_addn(loaded, item->img.id, 12);
	if (lock >= 0)
		close(lock);
	return rc;
}

/* From here on it counts. */
static int commit(struct load *l, struct strs *loaded, struct err *err)
{
	struct strs settled = { 0 }, removed = { 0 };
	int rc = interrupted() ? err_sys(err, -EINTR, "load") : settle_layers(l, &settled, err);

	for (size_t i = 0; i < l->n && rc == 0; i++)
		rc = write_item(l, &l->v[i], loaded, err);
	if (rc < 0) {
		for (size_t i = 0; i < l->a.nlayers; i++)
			layer_unmake(l->a.folder, &l->a.layers[i].made);
		store_drop_layers(l->store, &settled, &(struct image_use){ 0 }, &removed, NULL);
	}
	strs_free(&settled);
	strs_free(&removed);
	return rc;
}

int load_begin(struct load *l, int store, const struct image_load *how, struct err *err)
{
	*l = (struct load){ .store = store, .platform = how->platform };
	l->a = (struct archive){
		.folder = store_folder(store, LAYERS, err), .max_window = how->max_window, .max_size = how->max_size,
		.progress = how->progress, .progress_arg = how->progress_arg,
	};
	if (l->a.folder < 0)
		return l->a.folder;
	folder_sweep(l->a.folder, "", NULL); /* what a killed load left may be the room that this one needs */
	return 0;
}

int load_finish(struct load *l, struct image_load *how, struct err *err)
{
	int rc = read_layers(l, err);

	return rc == 0 ? commit(l, &how->loaded, err) : rc;
}

void load_end(struct load *l)
{
	for (size_t i = 0; i < l->n; i++) {
		image_free(&l->v[i].img);
		buf_free(&l->v[i].config);
		strs_free(&l->v[i].names);
		strs_free(&l->v[i].layers);
		free(l->v[i].sizes);
	}
	free(l->v);
	archive_close(&l->a);
	close(l->a.folder);
}

int image_load(int store, int fd, struct image_load *how, struct err *err)
{
	struct load l;
	int rc = load_begin(&l, store, how, err);

	if (rc < 0)
		return rc;
	rc = archive_open(&l.a, fd, err);
	if (rc == 0)
		rc = read_manifests(&l, err);
	if (rc == 0)
		rc = load_finish(&l, how, err);
	load_end(&l);
	return rc;
}
