/* WORKDIR: the directory is there afterwards. */
#include "build/copy.h"

#include "base/path.h"
#include "ctr/image_tree.h"
#include "ctr/userdb.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is made belongs to the image's user (docker's BuildKit, buildah). */
static int make(int root, void *arg, struct err *err)
{
	const struct image *img = arg;
	const struct strs none = { 0 };
	struct user u = { 0 };
	int rc = user_find(root, img->user, &none, &u, err);

	umask(0);
	free(u.home);
	return rc < 0 ? rc : copy_dirs(root, img->workdir + strspn(img->workdir, "/"), u.uid, u.gid, err);
}

static int perform(struct work *w, struct step *s, void *arg, struct err *err)
{
	(void)arg;
	return step_work(s, make, &w->image, err);
}

/* Whether the image has it. 1, 0, or -errno, told. */
static int is_there(const struct work *w, struct err *err)
{
	int root, dir;

	if (!w->image.layers.n)
		return !strcmp(w->image.workdir, "/");
	root = image_tree_open(w->plan->build->store->root, &w->image, err);
	if (root < 0)
		return root;
	dir = path_open(root, w->image.workdir, O_PATH | O_DIRECTORY, 0);
	if (dir >= 0)
		close(dir);
	close(root);
	return dir >= 0;
}

int work_dir(struct work *w, const struct instruction *i, struct err *err)
{
	char *done = work_line(i);
	struct act a;
	int rc = work_config(w, i, err);

	if (!rc)
		rc = is_there(w, err);
	if (!rc) {
		act_begin(&a, w, "WORKDIR");
		act_key(&a, w->image.workdir);
		act_key(&a, w->image.user);
		strs_add(&a.options.nets, "none");
		strs_add(&a.args, done);
		a.done = done;
		a.perform = perform;
		rc = act_perform(&a, w, err);
	}
	free(done);
	return rc < 0 ? rc : 0;
}
