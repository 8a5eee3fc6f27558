#include "ctr/commit.h"
#include "base/clock.h"
#include "base/file.h"
#include "ctr/inside.h"
#include "ctr/rootfs.h"
#include "sys/init.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who thaws: a process of its own, out of reach of what ends us, when the last holder of a pipe's other end has closed
 * it or died. */
struct thaw {
	pid_t pid; /* 0: nothing was frozen */
	int hold;  /* that end */
};

static void thaw_main(const struct commit *c, int pipe[2])
{
	char end;

	setsid();
	close(pipe[1]);
	read_full(pipe[0], &end, 1);
	cgroup_freeze(store_cgroups(c->store), c->record->state.cgroup, false, NULL);
	_exit(0);
}

/* Freezes what runs and isn't paused already. A host without a freezer commits as it is; so does who ends at this moment. */
static int freeze(const struct commit *c, struct thaw *t, struct err *err)
{
	const struct cgroup_host *host = store_cgroups(c->store);
	int hold[2], r;

	*t = (struct thaw){ .hold = -1 };
	if (record_status(c->store, c->record) != RUNNING)
		return 0;
	if (pipe2(hold, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	t->pid = fork();
	if (!t->pid)
		thaw_main(c, hold);
	close(hold[0]);
	t->hold = hold[1];
	if (t->pid < 0)
		r = err_sys(err, -errno, "start a process");
	else
		r = cgroup_freeze(host, c->record->state.cgroup, true, err);
	if (r == -ENOTSUP || r == -ENOENT)
		r = err->code = 0;
	return r;
}

/* Reads what TREE is into a layer. The process that reads holds the freeze: once it has read all, or has died with us,
 * the container goes on. A descriptor that keeps the layer, or -errno, told. */
static int read_layer(const struct commit *c, int tree, struct layer_import *layer, struct err *err)
{
	struct tar_write w = { .rootfd = tree, .whiteouts = !c->record->spec.rootfs };
	struct tree_source from;
	struct thaw t;
	int r = freeze(c, &t, err), hold = r;

	if (!r)
		r = tree_source_begin(&from, &w, err);
	if (t.hold >= 0)
		close(t.hold);
	if (!r) {
		hold = layer_import(c->store->root, &from.from.s, layer, err);
		r = tree_source_end(&from, hold, err);
		if (r < 0 && hold >= 0)
			close(hold);
	}
	if (t.pid > 0)
		child_wait(t.pid);
	return r < 0 ? r : hold;
}

static int open_tree(const struct commit *c, struct err *err)
{
	const struct spec *spec = &c->record->spec;
	int r;

	if (spec->rootfs)
		return rootfs_view(c->store, spec, true, err);
	r = rootfs_prepare(c->record, spec_owner(spec), err); /* one that never ran has changed nothing */
	return r < 0 ? r : rootfs_upper(c->store, spec, err);
}

static void set_text(char **to, const char *s)
{
	free(*to);
	*to = xstrdup(s);
}

static void set_list(struct strs *to, const struct strs *from)
{
	strs_free(to);
	strs_append(to, from);
}

/* The container's arguments were its image's entrypoint and what came after, or had nothing to do with it. */
static void set_command(struct image *img, const struct strs *args)
{
	size_t i = 0, n = img->entrypoint.n;

	while (i < n && i < args->n && !strcmp(args->v[i], img->entrypoint.v[i]))
		i++;
	if (i < n) {
		strs_free(&img->entrypoint);
		i = 0;
	}
	strs_free(&img->cmd);
	for (; i < args->n; i++)
		strs_add(&img->cmd, args->v[i]);
}

/* The environment but for what belongs to this container alone. */
static void set_env(struct image *img, const struct spec *spec)
{
	const struct strs *env = &spec->process.env;
	const char *host = strs_getenv(env, "HOSTNAME");
	bool own_host = host && !strcmp(host, spec->hostname);
	bool own_term = spec->process.tty && !strs_getenv(&img->env, "TERM");

	strs_free(&img->env);
	for (size_t i = 0; i < env->n; i++)
		if (!(own_host && starts_with(env->v[i], "HOSTNAME=")) &&
		    !(own_term && starts_with(env->v[i], "TERM=")))
			strs_add(&img->env, env->v[i]);
}

static void add_history(struct image *img, const struct spec *spec, const char *comment)
{
	struct buf command = { 0 };

	for (size_t i = 0; i < spec->process.args.n; i++)
		buf_fmt(&command, "%s%s", i ? " " : "", spec->process.args.v[i]);
	img->created = clock_wall_ns() / 1000000000;
	img->history = xrealloc(img->history, (img->nhistory + 1) * sizeof *img->history);
	img->history[img->nhistory++] =
		(struct image_step){ .created_by = command.p, .comment = xstrdup(comment), .created = img->created };
}

/* The image that the container was made of, as the container runs it, with the changes that were asked for. */
static int fill_config(const struct commit *c, struct image *img, struct err *err)
{
	const struct spec *spec = &c->record->spec;
	int r = spec->image_id ? image_find(c->store->root, spec->image_id, img, err) : 0;

	if (r < 0)
		return r;
	free(img->name);
	img->name = NULL;
	set_command(img, &spec->process.args);
	set_env(img, spec);
	set_text(&img->user, spec->process.user);
	set_text(&img->workdir, spec->process.cwd);
	set_text(&img->stop_signal, spec->stop_signal);
	set_list(&img->labels, &spec->labels);
	if (spec->rootfs)
		image_flatten(img);
	for (size_t i = 0; i < c->changes->n && !r; i++)
		r = image_change(img, c->changes->v[i], NULL, err);
	return r;
}

static int make_image(const struct commit *c, struct image *img, struct err *err)
{
	struct layer_import layer = { .strip = 0 };
	int tree = open_tree(c, err), hold, r;

	if (tree < 0)
		return tree;
	hold = read_layer(c, tree, &layer, err);
	close(tree);
	if (hold < 0)
		return hold;
	strs_add(&img->layers, layer.diff_id);
	add_history(img, &c->record->spec, c->comment);
	r = image_create(c->store->root, img, c->name, NULL, err);
	close(hold);
	return r;
}

int commit(const struct commit *c, struct image *out, struct err *err)
{
	char *name = NULL;
	bool running;
	int lock = -1, r = image_name_check(c->name, &name, err);

	*out = (struct image){ 0 };
	free(name);
	if (!r)
		r = fill_config(c, out, err);
	if (!r)
		r = lock = inside_lock(c->store, c->record, &running, err);
	if (r >= 0) {
		r = make_image(c, out, err);
		close(lock);
	}
	if (r < 0)
		image_free(out);
	return r;
}
