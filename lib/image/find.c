#include "image/store.h"
#include "image/sha256.h"

#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "busybox" is what podman's and docker's archives call localhost/busybox and docker.io/library/busybox. */
static int find_name(int store, const char *typed, char id[65], char **found)
{
	static const char *const before[] = { "", "localhost/", "docker.io/library/", "docker.io/" };
	int rc = -ENOENT;

	for (size_t i = 0; i < sizeof before / sizeof before[0] && rc == -ENOENT; i++) {
		char *full = xasprintf("%s%s", before[i], typed), *name = NULL;

		if (image_name_check(full, &name, NULL) == 0)
			rc = store_name_id(store, name, id);
		free(full);
		if (rc == 0)
			*found = name;
		else
			free(name);
	}
	return rc;
}

/* An id or the only one that begins with PREFIX. */
static int find_id(int store, const char *prefix, char id[65], struct err *err)
{
	struct strs ids = { 0 };
	size_t len = strlen(prefix), hits = 0;
	int rc;

	if (len < 4 || len > 64 || strspn(prefix, "0123456789abcdef") != len)
		return -ENOENT;
	rc = store_list(store, IMAGES, &ids);
	for (size_t i = 0; i < ids.n; i++) {
		if (sha256_is_hex(ids.v[i]) && starts_with(ids.v[i], prefix)) {
			memcpy(id, ids.v[i], 65);
			hits++;
		}
	}
	strs_free(&ids);
	if (rc == 0 && hits > 1)
		return err_msg(err, -ENOTUNIQ, "%zu image ids begin with %s", hits, prefix);
	return rc ? rc : hits ? 0 : -ENOENT;
}

int image_find(int store, const char *name, struct image *out, struct err *err)
{
	char id[65], *found = NULL;
	int rc = find_name(store, name, id, &found);

	if (rc == -ENOENT)
		rc = find_id(store, starts_with(name, "sha256:") ? name + 7 : name, id, err);
	if (rc == -ENOENT) {
		char *canonical = NULL;

		rc = image_name_check(name, &canonical, err);
		free(canonical);
		return rc ? rc : err_msg(err, -ENOENT, "no such image: %s", name);
	}
	if (rc == 0)
		rc = store_image(store, id, out, err);
	else if (rc != -ENOTUNIQ)
		err_sys(err, rc, "image %s", name);
	if (rc == 0)
		out->name = found;
	else
		free(found);
	return rc;
}

/* The images that have names, by name; their ids in SEEN. */
static int each_named(int store, int (*call)(void *, const struct image *, const char *), void *arg, struct strs *seen)
{
	struct strs names = { 0 };
	char id[65];
	int rc = store_list(store, NAMES, &names);

	for (size_t i = 0; i < names.n && rc == 0; i++) {
		struct image img = { 0 };

		store_name_of_file(names.v[i]);
		rc = store_name_id(store, names.v[i], id);
		if (rc == 0)
			rc = store_image(store, id, &img, NULL);
		if (rc == 0) {
			strs_add(seen, id);
			rc = call(arg, &img, names.v[i]);
		} else if (file_is_known(rc)) {
			rc = 0;
		}
		image_free(&img);
	}
	strs_free(&names);
	return rc;
}

int image_each(int store, int (*call)(void *arg, const struct image *img, const char *name), void *arg, struct err *err)
{
	struct strs seen = { 0 }, ids = { 0 };
	int rc = each_named(store, call, arg, &seen);

	if (rc == 0)
		rc = store_list(store, IMAGES, &ids);
	for (size_t i = 0; i < ids.n && rc == 0; i++) {
		struct image img = { 0 };

		if (sha256_is_hex(ids.v[i]) && !strs_has(&seen, ids.v[i])) {
			rc = store_image(store, ids.v[i], &img, NULL);
			rc = rc == 0 ? call(arg, &img, NULL) : file_is_known(rc) ? 0 : rc;
		}
		image_free(&img);
	}
	strs_free(&seen);
	strs_free(&ids);
	if (rc < 0 && err && !err->code)
		err_sys(err, rc, "images");
	return rc;
}
