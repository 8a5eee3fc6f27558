/* ctr-image save: images as an archive. */
#include "ctr-image.h"
#include "base/opt.h"
#include "base/say.h"
#include "ctr/archive.h"
#include "image/progress.h"
#include "image/save.h"

#include <string.h>

struct save_options {
	const char *file, *format;
	bool quiet;
};

#define O(M) offsetof(struct save_options, M)
static const struct opt save_opts[] = {
	{ 0, "format", "docker|oci", OPT_STR, O(format), "docker's archive, or OCI's (docker)", NULL },
	{ 'o', "output", "FILE", OPT_STR, O(file), "write FILE instead of stdout", NULL },
	{ 'q', "quiet", NULL, OPT_FLAG, O(quiet), "no progress bar", NULL },
	OPT_END
};
static const struct usage save_usage = {
	"ctr-image save", "[OPT].. NAME.. > ARCHIVE",
	"Writes images as an archive that ctr-image load, docker, podman and skopeo load, with ids and digests as they came.\n"
	"The same images are the same bytes each time.",
	save_opts, NULL, 2, false,
};

/* The id that a saved image has may be new, see lib/image/save.h. */
static void tell_new_id(const struct image_saved *v)
{
	if (strcmp(v->id, v->img.id))
		say("%s: how the tar of a layer was isn't known (an older ctrbox imported it): it is made anew, and the image's id is %.12s",
		    v->name, v->id);
}

static void add_all(struct image_save *s, int store, const struct strs *names)
{
	struct err err = { 0 };

	for (size_t i = 0; i < names->n; i++)
		if (image_save_add(s, store, names->v[i], &err) < 0)
			die_err(1, NULL, &err);
	for (size_t i = 0; i < s->nimages; i++)
		tell_new_id(&s->images[i]);
}

int ctr_image_save(int argc, char **argv)
{
	struct save_options o = { .format = "docker" };
	struct image_save s = { 0 };
	struct strs names = { 0 };
	struct progress bar;
	struct err err = { 0 };
	struct archive_output out;
	struct fd_sink to;
	int n = opt_parse(&save_usage, &o, argc, argv), store, rc;

	s.oci = strcmp(o.format, "oci") == 0;
	if (!s.oci && strcmp(o.format, "docker"))
		die_usage(2, "--format %s: docker or oci", o.format);
	if (!n)
		die_usage(2, "NAME is missing");
	opt_targets(n, argv, &names);
	store = image_store();
	add_all(&s, store, &names);
	archive_output(&out, o.file);
	fd_sink_init(&to, out.fd);
	progress_begin(&bar, names.v[0], s.length, o.quiet);
	s.progress = progress_update;
	s.progress_arg = &bar;
	rc = image_save_write(&s, store, &to.s, &err);
	progress_end(&bar);
	if (rc < 0) {
		archive_drop(&out);
		die_err(1, NULL, &err);
	}
	archive_keep(&out);
	return 0;
}
