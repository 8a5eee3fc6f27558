#include "base/file.h"
#include "base/say.h"
#include "ctr/options.h"
#include "ctr/reap.h"
#include "ctr/rootfs_copy.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* O_EXCL: an id that somebody else still relies on isn't overwritten. */
static int write_cidfile(const char *path, const char *id, struct err *err)
{
	int fd, r;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : write_all(fd, id, strlen(id));
	if (fd >= 0)
		close(fd);
	return r < 0 ? err_sys(err, r, "write the id to %s", path) : 0;
}

/* Where overlay can't be had, the container gets a copy of its image. */
static int settle_root(const struct store *s, struct record *r, struct err *err)
{
	const char *why = r->spec.rootfs && !r->spec.rootfs_overlay ? NULL : rootfs_needs_copy(s);

	if (!why)
		return 0;
	say("%s: %s: its image is copied", r->spec.name, why);
	return rootfs_copy(s, r, err);
}

int container_create(const struct store *s, struct run_options *o, int n, char **operands, struct record *out, int *lock,
		     struct err *err)
{
	struct spec spec = { 0 };
	bool sync;
	int r = options_resolve(s, o, n, operands, &spec, err);

	sync = spec.restart && strcmp(spec.restart, "no"); /* it is promised to come back after a power cut */
	if (!r)
		r = record_create(s, &spec, sync, out, lock, err);
	if (r < 0) {
		spec_free(&spec);
		return r;
	}
	r = settle_root(s, out, err);
	if (!r)
		r = options_volumes(s, &out->spec, err);
	if (!r)
		r = write_cidfile(o->cidfile, out->id, err);
	if (r < 0) {
		container_remove(s, out, true, NULL);
		close(*lock);
		record_close(out);
	}
	return r;
}
