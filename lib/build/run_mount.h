/* RUN --mount (docker's reference): what is there while a command runs, and in no layer. Inside run*.c only. */
#ifndef BUILD_RUN_MOUNT_H
#define BUILD_RUN_MOUNT_H

#include "build/work.h"

struct run_mount {
	enum { MOUNT_BIND, MOUNT_CACHE, MOUNT_TMPFS, MOUNT_SECRET } type;
	char name[17];                /* of MOUNT_CACHE, in the store */
	char *target, *source, *from, *id, *env;
	char *size;
	int64_t uid, gid, mode;       /* -1: not said */
	bool read_only, shared, required;

	/* as long as it is needed */
	struct source_tree tree;      /* of MOUNT_BIND */
	struct source_items items;
	char seen[65];                /* what they were, for the key; "": not MOUNT_BIND's */
	int lock;                     /* of MOUNT_CACHE; -1: none */
	struct buf text;              /* of MOUNT_SECRET */
	bool absent;                  /* a secret that isn't there and needn't be */
};

/* Reads FLAG's value ("type=cache,target=/x") and finds what it names. 0 or -errno, told. M is run_mount_free's in either case. */
int run_mount_read(struct run_mount *m, struct work *w, const char *flag, struct err *err);
void run_mount_free(struct run_mount *m, const struct work *w);

/* All that the command can see of it but a secret's text joins A's key. 0 or -errno, told. */
int run_mount_key(struct run_mount *m, struct act *a, struct err *err);

/* Whether it shows files of the context that are no longer what they were then. */
bool run_mount_changed(const struct run_mount *m, const struct work *w);

/* Takes the locks of all cache mounts, each once and in an order that everybody keeps, so that nobody waits for himself or in a circle. 0 or -errno,
 * told. */
int run_mounts_lock(struct run_mount *v, size_t n, const struct work *w, struct err *err);

/* The Nth mount joins S's container. 0 or -errno, told. */
int run_mount_make(struct run_mount *m, const struct work *w, struct step *s, int n, struct err *err);

/* Mounts need places: those that the image hasn't, and that are empty afterwards, don't belong to the layer. Begins with what isn't there before. Both: 0
 * or -errno, told. */
int run_places_note(const struct work *w, const struct spec *spec, struct strs *missing, struct err *err);
int run_places_clean(const struct step *s, const struct strs *missing, struct err *err);

#endif
