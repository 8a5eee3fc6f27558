/* Layers on their way from a registry, several at once: inside pull.c and fetch.c only. */
#ifndef IMAGE_FETCH_H
#define IMAGE_FETCH_H

#include "image/image_load.h"
#include "image/registry.h"

/* Brings those layers of L's images that aren't in the store, each by a process of its own, and tells progress. They are among L's
 * layers then. 0 or -errno, told: what was begun is taken back. */
int fetch_layers(struct load *l, struct registry *r, void (*sized)(void *arg, int64_t bytes), struct err *err);

#endif
