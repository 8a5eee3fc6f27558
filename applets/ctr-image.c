/* ctr-image: the images of the store. */
#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/say.h"
#include "base/table.h"
#include "ctr/image_tree.h"
#include "ctr/record.h"
#include "ctr/store.h"
#include "image/image.h"
#include "image/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHORT_ID 12

static int open_store(void)
{
	struct err err = { 0 };
	int store = store_open(&err);

	if (store < 0)
		die_err(1, NULL, &err);
	return store;
}

static void operands(int have, int want, const char *what)
{
	if (have < want)
		die_usage(2, "%s is missing", what);
	if (have > want)
		die_usage(2, "more than %s was given", what);
}

/* The image that the user means, or the end. */
static void find(int store, const char *name, struct image *img)
{
	struct err err = { 0 };

	if (image_find(store, name, img, &err) < 0)
		die_err(1, NULL, &err);
}

static void get_use(struct image_use *use)
{
	*use = (struct image_use){ 0 };
	if (record_images_in_use(&use->images, &use->layers) < 0)
		die(1, "the containers' records can't be read");
}

/* import */

struct import_options {
	struct strs changes;
	const char *file, *message;
	int64_t strip;
	bool quiet;
};

#define O(M) offsetof(struct import_options, M)
static const struct opt import_opts[] = {
	{ 'c', "change", "'CMD ..'", OPT_STRS, O(changes), "set CMD, ENTRYPOINT, ENV, USER, WORKDIR, EXPOSE, VOLUME, LABEL or STOPSIGNAL", NULL },
	{ 'i', "input", "FILE", OPT_STR, O(file), "read FILE instead of stdin", NULL },
	{ 'm', "message", "TEXT", OPT_STR, O(message), "what the image's history says (ctr-image import)", NULL },
	{ 0, "strip", "N", OPT_INT, O(strip), "drop N leading folders from each name (--strip 1: busybox/bin/sh is bin/sh)", NULL },
	{ 'q', "quiet", NULL, OPT_FLAG, O(quiet), "no progress bar", NULL },
	OPT_END
};
static const struct usage import_usage = {
	"ctr-image import", "[OPT].. NAME < ROOTFS.tar[.gz]", "Makes an image of a root file system's tar and prints its id.", import_opts, NULL, 2, false,
};

static int open_input(const char *file)
{
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	struct err err = { 0 };

	if (fd < 0) {
		err_sys(&err, -errno, "%s", file);
		die_err(1, NULL, &err);
	}
	if (isatty(fd))
		die_usage(2, "stdin is a terminal: a tar is expected");
	return fd;
}

static int import_main(int argc, char **argv)
{
	struct import_options o = { .message = "ctr-image import" };
	struct image img;
	struct progress bar;
	struct fd_source from;
	struct stat st;
	struct err err = { 0 };
	int rc;

	operands(opt_parse(&import_usage, &o, argc, argv), 1, "NAME");
	if (o.strip < 0 || o.strip > 100)
		die_usage(2, "--strip %lld: 0 to 100", (long long)o.strip);
	fd_source_init(&from, open_input(o.file));
	progress_begin(&bar, argv[0], fstat(from.fd, &st) == 0 ? st.st_size : 0, o.quiet);
	struct image_import how = {
		.layer = { .strip = (int)o.strip, .rootfs = true, .progress = progress_update, .progress_arg = &bar },
		.name = argv[0], .comment = o.message, .changes = o.changes,
	};
	rc = image_import(open_store(), &from.s, &how, &img, &err);
	progress_end(&bar);
	if (rc < 0)
		die_err(1, argv[0], &err);
	out_write(img.id, SHORT_ID);
	out_write("\n", 1);
	return 0;
}
#undef O

/* ls */

struct ls_options {
	struct list_options list;
};
static const struct opt ls_opts[] = { LIST_OPTS(struct ls_options, list), OPT_END };
static const struct usage ls_usage = { "ctr-image ls", "[OPT]..", "Lists images.", ls_opts, NULL, 2, false };
static const struct column ls_columns[] = {
	{ "name", true, false, false }, { "id", true, false, false }, { "size", true, true, true }, { "layers", true, true, true },
	{ "created", true, false, true }, { "containers", true, true, true }, { NULL, false, false, false },
};

struct ls {
	struct table *table;
	struct image_use use;
	int store;
};

static void size_cell(struct table *t, int64_t bytes)
{
	char human[16], raw[24];

	num_human(bytes, human);
	snprintf(raw, sizeof raw, "%lld", (long long)bytes);
	table_cell_raw(t, human, raw);
}

static void time_cell(struct table *t, int64_t epoch_s)
{
	char local[20] = "", raw[24];

	if (epoch_s)
		clock_local(epoch_s, local);
	snprintf(raw, sizeof raw, "%lld", (long long)epoch_s);
	table_cell_raw(t, local, epoch_s ? raw : "null");
}

