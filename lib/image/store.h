/* How things get into and out of the store's folders: inside lib/image only. */
#ifndef IMAGE_STORE_H
#define IMAGE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/folder.h"
#include "image/image.h"
#include <stdbool.h>

#define LAYERS "layers"
#define IMAGES "images"
#define NAMES "images/names"
#define BUILD_STEPS "build/steps"
#define BUILD_MOUNTS "build/mounts"

/* Opens STORE's folder PATH, made (0700) if it is missing. fd or -errno, told. */
int store_folder(int store, const char *path, struct err *err);

/* Names in PATH (a folder), sorted; those that begin with a dot are left out. A missing folder has none. */
int store_list(int store, const char *path, struct strs *out);

/* A canonical name as a file's name, and back. */
void store_name_file(const char *name, char out[256]);
void store_name_of_file(char *file);

/* Makes NAME in FOLDER a symlink to TARGET, whatever it was. 0 or -errno. */
int store_link(int folder, const char *name, const char *target);

/* The id that a canonical NAME stands for. 0, -ENOENT, -errno. */
int store_name_id(int store, const char *name, char id[65]);
/* The image ID's config, appended to TEXT as it is hashed. 0 or -errno, told. */
int store_config(int store, const char *id, struct buf *text, struct err *err);
/* Reads the image ID's config. 0 or -errno, told. */
int store_image(int store, const char *id, struct image *out, struct err *err);

/* Who makes and names images has them by LOCK_SH, who removes some by LOCK_EX, so that none goes between its making and its naming: flock(2) on the folder
 * of images, which LOCK_SH makes. A descriptor to close, or -errno, told but for LOCK_EX's -ENOENT. */
int store_images_lock(int store, int how, struct err *err);

/* Writes the image whose config is, byte for byte, CONFIG (its digest is IMG->id) where it isn't there yet. 0 or -errno. */
int store_image_write(int store, const struct image *img, const struct buf *config, struct err *err);

/* image_tag for who holds the lock. */
int store_image_tag(int store, const struct image *img, const char *name, struct err *err);

/* A layer on its way into the folder LAYERS, whose descriptor FOLDER is. FD keeps others from removing it. */
struct layer_made {
	int fd;
	char tmp[TMP_NAME];          /* its name so far; "": it has its own */
	char diff_id[65];
};

/* layer_import in two steps, for those who must have several, or none. What was made is on the disk after syncfs(FOLDER): only then
 * it may settle. 0 or -errno; a layer that couldn't be made leaves nothing, one that couldn't settle is to be unmade. */
int layer_begin(int folder, struct layer_made *made, struct err *err);
int layer_fill(struct layer_made *made, struct source *from, struct layer_import *how, struct err *err); /* what failed is to be unmade */
int layer_make(int folder, struct source *from, struct layer_import *how, struct layer_made *made, struct err *err);
int layer_settle(int folder, struct layer_made *m, struct err *err);

/* Notes in the layer whose directory is DIR as what it came: a blob of that digest and length. 0 or -errno, told. And back: false if it isn't known. */
struct layer_packed {
	char hex[65];
	int64_t length;
	bool zstd;                   /* else by gzip */
};
int layer_note_packed(int dir, const char *hex, int64_t length, bool zstd, struct err *err);
bool layer_packed(int store, const char *diff_id, struct layer_packed *out);

/* Whether RC, why a layer couldn't be made, says something about the layer alone, not of the store. */
bool layer_is_bad(int rc);

/* Lets go of it; a layer that hasn't settled goes. */
void layer_unmake(int folder, struct layer_made *m);

/* Whether layer DIFF_ID is there; M holds it then, else m->fd says why (-errno). */
bool layer_hold(int folder, const char *diff_id, struct layer_made *m);

/* Removes layers (of the ids in AMONG) that no image, no container and no import that is under way needs; "layer ID" of each is
 * appended to REMOVED. 0 or -errno. */
int store_drop_layers(int store, const struct strs *among, const struct image_use *use, struct strs *removed, struct err *err);

/* All names of image ID. 0 or -errno. */
int store_names_of(int store, const char *id, struct strs *names, struct err *err);

#endif
