/* The root file system of an image, all its layers in one. */
#ifndef CTR_IMAGE_TREE_H
#define CTR_IMAGE_TREE_H

#include "image/image.h"

/* IMG's files for reading: a detached mount, or, where one layer is all there is, its directory. A descriptor or -errno, told. */
int image_tree_open(int store, const struct image *img, struct err *err);

/* Mounts them on DIR in the caller's mount namespace, read-only, without set-user-ids and devices. 0 or -errno, told. */
int image_tree_mount(int store, const struct image *img, const char *dir, struct err *err);

#endif