static int ls_row(void *arg, const struct image *img, const char *name)
{
	struct ls *l = arg;
	char id[SHORT_ID + 1];
	int containers = 0;

	for (size_t i = 0; i < l->use.images.n; i++)
		containers += strcmp(l->use.images.v[i], img->id) == 0;
	snprintf(id, sizeof id, "%s", img->id);
	table_cell(l->table, name);
	table_cell(l->table, id);
	size_cell(l->table, image_size(l->store, img));
	table_int(l->table, (long long)img->layers.n);
	time_cell(l->table, img->created);
	table_int(l->table, containers);
	return 0;
}

static int ls_main(int argc, char **argv)
{
	struct ls_options o = { 0 };
	struct ls l;
	struct err err = { 0 };

	operands(opt_parse(&ls_usage, &o, argc, argv), 0, "options");
	l.store = open_store();
	l.table = table_begin(ls_columns, "id", &o.list);
	get_use(&l.use);
	if (image_each(l.store, ls_row, &l, &err) < 0)
		die_err(1, NULL, &err);
	table_end(l.table);
	return 0;
}

/* rm */

struct rm_options {
	bool force;
};
static const struct opt rm_opts[] = {
	{ 'f', "force", NULL, OPT_FLAG, offsetof(struct rm_options, force), "an id stands for all names of its image", NULL },
	OPT_END
};
static const struct usage rm_usage = {
	"ctr-image rm", "[-f] NAME..", "Removes names; with its last name the image, and the layers that nothing needs any more.", rm_opts, NULL, 2, false,
};

static int rm_main(int argc, char **argv)
{
	struct rm_options o = { 0 };
	struct strs targets = { 0 };
	struct image_use use;
	int n = opt_parse(&rm_usage, &o, argc, argv), store = open_store(), failed = 0;

	if (!n)
		die_usage(2, "NAME is missing");
	opt_targets(n, argv, &targets);
	get_use(&use);
	for (size_t i = 0; i < targets.n; i++) {
		struct err err = { 0 };

		if (image_remove(store, targets.v[i], &use, o.force, &err) == 0)
			continue;
		failed = 1;
		say_err(err.code == -ENOENT ? NULL : targets.v[i], &err);
	}
	return failed;
}

/* tag */

static const struct usage tag_usage = { "ctr-image tag", "SRC NAME", "Gives an image another name.", NULL, NULL, 2, false };

static int tag_main(int argc, char **argv)
{
	struct image img = { 0 };
	struct err err = { 0 };
	int store;

	operands(opt_parse(&tag_usage, NULL, argc, argv), 2, "SRC NAME");
	store = open_store();
	find(store, argv[0], &img);
	if (image_tag(store, &img, argv[1], &err) < 0)
		die_err(1, NULL, &err);
	return 0;
}

/* inspect */

static const struct usage inspect_usage = { "ctr-image inspect", "NAME..", "Prints all about images: a JSON array.", NULL, NULL, 2, false };

static int inspect_main(int argc, char **argv)
{
	struct strs targets = { 0 };
	struct buf out = { 0 };
	struct json_out o = { .b = &out, .pretty = true };
	int n = opt_parse(&inspect_usage, NULL, argc, argv), store = open_store(), failed = 0;

	if (!n)
		die_usage(2, "NAME is missing");
	opt_targets(n, argv, &targets);
	json_begin(&o, NULL, '[');
	for (size_t i = 0; i < targets.n; i++) {
		struct image img = { 0 };
		struct err err = { 0 };

		if (image_find(store, targets.v[i], &img, &err) == 0) {
			image_inspect(store, &img, &o);
		} else {
			failed = 1;
			say_err(NULL, &err);
		}
		image_free(&img);
	}
	json_end(&o, ']');
	buf_char(&out, '\n');
	out_write(out.p, out.len);
	return failed;
}

/* history */

static const struct usage history_usage = { "ctr-image history", "[OPT].. NAME", "Lists what made an image, newest first.", ls_opts, NULL, 2, false };
static const struct column history_columns[] = {
	{ "layer", true, false, false }, { "created", true, false, true }, { "size", true, true, true },
	{ "created_by", true, false, false }, { "comment", true, false, false }, { NULL, false, false, false },
};

static int history_main(int argc, char **argv)
{
	struct ls_options o = { 0 };
	struct image img = { 0 };
	struct table *t;
	size_t layer;
	int store;

	operands(opt_parse(&history_usage, &o, argc, argv), 1, "NAME");
	store = open_store();
	t = table_begin(history_columns, "layer", &o.list);
	find(store, argv[0], &img);
	layer = img.layers.n;
	for (size_t i = img.nhistory; i--;) {
		const struct image_step *s = &img.history[i];
		bool has = !s->empty && layer;
		char id[SHORT_ID + 1] = "";

		if (has)
			snprintf(id, sizeof id, "%s", img.layers.v[--layer]);
		table_cell(t, id);
		time_cell(t, s->created);
		size_cell(t, has ? layer_size(store, img.layers.v[layer]) : 0);
		table_cell(t, s->created_by);
		table_cell(t, s->comment);
	}
	table_end(t);
	return 0;
}

