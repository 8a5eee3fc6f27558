/* What earlier builds made, in the store:
 *
 *   build/steps/<key>     symlink to what the step of that key (a sha256, hex) made: a layer's diff_id, "=" and one, or any word
 *   build/mounts/<name>   a directory that RUN --mount=type=cache keeps; who uses it alone has its flock
 *
 * Layers that a step made stay until ctr-image prune. */
#ifndef IMAGE_BUILD_CACHE_H
#define IMAGE_BUILD_CACHE_H

#include "base/buf.h"
#include "base/err.h"

#define BUILD_WORD 72

/* What the step KEY made into WORD. 0, -ENOENT, or -errno. */
int build_cache_find(int store, const char *key, char word[BUILD_WORD]);

/* Notes it; an older note goes. 0 or -errno, told. */
int build_cache_note(int store, const char *key, const char *word, struct err *err);

/* A descriptor that keeps the layer DIFF_ID from being removed. -ENOENT: it isn't there; or -errno. */
int build_cache_hold(int store, const char *diff_id);

/* Opens build/mounts/NAME, made if it is missing, and locked: waits for who uses it if it isn't to be SHARED. A directory's descriptor, or -errno, told. */
int build_cache_mount(int store, const char *name, bool shared, struct err *err);

/* Appends the layers that steps made. 0 or -errno, told. */
int build_cache_layers(int store, struct strs *out, struct err *err);

/* Forgets all steps, and the mounts that nobody uses; appends "build step KEY" and "build mount NAME" to REMOVED. 0 or -errno, told. */
int build_cache_drop(int store, struct strs *removed, struct err *err);

#endif
