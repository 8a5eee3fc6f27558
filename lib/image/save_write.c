/* The archives themselves: what speaks of the layers comes before them, so that a reader of a pipe knows them when they come. */
#include "image/save.h"

#include "base/json.h"
#include "image/sha256.h"
#include "image/tar_read.h"
#include "image/tar_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOBS "blobs/sha256/"

struct writing {
	struct sink s;               /* all goes through it */
	struct sink *to;
	const struct image_save *save;
	int store;
	int64_t done;
	struct tar_out out;
};

static int count_write(struct sink *s, const void *data, size_t len, struct err *err)
{
	struct writing *w = (struct writing *)s;
	int rc = w->to->write(w->to, data, len, err);

	w->done += (int64_t)len;
	if (w->save->progress)
		w->save->progress(w->save->progress_arg, w->done);
	return rc;
}

/* An entry of nobody's, made at no time: so that the archive depends on what is in it alone. */
static int put_entry(struct writing *w, const char *name, mode_t mode, int64_t size, struct err *err)
{
	struct stat st = { .st_mode = mode };

	return tar_headers_put(&w->out, &(struct tar_headers){ .name = name, .st = &st, .size = size }, err);
}

static int put_padding(struct writing *w, int64_t size, struct err *err)
{
	return tar_out_zeros(&w->out, -size & (TAR_BLOCK - 1), err);
}

static int put_file(struct writing *w, const char *name, const struct buf *text, struct err *err)
{
	int rc = put_entry(w, name, S_IFREG | 0644, (int64_t)text->len, err);

	if (rc == 0)
		rc = tar_out_add(&w->out, text->p, text->len, err);
	return rc == 0 ? put_padding(w, (int64_t)text->len, err) : rc;
}

/* The names of blobs: docker's are files like "<digest>.tar". OUT holds 96 bytes. */
static const char *blob_name(const struct writing *w, const char *digest, const char *docker_end, char out[96])
{
	snprintf(out, 96, "%s%s%s", w->save->oci ? BLOBS : "", digest, w->save->oci ? "" : docker_end);
	return out;
}

static int put_layer(struct writing *w, const struct layer_tar *t, struct err *err)
{
	char name[96];
	int rc = put_entry(w, blob_name(w, t->digest, ".tar", name), S_IFREG | 0644, t->length, err);

	if (rc == 0)
		rc = tar_out_flush(&w->out, err);
	if (rc == 0)
		rc = layer_tar_write(w->store, t, &w->s, err);
	return rc == 0 ? put_padding(w, t->length, err) : rc;
}

/* Two layers of the store may be one tar, if how they were is no longer known. */
static bool is_there(const struct image_save *s, size_t layer)
{
	for (size_t i = 0; i < layer; i++)
		if (strcmp(s->layers[i].digest, s->layers[layer].digest) == 0)
			return true;
	return false;
}

static int put_blobs(struct writing *w, struct err *err)
{
	const struct image_save *s = w->save;
	char name[96];
	int rc = 0;

	for (size_t i = 0; i < s->nimages && rc == 0; i++)
		rc = put_file(w, blob_name(w, s->images[i].id, ".json", name), &s->images[i].config, err);
	for (size_t i = 0; i < s->nlayers && rc == 0; i++)
		if (!is_there(s, i))
			rc = put_layer(w, &s->layers[i], err);
	return rc;
}

/* docker's manifest.json */

static void docker_image(const struct writing *w, const struct image_saved *v, struct json_out *o)
{
	char name[96];

	json_begin(o, NULL, '{');
	json_put_str(o, "Config", blob_name(w, v->id, ".json", name));
	json_begin(o, "RepoTags", '[');
	for (size_t i = 0; i < v->names.n; i++)
		if (!strchr(v->names.v[i], '@')) /* a digest is no tag */
			json_put_str(o, NULL, v->names.v[i]);
	json_end(o, ']');
	json_begin(o, "Layers", '[');
	for (size_t i = 0; i < v->img.layers.n; i++)
		json_put_str(o, NULL, blob_name(w, image_save_layer(w->save, v->img.layers.v[i])->digest, ".tar", name));
	json_end(o, ']');
	json_end(o, '}');
}

static int docker_head(struct writing *w, struct err *err)
{
	struct buf text = { 0 };
	struct json_out o = { .b = &text };
	int rc;

	json_begin(&o, NULL, '[');
	for (size_t i = 0; i < w->save->nimages; i++)
		docker_image(w, &w->save->images[i], &o);
	json_end(&o, ']');
	rc = put_file(w, "manifest.json", &text, err);
	buf_free(&text);
	return rc;
}

