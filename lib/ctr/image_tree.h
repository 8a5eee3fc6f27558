/* The root file system of an image, all its layers in one. */
#ifndef CTR_IMAGE_TREE_H
#define CTR_IMAGE_TREE_H

#include "ctr/store.h"
#include "image/image.h"

/* IMG's files for reading: a detached mount, or, where one layer is all there is, its directory. A descriptor or -errno, told. */
int image_tree_open(int store, const struct image *img, struct err *err);

/* Mounts them on DIR in the caller's mount namespace, read-only, without set-user-ids and devices. The mount itself notes whose it is.
 * 0 or -errno, told. */
int image_tree_mount(const struct store *s, const struct image *img, const char *dir, struct err *err);

/* The same of what the file PATH holds (sys/fsimage.h). */
int image_tree_mount_file(const char *path, const char *dir, struct err *err);

/* Appends the ids of the images that are mounted in the caller's mount namespace. 0 or -errno. */
int image_tree_mounted(const struct store *s, struct strs *ids, struct err *err);

#endif
