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

/* Opens STORE's folder PATH, made (0700) if it is missing. fd or -errno, told. */
int store_folder(int store, const char *path, struct err *err);

/* Names in PATH (a folder), sorted; those that begin with a dot are left out. A missing folder has none. */
int store_list(int store, const char *path, struct strs *out);

/* A canonical name as a file's name, and back. */
void store_name_file(const char *name, char out[256]);
void store_name_of_file(char *file);

/* The id that a canonical NAME stands for. 0, -ENOENT, -errno. */
int store_name_id(int store, const char *name, char id[65]);
/* The image ID's config, appended to TEXT as it is hashed. 0 or -errno, told. */
int store_config(int store, const char *id, struct buf *text, struct err *err);
/* Reads the image ID's config. 0 or -errno, told. */
int store_image(int store, const char *id, struct image *out, struct err *err);

/* All names of image ID. */
void store_names_of(int store, const char *id, struct strs *names);

#endif
