#include "build/step.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "ctr/inside.h"
#include "ctr/reap.h"
#include "ctr/rootfs.h"
#include "image/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int step_begin(struct step *s, const struct store *store, struct run_options *o, const char *what, const struct strs *args, struct err *err)
{
	struct strs operands = { 0 };
	int rc;

	s->store = store;
	strs_add(&operands, what);
	strs_append(&operands, args);
	o->entrypoint = "";
	o->log = "none";
	o->rm = true;
	rc = container_create(store, o, (int)operands.n, operands.v, &s->record, &s->lock, err);
	strs_free(&operands);
	if (rc < 0)
		return rc;
	s->record.spec.auto_remove = false; /* its supervisor leaves it to us; ctr-gc reads it as it was written */
	rc = rootfs_prepare(&s->record, spec_owner(&s->record.spec), err);
	if (rc < 0)
		step_end(s, NULL);
	return rc;
}

int step_work(struct step *s, int (*work)(int root, void *arg, struct err *err), void *arg, struct err *err)
{
	struct inside in = { .store = s->store, .record = &s->record, .locked = true, .work = work, .arg = arg };
	int rc = inside_begin(&in, err);

	if (rc < 0)
		return rc;
	if (interrupt_wait(in.tell) == -EINTR)
		kill(in.pid, SIGKILL);
	return inside_end(&in, err);
}

static int read_layer(struct step *s, int tree, int64_t latest, struct layer_import *how, struct err *err)
{
	struct tar_edit edit = { .uid = -1, .gid = -1, .latest = latest };
	struct tar_write w = { .rootfd = tree, .whiteouts = !s->record.spec.rootfs, .edit = &edit };
	struct tree_source from;
	int rc = tree_source_begin(&from, &w, err), hold;

	if (rc < 0)
		return rc;
	hold = layer_import(s->store->root, &from.from.s, how, err);
	rc = tree_source_end(&from, hold, err);
	if (rc < 0 && hold >= 0)
		close(hold);
	return rc < 0 ? rc : hold;
}

int step_layer(struct step *s, struct image *img, int64_t latest, struct layer_import *how, struct err *err)
{
	const struct spec *spec = &s->record.spec;
	int tree = spec->rootfs ? dir_open(AT_FDCWD, spec->rootfs) : rootfs_upper(s->store, spec, err), hold;

	if (tree < 0)
		return spec->rootfs ? err_sys(err, tree, "open %s", spec->rootfs) : tree;
	hold = read_layer(s, tree, latest, how, err);
	close(tree);
	if (hold < 0)
		return hold;
	if (spec->rootfs)
		image_flatten(img);
	strs_add(&img->layers, how->diff_id);
	return hold;
}

int step_end(struct step *s, struct err *err)
{
	int rc;

	record_refresh(s->store, &s->record); /* what its supervisor noted */
	rc = container_remove(s->store, &s->record, true, err);
	close(s->lock);
	record_close(&s->record);
	return rc;
}