/* OCI's layout: image-spec, image-layout.md, image-index.md, manifest.md */

/* Type, digest and length of a blob; the object stays open. */
static void descriptor(struct json_out *o, const char *key, const char *media, const char *digest, int64_t length)
{
	char text[72];

	snprintf(text, sizeof text, "sha256:%s", digest);
	json_begin(o, key, '{');
	json_put_str(o, "mediaType", media);
	json_put_str(o, "digest", text);
	json_put_int(o, "size", length);
}

static void document(struct json_out *o, const char *media)
{
	json_begin(o, NULL, '{');
	json_put_int(o, "schemaVersion", 2);
	json_put_str(o, "mediaType", media);
}

void image_save_manifest(const struct image_save *s, const struct image_saved *v, struct buf *text)
{
	struct json_out o = { .b = text };

	document(&o, IMAGE_MEDIA "manifest.v1+json");
	descriptor(&o, "config", IMAGE_MEDIA "config.v1+json", v->id, (int64_t)v->config.len);
	json_end(&o, '}');
	json_begin(&o, "layers", '[');
	for (size_t i = 0; i < v->img.layers.n; i++) {
		const struct layer_tar *t = image_save_layer(s, v->img.layers.v[i]);
		char media[64];

		snprintf(media, sizeof media, IMAGE_MEDIA "layer.v1.tar%s", t->packing ? t->packing : "");
		descriptor(&o, NULL, media, t->digest, t->length);
		json_end(&o, '}');
	}
	json_end(&o, ']');
	json_end(&o, '}');
}

static void oci_name(struct json_out *o, const struct buf *manifest, const char *digest, const char *name)
{
	descriptor(o, NULL, IMAGE_MEDIA "manifest.v1+json", digest, (int64_t)manifest->len);
	if (name) {
		json_begin(o, "annotations", '{');
		json_put_str(o, "org.opencontainers.image.ref.name", name);
		json_end(o, '}');
	}
	json_end(o, '}');
}

/* The image's manifest as a file; a line in the index for each of its names. */
static int oci_image(struct writing *w, const struct image_saved *v, struct json_out *index, struct err *err)
{
	struct buf text = { 0 };
	char digest[65], name[96];
	int rc;

	image_save_manifest(w->save, v, &text);
	sha256_hex(text.p, text.len, digest);
	for (size_t i = 0; i < v->names.n; i++)
		oci_name(index, &text, digest, v->names.v[i]);
	if (!v->names.n)
		oci_name(index, &text, digest, NULL);
	rc = put_file(w, blob_name(w, digest, "", name), &text, err);
	buf_free(&text);
	return rc;
}

static int oci_head(struct writing *w, struct err *err)
{
	static char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct buf text = { 0 };
	struct json_out o = { .b = &text };
	int rc = put_file(w, "oci-layout", &(struct buf){ layout, sizeof layout - 1, 0 }, err);

	if (rc == 0)
		rc = put_entry(w, "blobs/", S_IFDIR | 0755, 0, err);
	if (rc == 0)
		rc = put_entry(w, BLOBS, S_IFDIR | 0755, 0, err);
	document(&o, IMAGE_MEDIA "index.v1+json");
	json_begin(&o, "manifests", '[');
	for (size_t i = 0; i < w->save->nimages && rc == 0; i++)
		rc = oci_image(w, &w->save->images[i], &o, err);
	json_end(&o, ']');
	json_end(&o, '}');
	if (rc == 0)
		rc = put_file(w, "index.json", &text, err);
	buf_free(&text);
	return rc;
}

int image_save_write(const struct image_save *s, int store, struct sink *to, struct err *err)
{
	struct writing w = { .s = { count_write }, .to = to, .save = s, .store = store };
	int rc;

	w.out = (struct tar_out){ &w.s, xmalloc(TAR_OUT), 0 };
	rc = s->oci ? oci_head(&w, err) : docker_head(&w, err);
	if (rc == 0)
		rc = put_blobs(&w, err);
	if (rc == 0)
		rc = tar_out_zeros(&w.out, 2 * TAR_BLOCK, err);
	if (rc == 0)
		rc = tar_out_flush(&w.out, err);
	free(w.out.data);
	return rc;
}
