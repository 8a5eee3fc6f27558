/* Loading images: what an archive says it holds, before any of it counts. Inside image_load.c and oci_index.c only. */
#ifndef IMAGE_IMAGE_LOAD_H
#define IMAGE_IMAGE_LOAD_H

#include "image/archive.h"

#define LOAD_MANIFESTS_MAX 1000
#define LOAD_LAYERS_MAX 500          /* overlay stacks no more (fs/overlayfs/params.h) */

struct load {
	int store;
	struct archive a;
	const char *platform;        /* "os/arch[/variant]"; NULL: this machine's */
	struct load_item {
		struct image img;
		struct buf config;   /* as it is hashed */
		struct strs names;   /* canonical */
		struct strs layers;  /* the archive's names, lowest first */
		int64_t *sizes;      /* bytes of them as they come, -1: not said; NULL: of none */
	} *v;
	size_t n, manifests, kept;
	bool flat;                   /* blobs have no folder: skopeo's `dir:` */
};

/* An image to load: its config's name in the archive, what it shall be called (as typed), its LAYERS' names. Checked as far as that goes
 * without reading layers. 0 or -errno, told. */
int load_add(struct load *l, const char *config, const struct strs *names, const struct strs *layers, struct err *err);

/* What an OCI layout's index.json, TEXT, leads to: every image, of several platforms the one that fits best. 0 or -errno, told. */
int load_oci(struct load *l, const struct buf *text, struct err *err);

/* The same of skopeo's `dir:`, whose MANIFEST is manifest.json. */
int load_dir(struct load *l, const struct json *manifest, struct err *err);

/* The same of TEXT, an image's manifest or an index of several platforms': it will be called NAME. */
int load_manifest(struct load *l, const struct buf *text, const char *name, struct err *err);

/* L begins; what it loaded gets into the store, all or nothing; and is freed. 0 or -errno, told. */
int load_begin(struct load *l, int store, const struct image_load *how, struct err *err);
int load_finish(struct load *l, struct image_load *how, struct err *err);
void load_end(struct load *l);

/* The platform that is wanted, for people. OUT holds 80 bytes. */
const char *platform_wanted(const char *platform, char out[80]);

#endif
