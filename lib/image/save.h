/* Images as archives that docker, podman, skopeo and their kin load. */
#ifndef IMAGE_SAVE_H
#define IMAGE_SAVE_H

#include "image/image.h"

/* A layer as the tar it was, or will be. */
struct layer_tar {
	char diff_id[65];            /* as the store calls it */
	char digest[65];             /* of the tar: the same, but where the store doesn't know how that tar was and makes another */
	int64_t length;
	bool indexed;
	const char *packing;         /* NULL: it is a tar; "+gzip", "+zstd": DIGEST and LENGTH are of it packed so */
};

/* What the layer's tar will be. Reads the whole layer if there is no index of it. 0 or -errno, told. */
int layer_tar_plan(int store, const char *diff_id, struct layer_tar *t, struct err *err);

/* Writes it; if its digest isn't what was planned that is an error, once all is written. 0 or -errno, told. */
int layer_tar_write(int store, const struct layer_tar *t, struct sink *to, struct err *err);

/* A layer without an index may get another digest, and its image another config and id. */
struct image_saved {
	char *name;                  /* as typed */
	struct image img;            /* as the store has it */
	struct strs names;           /* the ones it is saved under */
	struct buf config;           /* as it came, with the digests as they are now */
	char id[65];                 /* its sha256 */
};

struct image_save {
	bool oci;                    /* an OCI archive (image-spec, image-layout.md), or docker's (manifest.json) */
	void (*progress)(void *arg, int64_t bytes); /* NULL, or told how many bytes of the archive were written so far */
	void *progress_arg;
	int64_t length;              /* bytes of all layers */
	struct image_saved *images;  /* each once */
	size_t nimages;
	struct layer_tar *layers;    /* each once, in the order of the archive */
	size_t nlayers;
};

/* Adds the image NAME to what is to be written. 0 or -errno, told. */
int image_save_add(struct image_save *s, int store, const char *name, struct err *err);

void image_save_free(struct image_save *s);

/* Writes all of them: the same bytes every time, each layer once and verified. 0 or -errno, told. */
int image_save_write(const struct image_save *s, int store, struct sink *to, struct err *err);

/* The OCI manifest of an image that was added (image-spec, manifest.md), at the end of TEXT. */
#define IMAGE_MEDIA "application/vnd.oci.image."
void image_save_manifest(const struct image_save *s, const struct image_saved *v, struct buf *text);

/* Digests and lengths of one layer of an image that was added. */
const struct layer_tar *image_save_layer(const struct image_save *s, const char *diff_id);

#endif
