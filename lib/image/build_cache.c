#include "image/build_cache.h"

#include "base/file.h"
#include "image/sha256.h"
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int build_cache_find(int store, const char *key, char word[BUILD_WORD])
{
	char path[sizeof BUILD_STEPS + BUILD_WORD];
	ssize_t n;

	snprintf(path, sizeof path, BUILD_STEPS "/%s", key);
	n = readlinkat(store, path, word, BUILD_WORD - 1);
	if (n < 0)
		return -errno;
	word[n] = 0;
	return 0;
}

int build_cache_note(int store, const char *key, const char *word, struct err *err)
{
	int folder = store_folder(store, BUILD_STEPS, err), rc;

	if (folder < 0)
		return folder;
	rc = store_link(folder, key, word);
	close(folder);
	return rc < 0 ? err_sys(err, rc, "note what the step made") : 0;
}

int build_cache_hold(int store, const char *diff_id)
{
	int folder = dir_open(store, LAYERS);
	struct layer_made m = { .fd = folder };

	if (folder < 0)
		return folder;
	layer_hold(folder, diff_id, &m);
	close(folder);
	return m.fd;
}

/* It may have been removed before it was locked: then it is made again. */
int build_cache_mount(int store, const char *name, bool shared, struct err *err)
{
	int folder = store_folder(store, BUILD_MOUNTS, err), fd = -ENOENT;

	if (folder < 0)
		return folder;
	while (fd == -ENOENT) {
		if (dir_make(folder, name, 0755) < 0 && errno != EEXIST) {
			fd = -errno;
			break;
		}
		fd = folder_wait(folder, name, shared ? LOCK_SH : LOCK_EX);
	}
	close(folder);
	return fd < 0 ? err_sys(err, fd, "open the cache mount %s", name) : fd;
}

int build_cache_layers(int store, struct strs *out, struct err *err)
{
	struct strs keys = { 0 };
	int rc = store_list(store, BUILD_STEPS, &keys);
	char word[BUILD_WORD];

	for (size_t i = 0; i < keys.n && rc == 0; i++) {
		const char *id = word;

		rc = build_cache_find(store, keys.v[i], word);
		id += rc == 0 && *word == '=';
		if (rc == 0 && sha256_is_hex(id) && !strs_has(out, id))
			strs_add(out, id);
		if (rc == -ENOENT)
			rc = 0; /* it was dropped just now */
	}
	strs_free(&keys);
	return rc < 0 ? err_sys(err, rc, "list the build cache") : 0;
}

/* One that is locked is in use: it stays. */
static int drop_mount(int folder, const char *name)
{
	int lock = folder_lock(folder, name, LOCK_EX), rc;

	if (lock < 0)
		return lock;
	rc = folder_remove(folder, name);
	close(lock);
	return rc;
}

static int drop_step(int folder, const char *key)
{
	return unlinkat(folder, key, 0) < 0 ? -errno : 0;
}

static int drop_all(int store, const char *path, const char *what, int (*drop)(int folder, const char *name), struct strs *removed, struct err *err)
{
	struct strs names = { 0 };
	int folder = dir_open(store, path), rc = folder < 0 ? folder : store_list(store, path, &names);

	for (size_t i = 0; i < names.n && rc == 0; i++) {
		rc = drop(folder, names.v[i]);
		if (rc == 0)
			strs_fmt(removed, "%s %s", what, names.v[i]);
		if (rc == -ENOENT || rc == -EWOULDBLOCK)
			rc = 0;
	}
	strs_free(&names);
	if (folder >= 0)
		close(folder);
	return rc < 0 && rc != -ENOENT ? err_sys(err, rc, "drop the build cache") : 0;
}

int build_cache_drop(int store, struct strs *removed, struct err *err)
{
	int rc = drop_all(store, BUILD_STEPS, "build step", drop_step, removed, err);

	return rc < 0 ? rc : drop_all(store, BUILD_MOUNTS, "build mount", drop_mount, removed, err);
}
