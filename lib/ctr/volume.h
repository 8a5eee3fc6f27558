/* Named volumes: $CTRBOX_ROOT/volumes/<name>/data, owned by whoever writes there. */
#ifndef CTR_VOLUME_H
#define CTR_VOLUME_H

#include "ctr/record.h"

/* Makes NAME if it is missing, with what SPEC's root has at TARGET, owners and modes included; SPEC NULL: empty. It appears whole.
 * 1 if it was made, 0 if it was there, or -errno, told. */
int volume_make(const struct store *s, const char *name, const struct spec *spec, const char *target, struct err *err);

/* Removes it. -EBUSY if containers use it (they are named), -ENOENT; told. */
int volume_remove(const struct store *s, const char *name, struct err *err);

/* Removes what killed makers left. Appends "half-made volume NAME" to FREED. */
void volume_sweep(const struct store *s, struct strs *freed);

/* Every volume's name, sorted. */
int volume_names(const struct store *s, struct strs *out, struct err *err);

/* Appends the names of containers that use it, in order. 0, or -errno if a record can't be read. */
int volume_users(const struct store *s, const char *name, struct strs *who, struct err *err);

/* A name for one that a user gave none, and whether NAME is such a one. */
void volume_invent(char name[33]);
bool volume_anonymous(const char *name);

#endif
