/* A layer that is made gets its name, and is held until something refers to it. */
#include "image/store.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* From its maker's lock to one that others may have too, so that two who make the same layers in another order don't wait for each
 * other. flock(2) lets go in between: who removes layers is kept out meanwhile by the lock on the folder (see remove.c). */
static int name_it(int folder, const struct layer_made *m)
{
	int rc = flock(folder, LOCK_SH) < 0 ? -errno : 0;

	if (rc == 0 && renameat(folder, m->tmp, folder, m->diff_id) < 0)
		rc = -errno;
	if (rc == 0 && flock(m->fd, LOCK_SH) < 0)
		rc = -errno;
	flock(folder, LOCK_UN);
	return rc;
}

bool layer_hold(int folder, const char *diff_id, struct layer_made *m)
{
	m->fd = folder_lock(folder, diff_id, LOCK_SH);
	m->tmp[0] = 0;
	snprintf(m->diff_id, sizeof m->diff_id, "%s", diff_id);
	return m->fd >= 0;
}

int layer_settle(int folder, struct layer_made *m, struct err *err)
{
	while (m->tmp[0]) {
		struct layer_made other;
		int rc = name_it(folder, m);

		if (rc == 0) {
			m->tmp[0] = 0;
			fsync(folder);
			break;
		}
		if (rc != -EEXIST && rc != -ENOTEMPTY)
			return err_sys(err, rc, "layer %.12s", m->diff_id);
		/* who was faster with the same layer is as good: then it is his that is held */
		if (layer_hold(folder, m->diff_id, &other)) {
			layer_unmake(folder, m);
			*m = other;
		} else if (other.fd != -EWOULDBLOCK && other.fd != -ENOENT) {
			return err_sys(err, other.fd, "layer %.12s", m->diff_id);
		}
	}
	return 0;
}

void layer_unmake(int folder, struct layer_made *m)
{
	if (m->fd < 0)
		return;
	if (m->tmp[0])
		folder_remove(folder, m->tmp);
	close(m->fd);
	m->fd = -1;
}

int layer_import(int store, struct source *from, struct layer_import *how, struct err *err)
{
	int folder = store_folder(store, LAYERS, err), rc;
	struct layer_made made;

	if (folder < 0)
		return folder;
	folder_sweep(folder, "", NULL); /* what a killed import left may be the room that this one needs */
	rc = layer_make(folder, from, how, &made, err);
	if (rc == 0) {
		rc = syncfs(folder) < 0 ? err_sys(err, -errno, "write the layer") : layer_settle(folder, &made, err);
		if (rc < 0)
			layer_unmake(folder, &made);
	}
	close(folder);
	return rc < 0 ? rc : made.fd;
}
