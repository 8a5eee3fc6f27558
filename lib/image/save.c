/* What of the store goes into an archive of images. */
#include "image/save.h"

#include "image/sha256.h"
#include "image/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct layer_tar *image_save_layer(const struct image_save *s, const char *diff_id)
{
	for (size_t i = 0; i < s->nlayers; i++)
		if (strcmp(s->layers[i].diff_id, diff_id) == 0)
			return &s->layers[i];
	return NULL;
}

static int add_layers(struct image_save *s, int store, const struct image *img, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < img->layers.n && rc == 0; i++) {
		if (image_save_layer(s, img->layers.v[i]))
			continue;
		s->layers = xrealloc(s->layers, (s->nlayers + 1) * sizeof *s->layers);
		rc = layer_tar_plan(store, img->layers.v[i], &s->layers[s->nlayers], err);
		if (rc == 0)
			s->length += s->layers[s->nlayers++].length;
	}
	return rc;
}

/* The digests that layers have now, in place of those in the config's text. */
static void adopt_digests(const struct image_save *s, struct image_saved *v)
{
	for (size_t i = 0; i < v->img.layers.n; i++) {
		const struct layer_tar *t = image_save_layer(s, v->img.layers.v[i]);

		if (strcmp(t->diff_id, t->digest))
			for (char *p = v->config.p; (p = strstr(p, t->diff_id)); p += 64)
				memcpy(p, t->digest, 64);
	}
	sha256_hex(v->config.p, v->config.len, v->id);
}

static int read_config(struct image_saved *v, int store, struct err *err)
{
	int rc = store_config(store, v->img.id, &v->config, err);

	if (rc < 0)
		return rc;
	sha256_hex(v->config.p, v->config.len, v->id);
	return strcmp(v->id, v->img.id) ? err_msg(err, -EINVAL, "its config isn't what its id says") : 0;
}

static struct image_saved *added(const struct image_save *s, const char *id)
{
	for (size_t i = 0; i < s->nimages; i++)
		if (strcmp(s->images[i].img.id, id) == 0)
			return &s->images[i];
	return NULL;
}

static struct image_saved *append(struct image_save *s, const char *name, const struct image *img)
{
	struct image_saved *v;

	s->images = xrealloc(s->images, (s->nimages + 1) * sizeof *s->images);
	v = &s->images[s->nimages++];
	*v = (struct image_saved){ .name = xstrdup(name), .img = *img };
	return v;
}

int image_save_add(struct image_save *s, int store, const char *name, struct err *err)
{
	struct image img = { 0 };
	struct image_saved *v;
	int rc = image_find(store, name, &img, err);

	if (rc < 0)
		return rc;
	v = added(s, img.id);
	if (v) {
		if (img.name && !strs_has(&v->names, img.name))
			strs_add(&v->names, img.name);
		image_free(&img);
		return 0;
	}
	v = append(s, name, &img);
	if (img.name)
		strs_add(&v->names, img.name);
	rc = read_config(v, store, err);
	if (rc == 0)
		rc = add_layers(s, store, &v->img, err);
	if (rc < 0)
		return err_prefix(err, "%s", name);
	adopt_digests(s, v);
	return 0;
}

void image_save_free(struct image_save *s)
{
	for (size_t i = 0; i < s->nimages; i++) {
		free(s->images[i].name);
		image_free(&s->images[i].img);
		strs_free(&s->images[i].names);
		buf_free(&s->images[i].config);
	}
	free(s->images);
	free(s->layers);
	*s = (struct image_save){ 0 };
}
