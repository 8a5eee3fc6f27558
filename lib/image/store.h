/* How things get into and out of the store's folders: inside lib/image only. */
#ifndef IMAGE_STORE_H
#define IMAGE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "image/image.h"
#include <stdbool.h>

#define TMP_PREFIX ".tmp-"
#define TMP_NAME 24
#define LAYERS "layers"
#define IMAGES "images"
#define NAMES "images/names"

/* Opens STORE's folder PATH, made (0700) if it is missing. fd or -errno, told. */
int store_folder(int store, const char *path, struct err *err);

/* Makes a directory of a new name in FOLDER, locked by the descriptor that is returned. Or -errno. */
int store_tmp(int folder, char name[TMP_NAME]);

/* Takes NAME's lock without waiting (LOCK_SH or LOCK_EX). fd; -EWOULDBLOCK: somebody has it; -ENOENT; -errno. */
int store_lock(int folder, const char *name, int how);

/* Removes NAME, whose lock is held: it disappears at once, then its files go. */
int store_remove(int folder, const char *name);

/* Removes directories of FOLDER that were left half-made. Appends "WHAT NAME" to REMOVED (may be NULL). */
void store_sweep(int folder, const char *what, struct strs *removed);

/* Names in PATH (a folder), sorted; those that begin with a dot are left out. A missing folder has none. */
int store_list(int store, const char *path, struct strs *out);

/* A canonical name as a file's name, and back. */
void store_name_file(const char *name, char out[256]);
void store_name_of_file(char *file);

/* The id that a canonical NAME stands for. 0, -ENOENT, -errno. */
int store_name_id(int store, const char *name, char id[65]);
/* Reads the image ID's config. 0 or -errno, told. */
int store_image(int store, const char *id, struct image *out, struct err *err);

/* All names of image ID. */
void store_names_of(int store, const char *id, struct strs *names);

#endif
