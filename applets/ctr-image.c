/* ctr-image: the images of the store. */
#include "ctr-image/ctr-image.h"
#include "base/opt.h"
#include "base/say.h"
#include "ctr/image_tree.h"
#include "ctr/record.h"
#include "ctr/store.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

int image_store(void)
{
	struct err err = { 0 };
	int store = store_open(&err);

	if (store < 0)
		die_err(1, NULL, &err);
	return store;
}

void image_operands(int have, int want, const char *what)
{
	if (have < want)
		die_usage(2, "%s is missing", what);
	if (have > want)
		die_usage(2, "more than %s was given", what);
}

void image_get(int store, const char *name, struct image *img)
{
	struct err err = { 0 };

	if (image_find(store, name, img, &err) < 0)
		die_err(1, NULL, &err);
}

void image_credentials(const char **typed)
{
	char *mine;

	if (!*typed)
		return;
	if (!strchr(*typed, ':'))
		die_usage(2, "--creds is USER:PASSWORD");
	mine = xstrdup(*typed);
	memset((char *)(uintptr_t)*typed, '*', strlen(*typed));
	*typed = mine;
}

void image_used(struct image_use *use)
{
	struct err err = { 0 };
	struct store s;

	*use = (struct image_use){ 0 };
	if (store_get(&s, &err) < 0)
		die_err(1, NULL, &err);
	if (record_images_in_use(&use->images, &use->layers, &err) < 0 || image_tree_mounted(&s, &use->images, &err) < 0)
		die_err(1, NULL, &err);
	store_close(&s);
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
	int n = opt_parse(&rm_usage, &o, argc, argv), store = image_store(), failed = 0;

	if (!n)
		die_usage(2, "NAME is missing");
	opt_targets(n, argv, &targets);
	image_used(&use);
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

	image_operands(opt_parse(&tag_usage, NULL, argc, argv), 2, "SRC NAME");
	store = image_store();
	image_get(store, argv[0], &img);
	if (image_tag(store, &img, argv[1], &err) < 0)
		die_err(1, NULL, &err);
	return 0;
}

/* prune */

static const struct usage prune_usage = {
	"ctr-image prune", "", "Removes images without a name, the build cache, and layers that no image or container needs; prints what it removed.", NULL, NULL, 2, false,
};

static int prune_main(int argc, char **argv)
{
	struct strs removed = { 0 };
	struct image_use use;
	struct err err = { 0 };
	int rc, store;

	image_operands(opt_parse(&prune_usage, NULL, argc, argv), 0, "nothing");
	store = image_store();
	image_used(&use);
	rc = image_prune(store, &use, true, &removed, &err);
	for (size_t i = 0; i < removed.n; i++)
		out_line(removed.v[i]);
	if (rc < 0)
		die_err(1, NULL, &err);
	return 0;
}

/* mount, umount */

static const struct usage mount_usage = {
	"ctr-image mount", "NAME|FILE DIR", "Mounts an image's root file system on DIR, for reading, where the caller's mounts are.", NULL,
	"FILE holds a squashfs, erofs or ext4; where an image has its name too, ./FILE is meant. While an image is mounted, ctr-image rm and prune keep it.",
	2, false,
};
static const struct usage umount_usage = { "ctr-image umount", "DIR", "Takes away what ctr-image mount mounted.", NULL, NULL, 2, false };

/* What he mounts is seen by the processes of his own namespace alone: nobody would ever see it. */
static void refuse_user(void)
{
	if (geteuid())
		die(1, "what an ordinary user mounts is seen by that command alone (see ctr-image export)");
}

static int mount_main(int argc, char **argv)
{
	struct image img = { 0 };
	struct err err = { 0 };
	struct store s;
	bool path;
	int r;

	image_operands(opt_parse(&mount_usage, NULL, argc, argv), 2, "NAME|FILE DIR");
	refuse_user();
	path = *argv[0] == '/' || *argv[0] == '.';
	r = path ? -ENOENT : store_get(&s, &err);
	if (!r)
		r = image_find(s.root, argv[0], &img, &err);
	if (!r)
		r = image_tree_mount(&s, &img, argv[1], &err);
	else if (path || access(argv[0], F_OK) == 0)
		r = image_tree_mount_file(argv[0], argv[1], &err);
	if (r < 0)
		die_err(1, NULL, &err);
	return 0;
}

static int umount_main(int argc, char **argv)
{
	struct err err = { 0 };

	image_operands(opt_parse(&umount_usage, NULL, argc, argv), 1, "DIR");
	if (umount2(argv[0], UMOUNT_NOFOLLOW) < 0) {
		err_sys(&err, -errno, "umount %s", argv[0]);
		die_err(1, NULL, &err);
	}
	return 0;
}

int ctr_image_main(int argc, char **argv)
{
	static const struct subcommand table[] = {
		{ "import", NULL, ctr_image_import, "makes an image of a root file system's tar" },
		{ "load", NULL, ctr_image_load, "takes images from an archive or a directory" },
		{ "pull", NULL, ctr_image_pull, "brings an image from a registry" },
		{ "push", NULL, ctr_image_push, "sends one there" },
		{ "build", NULL, ctr_image_build, "makes an image of a Containerfile" },
		{ "ls", "list", ctr_image_ls, "lists images" },
		{ "rm", "remove", rm_main, "removes names and images" },
		{ "tag", NULL, tag_main, "gives an image another name" },
		{ "inspect", NULL, ctr_image_inspect, "all about images, as JSON" },
		{ "history", NULL, ctr_image_history, "what made an image" },
		{ "export", NULL, ctr_image_export, "writes an image's root file system as a tar" },
		{ "save", NULL, ctr_image_save, "writes images as an archive of docker's or OCI's kind" },
		{ "prune", NULL, prune_main, "removes what nothing needs" },
		{ "mount", NULL, mount_main, "mounts an image, or an image file, for reading" },
		{ "umount", NULL, umount_main, "takes it away" },
		{ NULL, NULL, NULL, NULL },
	};

	return opt_dispatch("ctr-image", "The images of the store.", table, argc, argv);
}