/* export */

struct export_options {
	const char *file;
};
static const struct opt export_opts[] = {
	{ 'o', "output", "FILE", OPT_STR, offsetof(struct export_options, file), "write FILE instead of stdout", NULL },
	OPT_END
};
static const struct usage export_usage = {
	"ctr-image export", "[-o FILE] NAME > ROOTFS.tar", "Writes an image's root file system, all layers in one, as a tar.", export_opts, NULL, 2, false,
};

/* Half a tar would look like a whole one. */
static void drop_output(const char *file, int fd)
{
	struct stat st;

	if (file && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		unlink(file);
}

static int export_main(int argc, char **argv)
{
	struct export_options o = { 0 };
	struct image img = { 0 };
	struct err err = { 0 };
	struct fd_sink to;
	int store, fd;

	operands(opt_parse(&export_usage, &o, argc, argv), 1, "NAME");
	if (!o.file && isatty(STDOUT_FILENO))
		die_usage(2, "stdout is a terminal: send the tar to a file");
	store = open_store();
	find(store, argv[0], &img);
	fd = image_tree_open(store, &img, &err);
	if (fd < 0)
		die_err(1, argv[0], &err);
	fd_sink_init(&to, o.file ? open(o.file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO);
	if (to.fd < 0)
		err_sys(&err, -errno, "%s", o.file);
	else if (tar_write(&(struct tar_write){ .rootfd = fd, .cross_mounts = true }, &to.s, &err) < 0)
		drop_output(o.file, to.fd);
	if (err.code < 0)
		die_err(1, argv[0], &err);
	return 0;
}

/* prune */

static const struct usage prune_usage = {
	"ctr-image prune", "", "Removes images without a name and layers that no image or container needs; prints what it removed.", NULL, NULL, 2, false,
};

static int prune_main(int argc, char **argv)
{
	struct strs removed = { 0 };
	struct image_use use;
	struct err err = { 0 };
	int rc, store;

	operands(opt_parse(&prune_usage, NULL, argc, argv), 0, "nothing");
	store = open_store();
	get_use(&use);
	rc = image_prune(store, &use, false, &removed, &err);
	for (size_t i = 0; i < removed.n; i++) {
		out_write(removed.v[i], strlen(removed.v[i]));
		out_write("\n", 1);
	}
	if (rc < 0)
		die_err(1, NULL, &err);
	return 0;
}

/* mount, umount */

static const struct usage mount_usage = {
	"ctr-image mount", "NAME DIR", "Mounts an image's root file system on DIR, for reading, where the caller's mounts are.", NULL, NULL, 2, false,
};
static const struct usage umount_usage = { "ctr-image umount", "DIR", "Takes away what ctr-image mount mounted.", NULL, NULL, 2, false };

static int mount_main(int argc, char **argv)
{
	struct image img = { 0 };
	struct err err = { 0 };
	int store;

	operands(opt_parse(&mount_usage, NULL, argc, argv), 2, "NAME DIR");
	store = open_store();
	find(store, argv[0], &img);
	if (image_tree_mount(store, &img, argv[1], &err) < 0)
		die_err(1, NULL, &err);
	return 0;
}

static int umount_main(int argc, char **argv)
{
	struct err err = { 0 };

	operands(opt_parse(&umount_usage, NULL, argc, argv), 1, "DIR");
	if (umount2(argv[0], UMOUNT_NOFOLLOW) < 0) {
		err_sys(&err, -errno, "umount %s", argv[0]);
		die_err(1, NULL, &err);
	}
	return 0;
}

int ctr_image_main(int argc, char **argv)
{
	static const struct subcommand table[] = {
		{ "import", NULL, import_main, "makes an image of a root file system's tar" },
		{ "ls", "list", ls_main, "lists images" },
		{ "rm", "remove", rm_main, "removes names and images" },
		{ "tag", NULL, tag_main, "gives an image another name" },
		{ "inspect", NULL, inspect_main, "all about images, as JSON" },
		{ "history", NULL, history_main, "what made an image" },
		{ "export", NULL, export_main, "writes an image's root file system as a tar" },
		{ "prune", NULL, prune_main, "removes what nothing needs" },
		{ "mount", NULL, mount_main, "mounts an image for reading" },
		{ "umount", NULL, umount_main, "takes it away" },
		{ NULL, NULL, NULL, NULL },
	};

	return opt_dispatch("ctr-image", "The images of the store.", table, argc, argv);
}
