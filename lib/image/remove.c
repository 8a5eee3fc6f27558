#include "image/store.h"

#include "base/file.h"
#include "image/build_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int add_layers(void *arg, const struct image *img, const char *name)
{
	struct strs *wanted = arg;

	(void)name;
	for (size_t i = 0; i < img->layers.n; i++)
		if (!strs_has(wanted, img->layers.v[i]))
			strs_add(wanted, img->layers.v[i]);
	return 0;
}

/* What images and the build cache have. */
static int all_needed(int store, struct strs *wanted, struct err *err)
{
	int rc = image_each(store, add_layers, wanted, err);

	return rc < 0 ? rc : build_cache_layers(store, wanted, err);
}

/* The lock of one who removes layer ID. While a maker hands over his own lock the folder's keeps us out (see layer_settle.c). */
static int lock_layer(int folder, const char *id)
{
	int lock;

	if (flock(folder, LOCK_EX) < 0)
		return -errno;
	lock = folder_lock(folder, id, LOCK_EX);
	flock(folder, LOCK_UN);
	return lock;
}

/* Of the N layers IDS, those that are locked (LOCKS; -1: not) and that nothing needs. What needs them is asked after they were locked: who
 * refers to a layer holds it until he has said so. */
static int drop_locked(int store, int folder, char *const *ids, const int *locks, size_t n, const struct image_use *use, struct strs *removed,
		       struct err *err)
{
	struct strs wanted = { 0 };
	int rc = all_needed(store, &wanted, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (locks[i] < 0 || strs_has(&wanted, ids[i]) || strs_has(&use->layers, ids[i]))
			continue;
		rc = folder_remove(folder, ids[i]);
		if (rc < 0)
			err_sys(err, rc, "remove layer %.12s", ids[i]);
		else
			strs_fmt(removed, "layer %s", ids[i]);
	}
	strs_free(&wanted);
	return rc;
}

int store_drop_layers(int store, const struct strs *among, const struct image_use *use, struct strs *removed, struct err *err)
{
	int folder = store_folder(store, LAYERS, err), rc = 0, locks[64];

	if (folder < 0)
		return folder;
	for (size_t i = 0, n; i < among->n && rc == 0; i += n) {
		for (n = 0; n < sizeof locks / sizeof *locks && i + n < among->n; n++)
			locks[n] = lock_layer(folder, among->v[i + n]); /* not: it is being imported this very moment, or gone */
		rc = drop_locked(store, folder, among->v + i, locks, n, use, removed, err);
		for (size_t k = 0; k < n; k++)
			if (locks[k] >= 0)
				close(locks[k]);
	}
	close(folder);
	return rc;
}

static int unname(int store, const char *name, struct err *err)
{
	char file[256], path[sizeof NAMES + sizeof file];

	store_name_file(name, file);
	snprintf(path, sizeof path, NAMES "/%s", file);
	return unlinkat(store, path, 0) < 0 && errno != ENOENT ? err_sys(err, -errno, "remove the name %s", name) : 0;
}

/* The directory of an image that has no name left. */
static int drop_image(int store, const char *id, struct err *err)
{
	int folder = store_folder(store, IMAGES, err), rc;

	if (folder < 0)
		return folder;
	rc = folder_remove(folder, id);
	close(folder);
	return rc < 0 && rc != -ENOENT ? err_sys(err, rc, "remove image %.12s", id) : 0;
}

int image_remove(int store, const char *name, const struct image_use *use, bool force, struct err *err)
{
	struct image img = { 0 };
	struct strs names = { 0 }, removed = { 0 };
	int rc = image_find(store, name, &img, err), lock;
	bool last;

	if (rc < 0)
		return rc;
	lock = store_images_lock(store, LOCK_EX, err);
	rc = lock < 0 ? lock : store_names_of(store, img.id, &names, err);
	last = names.n <= 1 || (!img.name && force);
	if (rc == 0 && !img.name && names.n > 1 && !force)
		rc = err_msg(err, -EBUSY, "image %.12s has %zu names: remove those, or force it", img.id, names.n);
	else if (rc == 0 && last && strs_has(&use->images, img.id))
		rc = err_msg(err, -EBUSY, "a container uses it, or it is mounted");
	for (size_t i = 0; i < names.n && rc == 0; i++)
		if (last || strcmp(names.v[i], img.name) == 0)
			rc = unname(store, names.v[i], err);
	if (rc == 0 && last)
		rc = drop_image(store, img.id, err);
	if (lock >= 0)
		close(lock);
	if (rc == 0 && last)
		rc = store_drop_layers(store, &img.layers, use, &removed, err);
	strs_free(&names);
	strs_free(&removed);
	image_free(&img);
	return rc;
}

struct nameless {
	const struct image_use *use;
	struct strs ids;
};

static int add_nameless(void *arg, const struct image *img, const char *name)
{
	struct nameless *n = arg;

	if (!name && !strs_has(&n->use->images, img->id))
		strs_add(&n->ids, img->id);
	return 0;
}

static int prune_images(int store, const struct image_use *use, struct strs *removed, struct err *err)
{
	struct nameless n = { use, { 0 } };
	int lock = store_images_lock(store, LOCK_EX, err), rc = lock < 0 ? lock : image_each(store, add_nameless, &n, err);

	if (lock == -ENOENT)
		return 0;

	for (size_t i = 0; i < n.ids.n && rc == 0; i++) {
		rc = drop_image(store, n.ids.v[i], err);
		if (rc == 0)
			strs_fmt(removed, "image %s", n.ids.v[i]);
	}
	if (lock >= 0)
		close(lock);
	strs_free(&n.ids);
	return rc;
}

static void sweep(int store, const char *path, const char *what, struct strs *removed)
{
	int folder = dir_open(store, path);

	if (folder < 0)
		return;
	folder_sweep(folder, what, removed);
	close(folder);
}

/* Layers that, as far as can be seen without their locks, neither an image nor the build cache has. */
static int unneeded_layers(int store, struct strs *out, struct err *err)
{
	struct strs wanted = { 0 }, layers = { 0 };
	int rc = all_needed(store, &wanted, err);

	if (rc == 0 && (rc = store_list(store, LAYERS, &layers)) < 0)
		err_sys(err, rc, "list the layers");
	for (size_t i = 0; i < layers.n && rc == 0; i++)
		if (!strs_has(&wanted, layers.v[i]))
			strs_add(out, layers.v[i]);
	strs_free(&wanted);
	strs_free(&layers);
	return rc;
}

int image_prune(int store, const struct image_use *use, bool all, struct strs *removed, struct err *err)
{
	struct strs layers = { 0 };
	int rc = 0;

	sweep(store, LAYERS, "half-made layer", removed);
	sweep(store, IMAGES, "half-made image", removed);
	sweep(store, NAMES, "half-made name", removed);
	sweep(store, BUILD_STEPS, "half-made build step", removed);
	sweep(store, BUILD_MOUNTS, "half-removed build mount", removed);
	if (all)
		rc = prune_images(store, use, removed, err);
	if (rc == 0 && all)
		rc = build_cache_drop(store, removed, err);
	if (rc == 0)
		rc = unneeded_layers(store, &layers, err);
	if (rc == 0)
		rc = store_drop_layers(store, &layers, use, removed, err);
	strs_free(&layers);
	return rc;
}
